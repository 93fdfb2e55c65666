//! Exclusive ownership of a file.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

/// A file could not be locked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another process, or another handle in this one, holds the lock.
    #[error("{} is in use by another process", .path.display())]
    InUse {
        /// The lock file.
        path: PathBuf,
    },
    /// The lock file cannot be opened or locked.
    #[error("cannot lock {}: {source}", .path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Opens (and creates, readable for its owner alone) a file and locks it until the handle is dropped or the process ends,
/// however it ends. A second handle is refused, in this process too.
///
/// Spec: STORE-19.
pub(crate) fn lock_exclusive(path: &Path) -> Result<File, LockError> {
    let io = |source| LockError::Io {
        path: path.to_owned(),
        source,
    };
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(io)?;
    match fs4::FileExt::try_lock(&file) {
        Ok(()) => Ok(file),
        Err(fs4::TryLockError::WouldBlock) => Err(LockError::InUse {
            path: path.to_owned(),
        }),
        Err(fs4::TryLockError::Error(source)) => Err(io(source)),
    }
}
