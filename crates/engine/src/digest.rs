//! The identity of a model: the digest of its files.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::source::ModelSource;

/// Context of the key derivation that separates model digests from all other digests of the protocol.
pub const MODEL_FILES_CONTEXT: &str = "symphony v1 model files";

/// Files besides the weights that change what a model answers, and so belong to its identity.
///
/// A model card, a licence or a training log does not: it may be mended without the model becoming another one.
const COMPANION_NAMES: &[&str] = &[
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
    "config.json",
    "generation_config.json",
    "merges.txt",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
];

/// Largest number of files of one model.
const FILE_COUNT_MAX: usize = 1_024;

/// One file of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFile {
    /// Its name, without a folder.
    pub name: String,
    /// Where it is read.
    pub path: PathBuf,
}

/// The files that make up the model at `source`, sorted by the bytes of their names.
///
/// A folder: each `*.safetensors`, each `*.safetensors.index.json` and the companions present. A GGUF file: itself, and the companions
/// beside it if a `tokenizer.json` is among them (only then are they used). `hub_snapshot` is the folder into which a
/// hub model was downloaded; it is treated as a folder.
///
/// # Errors
///
/// What reading the folder gives; `InvalidInput` for a hub model without a snapshot folder or for too many files.
pub fn model_files(
    source: &ModelSource,
    hub_snapshot: Option<&Path>,
) -> io::Result<Vec<ModelFile>> {
    let mut files = match (source, hub_snapshot) {
        (ModelSource::Folder(folder), _) => folder_files(folder, is_weight_or_companion)?,
        (ModelSource::Hub(_), Some(folder)) => folder_files(folder, is_weight_or_companion)?,
        (ModelSource::Hub(_), None) => {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a hub model has no files before it is downloaded",
            ));
        }
        (ModelSource::Gguf(file), _) => gguf_files(file)?,
    };
    if files.len() > FILE_COUNT_MAX {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a model of more than 1024 files",
        ));
    }
    files.sort_by(|left, right| left.name.as_bytes().cmp(right.name.as_bytes()));
    Ok(files)
}

/// The digest of a model: 32 bytes.
///
/// BLAKE3 in key-derivation mode with the context [`MODEL_FILES_CONTEXT`], over the number of files, and then for each
/// file in the order of [`model_files`]: size of the name, name, size of the content, content. Numbers are 8 bytes,
/// big-endian. Two models have one digest only if all their files have equal names and contents.
///
/// # Errors
///
/// What reading gives, and `InvalidData` if a file changes its size while it is read.
pub fn model_digest(files: &[ModelFile]) -> io::Result<[u8; 32]> {
    let mut hasher = blake3::Hasher::new_derive_key(MODEL_FILES_CONTEXT);
    hasher.update(&(files.len() as u64).to_be_bytes());
    for file in files {
        hasher.update(&(file.name.len() as u64).to_be_bytes());
        hasher.update(file.name.as_bytes());
        let content = File::open(&file.path)?;
        let size = content.metadata()?.len();
        hasher.update(&size.to_be_bytes());
        let before = hasher.count();
        // One byte more than expected is enough to see that the file grew.
        hasher.update_reader(content.take(size.saturating_add(1)))?;
        if hasher.count() - before != size {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{} changed while it was read", file.name),
            ));
        }
    }
    Ok(*hasher.finalize().as_bytes())
}

fn is_weight_or_companion(name: &str) -> bool {
    name.ends_with(".safetensors")
        || name.ends_with(".safetensors.index.json")
        || is_companion(name)
}

fn is_companion(name: &str) -> bool {
    COMPANION_NAMES.contains(&name)
}

fn gguf_files(file: &Path) -> io::Result<Vec<ModelFile>> {
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, "the file has no name in UTF-8")
    })?;
    let mut files = vec![ModelFile {
        name: name.to_owned(),
        path: file.to_path_buf(),
    }];
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if folder.join("tokenizer.json").is_file() {
        files.extend(folder_files(folder, is_companion)?);
    }
    Ok(files)
}

fn folder_files(folder: &Path, belongs: fn(&str) -> bool) -> io::Result<Vec<ModelFile>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // `is_file` follows links: a hub snapshot is a folder of links.
        let Some(name) = path
            .file_name()
            .and_then(|name| name.to_str())
            .map(str::to_owned)
        else {
            continue;
        };
        if belongs(&name) && path.is_file() {
            files.push(ModelFile { name, path });
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::temporary::TemporaryFolder;

    fn digest_of(files: &[(&str, &[u8])]) -> [u8; 32] {
        let folder = TemporaryFolder::new();
        for (name, content) in files {
            fs::write(folder.path().join(name), content).expect("written");
        }
        let source = ModelSource::Folder(folder.path().into());
        model_digest(&model_files(&source, None).expect("listed")).expect("read")
    }

    #[test]
    fn the_layout_is_count_then_name_and_content_with_their_sizes() {
        let mut hasher = blake3::Hasher::new_derive_key(MODEL_FILES_CONTEXT);
        hasher.update(&2u64.to_be_bytes());
        for (name, content) in [("config.json", "{}"), ("model.safetensors", "weights")] {
            hasher
                .update(&(name.len() as u64).to_be_bytes())
                .update(name.as_bytes());
            hasher
                .update(&(content.len() as u64).to_be_bytes())
                .update(content.as_bytes());
        }
        let actual = digest_of(&[("model.safetensors", b"weights"), ("config.json", b"{}")]);
        assert_eq!(&actual, hasher.finalize().as_bytes());
    }

    #[test]
    fn a_card_does_not_change_the_identity_and_a_template_does() {
        let plain = digest_of(&[("config.json", b"{}"), ("model.safetensors", b"w")]);
        let card = digest_of(&[
            ("config.json", b"{}"),
            ("model.safetensors", b"w"),
            ("README.md", b"card"),
        ]);
        let template = [
            ("config.json", &b"{}"[..]),
            ("model.safetensors", b"w"),
            ("tokenizer_config.json", b"{}"),
        ];
        assert_eq!(plain, card);
        assert_ne!(plain, digest_of(&template));
    }

    #[test]
    fn a_gguf_file_is_identified_without_its_neighbours() {
        let folder = TemporaryFolder::new();
        for name in ["a.gguf", "b.gguf", "model.safetensors", "config.json"] {
            fs::write(folder.path().join(name), name).expect("written");
        }
        let files =
            model_files(&ModelSource::Gguf(folder.path().join("a.gguf")), None).expect("listed");
        assert_eq!(
            files
                .iter()
                .map(|file| file.name.as_str())
                .collect::<Vec<_>>(),
            ["a.gguf"]
        );
    }

    #[test]
    fn a_gguf_file_with_a_tokenizer_beside_it_includes_the_companions() {
        let folder = TemporaryFolder::new();
        for name in [
            "a.gguf",
            "tokenizer.json",
            "config.json",
            "model.safetensors",
        ] {
            fs::write(folder.path().join(name), name).expect("written");
        }
        let files =
            model_files(&ModelSource::Gguf(folder.path().join("a.gguf")), None).expect("listed");
        let names: Vec<_> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["a.gguf", "config.json", "tokenizer.json"]);
    }
}
