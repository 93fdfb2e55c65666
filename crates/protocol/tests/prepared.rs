//! Entries that are read before their turn decide nothing else than entries that are read at their turn.
#![allow(clippy::unwrap_used, reason = "tests")]

mod kit;

use kit::{World, params};
use symphony_protocol::{PreparedEntry, records::Signatures, replay::Replay};
use symphony_transparency::Digest;

/// A log of some tasks.
fn log() -> Vec<Vec<u8>> {
    let mut world = World::standard();
    for _ in 0..3 {
        world.whole_task();
        world.pass(1);
    }
    world.coordinator.entries
}

fn begin(entries: &[Vec<u8>]) -> Replay {
    Replay::begin(&entries[0], None).unwrap()
}

#[test]
fn replay_1_prepared_entries_lead_to_the_same_state() {
    let entries = log();
    let network = params().network_id();
    let (mut pushed, mut prepared, mut assumed) =
        (begin(&entries), begin(&entries), begin(&entries));
    for bytes in &entries[1..] {
        pushed.push(bytes).unwrap();
        let entry = PreparedEntry::new(bytes.clone(), &network, Signatures::Verify);
        assert_eq!(entry.bytes(), bytes);
        prepared.push_prepared(entry).unwrap();
        let entry = PreparedEntry::new(bytes.clone(), &network, Signatures::AssumeVerified);
        assumed.push_prepared(entry).unwrap();
    }
    assert_eq!(prepared.checkpoint(), pushed.checkpoint());
    assert_eq!(assumed.checkpoint(), pushed.checkpoint());
}

#[test]
fn replay_1_a_prepared_fault_is_the_fault_and_changes_nothing() {
    let entries = log();
    let network = params().network_id();
    for index in 1..entries.len() {
        for position in [0, entries[index].len() / 2, entries[index].len() - 1] {
            let mut damaged = entries[index].clone();
            damaged[position] ^= 1;
            let mut replay = begin(&entries);
            for bytes in &entries[1..index] {
                let entry = PreparedEntry::new(bytes.clone(), &network, Signatures::AssumeVerified);
                replay.push_prepared(entry).unwrap();
            }
            let before = replay.clone().checkpoint();
            let expected = replay.clone().push(&damaged).map(|_| ());
            let entry = PreparedEntry::new(damaged, &network, Signatures::Verify);
            let found = replay.push_prepared(entry).map(|_| ());
            assert_eq!(found, expected, "entry {index}, byte {position}");
            if found.is_err() {
                assert_eq!(replay.checkpoint(), before, "entry {index}");
            }
        }
    }
}

#[test]
fn replay_20_an_entry_that_was_prepared_for_another_network_is_read_again() {
    let entries = log();
    let mut replay = begin(&entries);
    for bytes in &entries[1..] {
        let entry = PreparedEntry::new(bytes.clone(), &Digest::ZERO, Signatures::Verify);
        replay.push_prepared(entry).unwrap();
    }
}

#[test]
fn replay_20_assuming_signatures_skips_nothing_but_signatures() {
    let entries = log();
    let network = params().network_id();
    let mut refused = 0;
    for bytes in &entries[1..] {
        for position in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[position] ^= 0x40;
            let verified = symphony_protocol::records::Entry::parse(&damaged, Some(&network));
            let assumed = symphony_protocol::records::Entry::parse_with(
                &damaged,
                Some(&network),
                Signatures::AssumeVerified,
            );
            if let Ok(verified) = &verified {
                assert_eq!(assumed.as_ref().unwrap(), verified);
            }
            if assumed.is_err() {
                assert!(verified.is_err());
                refused += 1;
            }
        }
    }
    assert!(refused > 0);
}
