//! A folder of tiles on disk.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Name of the file that makes the others visible.
pub(super) const CHECKPOINT: &str = "checkpoint";

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// It was written.
    Written,
    /// It was there with these bytes.
    Kept,
}

/// Files under one folder, each of which appears under its name only when it is whole.
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The folder at a path; made when the first file is written.
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// Path of a file.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The bytes of a file of at most `size_max` bytes; nothing if there is none.
    pub(super) fn read(&self, name: &str, size_max: u64) -> io::Result<Option<Vec<u8>>> {
        let path = self.path(name);
        let size = match fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if size > size_max {
            let message = format!("{size} bytes, more than {size_max}");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        fs::read(&path).map(Some)
    }

    /// Puts a file, unless it is there with these bytes already: a run that was interrupted is thus resumed, and a file that
    /// was damaged is mended.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> io::Result<Put> {
        let path = self.path(name);
        let same_size = fs::metadata(&path).is_ok_and(|found| found.len() == bytes.len() as u64);
        if same_size && fs::read(&path)? == bytes {
            return Ok(Put::Kept);
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let temporary = temporary(&path);
        fs::write(&temporary, bytes)?;
        fs::rename(&temporary, &path)?;
        Ok(Put::Written)
    }

    /// [`Folder::put`] for the file that makes the others visible: it is on the device before it has its name.
    pub(super) fn put_last(&self, name: &str, bytes: &[u8]) -> io::Result<Put> {
        let path = self.path(name);
        if fs::read(&path).is_ok_and(|found| found == bytes) {
            return Ok(Put::Kept);
        }
        fs::create_dir_all(&self.root)?;
        let temporary = temporary(&path);
        fs::write(&temporary, bytes)?;
        fs::File::open(&temporary)?.sync_all()?;
        fs::rename(&temporary, &path)?;
        Ok(Put::Written)
    }
}

/// Where the bytes of a file lie until they are whole. No tile has such a name.
fn temporary(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}
