//! Evidence in files.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use symphony_protocol::evidence::EVIDENCE_SIZE_MAX;

use super::digest_of;

/// A file or folder cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}")]
pub struct FolderError {
    path: PathBuf,
    source: io::Error,
}

/// The bytes of a file; one byte more than the largest evidence at most, which no reader takes for evidence.
///
/// # Errors
/// [`FolderError`].
pub fn read_file(path: &Path) -> Result<Vec<u8>, FolderError> {
    let failed = |source| FolderError {
        path: path.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    File::open(path)
        .map_err(failed)?
        .take(EVIDENCE_SIZE_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    Ok(bytes)
}

/// Where a file lies in a folder: `<digest>.evidence`.
pub fn path_in(folder: &Path, file: &[u8]) -> PathBuf {
    folder.join(format!("{}.evidence", digest_of(file)))
}

/// Writes a file into a folder, which is made if needed.
///
/// # Errors
/// [`FolderError`].
pub fn write_file(folder: &Path, file: &[u8]) -> Result<(), FolderError> {
    let path = path_in(folder, file);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&path, file))
        .map_err(|source| FolderError { path, source })
}
