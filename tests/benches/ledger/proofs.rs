//! Sizes of inclusion proofs.

use symphony_transparency::merkle::{MerkleTree, leaf_hash, verify_inclusion};

use crate::table::{Required, Table, float};

/// Bytes of a hash.
const HASH_SIZE: u64 = 32;
/// Index and size, which go with the hashes.
const NUMBERS_SIZE: u64 = 16;
/// Leaves of the tree that is built: as many as fit in a few seconds.
const LEAVES: u64 = 1 << 20;
/// Leaves of the tree that is asked for.
const LEAVES_ASKED: u64 = 100_000_000;

pub(crate) fn rows(table: &mut Table) {
    let mut tree = MerkleTree::new();
    for index in 0..LEAVES {
        tree.append(&index.to_be_bytes());
    }
    let root = tree.root();
    let mut longest = 0;
    for index in (0..LEAVES).step_by(104_729) {
        let proof = tree.inclusion_proof(index, LEAVES).unwrap();
        verify_inclusion(
            &leaf_hash(&index.to_be_bytes()),
            index,
            LEAVES,
            &proof,
            &root,
        )
        .unwrap();
        assert!(proof.len() as u64 <= length(LEAVES));
        longest = longest.max(proof.len() as u64);
    }
    table.single(
        format!("largest inclusion proof of a real tree of {LEAVES} entries"),
        float(longest * HASH_SIZE + NUMBERS_SIZE),
        "bytes",
        format!("{} hashes by the formula ⌈log₂ n⌉", length(LEAVES)),
        Required::Nothing,
    );
    table.single(
        "inclusion proof for 10⁸ entries, by the formula",
        float(length(LEAVES_ASKED) * HASH_SIZE + NUMBERS_SIZE),
        "bytes",
        format!("{} hashes", length(LEAVES_ASKED)),
        Required::AtMost(1_536.0),
    );
}

/// ⌈log₂ n⌉: the most hashes of a proof in a tree of n leaves.
fn length(leaves: u64) -> u64 {
    u64::from(u64::BITS - (leaves - 1).leading_zeros())
}
