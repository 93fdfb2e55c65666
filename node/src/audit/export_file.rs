//! A `.symlog` file, opened and checked for what can be seen before replay.

use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

use symphony_ledger::symlog::{ExportHeader, ExportReader, SymlogError};
use symphony_protocol::replay::Unusable;

use super::log_audit::CheckpointClaimError;

/// Bytes read from the device at a time.
const BUFFER_SIZE: usize = 256 * 1024;

/// Why a file cannot be judged. Nobody is blamed by it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// The file cannot be opened.
    #[error("cannot open the file: {0}")]
    Open(#[from] std::io::Error),
    /// A folder was named.
    #[error("this is a folder; name the .symlog files in it")]
    Folder,
    /// The file has no bytes.
    #[error("the file is empty")]
    Empty,
    /// The file is no export, or it is damaged.
    #[error(transparent)]
    Export(#[from] SymlogError),
    /// The export holds no entry, so nothing says whose log it is.
    #[error("the export holds no entries")]
    NoEntries,
    /// The entries are no log that this auditor can judge.
    #[error(transparent)]
    Log(#[from] Unusable),
    /// The header says something else than entry 0.
    #[error("the export's header names {field} {found}; entry 0 gives {expected}")]
    Header {
        /// Field of the header.
        field: &'static str,
        /// What entry 0 gives.
        expected: String,
        /// What the header says.
        found: String,
    },
    /// The checkpoint in the header says nothing about this log.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointClaimError),
}

/// An open `.symlog` file.
#[derive(Debug)]
pub struct ExportFile {
    path: PathBuf,
    reader: ExportReader<BufReader<File>>,
}

impl ExportFile {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// [`InputError`].
    pub fn open(path: &Path) -> Result<Self, InputError> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(InputError::Folder);
        }
        if metadata.is_file() && metadata.len() == 0 {
            return Err(InputError::Empty);
        }
        let reader = ExportReader::new(BufReader::with_capacity(BUFFER_SIZE, file))?;
        Ok(Self {
            path: path.to_owned(),
            reader,
        })
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the file says of its log: claims until they are checked.
    pub fn header(&self) -> &ExportHeader {
        self.reader.header()
    }

    /// The exact bytes of the next entry; `None` behind the last one, when the whole file is known to be intact.
    ///
    /// # Errors
    /// [`InputError::Export`], which names the damaged entry.
    pub fn next_entry(&mut self) -> Result<Option<Vec<u8>>, InputError> {
        Ok(self.reader.next_entry()?)
    }
}
