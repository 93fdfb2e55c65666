//! No file convicts an honest peer. Spec: EVIDENCE-3, EVIDENCE-9, EVIDENCE-12.

use proptest::prelude::*;
use symphony_proto::evidence::v1 as proto;
use symphony_protocol::{
    Rule,
    evidence::{Base, Evidence, EvidenceError, WindowParts},
    map::Wanted,
    policy::PolicyKind,
    records::Policy,
};
use symphony_transparency::{Digest, MerkleTree};

use crate::{
    kit::{Author, World},
    wandering::wander,
    wire::{everything, judge, state_after, window},
};

/// The kinds without chance, which select at the close.
const KINDS: [PolicyKind; 7] = [
    PolicyKind::Shared,
    PolicyKind::Paper,
    PolicyKind::Disjoint,
    PolicyKind::Hybrid,
    PolicyKind::Strongest,
    PolicyKind::Screening,
    PolicyKind::Static,
];

/// A policy of every kind, and forgetful ones of those that can forget.
fn policy(number: usize) -> Policy {
    let kind = KINDS[number % KINDS.len()];
    let mut policy = Policy::of_kind(kind);
    if kind.may_discount() && number >= KINDS.len() {
        policy.parameters.discount_ppm = 950_000;
    }
    policy
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
        number in 0..2 * KINDS.len(),
        cuts in prop::collection::vec((any::<usize>(), any::<usize>()), 4),
    ) {
        let world = wander(policy(number), &choices);
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
        number in 0..2 * KINDS.len(),
        cuts in prop::collection::vec((any::<usize>(), any::<usize>()), 4),
    ) {
        let world = wander(policy(number), &choices);
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
        number in 0..2 * KINDS.len(),
    ) {
        let world = wander(policy(number), &choices);
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

#[test]
fn evidence_8_a_recorded_state_without_entries_is_no_window() {
    let world = wander(Policy::shared(), &[2; 60]);
    let author = &world.coordinator;
    let mut empty = window(author, 5, 6, everything);
    empty.entries.clear();
    let mut genesis = state_after(author, 1);
    empty.checkpoint = author
        .checkpoint(&author.entries[..1], genesis.root())
        .into_bytes();
    empty.hashes.clear();
    judge(proto::evidence::Proof::Window(empty)).expect_err("a later state is not the first one");
}

#[test]
fn evidence_10_a_part_of_another_state_is_refused() {
    let mut world = wander(Policy::shared(), &[2; 60]);
    while world.coordinator.replay.state().duty().is_some() {
        if world.assign().coordinator.replay.state().duty().is_some() {
            world.coordinator.decide();
        }
    }
    let author = &world.coordinator;
    let last = author.entries.len() - 1;
    let mut forged = window(author, last, last, everything);
    if let Some(proto::window::Base::FromCheckpoint(base)) = &mut forged.base
        && let Some(state) = &mut base.state
    {
        // The clock of another moment: then a decision would seem to be due.
        for node in &mut state.nodes {
            if let Some(proto::map_node::Node::Leaf(leaf)) = &mut node.node
                && leaf.key == b"counters"
            {
                leaf.value = vec![8, 100];
            }
        }
    }
    assert!(matches!(
        judge(proto::evidence::Proof::Window(forged)),
        Err(EvidenceError::Mismatch { part: "state", .. })
    ));
}
