//! The chain of entries: what makes a sequence of bytes one log.
//!
//! Each entry states its index, the digest of the entry before it, and its time. Whoever holds the end of a chain can tell
//! of the next entry's bytes whether they continue it, without looking at what the entry says.
//!
//! Spec: LOG-1 to LOG-5.

use crate::{Digest, Domain, digest};

/// Largest entry in bytes: room for the ranking of all bidders that a close may have, or for one foreign statement beside
/// the entry's own fields; small enough that a receiver can hold many.
///
/// Spec: LOG-5.
pub const ENTRY_SIZE_MAX: usize = 8 * 1024;

/// An entry's place in its log, as the entry itself states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Position in the log, from 0.
    pub index: u64,
    /// Digest of the entry before; [`Digest::ZERO`] in entry 0.
    pub previous: Digest,
    /// The author's time in milliseconds since 1970-01-01 UTC.
    pub time_ms: u64,
}

/// Why an entry does not continue a chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The entry is larger than [`ENTRY_SIZE_MAX`].
    #[error("entry {index} has {actual} bytes, more than {limit}")]
    TooLarge {
        /// The index of its place.
        index: u64,
        /// [`ENTRY_SIZE_MAX`].
        limit: usize,
        /// Its size in bytes.
        actual: usize,
    },
    /// The entry states another index than that of its place.
    #[error("entry states index {actual}, expected {expected}")]
    Index {
        /// The index of its place.
        expected: u64,
        /// The index that it states.
        actual: u64,
    },
    /// The entry names another entry as the one before it.
    #[error("entry {index} names previous entry {actual}, expected {expected}")]
    Previous {
        /// The entry's index.
        index: u64,
        /// Digest of the entry before it.
        expected: Digest,
        /// Digest that it states.
        actual: Digest,
    },
    /// The entry's time lies before that of the entry before it.
    #[error("entry {index} has time {actual} ms, before {expected} ms")]
    Time {
        /// The entry's index.
        index: u64,
        /// Time of the entry before it, in milliseconds.
        expected: u64,
        /// Time that it states, in milliseconds.
        actual: u64,
    },
}

/// The end of a chain: all that is needed to check the next entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainEnd {
    /// Number of entries so far.
    pub size: u64,
    /// Digest of the last entry; [`Digest::ZERO`] if there is none.
    pub last: Digest,
    /// Time of the last entry in milliseconds; 0 if there is none.
    pub time_ms: u64,
}

impl ChainEnd {
    /// The end of a log without entries.
    pub const EMPTY: Self = Self {
        size: 0,
        last: Digest::ZERO,
        time_ms: 0,
    };

    /// The end after the entry with these exact bytes, which states this link.
    ///
    /// # Errors
    /// A [`ChainError`]: a fault of the log's author, or bytes of another log.
    ///
    /// Spec: LOG-1, LOG-2, LOG-3, LOG-5.
    pub fn follow(&self, link: &Link, entry: &[u8]) -> Result<Self, ChainError> {
        if entry.len() > ENTRY_SIZE_MAX {
            return Err(ChainError::TooLarge {
                index: self.size,
                limit: ENTRY_SIZE_MAX,
                actual: entry.len(),
            });
        }
        self.follow_digest(link, entry_digest(entry))
    }

    /// [`ChainEnd::follow`] for an entry within [`ENTRY_SIZE_MAX`] whose digest was computed before.
    ///
    /// # Errors
    /// As [`ChainEnd::follow`].
    pub fn follow_digest(&self, link: &Link, entry: Digest) -> Result<Self, ChainError> {
        // The last possible index cannot be counted, so it is refused like a wrong one.
        let size = match self.size.checked_add(1) {
            Some(size) if link.index == self.size => size,
            _ => {
                return Err(ChainError::Index {
                    expected: self.size,
                    actual: link.index,
                });
            }
        };
        if link.previous != self.last {
            return Err(ChainError::Previous {
                index: link.index,
                expected: self.last,
                actual: link.previous,
            });
        }
        if link.time_ms < self.time_ms {
            return Err(ChainError::Time {
                index: link.index,
                expected: self.time_ms,
                actual: link.time_ms,
            });
        }
        Ok(Self {
            size,
            last: entry,
            time_ms: link.time_ms,
        })
    }
}

/// The digest by which the next entry names the one with these exact bytes.
///
/// Spec: LOG-4.
pub fn entry_digest(entry: &[u8]) -> Digest {
    digest(Domain::Entry, entry)
}

/// The id of the log that begins with these exact bytes.
///
/// Spec: LOG-4.
pub fn log_id(entry_zero: &[u8]) -> Digest {
    digest(Domain::LogId, entry_zero)
}
