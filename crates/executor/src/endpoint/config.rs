//! The configuration of an OpenAI-compatible endpoint.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::config::BuildError;
use crate::limits::{PARALLEL_COUNT_MAX, QUEUE_COUNT_MAX};

/// Longest text of a setting, in bytes.
const TEXT_SIZE_MAX: usize = 256;

/// The configuration of an OpenAI-compatible endpoint, such as Ollama at `http://localhost:11434/v1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenAiEndpointConfig {
    /// URL up to and including the version, to which `/chat/completions` is appended.
    pub base_url: String,
    /// Name of the model as the server knows it, 1 to 256 bytes.
    pub model: String,
    /// Name of the environment variable that holds the API key. At most one of `api_key_env` and `api_key_file` is used: the variable first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_env: Option<String>,
    /// File that holds the API key; surrounding white space is ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_file: Option<PathBuf>,
    /// Device for receipts: what the operator says of the server, 1 to 256 bytes.
    #[serde(default = "default_device")]
    pub device: String,
    /// Inference threads for receipts, if the operator knows them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<u32>,
    /// Whether to ask for the tokens' log probabilities, from which the confidence comes.
    #[serde(default)]
    pub logprobs: Logprobs,
    /// Requests sent at the same time, 1 to 64.
    #[serde(default = "default_parallel_count")]
    pub parallel_count: u32,
    /// Requests that may wait behind those, 0 to 4,096.
    #[serde(default = "default_queue_count_max")]
    pub queue_count_max: u32,
    /// Time that connecting may take.
    #[serde(default = "default_connect_timeout", with = "humantime_serde")]
    pub connect_timeout: Duration,
}

/// Whether log probabilities are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Logprobs {
    /// Not asked for: some servers refuse a request that does. Answers then have no measured confidence.
    #[default]
    Omit,
    /// Asked for.
    Request,
}

fn default_device() -> String {
    "remote".to_owned()
}

fn default_parallel_count() -> u32 {
    1
}

fn default_queue_count_max() -> u32 {
    64
}

fn default_connect_timeout() -> Duration {
    Duration::from_secs(10)
}

impl OpenAiEndpointConfig {
    /// A configuration with the defaults.
    pub fn new(base_url: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            model: model.into(),
            api_key_env: None,
            api_key_file: None,
            device: default_device(),
            threads: None,
            logprobs: Logprobs::default(),
            parallel_count: default_parallel_count(),
            queue_count_max: default_queue_count_max(),
            connect_timeout: default_connect_timeout(),
        }
    }

    /// Checks the documented ranges and the URL; reaches neither the network nor the key.
    ///
    /// # Errors
    ///
    /// [`BuildError`] names the key.
    pub fn validate(&self) -> Result<(), BuildError> {
        self.parsed_base_url()?;
        BuildError::verify_size("model", &self.model, TEXT_SIZE_MAX)?;
        BuildError::verify_size("device", &self.device, TEXT_SIZE_MAX)?;
        BuildError::verify_range("parallel_count", self.parallel_count, 1, PARALLEL_COUNT_MAX)?;
        BuildError::verify_range("queue_count_max", self.queue_count_max, 0, QUEUE_COUNT_MAX)
    }

    /// The base URL without a slash at its end. A key inside the URL would reach logs, so a user name is refused.
    pub(super) fn parsed_base_url(&self) -> Result<Url, BuildError> {
        let refused = || BuildError::BaseUrl {
            actual: self.base_url.clone(),
        };
        let url = Url::parse(self.base_url.trim_end_matches('/')).map_err(|_| refused())?;
        let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        let usable = matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some()
            && url.fragment().is_none();
        if plain && usable {
            Ok(url)
        } else {
            Err(refused())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_http_and_carries_no_secret() {
        for url in ["http://localhost:11434/v1", "https://example.org/v1/"] {
            assert!(
                OpenAiEndpointConfig::new(url, "m").validate().is_ok(),
                "{url}"
            );
        }
        for url in [
            "",
            "localhost:11434/v1",
            "ftp://example.org",
            "http://user:key@example.org/v1",
            "http://h/v1?key=1",
        ] {
            assert!(
                OpenAiEndpointConfig::new(url, "m").validate().is_err(),
                "{url}"
            );
        }
    }
}
