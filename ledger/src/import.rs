//! Taking a `.symlog` file into the ledger: a copy of another peer's log, or what one's own log lost.

use std::io::Read;

use symphony_transparency::Digest;
use symphony_transparency::merkle::TreeHead;
use tokio::sync::mpsc;

use crate::command::HEAL_BYTES_MAX;
use crate::error::LedgerError;
use crate::ledger::Ledger;
use crate::reader::LogReader;
use crate::symlog::{ExportReader, SymlogError};

/// Entries and bytes that are appended at a time.
const STEP_ENTRIES: usize = 1024;
const STEP_BYTES: usize = 4 << 20;

/// Steps that are read ahead of the device.
const STEPS_WAITING_MAX: usize = 2;

/// A file was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// Id of the log.
    pub log: Digest,
    /// Size and root of what is stored now.
    pub head: TreeHead,
    /// How many of its entries were new here.
    pub new_entries: u64,
    /// Whose log it is.
    pub kind: ImportKind,
}

/// What an import did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportKind {
    /// A copy of another peer's log grew.
    Copy,
    /// This peer's own log has again everything that was signed. Spec: STORE-14.
    Healed,
}

/// A file could not be taken in. Entries of another peer's log before the place that the error names may have been; of one's
/// own log, none.
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
    /// The file ends before the size that was signed; another peer may hold more. Spec: STORE-14.
    #[error("the export has {actual} entries, {expected} were signed; another peer may hold more")]
    TooShort {
        /// Number of entries that were signed.
        expected: u64,
        /// Number of entries in the file.
        actual: u64,
    },
}

impl Ledger {
    /// Takes a log from a `.symlog` file. Of another peer's log: what of it is new. Of a log that this peer signed: the
    /// entries that are missing up to the size in the signing record, all or none, if they lead to the root that was signed.
    ///
    /// The file is read on a thread of its own, at most two steps of 4 MiB ahead of the device.
    ///
    /// # Errors
    /// [`ImportError`]; an own log that lost nothing gives [`LedgerError::NothingToHeal`].
    ///
    /// Spec: STORE-14, STORE-17.
    pub async fn import<R: Read + Send + 'static>(
        &self,
        reader: ExportReader<R>,
    ) -> Result<Imported, ImportError> {
        let log = reader.header().log_id;
        let actual = reader.header().network_id;
        if actual != *self.network() {
            return Err(ImportError::OtherNetwork {
                expected: *self.network(),
                actual,
            });
        }
        let stored = Stored::of(self.log(&log)?)?;
        match self.signed(log).await? {
            Some(recorded) => self.import_own(reader, stored, recorded).await,
            None => self.import_copy(reader, stored).await,
        }
    }

    async fn import_copy<R: Read + Send + 'static>(
        &self,
        reader: ExportReader<R>,
        stored: Stored,
    ) -> Result<Imported, ImportError> {
        let log = reader.header().log_id;
        let stored_size = stored.size;
        let (steps, mut waiting) = mpsc::channel(STEPS_WAITING_MAX);
        let reading = tokio::task::spawn_blocking(move || read_copy(reader, &stored, &steps));
        let mut appended = Ok(());
        while let Some(step) = waiting.recv().await {
            appended = self.append_followed(log, step).await.map(|_| ());
            if appended.is_err() {
                break;
            }
        }
        // A reader that waits to hand over a step sees that nobody takes it.
        drop(waiting);
        let read = joined(reading).await;
        appended?;
        let size = read?;
        let copy = self.log(&log)?.ok_or(LedgerError::UnknownLog { log })?;
        Ok(Imported {
            log,
            head: copy.head()?,
            new_entries: size.saturating_sub(stored_size),
            kind: ImportKind::Copy,
        })
    }

    async fn import_own<R: Read + Send + 'static>(
        &self,
        reader: ExportReader<R>,
        stored: Stored,
        recorded: TreeHead,
    ) -> Result<Imported, ImportError> {
        let log = reader.header().log_id;
        if stored.size >= recorded.size {
            return Err(LedgerError::NothingToHeal.into());
        }
        let reading = tokio::task::spawn_blocking(move || read_own(reader, &stored, recorded.size));
        let entries = joined(reading).await?;
        let new_entries = entries.len() as u64;
        let healed = self.heal(entries).await?;
        Ok(Imported {
            log,
            head: healed.head(),
            new_entries,
            kind: ImportKind::Healed,
        })
    }
}

/// What is stored of the file's log already.
struct Stored {
    reader: Option<LogReader>,
    size: u64,
}

impl Stored {
    fn of(reader: Option<LogReader>) -> Result<Self, LedgerError> {
        let size = reader.as_ref().map_or(Ok(0), LogReader::size)?;
        Ok(Self { reader, size })
    }

    /// Whether an entry of the file is stored; it must be the same.
    fn holds(&self, log: Digest, index: u64, entry: &[u8]) -> Result<bool, ImportError> {
        match &self.reader {
            Some(reader) if index < self.size => match reader.entry(index)? {
                Some(stored) if stored == entry => Ok(true),
                _ => Err(ImportError::Differs { log, index }),
            },
            _ => Ok(false),
        }
    }
}

/// Hands over the entries that are not stored, step by step; gives the number of entries in the file.
fn read_copy<R: Read>(
    mut reader: ExportReader<R>,
    stored: &Stored,
    steps: &mpsc::Sender<Vec<Vec<u8>>>,
) -> Result<u64, ImportError> {
    let log = reader.header().log_id;
    let mut index = 0_u64;
    let mut step = Vec::new();
    let mut step_bytes = 0;
    while let Some(entry) = reader.next_entry()? {
        if !stored.holds(log, index, &entry)? {
            step_bytes += entry.len();
            step.push(entry);
        }
        index += 1;
        if step.len() >= STEP_ENTRIES || step_bytes >= STEP_BYTES {
            step_bytes = 0;
            if steps.blocking_send(std::mem::take(&mut step)).is_err() {
                // The ledger refused a step before; its error is the one that counts.
                return Ok(index);
            }
        }
    }
    if !step.is_empty() {
        // The same: an error here means that an earlier step was refused.
        let _ = steps.blocking_send(step);
    }
    Ok(index)
}

/// The entries from the end of the stored log to `size`.
fn read_own<R: Read>(
    mut reader: ExportReader<R>,
    stored: &Stored,
    size: u64,
) -> Result<Vec<Vec<u8>>, ImportError> {
    let log = reader.header().log_id;
    let mut missing = Vec::new();
    let mut bytes = 0;
    for index in 0..size {
        let Some(entry) = reader.next_entry()? else {
            return Err(ImportError::TooShort {
                expected: size,
                actual: index,
            });
        };
        if !stored.holds(log, index, &entry)? {
            bytes += entry.len();
            missing.push(entry);
        }
        if bytes > HEAL_BYTES_MAX {
            return Err(ImportError::Ledger(LedgerError::RequestTooLarge {
                entries: missing.len(),
                bytes,
                entries_limit: usize::MAX,
                bytes_limit: HEAL_BYTES_MAX,
            }));
        }
    }
    Ok(missing)
}

/// What a reading thread gave.
async fn joined<T>(
    reading: tokio::task::JoinHandle<Result<T, ImportError>>,
) -> Result<T, ImportError> {
    match reading.await {
        Ok(read) => read,
        // A panic goes on where it belongs; without one, the runtime is shutting down.
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(LedgerError::Closed.into()),
        },
    }
}
