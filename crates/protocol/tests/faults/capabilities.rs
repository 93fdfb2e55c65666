//! Capabilities, and what rests on them. Spec: REPLAY-27, REPLAY-28.

use crate::{
    found,
    kit::{Author, START_MS, World, assert_fault, capability},
    refused,
};
use symphony_protocol::{
    Rule,
    records::{Body, Issued, Revocation},
};
use symphony_transparency::Digest;

/// Spec: CAP-7.
#[test]
fn replay_27_own_capability_number_that_does_not_rise() {
    let mut author = Author::new(1);
    author.push(Body::CapabilityIssued(Issued::new(capability(
        author.origin(),
        5,
    ))));
    let fault = author
        .try_push(Body::CapabilityIssued(Issued::new(capability(
            author.origin(),
            5,
        ))))
        .unwrap_err();
    assert_fault(
        &fault,
        Rule::CapabilitySequence,
        author.key(),
        2,
        "above 5",
        "5",
    );
}

/// Spec: CAP-8.
#[test]
fn replay_27_two_capabilities_under_one_number() {
    let mut world = World::standard();
    let mut other = capability(world.executors[2].origin(), 1);
    other.parallel_max = 9;
    let other = world.executors[2].sign(&other);
    let (first, second) = (world.capabilities[2].digest(), other.digest());
    let fault = found(&mut world, Body::CapabilityReceived(other), 2);
    assert_eq!(fault.rule, Rule::CapabilitySequence);
    assert!(fault.expected.contains(&first.to_string()), "{fault}");
    assert!(fault.found.contains(&second.to_string()), "{fault}");
}

/// Spec: CAP-9.
#[test]
fn replay_28_bid_taken_on_an_expired_capability() {
    let mut world = World::standard();
    let mut short = capability(world.executors[0].origin(), 2);
    short.valid_until_ms = START_MS + 10;
    world.capabilities[0] = world.executors[0].issue(short, Body::CapabilityIssued);
    let received = world.capabilities[0].clone();
    world.coordinator.push(Body::CapabilityReceived(received));
    world.open(1).announce(0);
    let bid = world.bid(0);
    world.pass(10);
    let fault = refused(&mut world, Body::BidReceived(bid));
    let key = world.coordinator.key();
    assert_fault(
        &fault,
        Rule::Reliance,
        key,
        fault.entry,
        "valid at 1000010 ms",
        "to 1000010 ms",
    );
}

/// Spec: CAP-9.
#[test]
fn replay_28_bid_taken_on_a_revoked_capability() {
    let mut world = World::standard();
    world.open(1).announce(0);
    let bid = world.bid(0);
    let record = Revocation {
        origin: world.executors[0].origin(),
        sequence: 1,
    };
    let revocation = world.executors[0].issue(record, Body::RevocationIssued);
    world.coordinator.push(Body::RevocationReceived(revocation));
    let fault = refused(&mut world, Body::BidReceived(bid));
    let key = world.coordinator.key();
    assert_fault(
        &fault,
        Rule::Reliance,
        key,
        fault.entry,
        "a capability that holds",
        "revoked",
    );
}

/// Spec: CAP-9.
#[test]
fn replay_28_bid_issued_on_an_unknown_capability() {
    let mut world = World::standard();
    world.open(1).announce(0);
    let mut bid = world.bid_record(0);
    bid.capability = Digest::ZERO;
    let beacon = world.beacon().clone();
    let executor = &mut world.executors[0];
    let index = executor.size();
    let fault = executor
        .try_push(Body::BidIssued(Issued::new(bid), beacon))
        .unwrap_err();
    assert_fault(
        &fault,
        Rule::Reliance,
        executor.key(),
        index,
        "newest capability",
        &"0".repeat(64),
    );
}
