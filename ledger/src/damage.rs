//! What can be wrong with a stored log.

use data_encoding::HEXLOWER;
use symphony_transparency::Digest;
use symphony_transparency::merkle::NodeHash;

use crate::link::LinkError;

/// One place where the database is not what its author wrote. Nothing is repaired: a log that lost an entry is healed from
/// the bytes that others hold, or retired.
///
/// Spec: STORE-11.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// An entry below the log's size is not there.
    #[error("entry {index} is missing")]
    EntryMissing {
        /// Index of the entry.
        index: u64,
    },
    /// An entry cannot be read: the block that holds it fails its checksum, or the device fails.
    #[error("entry {index} cannot be read: {reason}")]
    EntryUnreadable {
        /// Index of the entry.
        index: u64,
        /// What the database said.
        reason: String,
    },
    /// An entry's bytes are not those that the tree has.
    #[error(
        "entry {index} was changed: its leaf hash is {}, the tree has {}",
        HEXLOWER.encode(.found),
        HEXLOWER.encode(.expected)
    )]
    EntryChanged {
        /// Index of the entry.
        index: u64,
        /// Leaf hash in the tree.
        expected: NodeHash,
        /// Leaf hash of the stored bytes.
        found: NodeHash,
    },
    /// An entry is what the tree has, but does not continue the chain.
    #[error("chain: {0}")]
    Chain(LinkError),
    /// A node of the tree is not there or cannot be read.
    #[error("tree node at level {level}, index {index} is missing")]
    NodeMissing {
        /// Level above the leaves.
        level: u8,
        /// Index within the level.
        index: u64,
    },
    /// A node of the tree is not what its entries give.
    #[error(
        "tree node at level {level}, index {index} is {}, its entries give {}",
        HEXLOWER.encode(.found),
        HEXLOWER.encode(.expected)
    )]
    NodeWrong {
        /// Level above the leaves.
        level: u8,
        /// Index within the level.
        index: u64,
        /// Hash that the entries give.
        expected: NodeHash,
        /// Hash that is stored.
        found: NodeHash,
    },
    /// The head record is missing or cannot be read.
    #[error("head record: {reason}")]
    HeadUnreadable {
        /// What is wrong with it.
        reason: String,
    },
    /// The head record does not say what the entries give.
    #[error("head record of {size} entries does not end the stored chain and tree")]
    HeadWrong {
        /// Size in the head record.
        size: u64,
    },
    /// A checkpoint record cannot be read.
    #[error("checkpoint at size {size} cannot be read")]
    CheckpointUnreadable {
        /// Size that it is stored under.
        size: u64,
    },
    /// A checkpoint that was signed for this log has another root than the entries give.
    #[error(
        "checkpoint at size {size} has root {}, the entries give {}",
        HEXLOWER.encode(.expected),
        HEXLOWER.encode(.found)
    )]
    CheckpointRoot {
        /// Size of the checkpoint.
        size: u64,
        /// Root that was signed.
        expected: NodeHash,
        /// Root of the stored entries.
        found: NodeHash,
    },
    /// A key belongs to nothing: an entry or node beyond the log's size, or of a log without a head.
    #[error("key {} belongs to no stored log", HEXLOWER.encode(.key))]
    Orphan {
        /// The key.
        key: Vec<u8>,
    },
    /// A key of no known shape.
    #[error("key {} in {family} has no known shape", HEXLOWER.encode(.key))]
    Strange {
        /// Column family.
        family: &'static str,
        /// The key.
        key: Vec<u8>,
    },
    /// The database does not open: one of its own files is damaged or gone.
    #[error("the database cannot be opened{}: {reason}", of_file(.file))]
    DatabaseUnreadable {
        /// The file, where it is known.
        file: Option<String>,
        /// What the database said.
        reason: String,
    },
    /// A record outside the logs cannot be read.
    #[error("the record of {record} cannot be read")]
    RecordUnreadable {
        /// Which record.
        record: &'static str,
    },
    /// One of the signing record's two slots is not intact; the other one counts, and the next write replaces this one.
    #[error("slot {slot} of the signing record is not intact; the other one counts")]
    SigningSlot {
        /// 0 or 1.
        slot: usize,
    },
    /// The signing record says nothing: it is unknown what was signed.
    #[error("the signing record cannot be read: {reason}")]
    SigningRecordUnreadable {
        /// What is wrong with it.
        reason: String,
    },
    /// The signing record does not know this peer's log.
    #[error("the signing record does not know log {log}")]
    SigningRecordMissing {
        /// Id of the log.
        log: Digest,
    },
    /// This peer's log lacks entries that were signed.
    #[error("the log has {size} entries, {recorded} were signed")]
    LogBehind {
        /// Number of entries.
        size: u64,
        /// Number of entries under the highest signature.
        recorded: u64,
    },
    /// This peer's log does not have the root that was signed.
    #[error(
        "the first {size} entries have root {}, signed was {}",
        HEXLOWER.encode(.found),
        HEXLOWER.encode(.expected)
    )]
    LogDiverged {
        /// Size that was signed.
        size: u64,
        /// Root that was signed.
        expected: NodeHash,
        /// Root of the stored entries.
        found: NodeHash,
    },
    /// A whole table could not be read to its end.
    #[error("table {family} cannot be read to its end: {reason}")]
    TableUnreadable {
        /// Column family.
        family: &'static str,
        /// What the database said.
        reason: String,
    },
}

