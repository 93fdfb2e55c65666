//! No file convicts an honest peer. Spec: EVIDENCE-3, EVIDENCE-9, EVIDENCE-12.

use proptest::prelude::*;
use symphony_proto::evidence::v1 as proto;
use symphony_protocol::{
    Rule,
    evidence::{Base, Evidence, EvidenceError, WindowParts},
    map::Wanted,
    records::Policy,
};
use symphony_transparency::{Digest, MerkleTree};

use crate::{
    kit::{Author, World},
    wandering::wander,
    wire::{everything, judge, state_after, window},
};

fn policy(paper: bool) -> Policy {
    if paper {
        Policy::paper()
    } else {
        Policy::shared()
    }
}

/// Coordinator and executors, those with entries after their genesis.
fn authors(world: &World) -> Vec<&Author> {
    std::iter::once(&world.coordinator)
        .chain(&world.executors)
        .filter(|author| author.entries.len() > 2)
        .collect()
}

/// Two indices in order, from 1.
fn range(author: &Author, from: usize, to: usize) -> (usize, usize) {
    let count = author.entries.len() - 1;
    let (from, to) = (1 + from % count, 1 + to % count);
    (from.min(to), from.max(to))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// With everything opened, a part of the state is the whole of it: the window ends with the root that the author signed.
    #[test]
    fn evidence_9_an_honest_window_reaches_the_signed_root(
        choices in prop::collection::vec(any::<u8>(), 40..120),
        paper: bool,
        cuts in prop::collection::vec((any::<usize>(), any::<usize>()), 4),
    ) {
        let world = wander(policy(paper), &choices);
        for author in authors(&world) {
            for (from, to) in &cuts {
                let (first, last) = range(author, *from, *to);
                let honest = window(author, first, last, everything);
                let judged = judge(proto::evidence::Proof::Window(honest.clone()));
                // Long windows are too large; all others are clean.
                if !matches!(judged, Err(EvidenceError::Unreadable(_))) {
                    prop_assert_eq!(judged, Err(EvidenceError::NoFault));
                    let mut lie = honest;
                    let root = Digest::from_bytes([7; 32]);
                    lie.checkpoint = author
                        .checkpoint(&author.entries[..=last], root)
                        .into_bytes();
                    let conviction = judge(proto::evidence::Proof::Window(lie)).unwrap();
                    prop_assert_eq!(conviction.fault.rule, Rule::StateRoot);
                }
            }
        }
    }

    /// Whatever is opened, and whatever is left out: no answer, or no fault.
    #[test]
    fn evidence_12_no_opening_convicts_an_honest_peer(
        choices in prop::collection::vec(any::<u8>(), 40..120),
        opened in prop::collection::vec(any::<bool>(), 64),
        cuts in prop::collection::vec((any::<usize>(), any::<usize>()), 4),
    ) {
        let world = wander(Policy::shared(), &choices);
        for author in authors(&world) {
            for (from, to) in &cuts {
                let (first, last) = range(author, *from, *to);
                let some = window(author, first, last, |map| {
                    let mut wanted = Wanted::default();
                    wanted.add_key(b"clock");
                    wanted.add_key(b"counters");
                    for ((key, _), open) in map.iter().zip(opened.iter().cycle()) {
                        if *open {
                            wanted.add_key(key);
                        }
                    }
                    wanted
                });
                let judged = judge(proto::evidence::Proof::Window(some));
                prop_assert!(
                    matches!(
                        judged,
                        Err(EvidenceError::NoFault
                            | EvidenceError::NotOpened(_)
                            | EvidenceError::Unreadable(_))
                    ),
                    "{judged:?}"
                );
            }
        }
    }

    /// The maker of evidence, asked for evidence about a clean log, finds none.
    #[test]
    fn evidence_13_no_evidence_is_made_of_a_clean_log(
        choices in prop::collection::vec(any::<u8>(), 40..120),
        cuts in prop::collection::vec((any::<usize>(), any::<usize>()), 2),
    ) {
        let world = wander(Policy::shared(), &choices);
        for author in authors(&world) {
            for (from, to) in &cuts {
                let (first, last) = range(author, *from, *to);
                let mut state = state_after(author, first);
                let base = author.checkpoint(&author.entries[..first], state.root());
                let end = author.checkpoint(
                    &author.entries[..=last],
                    state_after(author, last + 1).root(),
                );
                let mut tree = MerkleTree::new();
                for entry in &author.entries[..=last] {
                    tree.append(entry);
                }
                let made = Evidence::window(WindowParts {
                    genesis: &author.entries[0],
                    base: Base::Checkpoint(&base),
                    state: &mut state,
                    entries: &author.entries[first..=last],
                    checkpoint: &end,
                    hashes: &tree.inclusion_proof(last as u64, tree.size()).unwrap(),
                });
                prop_assert_eq!(made.map(|_| ()), Err(EvidenceError::NoFault));
            }
        }
    }
}
