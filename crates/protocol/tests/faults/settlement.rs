//! Tallies, rewards, state roots and answers. Spec: REPLAY-39 to REPLAY-43.

use crate::{
    kit::{World, assert_fault, params, replay},
    refused, settlement,
};
use symphony_protocol::{
    Rule,
    records::{AnswerCheck, Body, CheckerVerdict, Entry, OutcomeClass, Winner},
};
use symphony_transparency::Digest;

#[test]
fn replay_39_wrong_tally() {
    for kind in 0..4 {
        let mut world = World::standard();
        world.until_voted();
        let mut settlement = settlement(&mut world);
        let winner = settlement.winner.unwrap();
        match kind {
            0 => settlement.winner = None,
            1 => {
                settlement.winner = Some(Winner {
                    answer: Digest::ZERO,
                    ..winner
                })
            }
            2 => {
                settlement.winner = Some(Winner {
                    weight: winner.weight + 0.5,
                    ..winner
                })
            }
            _ => settlement.supporters += 1,
        }
        let fault = refused(&mut world, Body::Settlement(settlement));
        let key = world.coordinator.key();
        let word = if kind == 3 { "supporters" } else { "winner" };
        assert_fault(&fault, Rule::Tally, key, fault.entry, word, word);
    }
}

/// Spec: SETTLE-7.
#[test]
fn replay_40_wrong_reward() {
    for kind in 0..4 {
        let mut world = World::standard();
        world.until_voted();
        let mut settlement = settlement(&mut world);
        match kind {
            0 => settlement.outcomes[1].reward = 1.0,
            1 => settlement.outcomes[1].class = OutcomeClass::Valid,
            2 => settlement.outcomes[1].latency_ms = 1,
            _ => drop(settlement.outcomes.pop()),
        }
        let fault = refused(&mut world, Body::Settlement(settlement));
        let key = world.coordinator.key();
        let word = if kind == 3 {
            "number of outcomes"
        } else {
            "slot 1"
        };
        assert_fault(&fault, Rule::Reward, key, fault.entry, word, word);
        assert_ne!(fault.expected, fault.found);
    }
}

#[test]
fn replay_40_wrong_reward_in_a_log_that_goes_on() {
    let mut world = World::standard();
    world.whole_task();
    let settled = (0..world.coordinator.entries.len())
        .find(|index| {
            matches!(
                Entry::parse(
                    &world.coordinator.entries[*index],
                    Some(&params().network_id())
                )
                .unwrap()
                .body,
                Body::Settlement(_)
            )
        })
        .unwrap();
    let rewritten = world.coordinator.rechained(settled, |entry| {
        if let Body::Settlement(settlement) = &mut entry.body {
            settlement.outcomes[0].reward = 0.25;
        }
    });
    let fault = replay(&rewritten).expect_err("the rewritten reward shows");
    assert_fault(
        &fault,
        Rule::Reward,
        world.coordinator.key(),
        u64::try_from(settled).unwrap(),
        "slot 0",
        "reward: 0.25",
    );
    replay(&world.coordinator.entries).expect("the true log is sound");
}

/// Spec: SETTLE-6.
#[test]
fn replay_40_checker_under_a_policy_without_one() {
    let mut world = World::standard();
    world.until_assigned().take_receipts("True");
    let order = world.orders[0].clone();
    let reveal = world.reveal(&order, "True");
    let fault = refused(
        &mut world,
        Body::RevealReceived(reveal, AnswerCheck::Parses, CheckerVerdict::Passed),
    );
    let key = world.coordinator.key();
    assert_fault(
        &fault,
        Rule::Reward,
        key,
        fault.entry,
        "no checker",
        "Passed",
    );
}

#[test]
fn replay_41_settled_twice() {
    let mut world = World::standard();
    world.until_voted();
    let settlement = settlement(&mut world);
    world.coordinator.decide();
    world.coordinator.decide();
    let fault = refused(&mut world, Body::Settlement(settlement));
    let key = world.coordinator.key();
    assert_fault(
        &fault,
        Rule::NotOpen,
        key,
        fault.entry,
        "none is due",
        "settlement",
    );
}

#[test]
fn replay_42_wrong_state_root() {
    let mut world = World::standard();
    world.open(1).announce(0).take_bids();
    let Body::Close(mut close) = world.coordinator.decision() else {
        panic!("a close")
    };
    let right = std::mem::replace(&mut close.state_root, Digest::ZERO);
    let fault = refused(&mut world, Body::Close(close));
    let key = world.coordinator.key();
    assert_fault(
        &fault,
        Rule::StateRoot,
        key,
        fault.entry,
        &right.to_string(),
        &"0".repeat(64),
    );
    let mut world = World::standard();
    world.until_voted();
    let mut settlement = settlement(&mut world);
    settlement.state_root = Digest::ZERO;
    let fault = refused(&mut world, Body::Settlement(settlement));
    assert_fault(
        &fault,
        Rule::StateRoot,
        key,
        fault.entry,
        "",
        &"0".repeat(64),
    );
}

/// Spec: REPLAY-12.
#[test]
fn replay_42_checkpoint_with_another_state_root() {
    let mut world = World::standard();
    world.whole_task();
    let mut checkpoint = world.coordinator.replay.checkpoint();
    world
        .coordinator
        .replay
        .check(&checkpoint)
        .expect("the true checkpoint");
    checkpoint.state_root = Digest::ZERO;
    let fault = world.coordinator.replay.check(&checkpoint).unwrap_err();
    assert_fault(
        &fault,
        Rule::StateRoot,
        world.coordinator.key(),
        checkpoint.size - 1,
        "",
        &"0".repeat(64),
    );
}

/// Spec: VOTE-9.
#[test]
fn replay_43_wrong_answer_of_a_task() {
    for kind in 0..3 {
        let mut world = World::standard();
        world.until_voted();
        world.coordinator.decide();
        let Body::TaskDecided(mut decided) = world.coordinator.decision() else {
            panic!("a decision")
        };
        let winner = decided.winner.unwrap();
        decided.winner = match kind {
            0 => None,
            1 => Some(Winner {
                answer: Digest::ZERO,
                ..winner
            }),
            _ => Some(Winner {
                weight: winner.weight + 0.5,
                ..winner
            }),
        };
        let fault = refused(&mut world, Body::TaskDecided(decided));
        let key = world.coordinator.key();
        assert_fault(
            &fault,
            Rule::TaskDecision,
            key,
            fault.entry,
            "winner",
            "winner",
        );
    }
}
