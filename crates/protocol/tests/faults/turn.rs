//! Whose turn it is: duties and deadlines. Spec: REPLAY-24 to REPLAY-26.

use crate::{
    kit::{WINDOW_MS, World, assert_fault},
    refused,
};
use symphony_protocol::{
    Rule,
    records::{Body, Issued, Phase, Policy, TaskOpened, Timeout},
};
use symphony_transparency::Digest;

/// Spec: BEACON-10.
#[test]
fn replay_24_something_else_than_the_duty() {
    let mut world = World::standard();
    world.open(1).announce(0).take_bids();
    let fault = refused(
        &mut world,
        Body::TaskOpened(TaskOpened {
            key_commitment: Digest::ZERO,
            plan_steps: vec![1],
        }),
    );
    let key = world.coordinator.key();
    assert_fault(&fault, Rule::Duty, key, fault.entry, "Close", "task_opened");
}

#[test]
fn replay_24_duty_at_another_time() {
    let mut world = World::standard();
    world.until_voted();
    let body = world.coordinator.decision();
    let mut entry = world.coordinator.entry(body);
    entry.time_ms += 1;
    let index = world.coordinator.size();
    let fault = world.coordinator.push_bytes(entry.encode()).unwrap_err();
    assert_fault(
        &fault,
        Rule::Duty,
        world.coordinator.key(),
        index,
        "time 1000050 ms",
        "time 1000051 ms",
    );
}

/// What the clock tells is compared first, so that a file about it opens nothing else. Spec: EVIDENCE-12.
#[test]
fn replay_24_an_assignment_of_another_slot_is_proved_by_the_clock_alone() {
    let mut world = World::standard();
    world.open(1).announce(0).take_bids().close();
    let mut order = world.assignment_record();
    order.slot = 1;
    let fault = refused(&mut world, Body::AssignmentIssued(Issued::new(order)));
    let key = world.coordinator.key();
    assert_fault(
        &fault,
        Rule::Duty,
        key,
        fault.entry,
        "Assign",
        "assignment_issued",
    );
    order.slot = 0;
    order.beacon = Digest::ZERO;
    let fault = refused(&mut world, Body::AssignmentIssued(Issued::new(order)));
    assert_fault(
        &fault,
        Rule::Duty,
        key,
        fault.entry,
        "Assign",
        "of another beacon",
    );
}

/// Spec: SETTLE-5.
#[test]
fn replay_24_vote_complete_and_not_settled() {
    let mut world = World::standard();
    world.until_voted();
    let fault = refused(
        &mut world,
        Body::PolicySet(Policy::paper(), symphony_protocol::records::Learning::Anew),
    );
    let key = world.coordinator.key();
    assert_fault(&fault, Rule::Duty, key, fault.entry, "Settle", "policy_set");
}

/// Spec: BEACON-10.
#[test]
fn replay_25_deadline_passed_over() {
    let mut world = World::standard();
    world.open(1).announce(0).take_bid(0);
    world.pass(WINDOW_MS);
    let bid = world.executors[1].sign(&world.bid_record(1));
    let fault = refused(&mut world, Body::BidReceived(bid));
    let key = world.coordinator.key();
    assert_fault(
        &fault,
        Rule::Overdue,
        key,
        fault.entry,
        "due at 1000500 ms",
        "bid_received at 1000500 ms",
    );
}

/// Spec: SETTLE-8.
#[test]
fn replay_26_timeout_without_a_deadline() {
    let mut world = World::standard();
    world.open(1).announce(0);
    let beacon = world.beacon_index();
    world.pass(WINDOW_MS - 1);
    let early = refused(
        &mut world,
        Body::Timeout(Timeout {
            beacon,
            phase: Phase::Bids,
        }),
    );
    let key = world.coordinator.key();
    assert_fault(
        &early,
        Rule::Timeout,
        key,
        early.entry,
        "the next deadline",
        "at 1000499 ms",
    );
    world.pass(1);
    let other = refused(
        &mut world,
        Body::Timeout(Timeout {
            beacon,
            phase: Phase::Reveals,
        }),
    );
    assert_fault(&other, Rule::Timeout, key, other.entry, "Bids", "Reveals");
    world.coordinator.push(Body::Timeout(Timeout {
        beacon,
        phase: Phase::Bids,
    }));
}
