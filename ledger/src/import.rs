//! Taking a `.symlog` file into the ledger.

use std::io::Read;

use symphony_transparency::Digest;
use symphony_transparency::merkle::TreeHead;

use crate::error::LedgerError;
use crate::ledger::Ledger;
use crate::symlog::{ExportReader, SymlogError};

/// Entries and bytes that are appended at a time.
const STEP_ENTRIES: usize = 1024;
const STEP_BYTES: usize = 4 << 20;

/// A file was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// Id of the log.
    pub log: Digest,
    /// Size and root of the stored copy.
    pub head: TreeHead,
    /// How many of its entries were new here.
    pub new_entries: u64,
}

/// A file could not be taken in. Entries before the place that the error names may have been.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file is damaged.
    #[error(transparent)]
    Symlog(#[from] SymlogError),
    /// The ledger refused.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The file belongs to another network.
    #[error("the export belongs to network {actual}, not to {expected}")]
    OtherNetwork {
        /// This ledger's network.
        expected: Digest,
        /// The file's network.
        actual: Digest,
    },
    /// The stored copy of the log has another entry at this index: its author forked it, or one copy was changed.
    #[error("entry {index} of log {log} differs from the stored one")]
    Differs {
        /// Id of the log.
        log: Digest,
        /// Index of the first entry that differs.
        index: u64,
    },
}

impl Ledger {
    /// Takes another peer's log from a `.symlog` file, or what of it is new. Reading the file blocks the calling task.
    ///
    /// # Errors
    /// [`ImportError`].
    pub async fn import<R: Read>(
        &self,
        reader: &mut ExportReader<R>,
    ) -> Result<Imported, ImportError> {
        let log = reader.header().log_id;
        let actual = reader.header().network_id;
        if actual != *self.network() {
            return Err(ImportError::OtherNetwork {
                expected: *self.network(),
                actual,
            });
        }
        let stored = self.log(&log)?;
        let stored_size = stored.as_ref().map_or(Ok(0), |stored| stored.size())?;

        let mut index = 0_u64;
        let mut step = Vec::new();
        let mut step_bytes = 0;
        while let Some(entry) = reader.next_entry()? {
            match &stored {
                Some(stored) if index < stored_size => {
                    if stored.entry(index)?.as_ref() != Some(&entry) {
                        return Err(ImportError::Differs { log, index });
                    }
                }
                _ => {
                    step_bytes += entry.len();
                    step.push(entry);
                }
            }
            index += 1;
            if step.len() >= STEP_ENTRIES || step_bytes >= STEP_BYTES {
                self.append_followed(log, std::mem::take(&mut step)).await?;
                step_bytes = 0;
            }
        }
        if !step.is_empty() {
            self.append_followed(log, step).await?;
        }
        let copy = self.log(&log)?.ok_or(LedgerError::UnknownLog { log })?;
        let new_entries = index.saturating_sub(stored_size);
        Ok(Imported {
            log,
            head: copy.head()?,
            new_entries,
        })
    }
}
