//! The configuration of an engine process.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::BuildError;
use crate::supervisor::SupervisionConfig;

/// Variable that names the engine program, for trees in which it does not lie beside the node.
const PROGRAM_VARIABLE: &str = "SYMPHONY_ENGINE";
/// Name of the engine program.
const PROGRAM_NAME: &str = "symphony-engine";

/// Device on which the engine computes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineDevice {
    /// The processor.
    #[default]
    Cpu,
    /// The first NVIDIA device visible; needs an engine built with `./x engine cuda`.
    Cuda,
    /// The Apple graphics processor; needs an engine built with `./x engine metal`.
    Metal,
}

impl EngineDevice {
    /// The name in configuration, receipts and on the engine's command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::Metal => "metal",
        }
    }
}

/// Which model the engine loads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineModel {
    /// A folder with `config.json`, `tokenizer.json` and `*.safetensors`.
    Folder(PathBuf),
    /// A GGUF file.
    Gguf(PathBuf),
    /// A model of the hub, which is downloaded: the only choice that reaches the network.
    Hub(String),
}

/// The configuration of an engine process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineProcessConfig {
    /// Folder of the model. Exactly one of `model`, `gguf` and `hub_id` is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<PathBuf>,
    /// GGUF file of the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gguf: Option<PathBuf>,
    /// Hub id of the model, `organisation/name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hub_id: Option<String>,
    /// Device that computes.
    #[serde(default)]
    pub device: EngineDevice,
    /// Inference threads on the CPU, 1 to 1,024.
    #[serde(default = "one")]
    pub threads: u32,
    /// Most tokens of one answer, 1 to 131,072.
    #[serde(default = "default_max_tokens")]
    pub max_tokens: u32,
    /// The engine program. By default: `SYMPHONY_ENGINE`, else `symphony-engine` beside this program, else on the path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<PathBuf>,
    /// Folder for the model library's cache and for hub models; the engine's own default if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// How the process is supervised.
    #[serde(default)]
    pub supervision: SupervisionConfig,
}

fn one() -> u32 {
    1
}

fn default_max_tokens() -> u32 {
    4_096
}

impl EngineProcessConfig {
    /// A configuration with the defaults for `model`.
    pub fn new(model: EngineModel) -> Self {
        let mut config = Self {
            model: None,
            gguf: None,
            hub_id: None,
            device: EngineDevice::default(),
            threads: one(),
            max_tokens: default_max_tokens(),
            program: None,
            data_dir: None,
            supervision: SupervisionConfig::default(),
        };
        match model {
            EngineModel::Folder(folder) => config.model = Some(folder),
            EngineModel::Gguf(file) => config.gguf = Some(file),
            EngineModel::Hub(id) => config.hub_id = Some(id),
        }
        config
    }

    /// Checks the documented ranges. Whether the model exists the engine checks, where it runs.
    ///
    /// # Errors
    ///
    /// [`BuildError`] names the key.
    pub fn validate(&self) -> Result<(), BuildError> {
        self.engine_model()?;
        BuildError::verify_range("threads", self.threads, 1, 1_024)?;
        BuildError::verify_range("max_tokens", self.max_tokens, 1, 131_072)?;
        self.supervision.validate()
    }

    /// The one model that is named.
    ///
    /// # Errors
    ///
    /// [`BuildError::ModelCount`] if none or several are.
    pub fn engine_model(&self) -> Result<EngineModel, BuildError> {
        match (&self.model, &self.gguf, &self.hub_id) {
            (Some(folder), None, None) => Ok(EngineModel::Folder(folder.clone())),
            (None, Some(file), None) => Ok(EngineModel::Gguf(file.clone())),
            (None, None, Some(id)) => Ok(EngineModel::Hub(id.clone())),
            (model, gguf, hub_id) => {
                let actual = [model.is_some(), gguf.is_some(), hub_id.is_some()]
                    .into_iter()
                    .filter(|is| *is)
                    .count();
                Err(BuildError::ModelCount { actual })
            }
        }
    }

    /// The engine program: as configured, from the variable, beside this program, or left to the search path.
    pub(super) fn locate_program(&self) -> PathBuf {
        let beside = || {
            let own = std::env::current_exe().ok()?;
            // A test runs from the folder `deps` below the programs.
            own.ancestors()
                .skip(1)
                .take(2)
                .map(|folder| folder.join(PROGRAM_NAME))
                .find(|program| program.is_file())
        };
        self.program
            .clone()
            .or_else(|| std::env::var_os(PROGRAM_VARIABLE).map(PathBuf::from))
            .or_else(beside)
            .unwrap_or_else(|| Path::new(PROGRAM_NAME).to_path_buf())
    }
}
