//! What a witness keeps of a log.

use crate::merkle::{NodeHash, TREE_SIZE_MAX, TreeHead};

/// Bytes of a kept head: size, big-endian, then root.
pub const HEAD_RECORD_SIZE: usize = 8 + 32;

/// Why bytes are no kept head: damage of the store. A witness that does not know what it cosigned must not cosign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadRecordError {
    /// Another length.
    #[error("a kept head has {expected} bytes, not {actual}")]
    Length {
        /// [`HEAD_RECORD_SIZE`].
        expected: usize,
        /// The length that was found.
        actual: usize,
    },
    /// No size of a log: 0, or above the limit.
    #[error("a kept head has a size from 1 to {limit}, not {actual}")]
    Size {
        /// [`TREE_SIZE_MAX`].
        limit: u64,
        /// The size that was found.
        actual: u64,
    },
}

/// The bytes in which a head is kept.
///
/// Spec: WITNESS-6.
pub fn head_to_record(head: &TreeHead) -> [u8; HEAD_RECORD_SIZE] {
    let mut record = [0; HEAD_RECORD_SIZE];
    record[..8].copy_from_slice(&head.size.to_be_bytes());
    record[8..].copy_from_slice(&head.root);
    record
}

/// Reads a kept head.
///
/// # Errors
/// [`HeadRecordError`].
///
/// Spec: WITNESS-6.
pub fn head_from_record(record: &[u8]) -> Result<TreeHead, HeadRecordError> {
    let length = || HeadRecordError::Length {
        expected: HEAD_RECORD_SIZE,
        actual: record.len(),
    };
    let (size, root) = record.split_first_chunk::<8>().ok_or_else(length)?;
    let root: NodeHash = root.try_into().map_err(|_| length())?;
    let size = u64::from_be_bytes(*size);
    if !(1..=TREE_SIZE_MAX).contains(&size) {
        return Err(HeadRecordError::Size {
            limit: TREE_SIZE_MAX,
            actual: size,
        });
    }
    Ok(TreeHead { size, root })
}
