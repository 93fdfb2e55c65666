//! Where a model comes from, and the check that it is there before anything is loaded.
//!
//! mistral.rs takes a folder that does not exist for a hub repository and fails with a name-resolution error minutes
//! later or, with a network, downloads something else under that name. So every local path is checked here first.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where a model comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelSource {
    /// A folder with `config.json`, `tokenizer.json` and `*.safetensors`.
    Folder(PathBuf),
    /// One GGUF file.
    Gguf(PathBuf),
    /// A model of the hub, by `organisation/name`.
    Hub(String),
}

/// Why a model source cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// Nothing is at the path.
    #[error("no model at {path}: {cause}")]
    Missing {
        /// The path as given.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// Something else than expected is at the path.
    #[error("{path} is not a {expected}")]
    WrongKind {
        /// The path as given.
        path: PathBuf,
        /// `folder` or `file`.
        expected: &'static str,
    },
    /// A folder lacks a file that every model needs.
    #[error("the model folder {path} has no {expected}")]
    Incomplete {
        /// The folder.
        path: PathBuf,
        /// The missing file or pattern.
        expected: &'static str,
    },
    /// A file that must hold something is empty.
    #[error("{path} is empty")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A file name is not UTF-8, which the model library needs.
    #[error("the path {path:?} is not valid UTF-8")]
    NotText {
        /// The path.
        path: PathBuf,
    },
    /// A hub id is not of the form `organisation/name`.
    #[error("{actual:?} is not a hub id: expected organisation/name")]
    HubId {
        /// The id as given.
        actual: String,
    },
}

impl ModelSource {
    /// Checks that the source can be loaded without guessing: local files exist, are of the right kind and not empty; a
    /// hub id has the form of one and does not name a local folder.
    ///
    /// # Errors
    ///
    /// [`SourceError`] names the path and what is wrong with it.
    pub fn verify(&self) -> Result<(), SourceError> {
        match self {
            Self::Folder(folder) => verify_folder(folder),
            Self::Gguf(file) => verify_gguf(file),
            Self::Hub(id) => verify_hub_id(id),
        }
    }

    /// Name of the model for people: the folder's or the file's own name, or the hub id; at most 256 bytes.
    pub fn name(&self) -> String {
        let name = match self {
            Self::Folder(path) => own_name(path, Path::file_name),
            Self::Gguf(path) => own_name(path, Path::file_stem),
            Self::Hub(id) => id.clone(),
        };
        let end = name.floor_char_boundary_at_most(NAME_SIZE_MAX);
        name[..end].to_owned()
    }
}

/// Largest model name, in bytes.
const NAME_SIZE_MAX: usize = 256;

trait FloorCharBoundary {
    fn floor_char_boundary_at_most(&self, size_max: usize) -> usize;
}

impl FloorCharBoundary for str {
    fn floor_char_boundary_at_most(&self, size_max: usize) -> usize {
        (0..=size_max.min(self.len()))
            .rev()
            .find(|at| self.is_char_boundary(*at))
            .unwrap_or(0)
    }
}

