//! The record's file.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use symphony_transparency::Digest;
use symphony_transparency::merkle::{EMPTY_ROOT, NodeHash, TreeHead};

use super::slot::{SIGNING_RECORD_LOGS_COUNT_MAX, SLOT_SIZE, Slot};
use crate::lock::{LockError, lock_exclusive};

/// The signing record cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SigningRecordError {
    /// Another process holds the record.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The file cannot be read, written or synced.
    #[error("cannot use {}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Neither slot is intact, so it is unknown what was signed. Import a copy of the record, or retire the log.
    #[error("{} is damaged", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The record belongs to another network.
    #[error("it belongs to network {actual}, not to {expected}")]
    OtherNetwork {
        /// The network that was asked for.
        expected: Digest,
        /// The network of the record.
        actual: Digest,
    },
    /// The record has no room for another log.
    #[error("it holds {limit} logs already")]
    TooManyLogs {
        /// [`SIGNING_RECORD_LOGS_COUNT_MAX`].
        limit: usize,
    },
    /// A size that was signed before would be signed with another root, or a smaller size would replace a larger one.
    #[error("log {} was signed at size {size} with root {}", .log.fmt_short(), HEXLOWER.encode(.root))]
    Conflict {
        /// Id of the log.
        log: Digest,
        /// The size in the record.
        size: u64,
        /// The root in the record.
        root: NodeHash,
    },
    /// A text that was to be imported is not an exported record.
    #[error("not an exported signing record: {reason}")]
    Text {
        /// What is wrong with it.
        reason: String,
    },
}

/// An open signing record, under an exclusive lock until it is dropped.
///
/// The file has two slots of which the older one is overwritten in place and synced: one sync for each advance, and a torn
/// write leaves the other slot, whose content was the newest that any signature rests on.
#[derive(Debug)]
pub struct SigningRecord {
    path: PathBuf,
    file: File,
    newest: Slot,
    _lock: File,
}

impl SigningRecord {
    /// Opens the record, and makes an empty one where there is none.
    ///
    /// `path` should lie outside of everything that is backed up and restored with the data directory. The lock is a file
    /// beside it, with `.lock` appended to its name.
    ///
    /// # Errors
    /// [`SigningRecordError`]; nothing was changed.
    ///
    /// Spec: STORE-12, STORE-13.
    pub fn open(path: &Path, network: &Digest) -> Result<Self, SigningRecordError> {
        let io = |source| SigningRecordError::Io {
            path: path.to_owned(),
            source,
        };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(io)?;
        }
        let mut lock_path = path.as_os_str().to_owned();
        lock_path.push(".lock");
        let lock = lock_exclusive(Path::new(&lock_path))?;

        if !path.try_exists().map_err(io)? {
            create(path, network).map_err(io)?;
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map_err(io)?;
        let mut bytes = Vec::with_capacity(2 * SLOT_SIZE);
        Read::by_ref(&mut file)
            .take(2 * SLOT_SIZE as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(io)?;
        let newest = newest_slot(&bytes).ok_or(SigningRecordError::Damaged {
            path: path.to_owned(),
        })?;
        if newest.network != *network {
            return Err(SigningRecordError::OtherNetwork {
                expected: *network,
                actual: newest.network,
            });
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            newest,
            _lock: lock,
        })
    }

    /// The network.
    pub fn network(&self) -> &Digest {
        &self.newest.network
    }

    /// Highest size and root signed for a log; size 0 if the log was begun and nothing signed; `None` if it is not known.
    pub fn signed(&self, log: &Digest) -> Option<TreeHead> {
        self.newest.logs.get(log).copied()
    }

    /// All logs in the record.
    pub fn logs(&self) -> impl Iterator<Item = (&Digest, &TreeHead)> {
        self.newest.logs.iter()
    }

    /// Notes that a log is about to begin, so that a lost record can be told from a new log. One sync.
    ///
    /// # Errors
    /// [`SigningRecordError::TooManyLogs`] or [`SigningRecordError::Io`].
    pub fn register(&mut self, log: &Digest) -> Result<(), SigningRecordError> {
        if self.signed(log).is_some() {
            return Ok(());
        }
        let mut logs = self.newest.logs.clone();
        logs.insert(
            *log,
            TreeHead {
                size: 0,
                root: EMPTY_ROOT,
            },
        );
        self.replace(logs)
    }

