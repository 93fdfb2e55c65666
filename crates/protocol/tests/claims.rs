//! What a log claims of its own decisions is never believed: an auditor that is given other claims, or none, computes the same.
//! Spec: REPLAY-3.
#![allow(clippy::unwrap_used, reason = "tests")]

mod kit;

use kit::{World, params, replay};
use symphony_protocol::{
    records::{Body, Entry, OutcomeClass, Policy},
    replay::Replay,
};
use symphony_transparency::Digest;

/// Several tasks, with time-outs, replacements, losers and a restart between them.
fn history(policy: Policy) -> World {
    let mut world = World::new(5, policy);
    world.shortlist = 4;
    world.picked = 3;
    for round in 0..6_u64 {
        world.until_assigned();
        world.pass(20 + round);
        let orders = world.orders.clone();
        for (number, order) in orders.iter().enumerate() {
            let answer = if number == 0 { "False" } else { "True" };
            let receipt = world.receipt(order, answer);
            world.coordinator.push(Body::ReceiptReceived(receipt));
        }
        if round == 3 {
            world.coordinator.push(Body::Resumed);
            world.coordinator.decide();
            world.coordinator.decide();
            continue;
        }
        for (number, order) in orders.iter().enumerate() {
            let answer = if number == 0 { "False" } else { "True" };
            world.take_reveal(order, answer);
        }
        world.coordinator.decide();
        world.coordinator.decide();
    }
    world
}

/// Folds a log without its claims: decisions are computed, never read.
fn folded(entries: &[Vec<u8>]) -> Replay {
    let network = params().network_id();
    let mut replay = Replay::begin(&entries[0], None).unwrap();
    for bytes in &entries[1..] {
        let mut entry = Entry::parse(bytes, Some(&network)).unwrap();
        if matches!(
            entry.body,
            Body::Close(_)
                | Body::Replacement(_)
                | Body::Settlement(_)
                | Body::TaskDecided(_)
                | Body::RootRecorded(_)
        ) {
            let duty = replay.state().duty().expect("a decision is due");
            entry.body = replay.state_mut().decide(duty).expect("can be decided");
        }
        entry.previous = replay.end().last;
        replay.push(&entry.encode()).expect("sound");
    }
    replay
}

/// Deletes or alters every claim of an entry.
fn without_claims(bytes: &[u8]) -> Vec<u8> {
    let mut entry = Entry::parse(bytes, Some(&params().network_id())).unwrap();
    match &mut entry.body {
        Body::Close(close) => {
            close.state_root = Digest::ZERO;
            close.ranking.clear();
            close.selections.clear();
        }
        Body::Replacement(replacement) => replacement.selection.estimate = 0.0,
        Body::Settlement(settlement) => {
            settlement.state_root = Digest::ZERO;
            settlement.winner = None;
            settlement.supporters = 0;
            for outcome in &mut settlement.outcomes {
                outcome.reward = 1.0;
                outcome.class = OutcomeClass::Won;
            }
        }
        Body::TaskDecided(decided) => decided.winner = None,
        Body::RootRecorded(recorded) => recorded.state_root = Digest::ZERO,
        _ => return bytes.to_vec(),
    }
    entry.encode()
}

#[test]
fn replay_3_claims_deleted_or_altered_change_nothing_that_is_computed() {
    for policy in [Policy::shared(), Policy::paper()] {
        let world = history(policy);
        let honest = &world.coordinator.entries;
        let mut claimed = replay(honest).expect("sound");
        let stripped: Vec<Vec<u8>> = honest.iter().map(|bytes| without_claims(bytes)).collect();
        assert_ne!(&stripped, honest);
        let mut computed = folded(&stripped);
        assert_eq!(computed.checkpoint(), claimed.checkpoint());
        assert_eq!(
            computed.end(),
            claimed.end(),
            "byte for byte the honest log"
        );
        assert!(
            replay(&stripped).is_err(),
            "as a log, the altered one is refused"
        );
    }
}

#[test]
fn replay_1_a_log_may_be_cut_anywhere_and_its_prefix_is_sound() {
    let world = history(Policy::shared());
    let mut whole = Replay::begin(&world.coordinator.entries[0], None).unwrap();
    for (count, bytes) in world.coordinator.entries.iter().enumerate().skip(1) {
        let mut prefix = replay(&world.coordinator.entries[..count]).expect("sound");
        assert_eq!(prefix.checkpoint(), whole.checkpoint(), "{count} entries");
        whole.push(bytes).expect("sound");
    }
}

#[test]
fn state_1_asking_for_the_root_at_any_time_changes_nothing() {
    let world = history(Policy::paper());
    let mut asked = Replay::begin(&world.coordinator.entries[0], None).unwrap();
    for bytes in &world.coordinator.entries[1..] {
        asked.push(bytes).expect("sound");
        asked.state_mut().root();
    }
    let mut once = replay(&world.coordinator.entries).expect("sound");
    assert_eq!(asked.state_mut().root(), once.state_mut().root());
}

#[test]
fn replay_5_a_flipped_bit_anywhere_is_noticed() {
    let mut world = World::standard();
    world.whole_task();
    let honest = &world.coordinator.entries;
    let mut last = replay(honest).expect("sound");
    let checkpoint = last.checkpoint();
    for (index, bytes) in honest.iter().enumerate() {
        for at in (0..bytes.len()).step_by(7) {
            let mut flipped = honest.clone();
            flipped[index][at] ^= 1;
            let noticed = match Replay::begin(&flipped[0], None) {
                Err(_) => true,
                Ok(mut replay) => {
                    flipped[1..].iter().any(|bytes| replay.push(bytes).is_err())
                        || replay.state().log() != checkpoint.log
                        || replay.check(&checkpoint).is_err()
                }
            };
            assert!(noticed, "byte {at} of entry {index}");
        }
    }
}
