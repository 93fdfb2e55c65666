//! What `symphony-engine describe` prints: a model as its files show it, without loading it.

use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;

use crate::digest::{ModelFile, model_digest, model_files};
use crate::source::ModelSource;

/// Largest `config.json` that is read, in bytes; real ones have some kilobytes.
const CONFIG_SIZE_MAX: u64 = 1 << 20;

/// A model as its files show it.
#[derive(Debug, Serialize)]
pub struct FileDescription {
    /// Name for people.
    pub model_name: String,
    /// Digest of the files, 64 lowercase hexadecimal digits.
    pub model_digest: String,
    /// `safetensors` or `gguf`.
    pub format: &'static str,
    /// First entry of `architectures` in `config.json`; absent for a GGUF file without one beside it.
    pub architecture: Option<String>,
    /// `max_position_embeddings` of `config.json`: longest sequence in tokens.
    pub context_length_tokens: Option<u64>,
    /// `vocab_size` of `config.json`: number of tokens known.
    pub vocabulary_count: Option<u64>,
    /// Total size of the weights, in bytes.
    pub weights_size: u64,
    /// Names of the files under the digest, in its order.
    pub files: Vec<String>,
}

/// Describes the model at `source` from its files.
///
/// # Errors
///
/// What reading the files gives; `InvalidInput` for a hub model.
pub fn describe_files(source: &ModelSource) -> io::Result<FileDescription> {
    let files = model_files(source, None)?;
    let config = read_config(&files)?;
    let number = |key: &str| config.get(key).and_then(serde_json::Value::as_u64);
    let architecture = config
        .pointer("/architectures/0")
        .and_then(serde_json::Value::as_str);
    let mut weights_size = 0u64;
    for file in files.iter().filter(|file| is_weights(&file.name)) {
        weights_size = weights_size.saturating_add(fs::metadata(&file.path)?.len());
    }
    Ok(FileDescription {
        model_name: source.name(),
        model_digest: blake3::Hash::from_bytes(model_digest(&files)?)
            .to_hex()
            .to_string(),
        format: if matches!(source, ModelSource::Gguf(_)) {
            "gguf"
        } else {
            "safetensors"
        },
        architecture: architecture.map(str::to_owned),
        context_length_tokens: number("max_position_embeddings"),
        vocabulary_count: number("vocab_size"),
        weights_size,
        files: files.into_iter().map(|file| file.name).collect(),
    })
}

fn is_weights(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "safetensors" || extension == "gguf")
}

fn read_config(files: &[ModelFile]) -> io::Result<serde_json::Value> {
    let Some(config) = files.iter().find(|file| file.name == "config.json") else {
        return Ok(serde_json::Value::Null);
    };
    if fs::metadata(&config.path)?.len() > CONFIG_SIZE_MAX {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "config.json is larger than 1 MiB",
        ));
    }
    serde_json::from_slice(&fs::read(&config.path)?).map_err(|error| {
        io::Error::new(io::ErrorKind::InvalidData, format!("config.json: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::temporary::TemporaryFolder;

    #[test]
    fn a_folder_is_described_from_its_files() {
        let folder = TemporaryFolder::new();
        let config = r#"{"architectures":["Qwen2ForCausalLM"],"max_position_embeddings":512,"vocab_size":300}"#;
        fs::write(folder.path().join("config.json"), config).expect("written");
        fs::write(folder.path().join("model.safetensors"), [0u8; 10]).expect("written");
        let description =
            describe_files(&ModelSource::Folder(folder.path().into())).expect("described");
        assert_eq!(
            description.architecture.as_deref(),
            Some("Qwen2ForCausalLM")
        );
        assert_eq!(description.context_length_tokens, Some(512));
        assert_eq!(description.vocabulary_count, Some(300));
        assert_eq!(description.weights_size, 10);
        assert_eq!(description.files, ["config.json", "model.safetensors"]);
        assert_eq!(description.model_digest.len(), 64);
    }

    #[test]
    fn a_config_that_is_not_json_is_an_error_and_no_panic() {
        let folder = TemporaryFolder::new();
        fs::write(folder.path().join("config.json"), "{").expect("written");
        let error =
            describe_files(&ModelSource::Folder(folder.path().into())).expect_err("refused");
        assert!(error.to_string().starts_with("config.json: "), "{error}");
    }
}
