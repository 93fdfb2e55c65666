//! Leaf and node hashes.

use sha2::{Digest as _, Sha256};

/// A SHA-256 hash in the tree. Plain bytes, since it is what stores and standard tools hold; digests of contents are
/// [`Digest`](crate::Digest) instead.
pub type NodeHash = [u8; 32];

/// The root of the tree without leaves: SHA-256 of nothing.
///
/// Spec: LOG-7.
pub const EMPTY_ROOT: NodeHash = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// SHA-256 of `0x00 ‖ leaf`.
///
/// Spec: LOG-7.
pub fn leaf_hash(leaf: &[u8]) -> NodeHash {
    let mut hasher = Sha256::new();
    hasher.update([0x00]);
    hasher.update(leaf);
    hasher.finalize().into()
}

/// SHA-256 of `0x01 ‖ left ‖ right`. The first byte keeps a node from being presented as a leaf.
///
/// Spec: LOG-7.
pub fn node_hash(left: &NodeHash, right: &NodeHash) -> NodeHash {
    let mut hasher = Sha256::new();
    hasher.update([0x01]);
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}
