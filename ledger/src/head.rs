//! The end of a stored log: its head record, rewritten with every append in the same batch.

use symphony_transparency::merkle::{Frontier, FrontierError, NodeHash, TreeHead, leaf_hash};
use symphony_transparency::{ChainEnd, Digest};

use crate::link::{LinkError, follow};

/// All that an append needs to know of a log.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    /// The end of the hash chain.
    pub(crate) chain: ChainEnd,
    /// The right edge of the Merkle tree.
    pub(crate) tree: Frontier,
    /// Sum of the entries' sizes in bytes.
    pub(crate) entries_bytes: u64,
}

/// A head record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadError {
    /// The record has another length than its frontier needs.
    #[error("head record has {actual} bytes")]
    Length {
        /// Its length.
        actual: usize,
    },
    /// The frontier does not belong to a tree of this size.
    #[error("head record: {0}")]
    Frontier(#[from] FrontierError),
}

/// Size, bytes, time and last digest.
const FIXED_LENGTH: usize = 8 + 8 + 8 + 32;

/// A tree of at most 2⁶² leaves has at most as many complete subtrees.
const FRONTIER_COUNT_MAX: usize = 63;

impl Head {
    /// The head of an empty log.
    pub(crate) fn empty() -> Self {
        Self {
            chain: ChainEnd::EMPTY,
            tree: Frontier::new(),
            entries_bytes: 0,
        }
    }

    /// Number of entries.
    pub(crate) fn size(&self) -> u64 {
        self.chain.size
    }

    /// Merkle root over the entries.
    pub(crate) fn root(&self) -> NodeHash {
        self.tree.root()
    }

    /// Size and Merkle root.
    pub(crate) fn tree_head(&self) -> TreeHead {
        self.tree.head()
    }

    /// Adds the next entry, which must continue the chain; hands each node that is now complete to `completed`.
    /// After an error the head is as before.
    pub(crate) fn push(
        &mut self,
        entry: &[u8],
        completed: impl FnMut(u8, u64, NodeHash),
    ) -> Result<(), LinkError> {
        self.chain = follow(&self.chain, entry)?;
        self.tree.append_leaf_hash_with(leaf_hash(entry), completed);
        self.entries_bytes = self.entries_bytes.saturating_add(entry.len() as u64);
        Ok(())
    }

    /// The record's bytes. Spec: STORE-4.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let (_, hashes) = self.tree.to_parts();
        let mut bytes = Vec::with_capacity(FIXED_LENGTH + 32 * hashes.len());
        bytes.extend_from_slice(&self.chain.size.to_be_bytes());
        bytes.extend_from_slice(&self.entries_bytes.to_be_bytes());
        bytes.extend_from_slice(&self.chain.time_ms.to_be_bytes());
        bytes.extend_from_slice(self.chain.last.as_bytes());
        for hash in hashes {
            bytes.extend_from_slice(hash);
        }
        bytes
    }

    /// Reads a record.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, HeadError> {
        let wrong_length = HeadError::Length {
            actual: bytes.len(),
        };
        let (size, rest) = take_number(bytes).ok_or(wrong_length.clone())?;
        let (entries_bytes, rest) = take_number(rest).ok_or(wrong_length.clone())?;
        let (time_ms, rest) = take_number(rest).ok_or(wrong_length.clone())?;
        let (last, rest) = rest.split_first_chunk::<32>().ok_or(wrong_length.clone())?;
        let chunks = rest.chunks_exact(32);
        if !chunks.remainder().is_empty() || chunks.len() > FRONTIER_COUNT_MAX {
            return Err(wrong_length);
        }
        let hashes = chunks
            .map(|chunk| NodeHash::try_from(chunk).expect("the chunks have 32 bytes"))
            .collect::<Vec<_>>();
        let tree = Frontier::from_parts(size, hashes)?;
        let chain = ChainEnd {
            size,
            last: Digest::from_bytes(*last),
            time_ms,
        };
        Ok(Self {
            chain,
            tree,
            entries_bytes,
        })
    }
}

fn take_number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(count: u64) -> Head {
        let mut head = Head::empty();
        for index in 0..count {
            head.tree.append(&index.to_be_bytes());
            head.chain.size += 1;
            head.entries_bytes += 8;
        }
        head.chain.last = Digest::from_bytes([3; 32]);
        head.chain.time_ms = 17;
        head
    }

    #[test]
    fn store_4_a_head_round_trips_at_every_size() {
        for count in 0..40 {
            let head = head(count);
            let read = Head::from_bytes(&head.to_bytes()).unwrap();
            assert_eq!(read.chain, head.chain);
            assert_eq!(read.root(), head.root());
            assert_eq!(read.entries_bytes, head.entries_bytes);
        }
    }

    #[test]
    fn store_4_a_head_of_another_length_is_refused() {
        let bytes = head(11).to_bytes();
        for length in 0..bytes.len() {
            assert!(
                Head::from_bytes(&bytes[..length]).is_err(),
                "{length} bytes"
            );
        }
        let mut longer = bytes.clone();
        longer.extend_from_slice(&[0; 32]);
        assert!(matches!(
            Head::from_bytes(&longer),
            Err(HeadError::Frontier(_))
        ));
        longer.push(0);
        assert!(matches!(
            Head::from_bytes(&longer),
            Err(HeadError::Length { .. })
        ));
    }
}