impl Damage {
    /// The name of this kind of damage, for programs and for tables. Spec: STORE-11.
    pub fn name(&self) -> &'static str {
        match self {
            Self::EntryMissing { .. } => "entry-missing",
            Self::EntryUnreadable { .. } => "entry-unreadable",
            Self::EntryChanged { .. } => "entry-changed",
            Self::Chain(_) => "chain-broken",
            Self::NodeMissing { .. } => "node-missing",
            Self::NodeWrong { .. } => "node-wrong",
            Self::HeadUnreadable { .. } => "head-unreadable",
            Self::HeadWrong { .. } => "head-wrong",
            Self::CheckpointUnreadable { .. } => "checkpoint-unreadable",
            Self::CheckpointRoot { .. } => "checkpoint-wrong",
            Self::Orphan { .. } => "key-orphaned",
            Self::Strange { .. } => "key-unknown",
            Self::DatabaseUnreadable { .. } => "database-unreadable",
            Self::RecordUnreadable { .. } => "record-unreadable",
            Self::SigningSlot { .. } => "signing-slot",
            Self::SigningRecordUnreadable { .. } => "signing-record-unreadable",
            Self::SigningRecordMissing { .. } => "signing-record-missing",
            Self::LogBehind { .. } => "log-behind",
            Self::LogDiverged { .. } => "log-diverged",
            Self::TableUnreadable { .. } => "table-unreadable",
        }
    }

    /// The entry that is damaged, where the damage has such a place.
    pub fn entry(&self) -> Option<u64> {
        match self {
            Self::EntryMissing { index }
            | Self::EntryUnreadable { index, .. }
            | Self::EntryChanged { index, .. } => Some(*index),
            Self::Chain(error) => Some(error.index()),
            _ => None,
        }
    }
}

fn of_file(file: &Option<String>) -> String {
    file.as_ref()
        .map_or_else(String::new, |file| format!(" ({file})"))
}

/// The database could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The database or the device below it failed: a full disk, a checksum, an input/output error.
    #[error("database: {reason}")]
    Database {
        /// What the database said.
        reason: String,
    },
    /// A stored log is damaged.
    #[error("log {}: {damage}", .log.fmt_short())]
    Damaged {
        /// Id of the log.
        log: Digest,
        /// What is wrong.
        damage: Damage,
    },
    /// A record outside any log is damaged.
    #[error("the record of {record} is damaged")]
    Record {
        /// Which record.
        record: &'static str,
    },
}

impl From<rocksdb::Error> for StorageError {
    fn from(error: rocksdb::Error) -> Self {
        Self::Database {
            reason: error.into_string(),
        }
    }
}
