//! What the ledger reads of an entry: its place. Bodies are opaque here.

use prost::Message;
use symphony_transparency::{ChainEnd, ChainError, Digest, ENTRY_SIZE_MAX, Link};

/// The three fields of `symphony.log.v1.Entry` that place an entry in its log; the decoder skips the body.
#[derive(Clone, PartialEq, Message)]
struct EntryFrame {
    #[prost(uint64, tag = "1")]
    index: u64,
    #[prost(bytes = "vec", tag = "2")]
    previous: Vec<u8>,
    #[prost(uint64, tag = "3")]
    time_ms: u64,
}

/// An entry does not continue the log that it was offered to.
///
/// In an entry of one's own this is a defect of the caller; in an entry of another peer it is that peer's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// Empty, or larger than [`ENTRY_SIZE_MAX`].
    #[error("entry {index} has {actual} bytes: must have 1 to {limit}")]
    Size {
        /// Index at which the entry was offered.
        index: u64,
        /// [`ENTRY_SIZE_MAX`].
        limit: usize,
        /// Size in bytes.
        actual: usize,
    },
    /// Not a protobuf message with the fields of an entry.
    #[error("entry {index} is malformed: {reason}")]
    Malformed {
        /// Index at which the entry was offered.
        index: u64,
        /// What the decoder found.
        reason: String,
    },
    /// It does not follow the entry before it.
    #[error("entry at {index} does not follow: {error}")]
    Chain {
        /// Index at which the entry was offered.
        index: u64,
        /// Which part of its link is wrong.
        error: ChainError,
    },
    /// Entry 0 is not that of the log with this id.
    #[error("entry 0 belongs to log {actual}, not to {expected}")]
    Log {
        /// Id of the log.
        expected: Digest,
        /// Id of the log that begins with this entry.
        actual: Digest,
    },
}

impl LinkError {
    /// Index at which the entry was offered.
    pub fn index(&self) -> u64 {
        match self {
            Self::Size { index, .. }
            | Self::Malformed { index, .. }
            | Self::Chain { index, .. } => *index,
            Self::Log { .. } => 0,
        }
    }
}

/// Reads the place that an entry states. The body is not looked at, so nothing here judges it.
///
/// `index` only names the entry in errors.
///
/// # Errors
/// [`LinkError::Size`] and [`LinkError::Malformed`].
///
/// Spec: STORE-5.
pub fn read_link(index: u64, entry: &[u8]) -> Result<Link, LinkError> {
    if entry.is_empty() || entry.len() > ENTRY_SIZE_MAX {
        return Err(LinkError::Size {
            index,
            limit: ENTRY_SIZE_MAX,
            actual: entry.len(),
        });
    }
    let malformed = |reason: String| LinkError::Malformed { index, reason };
    let frame = EntryFrame::decode(entry).map_err(|error| malformed(error.to_string()))?;
    let previous =
        Digest::from_slice(&frame.previous).map_err(|error| malformed(error.to_string()))?;
    Ok(Link {
        index: frame.index,
        previous,
        time_ms: frame.time_ms,
    })
}

/// The end of a chain after `entry`, which must state the next index, the end as its predecessor, and a time not before it.
///
/// One rule for own appends, for other peers' logs, for recovery, `fsck` and imports.
///
/// # Errors
/// A [`LinkError`] that names the entry.
///
/// Spec: STORE-6, LOG-1 to LOG-3.
pub fn follow(end: &ChainEnd, entry: &[u8]) -> Result<ChainEnd, LinkError> {
    let link = read_link(end.size, entry)?;
    end.follow(&link, entry).map_err(|error| LinkError::Chain {
        index: end.size,
        error,
    })
}

#[cfg(test)]
mod tests {
    use symphony_transparency::entry_digest;

    use super::*;

    fn entry(index: u64, previous: Digest, time_ms: u64) -> Vec<u8> {
        EntryFrame {
            index,
            previous: previous.as_bytes().to_vec(),
            time_ms,
        }
        .encode_to_vec()
    }

    fn end(size: u64) -> ChainEnd {
        ChainEnd {
            size,
            last: Digest::from_bytes([9; 32]),
            time_ms: 100,
        }
    }

    #[test]
    fn store_6_a_chain_follows_from_zero() {
        let first = entry(0, Digest::ZERO, 5);
        let one = follow(&ChainEnd::EMPTY, &first).unwrap();
        assert_eq!(
            one,
            ChainEnd {
                size: 1,
                last: entry_digest(&first),
                time_ms: 5
            }
        );
        assert_eq!(follow(&one, &entry(1, one.last, 5)).unwrap().size, 2);
    }

    #[test]
    fn store_6_refuses_a_gap_a_repeat_another_past_and_time_backwards() {
        let last = end(3).last;
        let error = |entry: Vec<u8>| match follow(&end(3), &entry) {
            Err(LinkError::Chain { index: 3, error }) => error,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            error(entry(4, last, 100)),
            ChainError::Index {
                expected: 3,
                actual: 4
            }
        );
        assert_eq!(
            error(entry(2, last, 100)),
            ChainError::Index {
                expected: 3,
                actual: 2
            }
        );
        assert!(matches!(
            error(entry(3, Digest::ZERO, 100)),
            ChainError::Previous { .. }
        ));
        assert_eq!(
            error(entry(3, last, 99)),
            ChainError::Time {
                index: 3,
                expected: 100,
                actual: 99
            }
        );
    }

    #[test]
    fn store_5_refuses_empty_oversized_and_malformed_entries() {
        assert!(matches!(
            read_link(3, &[]),
            Err(LinkError::Size { actual: 0, .. })
        ));
        assert!(matches!(
            read_link(3, &vec![0; ENTRY_SIZE_MAX + 1]),
            Err(LinkError::Size { index: 3, .. })
        ));
        assert!(matches!(
            read_link(3, &[0xFF; 40]),
            Err(LinkError::Malformed { index: 3, .. })
        ));
        let good = entry(3, end(3).last, 100);
        for length in 0..good.len() {
            assert!(
                follow(&end(3), &good[..length]).is_err(),
                "truncated to {length} bytes"
            );
        }
    }

    #[test]
    fn store_6_the_frame_is_that_of_the_schema() {
        let whole = symphony_proto::log::v1::Entry {
            index: 3,
            previous: vec![9; 32],
            time_ms: 7,
            ..Default::default()
        };
        let link = read_link(3, &whole.encode_to_vec()).unwrap();
        assert_eq!(
            link,
            Link {
                index: 3,
                previous: Digest::from_bytes([9; 32]),
                time_ms: 7
            }
        );
    }
}
