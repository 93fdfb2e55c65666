//! Errors of opening and of using a ledger.

use std::path::PathBuf;
use std::sync::Arc;

use symphony_transparency::Digest;
use symphony_transparency::merkle::{NodeHash, ProofError};

use crate::checkpoint::StoredCheckpoint;
use crate::damage::StorageError;
use crate::link::LinkError;
use crate::lock::LockError;
use crate::memo::MemoError;
use crate::signing::SigningRecordError;

/// A ledger could not be opened. No stored log and no record was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process owns the data directory or the signing record.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The data directory cannot be made.
    #[error("cannot use {}: {source}", .path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is no ledger in the directory (only said where none may be made).
    #[error("{} holds no ledger", .path.display())]
    NotALedger {
        /// The directory.
        path: PathBuf,
    },
    /// The layout is of another version.
    #[error("the ledger has format {actual}, this program reads format {expected}")]
    Format {
        /// The version that this program reads.
        expected: u32,
        /// The version of the database.
        actual: u32,
    },
    /// The ledger belongs to another network.
    #[error("the ledger belongs to network {actual}, not to {expected}")]
    OtherNetwork {
        /// The network that was asked for.
        expected: Digest,
        /// The network of the database.
        actual: Digest,
    },
    /// The database is damaged or the device fails. For details, run a check of the directory.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The signing record cannot be used.
    #[error("signing record: {0}")]
    SigningRecord(#[from] SigningRecordError),
    /// The log has entries, but the signing record does not know it: the record was lost, or is that of another peer.
    #[error("the signing record does not know log {log} with its {size} entries")]
    SigningRecordMissing {
        /// Id of the log.
        log: Digest,
        /// Number of entries.
        size: u64,
    },
    /// The system gave no thread.
    #[error("cannot start the ledger's thread: {0}")]
    Thread(std::io::Error),
}

/// What a caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// What was asked can never be done; the same request fails again.
    Refused,
    /// Not now; later, or after something else was done.
    NotNow,
    /// The ledger has stopped writing for good. Reads still work; restart to go on.
    Fatal,
}

/// A ledger did not do what it was asked. After any of these, nothing of the request was written; after
/// [`LedgerError::Stopped`] that is unknown until the next start.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// An entry does not continue its log.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// A memo is beyond its limits.
    #[error(transparent)]
    Memo(#[from] MemoError),
    /// More entries or bytes in one request than fit in a batch.
    #[error(
        "request of {entries} entries and {bytes} bytes exceeds {entries_limit} entries or {bytes_limit} bytes"
    )]
    RequestTooLarge {
        /// Number of entries.
        entries: usize,
        /// Bytes of entries and memos.
        bytes: usize,
        /// Largest number of entries.
        entries_limit: usize,
        /// Largest number of bytes.
        bytes_limit: usize,
    },
    /// There is no room for more of another peer's log.
    #[error("log {} would have {actual} bytes, its limit is {limit}", .log.fmt_short())]
    LogFull {
        /// Id of the log.
        log: Digest,
        /// Most bytes of entries.
        limit: u64,
        /// Bytes that it would have.
        actual: u64,
    },
    /// There is no room for another log.
    #[error("{limit} logs are stored already")]
    TooManyLogs {
        /// Most logs.
        limit: usize,
    },
    /// The log is not stored here.
    #[error("log {} is not stored here", .log.fmt_short())]
    UnknownLog {
        /// Id of the log.
        log: Digest,
    },
    /// The request is for logs of other peers, but this is the own one.
    #[error("log {} is this peer's own", .log.fmt_short())]
    OwnLog {
        /// Id of the log.
        log: Digest,
    },
    /// This peer has not begun its log.
    #[error("this peer has no log yet")]
    NoOwnLog,
    /// The ledger was opened without a signing record: it can follow, but not speak.
    #[error("the ledger was opened without a signing record")]
    NoSigningRecord,
    /// The log is shorter than what was signed: the data directory was restored from a backup. Nothing may be appended or
    /// signed until the log is healed from others' copies. Spec: STORE-14.
    #[error("the log has {size} entries, but {recorded} were signed: restored from a backup?")]
    BehindSigningRecord {
        /// Number of entries.
        size: u64,
        /// Number of entries under the highest signature.
        recorded: u64,
    },
    /// The log is not the one that was signed. It must be retired. Spec: STORE-14.
    #[error("the log differs from what was signed at size {size}")]
    Diverged {
        /// Size at which they differ.
        size: u64,
        /// Root that was signed.
        expected: NodeHash,
        /// Root of the stored log.
        actual: NodeHash,
    },
    /// A root was to be signed that the stored log does not have.
    #[error("the log does not have the root that was to be signed at size {size}")]
    WrongRoot {
        /// Size.
        size: u64,
        /// Root of the stored log.
        expected: NodeHash,
        /// Root that was to be signed.
        actual: NodeHash,
    },
    /// Entries that were to heal the log do not lead to the root that was signed.
    #[error(
        "the entries lead to {actual_size} entries with another root, or fewer or more, than the {expected_size} that were signed"
    )]
    NotHealed {
        /// Size that was signed.
        expected_size: u64,
        /// Size after the entries.
        actual_size: u64,
    },
    /// The log needs no healing.
    #[error("the log is not behind its signing record")]
    NothingToHeal,
    /// Another checkpoint of the same log and size is stored. Both are signed, so together they convict the signer.
    #[error("another checkpoint of log {} at size {} is stored", .stored.checkpoint.log.fmt_short(), .stored.checkpoint.size)]
    CheckpointConflict {
        /// The one that came first.
        stored: Box<StoredCheckpoint>,
    },
    /// The checkpoint is of another network.
    #[error("the checkpoint is of network {actual}, not of {expected}")]
    CheckpointNetwork {
        /// This ledger's network.
        expected: Digest,
        /// The checkpoint's network.
        actual: Digest,
    },
    /// A proof cannot be made: an index or size beyond the log.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// A read failed.
    #[error(transparent)]
    Read(#[from] StorageError),
    /// A write failed earlier, so it is unknown what the device holds; the ledger writes nothing more. Spec: STORE-8.
    #[error("the ledger has stopped: {cause}")]
    Stopped {
        /// The first failure.
        cause: Arc<FatalError>,
    },
    /// The ledger was closed.
    #[error("the ledger is closed")]
    Closed,
}

/// Why a ledger stopped writing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FatalError {
    /// A batch could not be written or synced.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The signing record could not be written or synced.
    #[error("signing record: {0}")]
    SigningRecord(#[from] SigningRecordError),
}

impl LedgerError {
    /// What a caller can do about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Stopped { .. } | Self::Closed => ErrorClass::Fatal,
            Self::LogFull { .. }
            | Self::TooManyLogs { .. }
            | Self::BehindSigningRecord { .. }
            | Self::Read(_) => ErrorClass::NotNow,
            _ => ErrorClass::Refused,
        }
    }
}