    /// Notes that `head` is about to be signed, and returns when that is on the device: one sync, or none if exactly that
    /// is recorded.
    ///
    /// The caller has checked that the log's first recorded entries have the recorded root.
    ///
    /// # Errors
    /// [`SigningRecordError::Conflict`] for a smaller size, or for an equal size with another root;
    /// [`SigningRecordError::TooManyLogs`], [`SigningRecordError::Io`].
    pub fn advance(&mut self, log: &Digest, head: TreeHead) -> Result<(), SigningRecordError> {
        if let Some(signed) = self.signed(log) {
            if signed == head {
                return Ok(());
            }
            if head.size <= signed.size {
                return Err(SigningRecordError::Conflict {
                    log: *log,
                    size: signed.size,
                    root: signed.root,
                });
            }
        }
        let mut logs = self.newest.logs.clone();
        logs.insert(*log, head);
        self.replace(logs)
    }

    /// The record as a text for people and other machines (JSON). Import it on the machine to which a peer moves.
    ///
    /// Spec: STORE-15.
    pub fn export_text(&self) -> String {
        super::text::write(&self.newest.network, &self.newest.logs)
    }

    /// Takes in an exported record: for each log, the larger size stays. One sync.
    ///
    /// # Errors
    /// [`SigningRecordError::Conflict`] if both have the same size with different roots,
    /// [`SigningRecordError::OtherNetwork`], [`SigningRecordError::Text`], [`SigningRecordError::TooManyLogs`] or
    /// [`SigningRecordError::Io`]; the record is as before.
    ///
    /// Spec: STORE-15.
    pub fn import_text(&mut self, text: &str) -> Result<(), SigningRecordError> {
        let (network, imported) = super::text::read(text)?;
        if network != self.newest.network {
            return Err(SigningRecordError::OtherNetwork {
                expected: self.newest.network,
                actual: network,
            });
        }
        let mut logs = self.newest.logs.clone();
        for (log, head) in imported {
            let signed = logs.entry(log).or_insert(head);
            if head.size == signed.size && head.root != signed.root {
                return Err(SigningRecordError::Conflict {
                    log,
                    size: signed.size,
                    root: signed.root,
                });
            }
            if head.size > signed.size {
                *signed = head;
            }
        }
        self.replace(logs)
    }

    fn replace(&mut self, logs: BTreeMap<Digest, TreeHead>) -> Result<(), SigningRecordError> {
        if logs.len() > SIGNING_RECORD_LOGS_COUNT_MAX {
            return Err(SigningRecordError::TooManyLogs {
                limit: SIGNING_RECORD_LOGS_COUNT_MAX,
            });
        }
        let next = Slot {
            generation: self.newest.generation.wrapping_add(1),
            network: self.newest.network,
            logs,
        };
        self.write(&next).map_err(|source| SigningRecordError::Io {
            path: self.path.clone(),
            source,
        })?;
        self.newest = next;
        Ok(())
    }

    fn write(&mut self, slot: &Slot) -> io::Result<()> {
        let offset = (slot.generation % 2) * SLOT_SIZE as u64;
        self.file.seek(SeekFrom::Start(offset))?;
        self.file.write_all(&slot.to_bytes())?;
        self.file.sync_data()
    }
}

/// Makes a whole file or none.
fn create(path: &Path, network: &Digest) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = PathBuf::from(temporary);
    let mut file = File::create(&temporary)?;
    for generation in 0..2 {
        let slot = Slot {
            generation,
            network: *network,
            logs: BTreeMap::new(),
        };
        file.write_all(&slot.to_bytes())?;
    }
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

/// What a record's file holds, read without its lock and without a change.
pub(crate) struct Inspection {
    /// Each slot, if it is intact.
    pub(crate) slots: [Option<Slot>; 2],
}

impl Inspection {
    /// Reads a file; `None` if there is none.
    pub(crate) fn of(path: &Path) -> io::Result<Option<Self>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::with_capacity(2 * SLOT_SIZE);
        file.take(2 * SLOT_SIZE as u64 + 1)
            .read_to_end(&mut bytes)?;
        let slots = if bytes.len() == 2 * SLOT_SIZE {
            let (first, second) = bytes.split_at(SLOT_SIZE);
            [Slot::from_bytes(first), Slot::from_bytes(second)]
        } else {
            [None, None]
        };
        Ok(Some(Self { slots }))
    }

    /// What counts: the intact slot with the higher generation.
    pub(crate) fn newest(&self) -> Option<&Slot> {
        self.slots
            .iter()
            .flatten()
            .max_by_key(|slot| slot.generation)
    }
}

/// The intact slot with the higher generation.
fn newest_slot(bytes: &[u8]) -> Option<Slot> {
    if bytes.len() != 2 * SLOT_SIZE {
        return None;
    }
    let (first, second) = bytes.split_at(SLOT_SIZE);
    [Slot::from_bytes(first), Slot::from_bytes(second)]
        .into_iter()
        .flatten()
        .max_by_key(|slot| slot.generation)
}
