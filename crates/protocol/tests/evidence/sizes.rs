//! Whatever an author writes, and wherever it then breaks a rule, one small file proves it. Spec: REPLAY-16, EVIDENCE-2.

use symphony_protocol::{
    Rule,
    embedding::Embedding,
    records::{Body, Capability, Issued, Model, Policy, RootRecorded},
    state::Duty,
};
use symphony_transparency::Digest;

use crate::{
    kit::{Author, ORDINARY_SIZE_MAX, World, measures::largest_window},
    wandering::wander,
};

fn choices(seed: u32, count: usize) -> Vec<u8> {
    let mut number = seed;
    (0..count)
        .map(|_| {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            number.to_be_bytes()[0]
        })
        .collect()
}

#[test]
fn evidence_2_a_wrong_root_at_any_entry_of_any_log_is_proved_in_a_small_file() {
    for seed in [1, 2] {
        let world = wander(Policy::shared(), &choices(seed, 150));
        let authors = std::iter::once(&world.coordinator).chain(&world.executors);
        for author in authors {
            let largest = largest_window(author);
            assert!(largest <= ORDINARY_SIZE_MAX, "{largest} bytes");
        }
    }
}

/// A capability that is as large as a reader takes it, nearly.
fn bulky(author: &Author, sequence: u64) -> Capability {
    Capability {
        origin: author.origin(),
        sequence,
        tags: (0..16)
            .map(|number| format!("{number:02}-{}", "x".repeat(50)))
            .collect(),
        embedding: Embedding::of_text("anything"),
        models: (0..8)
            .map(|number| Model {
                name: format!("{number}-{}", "m".repeat(100)),
                digest: Digest::ZERO,
                context_tokens: 4096,
            })
            .collect(),
        price_microunits: 0,
        parallel_max: 1,
        valid_from_ms: 0,
        valid_until_ms: u64::MAX,
    }
}

#[test]
fn replay_16_an_author_that_writes_much_between_two_decisions_must_record_its_root() {
    let mut author = Author::new(9);
    for sequence in 1..=12 {
        let capability = bulky(&author, sequence);
        author.issue(capability, Body::CapabilityIssued);
    }
    let recorded = author
        .entries
        .iter()
        .filter(|entry| entry.len() < 128)
        .count();
    assert!(recorded >= 3, "{recorded} roots");
    let largest = largest_window(&author);
    assert!(largest <= ORDINARY_SIZE_MAX, "{largest} bytes");
}

#[test]
fn replay_16_the_root_is_the_very_next_entry_and_the_right_one() {
    let mut world = World::standard();
    let author = &mut world.coordinator;
    let mut sequence = 1;
    // One entry before the root is due, by the author's own bytes.
    let mut ahead = loop {
        let capability = bulky(author, sequence);
        let entry = author
            .entry(Body::CapabilityIssued(Issued::new(capability)))
            .encode();
        let mut ahead = author.replay.clone();
        ahead.push(&entry).expect("a capability");
        author.push_bytes(entry).expect("a capability");
        sequence += 1;
        if ahead.state().duty() == Some(Duty::Record) {
            break ahead;
        }
    };
    let recorded = author.entries.last().expect("the root").clone();
    // Left out: another capability instead.
    author.entries.pop();
    author.replay = ahead.clone();
    let next = bulky(author, sequence);
    let fault = author
        .try_push(Body::CapabilityIssued(Issued::new(next)))
        .expect_err("the root is due");
    assert_eq!(fault.rule, Rule::Duty);
    // Another root.
    let fault = author
        .try_push(Body::RootRecorded(RootRecorded {
            state_root: Digest::from_bytes([7; 32]),
        }))
        .expect_err("another root");
    assert_eq!(fault.rule, Rule::StateRoot);
    ahead.push(&recorded).expect("the right root");
    // And nowhere else.
    author.replay = ahead;
    author.entries.push(recorded);
    let again = author.replay.state_mut().root();
    let fault = author
        .try_push(Body::RootRecorded(RootRecorded { state_root: again }))
        .expect_err("no root is due");
    assert_eq!(fault.rule, Rule::NotOpen);
}

/// Nothing between: not a restart, and not what else is due, which stays due behind the root.
#[test]
fn replay_16_a_restart_and_every_other_duty_wait_for_the_root() {
    let mut author = Author::new(11);
    let mut last = 0;
    for sequence in 1..=12 {
        let capability = bulky(&author, sequence);
        let entry = author
            .entry(Body::CapabilityIssued(Issued::new(capability)))
            .encode();
        let mut ahead = author.replay.clone();
        ahead.push(&entry).expect("a capability");
        if ahead.state().duty() == Some(Duty::Record) {
            author.replay = ahead;
            author.entries.push(entry);
            last = sequence;
            break;
        }
        author.push_bytes(entry).expect("a capability");
    }
    assert!(last > 0, "no root was ever due");
    let fault = author
        .try_push(Body::Resumed)
        .expect_err("the root goes before the restart");
    assert_eq!(fault.rule, Rule::Duty);
    let state_root = author.replay.state_mut().root();
    author
        .try_push(Body::RootRecorded(RootRecorded { state_root }))
        .expect("the root");
    author
        .try_push(Body::Resumed)
        .expect("and then the restart");
}

#[test]
fn replay_16_one_restart_after_another_does_not_make_a_large_file() {
    let mut author = Author::new(12);
    for _ in 0..300 {
        author.push(Body::Resumed);
    }
    let roots = author.entries.len() - 301;
    assert!(roots >= 4, "{roots} roots");
    let largest = largest_window(&author);
    assert!(largest <= ORDINARY_SIZE_MAX, "{largest} bytes");
}
