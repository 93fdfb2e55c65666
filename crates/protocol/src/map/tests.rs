use std::collections::BTreeMap;

use proptest::prelude::*;
use symphony_transparency::{Digest, Domain, digest};

use super::{Proof, ProofError, StateMap, Terminal, place};

type Plain = BTreeMap<Vec<u8>, Vec<u8>>;

/// The specification in its plainest form: a function from sorted leaves to a digest.
fn plain_root(leaves: &[(Digest, Digest)], depth: usize) -> Digest {
    match leaves {
        [] => Digest::ZERO,
        [(place, value)] => digest(
            Domain::StateLeaf,
            &[*place.as_bytes(), *value.as_bytes()].concat(),
        ),
        _ => {
            let middle = leaves.partition_point(|(place, _)| {
                place.as_bytes()[depth / 8] & (0x80 >> (depth % 8)) == 0
            });
            let left = plain_root(&leaves[..middle], depth + 1);
            let right = plain_root(&leaves[middle..], depth + 1);
            digest(
                Domain::StateNode,
                &[*left.as_bytes(), *right.as_bytes()].concat(),
            )
        }
    }
}

fn root_of(plain: &Plain) -> Digest {
    let mut leaves: Vec<(Digest, Digest)> = plain
        .iter()
        .map(|(key, value)| {
            (
                digest(Domain::StateKey, key),
                digest(Domain::StateValue, value),
            )
        })
        .collect();
    leaves.sort_unstable();
    plain_root(&leaves, 0)
}

fn small() -> StateMap {
    (0u8..40)
        .map(|number| ([number], vec![number; 3]))
        .collect()
}

#[test]
fn state_3_an_empty_map_has_the_zero_root() {
    let mut map = StateMap::new();
    assert_eq!(map.root(), Digest::ZERO);
    map.insert(b"key", vec![1]);
    assert_ne!(map.root(), Digest::ZERO);
    assert_eq!(map.remove(b"key"), Some(vec![1]));
    assert_eq!(map.root(), Digest::ZERO);
    assert!(map.is_empty());
}

#[test]
fn state_1_holds_what_was_put_in() {
    let mut map = small();
    assert_eq!(map.len(), 40);
    assert_eq!(map.get(&[7]), Some(&[7, 7, 7][..]));
    assert_eq!(map.insert(&[7], vec![]), Some(vec![7, 7, 7]));
    assert_eq!(map.get(&[7]), Some(&[][..]));
    assert_eq!(map.len(), 40);
    assert_eq!(map.get(b"absent"), None);
    assert_eq!(map.remove(b"absent"), None);
}

#[test]
fn state_1_a_clone_is_a_snapshot() {
    let mut map = small();
    let before = map.clone();
    let root = map.root();
    map.insert(&[3], vec![9]);
    map.remove(&[4]);
    assert_ne!(map.root(), root);
    assert_eq!(before.root(), root);
    assert_eq!(before.get(&[3]), Some(&[3, 3, 3][..]));
    assert_eq!(before.get(&[4]), Some(&[4, 4, 4][..]));
}

#[test]
fn state_2_iterates_by_the_digests_of_keys() {
    let places: Vec<Digest> = small().iter().map(|(key, _)| place(key)).collect();
    assert_eq!(places.len(), 40);
    assert!(places.is_sorted());
}

#[test]
fn state_6_refuses_what_is_not_so() {
    let map = small();
    let root = map.root();
    let proof = map.prove(&[7]);
    assert_eq!(proof.verify(&root, &[7], Some(&[7, 7, 7])), Ok(()));
    assert_eq!(
        proof.verify(&root, &[7], Some(&[7, 7])),
        Err(ProofError::ValueMismatch)
    );
    assert_eq!(proof.verify(&root, &[7], None), Err(ProofError::NotAbsent));
    assert_eq!(
        proof.verify(&root, &[8], Some(&[7, 7, 7])),
        Err(ProofError::ValueMismatch)
    );
    assert!(matches!(
        proof.verify(&Digest::ZERO, &[7], Some(&[7, 7, 7])),
        Err(ProofError::RootMismatch { .. })
    ));
    let absent = map.prove(b"absent");
    assert_eq!(absent.verify(&root, b"absent", None), Ok(()));
    assert_eq!(
        absent.verify(&root, b"absent", Some(&[])),
        Err(ProofError::ValueMismatch)
    );
}

#[test]
fn state_6_refuses_a_leaf_from_elsewhere_as_absence() {
    let map = small();
    let other = (0u8..40)
        .find(|number| place(&[*number]).as_bytes()[0] >> 7 != place(&[7]).as_bytes()[0] >> 7);
    let other = other.expect("forty digests do not all begin with the same bit");
    let proof = map.prove(&[other]);
    assert_eq!(
        proof.verify(&map.root(), &[7], None),
        Err(ProofError::OffPath)
    );
}

