//! The configuration from which any executor is built.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::command::{ExternalCommand, ExternalCommandConfig};
use crate::endpoint::{OpenAiEndpoint, OpenAiEndpointConfig};
use crate::engine::{EngineProcess, EngineProcessConfig};
use crate::executor::Executor;

/// Who answers. In TOML:
///
/// ```toml
/// [executor]
/// kind = "engine"            # or "open_ai", "command"
/// model = "models/boolean"   # or gguf = "model.gguf", or hub_id = "organisation/name"
/// device = "cpu"             # or "cuda", "metal"
/// threads = 1
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ExecutorConfig {
    /// The supervised engine process.
    Engine(EngineProcessConfig),
    /// An OpenAI-compatible endpoint.
    OpenAi(OpenAiEndpointConfig),
    /// An external command.
    Command(ExternalCommandConfig),
}

/// Why an executor cannot be built from its configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A number is outside its range.
    #[error("{key} is {actual}, expected {min} to {max}")]
    OutOfRange {
        /// The key.
        key: &'static str,
        /// The number as configured.
        actual: u64,
        /// Smallest number.
        min: u64,
        /// Largest number.
        max: u64,
    },
    /// Not exactly one model is named.
    #[error("name exactly one of model, gguf and hub_id, not {actual}")]
    ModelCount {
        /// How many are named.
        actual: usize,
    },
    /// A text that must say something is empty or too long.
    #[error("{key} has {actual} bytes, expected {min} to {max}")]
    TextSize {
        /// The key.
        key: &'static str,
        /// Size as configured, in bytes.
        actual: usize,
        /// Smallest size in bytes.
        min: usize,
        /// Largest size in bytes.
        max: usize,
    },
    /// The base URL is not one.
    #[error(
        "base_url {actual:?} is not an http or https URL without user name, query and fragment"
    )]
    BaseUrl {
        /// The text as configured.
        actual: String,
    },
    /// The key of an endpoint cannot be had.
    #[error("the API key in {place} cannot be used: {reason}")]
    ApiKey {
        /// The variable or file.
        place: String,
        /// Why.
        reason: String,
    },
    /// A folder for sockets cannot be made.
    #[error("no folder for the engine's socket: {0}")]
    RunFolder(std::io::Error),
    /// The HTTP client cannot be built.
    #[error("no HTTP client: {reason}")]
    Client {
        /// What the library says.
        reason: String,
    },
}

impl BuildError {
    pub(crate) fn verify_range(
        key: &'static str,
        actual: u32,
        min: u32,
        max: u32,
    ) -> Result<(), Self> {
        if (min..=max).contains(&actual) {
            return Ok(());
        }
        Err(Self::OutOfRange {
            key,
            actual: actual.into(),
            min: min.into(),
            max: max.into(),
        })
    }

    pub(crate) fn verify_size(key: &'static str, text: &str, max: usize) -> Result<(), Self> {
        if (1..=max).contains(&text.len()) {
            return Ok(());
        }
        Err(Self::TextSize {
            key,
            actual: text.len(),
            min: 1,
            max,
        })
    }
}

impl ExecutorConfig {
    /// Checks the configuration without starting anything.
    ///
    /// # Errors
    ///
    /// [`BuildError`] names the key.
    pub fn validate(&self) -> Result<(), BuildError> {
        match self {
            Self::Engine(config) => config.validate(),
            Self::OpenAi(config) => config.validate(),
            Self::Command(config) => config.validate(),
        }
    }

    /// Builds the executor and begins to start what it needs; does not wait for it ([`Executor::describe`] does).
    ///
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`BuildError`].
    pub fn build(&self) -> Result<Arc<dyn Executor>, BuildError> {
        Ok(match self {
            Self::Engine(config) => Arc::new(EngineProcess::start(config.clone())?),
            Self::OpenAi(config) => Arc::new(OpenAiEndpoint::new(config.clone())?),
            Self::Command(config) => Arc::new(ExternalCommand::start(config.clone())?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn parse(text: &str) -> Result<ExecutorConfig, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn each_kind_is_read_from_its_smallest_text() {
        let engine = parse("kind = 'engine'\nmodel = 'models/boolean'").expect("read");
        assert!(matches!(&engine, ExecutorConfig::Engine(config) if config.threads == 1));
        let endpoint =
            parse("kind = 'open_ai'\nbase_url = 'http://localhost:11434/v1'\nmodel = 'm'")
                .expect("read");
        assert!(matches!(&endpoint, ExecutorConfig::OpenAi(_)));
        let command = parse("kind = 'command'\nprogram = './answer'\nmodel = 'm'").expect("read");
        assert!(matches!(&command, ExecutorConfig::Command(_)));
        for config in [engine, endpoint, command] {
            config.validate().expect("valid");
            let text = toml::to_string(&config).expect("written");
            assert_eq!(parse(&text).expect("read again"), config);
        }
    }

    #[test]
    fn durations_are_text() {
        let config = parse("kind = 'engine'\nmodel = 'm'\nsupervision = { hang_grace = '250ms' }")
            .expect("read");
        let ExecutorConfig::Engine(config) = config else {
            panic!("an engine")
        };
        assert_eq!(config.supervision.hang_grace, Duration::from_millis(250));
    }

    #[test]
    fn unknown_keys_are_refused_at_both_levels() {
        assert!(parse("kind = 'engine'\nmodel = 'm'\nthreds = 2").is_err());
        assert!(parse("kind = 'engine'\nmodel = 'm'\nsupervision = { queue = 2 }").is_err());
        assert!(parse("kind = 'oracle'\nmodel = 'm'").is_err());
    }

    #[test]
    fn numbers_outside_their_range_are_refused_by_name() {
        let message = |text: &str| {
            parse(text)
                .expect("read")
                .validate()
                .expect_err("refused")
                .to_string()
        };
        assert_eq!(
            message("kind = 'engine'\nmodel = 'm'\nthreads = 0"),
            "threads is 0, expected 1 to 1024"
        );
        let queue = "kind = 'engine'\nmodel = 'm'\nsupervision = { queue_count_max = 5000 }";
        assert_eq!(
            message(queue),
            "queue_count_max is 5000, expected 1 to 4096"
        );
        let none = "name exactly one of model, gguf and hub_id, not 0";
        assert_eq!(message("kind = 'engine'"), none);
        let two = "name exactly one of model, gguf and hub_id, not 2";
        assert_eq!(message("kind = 'engine'\nmodel = 'm'\ngguf = 'g'"), two);
    }
}
