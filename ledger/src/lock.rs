//! Exclusive ownership of a file.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

/// A file could not be locked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another process, or another handle in this one, holds the lock.
    #[error("another process uses the folder {}: it holds {}", folder(.path).display(), .path.display())]
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

/// The folder that a lock file guards.
fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn store_19_a_second_owner_is_told_which_folder_is_in_use() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let first = lock_exclusive(&path).expect("nobody holds it");
        let refused = lock_exclusive(&path).expect_err("it is held");
        let folder = folder.path().display();
        assert_eq!(
            refused.to_string(),
            format!("another process uses the folder {folder}: it holds {folder}/lock")
        );
        drop(first);
        lock_exclusive(&path).expect("it is free again");
    }
}
