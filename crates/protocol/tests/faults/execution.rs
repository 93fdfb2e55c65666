//! Assignments and receipts. Spec: REPLAY-35 to REPLAY-37.

use crate::{
    found,
    kit::{Author, World, assert_fault},
    refused,
};
use symphony_protocol::{
    Rule,
    records::{Body, Issued, Phase, Timeout},
};
use symphony_transparency::Digest;

#[test]
fn replay_35_assignment_against_its_selection() {
    type Change = fn(&mut symphony_protocol::records::Assignment);
    let breaches: [(Change, &str); 4] = [
        (
            |assignment| assignment.executor = Author::new(1).key(),
            "executor",
        ),
        (
            |assignment| assignment.key_commitment = Digest::ZERO,
            "key commitment",
        ),
        (|assignment| assignment.execute_ms += 1, "execute_ms 1000"),
        (|assignment| assignment.reveal_ms += 1, "reveal_ms 300"),
    ];
    for (change, expected) in breaches {
        let mut world = World::standard();
        world.open(1).announce(0).take_bids().close();
        let mut assignment = world.assignment_record();
        change(&mut assignment);
        let fault = refused(&mut world, Body::AssignmentIssued(Issued::new(assignment)));
        let key = world.coordinator.key();
        assert_fault(&fault, Rule::Assignment, key, fault.entry, expected, "");
        assert_ne!(fault.expected, fault.found);
    }
}

/// Spec: EXEC-4.
#[test]
fn replay_35_assignment_to_somebody_else_or_twice() {
    let mut world = World::standard();
    world.until_assigned();
    let order = world.orders[0].clone();
    let other = (0..4).find(|executor| *executor != order.executor).unwrap();
    let index = world.executors[other].size();
    let fault = world.executors[other]
        .try_push(Body::AssignmentReceived(order.statement.clone()))
        .unwrap_err();
    assert_fault(
        &fault,
        Rule::Assignment,
        world.executors[other].key(),
        index,
        "to the author",
        "one to",
    );
    let executor = &mut world.executors[order.executor];
    executor.push(Body::AssignmentReceived(order.statement.clone()));
    let index = executor.size();
    let fault = executor
        .try_push(Body::AssignmentReceived(order.statement))
        .unwrap_err();
    assert_fault(
        &fault,
        Rule::Assignment,
        executor.key(),
        index,
        "once",
        "again",
    );
}

/// Spec: EXEC-8.
#[test]
fn replay_36_two_receipts_in_the_executors_log() {
    let mut world = World::standard();
    world.until_assigned();
    let order = world.orders[0].clone();
    world.receipt(&order, "True");
    let second = world.receipt_record(&order, "False");
    let executor = &mut world.executors[order.executor];
    let index = executor.size();
    let fault = executor
        .try_push(Body::ReceiptIssued(Issued::new(second)))
        .unwrap_err();
    assert_fault(
        &fault,
        Rule::ReceiptTwice,
        executor.key(),
        index,
        "one receipt",
        "another",
    );
}

#[test]
fn replay_36_two_receipts_are_found_by_the_coordinator() {
    let mut world = World::standard();
    world.until_assigned();
    let order = world.orders[0].clone();
    let first = world.receipt(&order, "True");
    let second = world.receipt_record(&order, "False");
    let second = world.executors[order.executor].sign(&second);
    world.coordinator.push(Body::ReceiptReceived(first.clone()));
    let fault = found(
        &mut world,
        Body::ReceiptReceived(second.clone()),
        order.executor,
    );
    assert_eq!(fault.rule, Rule::ReceiptTwice);
    assert!(fault.expected.contains(&first.digest().to_string()));
    assert!(fault.found.contains(&second.digest().to_string()));
}

#[test]
fn replay_a_receipt_after_the_settlement_changes_nothing() {
    let mut world = World::standard();
    world.until_assigned();
    let order = world.orders[0].clone();
    let receipt = world.receipt(&order, "True");
    world.coordinator.push(Body::Resumed);
    world.coordinator.decide();
    world.coordinator.decide();
    let before = world.coordinator.replay.state().peers().clone();
    world.coordinator.push(Body::ReceiptReceived(receipt));
    let state = world.coordinator.replay.state();
    assert_eq!(
        (state.peers(), state.duty(), state.next_due()),
        (&before, None, None)
    );
}

#[test]
fn replay_36_a_late_receipt_and_another_are_found_too() {
    let mut world = World::standard();
    world.until_assigned();
    let (one, two) = (world.orders[0].clone(), world.orders[1].clone());
    world.pass(10);
    let kept = world.receipt(&two, "True");
    world.coordinator.push(Body::ReceiptReceived(kept));
    world.pass(crate::kit::EXECUTE_MS.into());
    let beacon = world.beacon_index();
    world.coordinator.push(Body::Timeout(Timeout {
        beacon,
        phase: Phase::Receipt(0),
    }));
    world.coordinator.decide();
    world.assign();
    let late = world.receipt_record(&one, "True");
    let late = world.executors[one.executor].sign(&late);
    world.coordinator.push(Body::ReceiptReceived(late));
    let another = world.receipt_record(&one, "False");
    let another = world.executors[one.executor].sign(&another);
    let fault = found(&mut world, Body::ReceiptReceived(another), one.executor);
    assert_eq!(fault.rule, Rule::ReceiptTwice);
}

/// Spec: EXEC-9.
#[test]
fn replay_37_receipt_without_an_assignment_or_too_late() {
    let mut world = World::standard();
    world.until_assigned();
    let order = world.orders[0].clone();
    let receipt = world.receipt_record(&order, "True");
    let executor = &mut world.executors[order.executor];
    let index = executor.size();
    let fault = executor
        .try_push(Body::ReceiptIssued(Issued::new(receipt)))
        .unwrap_err();
    assert_fault(
        &fault,
        Rule::ReceiptUnexpected,
        executor.key(),
        index,
        "an assignment in this log",
        "",
    );
    executor.push(Body::AssignmentReceived(order.statement.clone()));
    world.pass(u64::from(crate::kit::EXECUTE_MS) + 1);
    let late = world.receipt_record(&order, "True");
    let executor = &mut world.executors[order.executor];
    let index = executor.size();
    let fault = executor
        .try_push(Body::ReceiptIssued(Issued::new(late)))
        .unwrap_err();
    assert_fault(
        &fault,
        Rule::ReceiptUnexpected,
        executor.key(),
        index,
        "by 1001000 ms",
        "1001001 ms",
    );
}

#[test]
fn replay_37_receipt_of_another_peer_taken() {
    let mut world = World::standard();
    world.until_assigned();
    let order = world.orders[0].clone();
    let other = (0..4).find(|executor| *executor != order.executor).unwrap();
    let receipt = world.executors[other].sign(&world.receipt_record(&order, "True"));
    let fault = refused(&mut world, Body::ReceiptReceived(receipt));
    let (key, right) = (
        world.coordinator.key(),
        world.executors[order.executor].key(),
    );
    assert_fault(
        &fault,
        Rule::ReceiptUnexpected,
        key,
        fault.entry,
        &right.to_string(),
        "one of",
    );
}