/// `.` and `..` have no name of their own: the real path has.
fn own_name(path: &Path, part: fn(&Path) -> Option<&OsStr>) -> String {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    part(&real).map_or_else(
        || "model".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

fn verify_folder(folder: &Path) -> Result<(), SourceError> {
    let path = || folder.to_path_buf();
    if !metadata(folder)?.is_dir() {
        return Err(SourceError::WrongKind {
            path: path(),
            expected: "folder",
        });
    }
    for expected in ["config.json", "tokenizer.json"] {
        match verify_file(&folder.join(expected)) {
            Err(SourceError::Missing { .. }) => {
                return Err(SourceError::Incomplete {
                    path: path(),
                    expected,
                });
            }
            other => other?,
        }
    }
    let entries = fs::read_dir(folder).map_err(|cause| SourceError::Missing {
        path: path(),
        cause,
    })?;
    let weights: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|file| file.extension() == Some(OsStr::new("safetensors")))
        .collect();
    if weights.is_empty() {
        return Err(SourceError::Incomplete {
            path: path(),
            expected: "weights (*.safetensors)",
        });
    }
    weights.iter().try_for_each(|file| verify_file(file))?;
    verify_text(folder)
}

fn verify_gguf(file: &Path) -> Result<(), SourceError> {
    verify_file(file)?;
    verify_text(file)
}

fn verify_file(file: &Path) -> Result<(), SourceError> {
    let metadata = metadata(file)?;
    if !metadata.is_file() {
        return Err(SourceError::WrongKind {
            path: file.to_path_buf(),
            expected: "file",
        });
    }
    if metadata.len() == 0 {
        return Err(SourceError::Empty {
            path: file.to_path_buf(),
        });
    }
    Ok(())
}

fn metadata(path: &Path) -> Result<fs::Metadata, SourceError> {
    fs::metadata(path).map_err(|cause| SourceError::Missing {
        path: path.to_path_buf(),
        cause,
    })
}

fn verify_text(path: &Path) -> Result<(), SourceError> {
    path.to_str()
        .map(|_| ())
        .ok_or_else(|| SourceError::NotText {
            path: path.to_path_buf(),
        })
}

fn verify_hub_id(id: &str) -> Result<(), SourceError> {
    let part_is_valid = |part: &str| {
        let allowed =
            |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
        !part.is_empty() && !part.starts_with('.') && part.chars().all(allowed)
    };
    let parts: Vec<&str> = id.split('/').collect();
    let well_formed =
        id.len() <= NAME_SIZE_MAX && parts.len() == 2 && parts.into_iter().all(part_is_valid);
    // A local folder of that name would be loaded in its place, without a word.
    if well_formed && !Path::new(id).exists() {
        return Ok(());
    }
    Err(SourceError::HubId {
        actual: id.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::temporary::TemporaryFolder;

    fn folder_with(files: &[(&str, &str)]) -> TemporaryFolder {
        let folder = TemporaryFolder::new();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("written");
        }
        folder
    }

    fn message(source: &ModelSource) -> String {
        source.verify().expect_err("refused").to_string()
    }

    #[test]
    fn a_missing_folder_is_not_taken_for_a_hub_name() {
        let text = message(&ModelSource::Folder("organisation/name".into()));
        assert!(
            text.starts_with("no model at organisation/name: "),
            "{text}"
        );
    }

    #[test]
    fn a_folder_without_weights_says_so() {
        let folder = folder_with(&[("config.json", "{}"), ("tokenizer.json", "{}")]);
        let text = message(&ModelSource::Folder(folder.path().into()));
        assert!(text.ends_with("has no weights (*.safetensors)"), "{text}");
    }

    #[test]
    fn a_folder_without_a_tokenizer_says_so() {
        let folder = folder_with(&[("config.json", "{}"), ("model.safetensors", "x")]);
        let text = message(&ModelSource::Folder(folder.path().into()));
        assert!(text.ends_with("has no tokenizer.json"), "{text}");
    }

    #[test]
    fn empty_weights_are_refused() {
        let folder = folder_with(&[
            ("config.json", "{}"),
            ("tokenizer.json", "{}"),
            ("model.safetensors", ""),
        ]);
        let text = message(&ModelSource::Folder(folder.path().into()));
        assert!(text.ends_with("model.safetensors is empty"), "{text}");
    }

    #[test]
    fn a_file_is_no_folder_and_a_folder_no_file() {
        let folder = folder_with(&[("a.gguf", "x")]);
        let file = folder.path().join("a.gguf");
        assert!(message(&ModelSource::Folder(file.clone())).ends_with("is not a folder"));
        assert!(message(&ModelSource::Gguf(folder.path().into())).ends_with("is not a file"));
        assert!(ModelSource::Gguf(file).verify().is_ok());
    }

    #[test]
    fn a_hub_id_has_two_parts_and_no_path() {
        for id in ["name", "a/b/c", "/b", "a/", "../b", "a b/c", ""] {
            assert!(ModelSource::Hub(id.to_owned()).verify().is_err(), "{id}");
        }
        assert!(
            ModelSource::Hub("Qwen/Qwen3-0.6B".to_owned())
                .verify()
                .is_ok()
        );
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        let name = ModelSource::Hub("ä".repeat(200)).name();
        assert_eq!(name, "ä".repeat(128));
    }
}
