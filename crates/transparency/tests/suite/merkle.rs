//! Chapter 04: the tree, against the recursive definitions of RFC 6962.

use proptest::prelude::*;
use symphony_transparency::merkle::{
    CONSISTENCY_PROOF_LENGTH_MAX, EMPTY_ROOT, FrontierError, INCLUSION_PROOF_LENGTH_MAX,
    TREE_SIZE_MAX, root_at,
};
use symphony_transparency::{
    Frontier, MerkleTree, NodeHash, NodeStore, ProofError, TreeHead, consistency_proof,
    inclusion_proof, leaf_hash, node_hash, verify_consistency, verify_inclusion,
};

/// MTH of RFC 6962 §2.1, as it is written there.
fn naive_root(leaves: &[NodeHash]) -> NodeHash {
    match leaves {
        [] => EMPTY_ROOT,
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&naive_root(left), &naive_root(right))
        }
    }
}

/// PATH of RFC 6962 §2.1.1.
fn naive_inclusion(index: usize, leaves: &[NodeHash]) -> Vec<NodeHash> {
    if leaves.len() <= 1 {
        return Vec::new();
    }
    let at = split(leaves.len());
    let (left, right) = leaves.split_at(at);
    let (mut path, sibling) = if index < at {
        (naive_inclusion(index, left), naive_root(right))
    } else {
        (naive_inclusion(index - at, right), naive_root(left))
    };
    path.push(sibling);
    path
}

/// SUBPROOF of RFC 6962 §2.1.2; `whole` says that the old tree is a complete subtree which the verifier knows.
fn naive_consistency(old: usize, leaves: &[NodeHash], whole: bool) -> Vec<NodeHash> {
    if old == leaves.len() {
        return if whole {
            Vec::new()
        } else {
            vec![naive_root(leaves)]
        };
    }
    let at = split(leaves.len());
    let (left, right) = leaves.split_at(at);
    let (mut path, sibling) = if old <= at {
        (naive_consistency(old, left, whole), naive_root(right))
    } else {
        (naive_consistency(old - at, right, false), naive_root(left))
    };
    path.push(sibling);
    path
}

fn split(length: usize) -> usize {
    let mut at = 1;
    while at * 2 < length {
        at *= 2;
    }
    at
}

fn leaves(count: usize) -> Vec<NodeHash> {
    (0..count)
        .map(|number| leaf_hash(&number.to_be_bytes()))
        .collect()
}

fn tree(leaves: &[NodeHash]) -> MerkleTree {
    let mut tree = MerkleTree::new();
    for leaf in leaves {
        tree.append_leaf_hash(*leaf);
    }
    tree
}

fn head(leaves: &[NodeHash]) -> TreeHead {
    TreeHead {
        size: leaves.len() as u64,
        root: naive_root(leaves),
    }
}

#[test]
fn log_7_the_empty_tree_has_the_hash_of_nothing() {
    assert_eq!(MerkleTree::new().root(), EMPTY_ROOT);
    assert_eq!(Frontier::new().root(), EMPTY_ROOT);
}

#[test]
fn log_8_nodes_are_complete_once_and_never_change() {
    let leaves = leaves(70);
    let (mut frontier, mut nodes) = (Frontier::new(), std::collections::BTreeMap::new());
    for leaf in &leaves {
        frontier.append_leaf_hash_with(*leaf, |level, index, hash| {
            assert_eq!(
                nodes.insert((level, index), hash),
                None,
                "node {level}/{index} twice"
            );
        });
    }
    for ((level, index), hash) in &nodes {
        let (start, width) = ((*index as usize) << level, 1 << level);
        assert_eq!(
            *hash,
            naive_root(&leaves[start..start + width]),
            "node {level}/{index}"
        );
    }
    let expected: usize = (0..7).map(|level| 70 >> level).sum();
    assert_eq!(nodes.len(), expected);
}

