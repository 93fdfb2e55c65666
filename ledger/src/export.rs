//! Writing a stored log into a `.symlog` file.

use std::io::Write;

use symphony_transparency::{Digest, PublicKey};

use crate::error::LedgerError;
use crate::reader::LogReader;
use crate::symlog::{ExportHeader, ExportWriter, SymlogError};

/// What a file says of a log beside its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportAbout {
    /// The network.
    pub network_id: Digest,
    /// Canonical bytes of the network's parameters.
    pub params: Vec<u8>,
    /// Key with which the log's author signs.
    pub log_key: PublicKey,
    /// The author's checkpoint at a size of at most `size`, if it signed one.
    pub checkpoint: Option<String>,
    /// How many entries to export, from entry 0; the log must have them.
    pub size: u64,
}

/// A log could not be exported. What was written so far has no trailer, and every reader refuses it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The log could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The file could not be written.
    #[error(transparent)]
    Symlog(#[from] SymlogError),
}

impl LogReader {
    /// Writes the first entries of the log as one `.symlog` stream; memory for one page of entries. Give it a buffered
    /// writer, and sync a file afterwards.
    ///
    /// # Errors
    /// [`ExportError`]; a log with fewer entries gives [`SymlogError::Count`].
    ///
    /// Spec: STORE-20.
    pub fn export<W: Write>(&self, about: ExportAbout, output: W) -> Result<W, ExportError> {
        let ExportAbout {
            network_id,
            params,
            log_key,
            checkpoint,
            size,
        } = about;
        let header = ExportHeader {
            network_id,
            log_id: *self.log(),
            log_key,
            size,
            params,
            checkpoint,
        };
        let mut writer = ExportWriter::new(output, &header)?;
        for entry in self.entries(0..size) {
            let (_, entry) = entry?;
            writer.write_entry(&entry)?;
        }
        Ok(writer.finish()?)
    }
}
