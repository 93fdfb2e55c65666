//! The Merkle tree over a log's entries: RFC 6962 §2.1 (RFC 9162 §2.1) with SHA-256, so that existing readers of
//! transparency logs work unchanged.
//!
//! A *node* at (level, index) is the root of the `2^level` leaves that begin at `index · 2^level`; it exists once all of
//! them do, and then never changes. Every proof and every root of an older size follows from such nodes ([`NodeStore`]).
//! Appending needs only the nodes of the right edge ([`Frontier`]).
//!
//! Spec: LOG-7 to LOG-13.

mod frontier;
mod hash;
mod proof;
mod store;
mod tree;

pub use frontier::{Frontier, FrontierError};
pub use hash::{EMPTY_ROOT, NodeHash, leaf_hash, node_hash};
pub use proof::{ProofError, TreeHead, verify_consistency, verify_inclusion};
pub use store::{NodeStore, consistency_proof, inclusion_proof, root_at};
pub use tree::MerkleTree;

/// Largest number of leaves: sizes fit a signed 64-bit integer with room to spare, as Go's readers need, and no sum or
/// doubling of indices overflows.
///
/// Spec: LOG-13.
pub const TREE_SIZE_MAX: u64 = 1 << 62;

/// Most hashes in an inclusion proof: the depth of the largest tree.
pub const INCLUSION_PROOF_LENGTH_MAX: usize = 62;

/// Most hashes in a consistency proof: one more than the depth of the largest tree.
pub const CONSISTENCY_PROOF_LENGTH_MAX: usize = INCLUSION_PROOF_LENGTH_MAX + 1;