#[test]
fn log_9_to_12_every_proof_up_to_34_leaves_is_the_one_of_the_rfc_and_holds() {
    let all = leaves(34);
    let tree = tree(&all);
    for size in 0..=all.len() {
        let known = &all[..size];
        let new = head(known);
        assert_eq!(tree.root_at(new.size), Ok(new.root));
        for (index, leaf) in known.iter().enumerate() {
            let proof = tree.inclusion_proof(index as u64, new.size).unwrap();
            assert_eq!(proof, naive_inclusion(index, known), "{index} of {size}");
            assert_eq!(
                verify_inclusion(leaf, index as u64, new.size, &proof, &new.root),
                Ok(())
            );
        }
        for old in 0..=size {
            let proof = tree.consistency_proof(old as u64, new.size).unwrap();
            if old > 0 {
                assert_eq!(
                    proof,
                    naive_consistency(old, known, true),
                    "{old} to {size}"
                );
            }
            assert_eq!(
                verify_consistency(&head(&all[..old]), &new, &proof),
                Ok(()),
                "{old} to {size}"
            );
        }
    }
}

#[test]
fn log_11_a_proof_holds_for_one_index_one_size_and_one_leaf() {
    let all = leaves(20);
    let tree = tree(&all);
    for index in 0..20 {
        let proof = tree.inclusion_proof(index, 20).unwrap();
        for other in (0..20).filter(|other| *other != index) {
            assert!(
                verify_inclusion(&all[index as usize], other, 20, &proof, &tree.root()).is_err()
            );
            assert!(
                verify_inclusion(&all[other as usize], index, 20, &proof, &tree.root()).is_err()
            );
        }
        for length in 0..proof.len() {
            assert!(matches!(
                verify_inclusion(
                    &all[index as usize],
                    index,
                    20,
                    &proof[..length],
                    &tree.root()
                ),
                Err(ProofError::WrongLength { .. })
            ));
        }
    }
}

#[test]
fn log_13_sizes_beyond_the_limit_are_refused_without_a_panic() {
    let (store, root, size) = (MerkleTree::new(), [0; 32], TREE_SIZE_MAX + 1);
    let expected = ProofError::TooLarge {
        limit: TREE_SIZE_MAX,
        actual: size,
    };
    assert_eq!(
        verify_inclusion(&root, 0, size, &[], &root),
        Err(expected.clone())
    );
    assert_eq!(inclusion_proof(&store, 0, size), Err(expected.clone()));
    assert_eq!(consistency_proof(&store, 0, size), Err(expected.clone()));
    assert_eq!(root_at(&store, size), Err(expected.clone()));
    let (old, new) = (TreeHead { size: 1, root }, TreeHead { size, root });
    assert_eq!(verify_consistency(&old, &new, &[]), Err(expected));
    let too_large = FrontierError::TooLarge {
        limit: TREE_SIZE_MAX,
        actual: u64::MAX,
    };
    assert_eq!(
        Frontier::from_parts(u64::MAX, vec![root; 64]),
        Err(too_large)
    );
}

#[test]
fn log_13_proofs_of_the_largest_tree_have_the_largest_length() {
    struct AllEqual;
    impl NodeStore for AllEqual {
        fn node(&self, level: u8, _: u64) -> Option<NodeHash> {
            let mut hashes =
                std::iter::successors(Some([0; 32]), |hash| Some(node_hash(hash, hash)));
            hashes.nth(usize::from(level))
        }
    }
    let root = root_at(&AllEqual, TREE_SIZE_MAX).unwrap();
    let proof = inclusion_proof(&AllEqual, 12_345, TREE_SIZE_MAX).unwrap();
    assert_eq!(proof.len(), INCLUSION_PROOF_LENGTH_MAX);
    assert_eq!(
        verify_inclusion(&[0; 32], 12_345, TREE_SIZE_MAX, &proof, &root),
        Ok(())
    );

    let old = TreeHead {
        size: 1,
        root: [0; 32],
    };
    let new = TreeHead {
        size: TREE_SIZE_MAX,
        root,
    };
    let proof = consistency_proof(&AllEqual, old.size, new.size).unwrap();
    assert_eq!(verify_consistency(&old, &new, &proof), Ok(()));
    let old = TreeHead {
        size: 3,
        root: root_at(&AllEqual, 3).unwrap(),
    };
    let proof = consistency_proof(&AllEqual, old.size, new.size).unwrap();
    assert_eq!(proof.len(), CONSISTENCY_PROOF_LENGTH_MAX);
    assert_eq!(verify_consistency(&old, &new, &proof), Ok(()));
}

