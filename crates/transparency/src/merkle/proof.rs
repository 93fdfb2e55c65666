//! Checking proofs, without the tree.

use data_encoding::HEXLOWER;

use super::{EMPTY_ROOT, NodeHash, TREE_SIZE_MAX, node_hash};

/// A tree's size and root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeHead {
    /// Number of leaves.
    pub size: u64,
    /// Root of the tree.
    pub root: NodeHash,
}

/// Why a proof could not be made, or does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The leaf is not in a tree of that size.
    #[error("leaf {index} is not in a tree of {size} leaves")]
    IndexBeyondSize {
        /// The leaf's index.
        index: u64,
        /// The tree's size.
        size: u64,
    },
    /// The older tree is larger than the newer one.
    #[error("a tree of {old_size} leaves is no prefix of one of {new_size}")]
    OldSizeBeyondNew {
        /// Size of the older tree.
        old_size: u64,
        /// Size of the newer tree.
        new_size: u64,
    },
    /// More leaves than any tree has.
    #[error("tree size {actual} exceeds {limit}")]
    TooLarge {
        /// [`TREE_SIZE_MAX`].
        limit: u64,
        /// The size that was given.
        actual: u64,
    },
    /// The proof has a number of hashes that no proof for these sizes has.
    #[error("the proof has {actual} hashes, not {expected}")]
    WrongLength {
        /// The number that a proof for these sizes has.
        expected: usize,
        /// The number that was given.
        actual: usize,
    },
    /// The proof leads to another root.
    #[error("the proof leads to root {}, not {}", HEXLOWER.encode(.actual), HEXLOWER.encode(.expected))]
    RootMismatch {
        /// The root that was to be reached.
        expected: NodeHash,
        /// The root that the proof leads to.
        actual: NodeHash,
    },
    /// The store lacks a node that the proof needs.
    #[error("the node at level {level}, index {index} is missing")]
    MissingNode {
        /// Level above the leaves.
        level: u8,
        /// Index within the level.
        index: u64,
    },
}

/// Checks that the leaf with this hash is leaf `index` of the tree with this size and root.
///
/// # Errors
/// [`ProofError::IndexBeyondSize`], [`ProofError::TooLarge`], [`ProofError::WrongLength`] or [`ProofError::RootMismatch`].
///
/// Spec: LOG-11 (RFC 9162 §2.1.3.2).
pub fn verify_inclusion(
    leaf_hash: &NodeHash,
    index: u64,
    size: u64,
    proof: &[NodeHash],
    root: &NodeHash,
) -> Result<(), ProofError> {
    check_size(size)?;
    if index >= size {
        return Err(ProofError::IndexBeyondSize { index, size });
    }
    // The path first climbs inside the tree, then along its right border, where only 1 bits of the index have a sibling.
    let inner = bit_length(index ^ (size - 1));
    let border = (index >> inner).count_ones();
    check_length(inner + border, proof)?;

    let mut actual = *leaf_hash;
    for (level, sibling) in proof.iter().enumerate() {
        let is_right = level >= widen(inner) || (index >> level) & 1 == 1;
        actual = if is_right {
            node_hash(sibling, &actual)
        } else {
            node_hash(&actual, sibling)
        };
    }
    check_root(root, &actual)
}

/// Checks that the old tree is a prefix of the new one.
///
/// An empty old tree is a prefix of every tree, and two trees of one size must have one root; both need an empty proof.
///
/// # Errors
/// [`ProofError::OldSizeBeyondNew`], [`ProofError::TooLarge`], [`ProofError::WrongLength`] or
/// [`ProofError::RootMismatch`].
///
/// Spec: LOG-12 (RFC 9162 §2.1.4.2).
pub fn verify_consistency(
    old: &TreeHead,
    new: &TreeHead,
    proof: &[NodeHash],
) -> Result<(), ProofError> {
    check_size(new.size)?;
    if old.size > new.size {
        return Err(ProofError::OldSizeBeyondNew {
            old_size: old.size,
            new_size: new.size,
        });
    }
    if old.size == 0 {
        check_length(0, proof)?;
        return check_root(&EMPTY_ROOT, &old.root);
    }
    if old.size == new.size {
        check_length(0, proof)?;
        return check_root(&old.root, &new.root);
    }

    // Climb from the last complete subtree of the old tree: that subtree is given by the proof, unless it is all of it.
    let shift = old.size.trailing_zeros();
    let last = (old.size - 1) >> shift;
    let new_last = (new.size - 1) >> shift;
    let inner = bit_length(last ^ new_last);
    let border = (last >> inner).count_ones();
    let old_is_complete = old.size.is_power_of_two();
    check_length(inner + border + u32::from(!old_is_complete), proof)?;

    let (seed, path) = match proof.split_first() {
        Some((first, rest)) if !old_is_complete => (*first, rest),
        _ => (old.root, proof),
    };
    let (mut old_root, mut new_root) = (seed, seed);
    for (level, sibling) in path.iter().enumerate() {
        let is_right = level >= widen(inner) || (last >> level) & 1 == 1;
        if is_right {
            old_root = node_hash(sibling, &old_root);
            new_root = node_hash(sibling, &new_root);
        } else {
            new_root = node_hash(&new_root, sibling);
        }
    }
    check_root(&old.root, &old_root)?;
    check_root(&new.root, &new_root)
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

fn check_length(expected: u32, proof: &[NodeHash]) -> Result<(), ProofError> {
    let expected = widen(expected);
    if proof.len() != expected {
        return Err(ProofError::WrongLength {
            expected,
            actual: proof.len(),
        });
    }
    Ok(())
}

fn check_root(expected: &NodeHash, actual: &NodeHash) -> Result<(), ProofError> {
    if actual != expected {
        return Err(ProofError::RootMismatch {
            expected: *expected,
            actual: *actual,
        });
    }
    Ok(())
}

fn bit_length(number: u64) -> u32 {
    u64::BITS - number.leading_zeros()
}

fn widen(number: u32) -> usize {
    usize::try_from(number).expect("usize has at least 32 bits on every supported target")
}