#[test]
fn state_6_refuses_a_shortened_a_lengthened_and_an_overlong_path() {
    let map = small();
    let (root, proof) = (map.root(), map.prove(&[7]));
    let mut shorter = proof.siblings().to_vec();
    shorter.pop();
    let mut longer = proof.siblings().to_vec();
    longer.push(Digest::ZERO);
    for siblings in [shorter, longer] {
        let wrong = Proof::from_parts(siblings, *proof.terminal());
        assert!(wrong.verify(&root, &[7], Some(&[7, 7, 7])).is_err());
    }
    let overlong = Proof::from_parts(vec![Digest::ZERO; 257], Terminal::Empty);
    assert_eq!(
        overlong.verify(&root, &[7], None),
        Err(ProofError::TooLong {
            limit: 256,
            actual: 257
        })
    );
}

fn changes() -> impl Strategy<Value = Vec<(u8, Option<u8>)>> {
    proptest::collection::vec(
        (any::<u8>(), proptest::option::weighted(0.7, any::<u8>())),
        0..120,
    )
}

proptest! {
    #[test]
    fn state_3_the_root_depends_on_content_alone(changes in changes(), ask_often: bool) {
        let mut map = StateMap::new();
        let mut plain = Plain::new();
        for (key, value) in changes {
            match value {
                Some(value) => {
                    prop_assert_eq!(map.insert(&[key], vec![value]), plain.insert(vec![key], vec![value]));
                }
                None => prop_assert_eq!(map.remove(&[key]), plain.remove(&vec![key])),
            }
            if ask_often {
                prop_assert_eq!(map.root(), root_of(&plain));
            }
        }
        prop_assert_eq!(map.len(), plain.len());
        prop_assert_eq!(map.root(), root_of(&plain));
        let backwards: StateMap = plain.iter().rev().map(|(key, value)| (key.clone(), value.clone())).collect();
        prop_assert_eq!(&backwards, &map);
        let held: Plain = map.iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect();
        prop_assert_eq!(held, plain);
    }

    /// Asked of a map that shares nothing, something or all with a clone.
    #[test]
    fn state_3_a_settled_root_is_the_root(changes in changes(), clone_every in 1usize..9) {
        let mut map = StateMap::new();
        let mut plain = Plain::new();
        let mut clone = map.clone();
        for (number, (key, value)) in changes.into_iter().enumerate() {
            match value {
                Some(value) => {
                    if number % 2 == 0 {
                        map.insert(&[key], vec![value]);
                    } else {
                        map.set(&[key], &[value]);
                    }
                    plain.insert(vec![key], vec![value]);
                }
                None => {
                    map.remove(&[key]);
                    plain.remove(&vec![key]);
                }
            }
            if number % clone_every == 0 {
                clone = map.clone();
            }
            prop_assert_eq!(map.len(), plain.len());
            if number % 3 == 0 {
                prop_assert_eq!(map.settled_root(), root_of(&plain));
            }
        }
        prop_assert_eq!(map.settled_root(), root_of(&plain));
        prop_assert_eq!(map.root(), root_of(&plain));
        let content: Plain = clone.iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect();
        prop_assert_eq!(clone.settled_root(), root_of(&content));
    }

    #[test]
    fn state_5_every_key_has_a_proof_of_its_state(keys in proptest::collection::btree_set(any::<u8>(), 0..60), asked: u8) {
        let map: StateMap = keys.iter().map(|key| ([*key], vec![*key; 2])).collect();
        let value = keys.contains(&asked).then(|| vec![asked; 2]);
        let proof = map.prove(&[asked]);
        prop_assert_eq!(proof.verify(&map.root(), &[asked], value.as_deref()), Ok(()));
        let wrong = if value.is_some() { None } else { Some(&[asked, asked][..]) };
        prop_assert!(proof.verify(&map.root(), &[asked], wrong).is_err());
    }

    #[test]
    fn state_6_a_changed_sibling_breaks_a_proof(changed in 0usize..64, bit in 0u8..8) {
        let map = small();
        let proof = map.prove(&[7]);
        let mut siblings = proof.siblings().to_vec();
        let index = changed % siblings.len();
        let mut bytes = *siblings[index].as_bytes();
        bytes[changed % 32] ^= 1 << bit;
        siblings[index] = Digest::from_bytes(bytes);
        let forged = Proof::from_parts(siblings, *proof.terminal());
        prop_assert!(forged.verify(&map.root(), &[7], Some(&[7, 7, 7])).is_err());
    }
}
