//! A whole tree in memory.

use super::{
    Frontier, NodeHash, NodeStore, ProofError, TreeHead, consistency_proof, inclusion_proof,
    leaf_hash,
};

/// An append-only tree that keeps all its nodes: about 64 bytes for each leaf. Ledgers keep the nodes on disk instead.
#[derive(Debug, Clone, Default)]
pub struct MerkleTree {
    frontier: Frontier,
    levels: Vec<Vec<NodeHash>>,
}

impl MerkleTree {
    /// The empty tree.
    pub const fn new() -> Self {
        Self {
            frontier: Frontier::new(),
            levels: Vec::new(),
        }
    }

    /// Adds an entry's exact bytes; returns its index.
    pub fn append(&mut self, leaf: &[u8]) -> u64 {
        self.append_leaf_hash(leaf_hash(leaf))
    }

    /// Adds a leaf hash; returns its index.
    pub fn append_leaf_hash(&mut self, leaf: NodeHash) -> u64 {
        let Self { frontier, levels } = self;
        frontier.append_leaf_hash_with(leaf, |level, _, hash| {
            let level = usize::from(level);
            if level == levels.len() {
                levels.push(Vec::new());
            }
            levels[level].push(hash);
        })
    }

    /// The number of leaves.
    pub const fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The root of the whole tree.
    pub fn root(&self) -> NodeHash {
        self.frontier.root()
    }

    /// Size and root of the whole tree.
    pub fn head(&self) -> TreeHead {
        TreeHead {
            size: self.size(),
            root: self.root(),
        }
    }

    /// [`root_at`](super::root_at) for this tree.
    ///
    /// # Errors
    /// [`ProofError::MissingNode`] if the tree has fewer leaves.
    pub fn root_at(&self, size: u64) -> Result<NodeHash, ProofError> {
        super::root_at(self, size)
    }

    /// [`inclusion_proof`](fn@inclusion_proof) for this tree.
    ///
    /// # Errors
    /// [`ProofError::IndexBeyondSize`], or [`ProofError::MissingNode`] if the tree has fewer leaves.
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Result<Vec<NodeHash>, ProofError> {
        inclusion_proof(self, index, size)
    }

    /// [`consistency_proof`](fn@consistency_proof) for this tree.
    ///
    /// # Errors
    /// [`ProofError::OldSizeBeyondNew`], or [`ProofError::MissingNode`] if the tree has fewer leaves.
    pub fn consistency_proof(
        &self,
        old_size: u64,
        new_size: u64,
    ) -> Result<Vec<NodeHash>, ProofError> {
        consistency_proof(self, old_size, new_size)
    }
}

impl NodeStore for MerkleTree {
    fn node(&self, level: u8, index: u64) -> Option<NodeHash> {
        let index = usize::try_from(index).ok()?;
        self.levels.get(usize::from(level))?.get(index).copied()
    }
}
