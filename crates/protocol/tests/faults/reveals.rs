//! Ballots that are opened. Spec: REPLAY-38.

use crate::{
    found,
    kit::{World, assert_fault},
    refused,
};
use symphony_protocol::{
    Rule,
    records::{AnswerCheck, Body, CheckerVerdict, Issued},
};

/// Spec: EXEC-10, REPLAY-9.
#[test]
fn replay_38_reveal_that_does_not_open_its_ballot() {
    let mut world = World::standard();
    world.until_assigned().take_receipts("True");
    let order = world.orders[0].clone();
    let wrong = world.reveal_record(&order, "False");
    let executor = &mut world.executors[order.executor];
    let index = executor.size();
    let fault = executor
        .try_push(Body::RevealIssued(Issued::new(wrong)))
        .unwrap_err();
    assert_fault(
        &fault,
        Rule::Reveal,
        executor.key(),
        index,
        "an opening of",
        "one of",
    );
    let signed = executor.sign(&wrong);
    let fault = found(
        &mut world,
        Body::RevealReceived(signed, AnswerCheck::Parses, CheckerVerdict::Unchecked),
        order.executor,
    );
    assert_eq!(fault.rule, Rule::Reveal);
    // A reveal that opens nothing is no reveal: the ballot is still closed.
    assert!(
        world
            .coordinator
            .replay
            .state()
            .step(world.beacon_index())
            .unwrap()
            .awaits_reveals()
    );
}

/// Spec: EXEC-14.
#[test]
fn replay_38_reveal_before_all_receipts() {
    let mut world = World::standard();
    world.until_assigned();
    let order = world.orders[0].clone();
    let receipt = world.receipt(&order, "True");
    world.coordinator.push(Body::ReceiptReceived(receipt));
    let reveal = world.reveal(&order, "True");
    let fault = refused(
        &mut world,
        Body::RevealReceived(reveal, AnswerCheck::Parses, CheckerVerdict::Unchecked),
    );
    let key = world.coordinator.key();
    assert_fault(
        &fault,
        Rule::Reveal,
        key,
        fault.entry,
        "after all receipts",
        "before",
    );
}

/// Spec: EXEC-8.
#[test]
fn replay_38_reveal_without_a_ballot_or_twice() {
    let mut world = World::standard();
    world.until_assigned();
    let order = world.orders[0].clone();
    world.receipt(&order, "True");
    world.reveal(&order, "True");
    let again = world.reveal_record(&order, "True");
    let executor = &mut world.executors[order.executor];
    let index = executor.size();
    let fault = executor
        .try_push(Body::RevealIssued(Issued::new(again)))
        .unwrap_err();
    assert_fault(
        &fault,
        Rule::Reveal,
        executor.key(),
        index,
        "once",
        "without one",
    );
}