#[test]
fn log_9_a_store_that_lacks_a_node_names_it() {
    let tree = tree(&leaves(5));
    assert_eq!(
        tree.inclusion_proof(0, 6),
        Err(ProofError::MissingNode { level: 1, index: 2 })
    );
    assert_eq!(
        tree.inclusion_proof(6, 6),
        Err(ProofError::IndexBeyondSize { index: 6, size: 6 })
    );
    assert_eq!(
        tree.consistency_proof(6, 5),
        Err(ProofError::OldSizeBeyondNew {
            old_size: 6,
            new_size: 5
        })
    );
}

#[test]
fn log_8_a_frontier_of_another_shape_is_refused() {
    for actual in [0, 1, 3] {
        let expected = FrontierError::WrongLength {
            size: 5,
            expected: 2,
            actual,
        };
        assert_eq!(
            Frontier::from_parts(5, vec![[0; 32]; actual]),
            Err(expected)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Spec: LOG-9, LOG-11.
    #[test]
    fn log_11_inclusion_agrees_with_the_definition(size in 1..600_usize, index in any::<prop::sample::Index>()) {
        let all = leaves(size);
        let (index, tree) = (index.index(size), tree(&all));
        let proof = tree.inclusion_proof(index as u64, size as u64).unwrap();
        prop_assert_eq!(&proof, &naive_inclusion(index, &all));
        prop_assert_eq!(verify_inclusion(&all[index], index as u64, size as u64, &proof, &tree.root()), Ok(()));
    }

    /// Spec: LOG-10, LOG-12.
    #[test]
    fn log_12_consistency_agrees_with_the_definition(size in 1..600_usize, old in any::<prop::sample::Index>()) {
        let all = leaves(size);
        let (old, tree) = (old.index(size) + 1, tree(&all));
        let proof = tree.consistency_proof(old as u64, size as u64).unwrap();
        prop_assert_eq!(&proof, &naive_consistency(old, &all, true));
        prop_assert_eq!(verify_consistency(&head(&all[..old]), &tree.head(), &proof), Ok(()));
    }

    /// Spec: LOG-12: two histories that differ have no proof between them that an honest store could give.
    #[test]
    fn log_12_a_rewritten_leaf_is_seen(size in 2..200_usize, old in any::<prop::sample::Index>(), at in any::<prop::sample::Index>()) {
        let all = leaves(size);
        let old = old.index(size - 1) + 1;
        let mut rewritten = all.clone();
        rewritten[at.index(old)] = leaf_hash(b"rewritten");
        let liar = tree(&rewritten);
        let proof = liar.consistency_proof(old as u64, size as u64).unwrap();
        prop_assert!(verify_consistency(&head(&all[..old]), &liar.head(), &proof).is_err());
    }

    /// Spec: LOG-11, LOG-12: no proof of any shape causes a panic.
    #[test]
    fn log_11_any_proof_is_read_without_a_panic(
        a in any::<u64>(),
        b in any::<u64>(),
        proof in proptest::collection::vec(any::<[u8; 32]>(), 0..66),
    ) {
        let root = [0; 32];
        let inclusion = verify_inclusion(&root, a, b, &proof, &root);
        prop_assert!(inclusion.is_err() || b == 1);
        let (old, new) = (TreeHead { size: a, root }, TreeHead { size: b, root });
        prop_assert!(verify_consistency(&old, &new, &proof).is_err() || a == b);
    }

    /// Spec: LOG-8: a frontier that was stored and taken up again continues as the tree.
    #[test]
    fn log_8_a_frontier_continues_after_a_restart(before in 0..200_usize, after in 0..50_usize) {
        let all = leaves(before + after);
        let mut frontier = Frontier::new();
        for leaf in &all[..before] {
            frontier.append_leaf_hash(*leaf);
        }
        let (size, hashes) = frontier.to_parts();
        let mut restored = Frontier::from_parts(size, hashes.to_vec()).unwrap();
        prop_assert_eq!(&restored, &frontier);
        for leaf in &all[before..] {
            restored.append_leaf_hash(*leaf);
        }
        prop_assert_eq!(restored.root(), naive_root(&all));
    }
}
