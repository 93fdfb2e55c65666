//! The API key of an endpoint.

use std::io::Read;

use reqwest::header::HeaderValue;

use crate::config::BuildError;
use crate::endpoint::config::OpenAiEndpointConfig;

/// Longest key file, in bytes.
const KEY_SIZE_MAX: u64 = 16 << 10;

/// The `Authorization` header, marked so that no debug output shows it; `None` if no key is configured.
pub(super) fn authorization(
    config: &OpenAiEndpointConfig,
) -> Result<Option<HeaderValue>, BuildError> {
    let (place, key) = match (&config.api_key_env, &config.api_key_file) {
        (Some(variable), _) => (
            format!("variable {variable}"),
            std::env::var(variable).map_err(|e| e.to_string()),
        ),
        (None, Some(file)) => {
            let mut key = String::new();
            let read = std::fs::File::open(file)
                .and_then(|file| file.take(KEY_SIZE_MAX).read_to_string(&mut key));
            (
                format!("file {}", file.display()),
                read.map(|_| key).map_err(|e| e.to_string()),
            )
        }
        (None, None) => return Ok(None),
    };
    let failed = |reason: String| BuildError::ApiKey {
        place: place.clone(),
        reason,
    };
    let key = key.map_err(failed)?;
    let key = key.trim();
    if key.is_empty() {
        return Err(failed("it is empty".to_owned()));
    }
    let mut header = HeaderValue::from_str(&format!("Bearer {key}"))
        .map_err(|_| failed("it has forbidden characters".to_owned()))?;
    header.set_sensitive(true);
    Ok(Some(header))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config_with(content: &str) -> (tempfile::TempDir, OpenAiEndpointConfig) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("key");
        std::fs::write(&file, content).expect("written");
        let mut config = OpenAiEndpointConfig::new("http://localhost/v1", "m");
        config.api_key_file = Some(file);
        (folder, config)
    }

    #[test]
    fn a_key_from_a_file_is_trimmed_and_hidden_from_debug_output() {
        let (_folder, config) = config_with("  secret-key\n");
        let header = authorization(&config).expect("usable").expect("present");
        assert_eq!(header.as_bytes(), b"Bearer secret-key");
        assert!(!format!("{header:?}").contains("secret"));
    }

    #[test]
    fn an_empty_missing_or_malformed_key_is_refused() {
        let (_folder, config) = config_with("\n");
        assert!(
            authorization(&config)
                .expect_err("refused")
                .to_string()
                .ends_with("it is empty")
        );
        let (_folder, config) = config_with("a\nb");
        assert!(authorization(&config).is_err());
        let mut config = OpenAiEndpointConfig::new("http://localhost/v1", "m");
        config.api_key_env = Some("SYMPHONY_TEST_NO_SUCH_VARIABLE".to_owned());
        assert!(authorization(&config).is_err());
    }
}
