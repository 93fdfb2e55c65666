//! The right edge of a tree: all that appending needs.

use super::{EMPTY_ROOT, NodeHash, TREE_SIZE_MAX, TreeHead, leaf_hash, node_hash};

/// The roots of the complete subtrees that make up a tree, largest (leftmost) first: one for each 1 bit of the size.
///
/// Its memory grows with the logarithm of the size, so an auditor can follow a log of any length.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    hashes: Vec<NodeHash>,
}

/// Stored parts that are not the frontier of any tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrontierError {
    /// The number of hashes is not the number of 1 bits of the size.
    #[error("a tree of {size} leaves has {expected} complete subtrees, not {actual}")]
    WrongLength {
        /// The size that was given.
        size: u64,
        /// The number of 1 bits of the size.
        expected: usize,
        /// The number of hashes that was given.
        actual: usize,
    },
    /// More leaves than any tree has.
    #[error("tree size {actual} exceeds {limit}")]
    TooLarge {
        /// [`TREE_SIZE_MAX`].
        limit: u64,
        /// The size that was given.
        actual: u64,
    },
}

impl Frontier {
    /// The empty tree.
    pub const fn new() -> Self {
        Self {
            size: 0,
            hashes: Vec::new(),
        }
    }

    /// Takes up a stored frontier. Only its shape can be checked: whether the hashes are right shows when
    /// [`Frontier::root`] is compared with a signed root.
    ///
    /// # Errors
    /// [`FrontierError::WrongLength`] or [`FrontierError::TooLarge`].
    pub fn from_parts(size: u64, hashes: Vec<NodeHash>) -> Result<Self, FrontierError> {
        if size > TREE_SIZE_MAX {
            return Err(FrontierError::TooLarge {
                limit: TREE_SIZE_MAX,
                actual: size,
            });
        }
        let expected = subtree_count(size);
        if hashes.len() != expected {
            return Err(FrontierError::WrongLength {
                size,
                expected,
                actual: hashes.len(),
            });
        }
        Ok(Self { size, hashes })
    }

    /// Size and hashes, largest subtree first, for [`Frontier::from_parts`].
    pub fn to_parts(&self) -> (u64, &[NodeHash]) {
        (self.size, &self.hashes)
    }

    /// The number of leaves.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds an entry's exact bytes; returns its index.
    pub fn append(&mut self, leaf: &[u8]) -> u64 {
        self.append_leaf_hash(leaf_hash(leaf))
    }

    /// Adds a leaf hash; returns its index.
    pub fn append_leaf_hash(&mut self, leaf: NodeHash) -> u64 {
        self.append_leaf_hash_with(leaf, |_, _, _| {})
    }

    /// Adds a leaf hash and hands each node that is now complete to `completed(level, index, hash)`, the leaf itself
    /// (level 0) first: exactly what a [`NodeStore`](super::NodeStore) has to keep. Returns the leaf's index.
    ///
    /// Spec: LOG-8.
    pub fn append_leaf_hash_with(
        &mut self,
        leaf: NodeHash,
        mut completed: impl FnMut(u8, u64, NodeHash),
    ) -> u64 {
        let index = self.size;
        let mut hash = leaf;
        completed(0, index, hash);
        // Each trailing 1 bit of the old size is a complete subtree as large as the one that just became complete.
        for level in 1..=index.trailing_ones() {
            let Some(left) = self.hashes.pop() else { break };
            hash = node_hash(&left, &hash);
            completed(level.to_le_bytes()[0], index >> level, hash);
        }
        self.hashes.push(hash);
        self.size += 1;
        index
    }

    /// The root of the tree.
    pub fn root(&self) -> NodeHash {
        fold_right(&self.hashes)
    }

    /// Size and root of the tree.
    pub fn head(&self) -> TreeHead {
        TreeHead {
            size: self.size,
            root: self.root(),
        }
    }
}

/// The number of complete subtrees in a tree of `size` leaves.
fn subtree_count(size: u64) -> usize {
    usize::try_from(size.count_ones()).expect("a u64 has at most 64 one bits")
}

/// Joins complete subtrees, largest first, to the root of the range that they cover.
pub(super) fn fold_right(hashes: &[NodeHash]) -> NodeHash {
    let mut from_right = hashes.iter().rev();
    let Some(last) = from_right.next() else {
        return EMPTY_ROOT;
    };
    from_right.fold(*last, |right, left| node_hash(left, &right))
}
