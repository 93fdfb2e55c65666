//! The Unix socket in the file system.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{
    FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixSocket};

use super::ListenError;

/// Callers that may wait before they are accepted.
const BACKLOG: u32 = 128;

/// A socket's place in the file system, held alone: a lock file beside it keeps a second server from taking the place
/// between the test for a live server and the bind. Dropping it removes the socket, if it is still ours.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
    _lock: File,
}

impl SocketFile {
    /// Listens at a path.
    pub(crate) fn bind(path: &Path) -> Result<(UnixListener, Self), ListenError> {
        let failed = |source| ListenError::Socket {
            path: path.to_owned(),
            source,
        };
        let lock = lock_beside(path)?;
        remove_stale(path)?;
        let socket = UnixSocket::new_stream().map_err(failed)?;
        socket.bind(path).map_err(failed)?;
        let finish = || {
            // Nobody can connect before `listen`, so the mode is right before anyone can try.
            std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
            let identity = identity(path)?;
            Ok((socket.listen(BACKLOG)?, identity))
        };
        let (listener, identity) = finish().map_err(|source| {
            let _ = std::fs::remove_file(path);
            failed(source)
        })?;
        Ok((
            listener,
            Self {
                path: path.to_owned(),
                identity,
                _lock: lock,
            },
        ))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|actual| actual == self.identity) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = std::fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

/// Opens and locks `<path>.lock`. The file stays: removing it would let two servers hold two files of one name.
fn lock_beside(path: &Path) -> Result<File, ListenError> {
    let failed = |source| ListenError::Socket {
        path: path.to_owned(),
        source,
    };
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let mut options = OpenOptions::new();
    let file = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(name)
        .map_err(failed)?;
    match fs4::FileExt::try_lock(&file) {
        Ok(()) => Ok(file),
        Err(fs4::TryLockError::WouldBlock) => Err(ListenError::InUse {
            path: path.to_owned(),
        }),
        Err(fs4::TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Removes a socket that nobody serves. A live one may belong to a program that knows nothing of the lock.
fn remove_stale(path: &Path) -> Result<(), ListenError> {
    let failed = |source| ListenError::Socket {
        path: path.to_owned(),
        source,
    };
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(ListenError::NotSocket {
                path: path.to_owned(),
            });
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(ListenError::InUse {
            path: path.to_owned(),
        }),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}
