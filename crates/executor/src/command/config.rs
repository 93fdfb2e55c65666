//! The configuration of an external command.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::config::BuildError;
use crate::supervisor::SupervisionConfig;

/// Longest text of a setting, in bytes.
const TEXT_SIZE_MAX: usize = 256;

/// The configuration of an external command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalCommandConfig {
    /// The program, with a path or looked up on the search path. No shell is involved.
    pub program: PathBuf,
    /// Its arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// Folder in which it runs; this program's own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<PathBuf>,
    /// Name of the model for people, 1 to 256 bytes.
    pub model: String,
    /// Device for receipts: what the operator says of the program, 1 to 256 bytes.
    #[serde(default = "default_device")]
    pub device: String,
    /// Inference threads for receipts, if the operator knows them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<u32>,
    /// How the process is supervised.
    #[serde(default)]
    pub supervision: SupervisionConfig,
}

fn default_device() -> String {
    "external".to_owned()
}

impl ExternalCommandConfig {
    /// A configuration with the defaults.
    pub fn new(program: impl Into<PathBuf>, model: impl Into<String>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            working_dir: None,
            model: model.into(),
            device: default_device(),
            threads: None,
            supervision: SupervisionConfig::default(),
        }
    }

    /// Checks the documented ranges; whether the program can be run shows when it is started.
    ///
    /// # Errors
    ///
    /// [`BuildError`] names the key.
    pub fn validate(&self) -> Result<(), BuildError> {
        BuildError::verify_size("program", &self.program.to_string_lossy(), 4_096)?;
        BuildError::verify_size("model", &self.model, TEXT_SIZE_MAX)?;
        BuildError::verify_size("device", &self.device, TEXT_SIZE_MAX)?;
        self.supervision.validate()
    }
}
