//! Roots and proofs from stored nodes.

use super::frontier::fold_right;
use super::{NodeHash, ProofError, TREE_SIZE_MAX};

/// Where complete nodes can be read.
pub trait NodeStore {
    /// The root of the `2^level` leaves that begin at `index · 2^level`, or `None` if not all of them exist (or the node
    /// cannot be read: the proof that needs it then fails with [`ProofError::MissingNode`]).
    fn node(&self, level: u8, index: u64) -> Option<NodeHash>;
}

impl<S: NodeStore + ?Sized> NodeStore for &S {
    fn node(&self, level: u8, index: u64) -> Option<NodeHash> {
        (**self).node(level, index)
    }
}

/// The root of the first `size` leaves. Reads one node for each 1 bit of the size.
///
/// # Errors
/// [`ProofError::MissingNode`] if the store has fewer leaves, [`ProofError::TooLarge`] beyond [`TREE_SIZE_MAX`].
pub fn root_at(store: &impl NodeStore, size: u64) -> Result<NodeHash, ProofError> {
    check_size(size)?;
    range_root(store, 0, size)
}

/// The proof that leaf `index` is in the tree of the first `size` leaves: the audit path, leaf's sibling first.
/// Reads O(log size) nodes.
///
/// # Errors
/// [`ProofError::IndexBeyondSize`], [`ProofError::MissingNode`] or [`ProofError::TooLarge`].
///
/// Spec: LOG-9 (RFC 6962 §2.1.1).
pub fn inclusion_proof(
    store: &impl NodeStore,
    index: u64,
    size: u64,
) -> Result<Vec<NodeHash>, ProofError> {
    check_size(size)?;
    if index >= size {
        return Err(ProofError::IndexBeyondSize { index, size });
    }
    let mut path = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(range_root(store, middle, end)?);
            end = middle;
        } else {
            path.push(range_root(store, start, middle)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The proof that the tree of the first `old_size` leaves is a prefix of that of the first `new_size`. Empty if one of them
/// is empty or both are equal. Reads O(log size) nodes.
///
/// # Errors
/// [`ProofError::OldSizeBeyondNew`], [`ProofError::MissingNode`] or [`ProofError::TooLarge`].
///
/// Spec: LOG-10 (RFC 6962 §2.1.2).
pub fn consistency_proof(
    store: &impl NodeStore,
    old_size: u64,
    new_size: u64,
) -> Result<Vec<NodeHash>, ProofError> {
    check_size(new_size)?;
    if old_size > new_size {
        return Err(ProofError::OldSizeBeyondNew { old_size, new_size });
    }
    if old_size == 0 || old_size == new_size {
        return Ok(Vec::new());
    }
    let mut path = Vec::new();
    let (mut start, mut end) = (0, new_size);
    while end != old_size {
        let middle = start + split(end - start);
        if old_size <= middle {
            path.push(range_root(store, middle, end)?);
            end = middle;
        } else {
            path.push(range_root(store, start, middle)?);
            start = middle;
        }
    }
    // A verifier that holds the old root already knows the subtree at the very left.
    if start != 0 {
        path.push(range_root(store, start, end)?);
    }
    path.reverse();
    Ok(path)
}

fn check_size(size: u64) -> Result<(), ProofError> {
    if size > TREE_SIZE_MAX {
        return Err(ProofError::TooLarge {
            limit: TREE_SIZE_MAX,
            actual: size,
        });
    }
    Ok(())
}

/// The largest power of two below `width`, which is at least 2.
fn split(width: u64) -> u64 {
    1 << (width - 1).ilog2()
}

/// The root over leaves `start..end`, where `start` is a multiple of every power of two up to the range's width: so it is
/// for each range that the recursion of RFC 6962 visits.
fn range_root(store: &impl NodeStore, start: u64, end: u64) -> Result<NodeHash, ProofError> {
    let mut subtrees = Vec::new();
    let mut position = start;
    while position < end {
        let level = (end - position).ilog2();
        let index = position >> level;
        let level = level.to_le_bytes()[0];
        let hash = store
            .node(level, index)
            .ok_or(ProofError::MissingNode { level, index })?;
        subtrees.push(hash);
        position += 1 << level;
    }
    Ok(fold_right(&subtrees))
}
