//! The Unix socket, never open to others, not even for a moment.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream as BlockingUnixStream;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

/// Longest path of a socket in bytes that all supported systems take (macOS: 104 with the closing zero).
pub const SOCKET_PATH_SIZE_MAX: usize = 103;

/// Why a socket cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SocketError {
    /// The path does not fit into a socket address.
    #[error("the socket path has {actual} bytes, at most {expected} are possible: {path}")]
    PathTooLong {
        /// The path.
        path: PathBuf,
        /// Its size in bytes.
        actual: usize,
        /// The largest size in bytes.
        expected: usize,
    },
    /// Another process answers at the path.
    #[error("another process is listening on {path}")]
    InUse {
        /// The path.
        path: PathBuf,
    },
    /// Something that is not a socket is at the path; it is left alone.
    #[error("{path} exists and is not a socket")]
    NotASocket {
        /// The path.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("cannot listen on {path}: {cause}")]
    System {
        /// The path.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
}

/// Listens on `path` with mode 0600. A dead socket left at the path is replaced.
///
/// The socket is made inside a fresh folder of mode 0700 and moved to its place when its own mode is set: between
/// `bind` and `chmod` at the final path, others could connect.
///
/// # Errors
///
/// [`SocketError`]. Must be called within a tokio runtime.
pub fn listen(path: &Path) -> Result<UnixListener, SocketError> {
    let system = |cause| SocketError::System {
        path: path.to_path_buf(),
        cause,
    };
    let folder = path.with_extension("new");
    let inner = folder.join("s");
    let actual = path.as_os_str().len().max(inner.as_os_str().len());
    if actual > SOCKET_PATH_SIZE_MAX {
        return Err(SocketError::PathTooLong {
            path: path.to_path_buf(),
            actual,
            expected: SOCKET_PATH_SIZE_MAX,
        });
    }
    verify_free(path)?;
    match DirBuilder::new().mode(0o700).create(&folder) {
        // Left behind by an engine that was killed between these steps.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_dir_all(&folder).map_err(system)?;
            DirBuilder::new()
                .mode(0o700)
                .create(&folder)
                .map_err(system)?;
        }
        other => other.map_err(system)?,
    }
    let listener = UnixListener::bind(&inner).map_err(system);
    let moved = listener.and_then(|listener| {
        fs::set_permissions(&inner, Permissions::from_mode(0o600)).map_err(system)?;
        fs::rename(&inner, path).map_err(system)?;
        Ok(listener)
    });
    let removed = fs::remove_dir_all(&folder).map_err(system);
    let listener = moved?;
    removed?;
    Ok(listener)
}

fn verify_free(path: &Path) -> Result<(), SocketError> {
    let Ok(metadata) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    if !metadata.file_type().is_socket() {
        return Err(SocketError::NotASocket {
            path: path.to_path_buf(),
        });
    }
    match BlockingUnixStream::connect(path) {
        Ok(_) => Err(SocketError::InUse {
            path: path.to_path_buf(),
        }),
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::temporary::TemporaryFolder;

    #[tokio::test]
    async fn the_socket_has_mode_0600_and_nothing_else_is_left() {
        let folder = TemporaryFolder::new();
        let path = folder.path().join("engine.sock");
        let _listener = listen(&path).expect("listening");
        assert_eq!(
            fs::metadata(&path).expect("there").permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1);
        assert!(BlockingUnixStream::connect(&path).is_ok());
    }

    #[tokio::test]
    async fn a_dead_socket_is_replaced_and_a_live_one_is_not() {
        let folder = TemporaryFolder::new();
        let path = folder.path().join("engine.sock");
        drop(listen(&path).expect("listening"));
        let _live = listen(&path).expect("the dead socket is replaced");
        assert!(matches!(listen(&path), Err(SocketError::InUse { .. })));
    }

    #[tokio::test]
    async fn a_file_at_the_path_is_left_alone() {
        let folder = TemporaryFolder::new();
        let path = folder.path().join("engine.sock");
        fs::write(&path, "precious").expect("written");
        assert!(matches!(listen(&path), Err(SocketError::NotASocket { .. })));
        assert_eq!(fs::read_to_string(&path).expect("still there"), "precious");
    }

    #[tokio::test]
    async fn a_path_that_does_not_fit_is_named_with_its_size() {
        let path = PathBuf::from(format!("/{}", "x".repeat(200)));
        assert!(matches!(
            listen(&path),
            Err(SocketError::PathTooLong { actual: 207, .. })
        ));
    }
}
