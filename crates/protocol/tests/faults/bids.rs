//! Beacons and bids. Spec: REPLAY-29 to REPLAY-32.

use crate::{
    found,
    kit::{START_MS, WINDOW_MS, World, assert_fault, capability},
    refused,
};
use symphony_protocol::{
    Rule,
    records::{Body, Issued, OwnBid, Phase, Policy, Timeout},
};
use symphony_transparency::Digest;

/// Spec: BEACON-5.
#[test]
fn replay_29_beacon_outside_the_terms() {
    type Change = fn(&mut symphony_protocol::records::Beacon);
    let breaches: [(Change, &str, &str); 7] = [
        (
            |beacon| beacon.policy = Digest::ZERO,
            "policy",
            &"0".repeat(64),
        ),
        (
            |beacon| beacon.close_deadline_ms += 60_000,
            "by 1060000 ms",
            "1060500 ms",
        ),
        (
            |beacon| beacon.close_deadline_ms = START_MS,
            "after 1000000",
            "1000000 ms",
        ),
        (
            |beacon| beacon.execute_ms = 600_001,
            "at most 600000",
            "600001",
        ),
        (|beacon| beacon.reveal_ms = 60_001, "at most 60000", "60001"),
        (|beacon| beacon.close_bids = 65, "at most 64", "65"),
        (|beacon| beacon.step = 1, "step 0", "step 1"),
    ];
    for (change, expected, found) in breaches {
        let mut world = World::standard();
        world.open(1);
        let mut beacon = world.beacon_record(0);
        change(&mut beacon);
        let fault = refused(&mut world, Body::BeaconIssued(Issued::new(beacon)));
        let key = world.coordinator.key();
        assert_fault(&fault, Rule::BeaconTerms, key, fault.entry, expected, found);
    }
}

/// Spec: CAP-4.
#[test]
fn replay_29_policy_changed_while_a_step_is_open() {
    let mut world = World::standard();
    world.open(1).announce(0);
    let fault = refused(
        &mut world,
        Body::PolicySet(Policy::paper(), symphony_protocol::records::Learning::Anew),
    );
    let key = world.coordinator.key();
    assert_fault(
        &fault,
        Rule::BeaconTerms,
        key,
        fault.entry,
        "no beacon is open for bids",
        "1 open for bids",
    );
}

/// Spec: BEACON-8, BEACON-11.
#[test]
fn replay_30_wrong_match_in_the_bidders_log() {
    let mut world = World::standard();
    world.open(1).announce(0);
    let mut bid = world.bid_record(0);
    bid.match_ppm = 999_999;
    let beacon = world.beacon().clone();
    let executor = &mut world.executors[0];
    let index = executor.size();
    let fault = executor
        .try_push(Body::BidIssued(Issued::new(bid), beacon))
        .unwrap_err();
    assert_fault(
        &fault,
        Rule::Match,
        executor.key(),
        index,
        "1000000 ppm",
        "999999 ppm",
    );
}

/// Spec: BEACON-8, REPLAY-9.
#[test]
fn replay_30_wrong_match_is_found_by_the_coordinator_and_takes_no_part() {
    let mut world = World::standard();
    world.open(1).announce(0);
    let mut bid = world.bid_record(0);
    bid.match_ppm = 999_999;
    let bid = world.executors[0].sign(&bid);
    let fault = found(&mut world, Body::BidReceived(bid), 0);
    assert_eq!(
        (fault.rule, fault.found.as_str()),
        (Rule::Match, "match 999999 ppm")
    );
    for executor in 1..4 {
        world.take_bid(executor);
    }
    world.close();
    let state = world.coordinator.replay.state();
    let step = state.step(world.beacon_index()).unwrap();
    assert_eq!(step.ranking.len(), 3, "the false bidder is no candidate");
}

/// Spec: BEACON-6.
#[test]
fn replay_30_wrong_match_of_the_own_bid() {
    let mut world = World::standard();
    let own = capability(world.coordinator.origin(), 1);
    let entry = world
        .coordinator
        .push(Body::CapabilityIssued(Issued::new(own)));
    world.open(1);
    let mut beacon = world.beacon_record(0);
    beacon.own_bid = Some(OwnBid {
        capability: entry,
        match_ppm: 500_000,
        load_ppm: 0,
        queue: 0,
    });
    let fault = refused(&mut world, Body::BeaconIssued(Issued::new(beacon)));
    let key = world.coordinator.key();
    assert_fault(&fault, Rule::Match, key, fault.entry, "1000000", "500000");
}

/// Spec: BEACON-11.
#[test]
fn replay_31_two_bids_in_the_bidders_log() {
    let mut world = World::standard();
    world.open(1).announce(0);
    world.bid(0);
    let (second, beacon) = (world.bid_record(0), world.beacon().clone());
    let executor = &mut world.executors[0];
    let index = executor.size();
    let fault = executor
        .try_push(Body::BidIssued(Issued::new(second), beacon))
        .unwrap_err();
    assert_fault(
        &fault,
        Rule::BidTwice,
        executor.key(),
        index,
        "one bid (entry 2)",
        "another",
    );
}

/// Spec: BEACON-13, REPLAY-9.
#[test]
fn replay_31_two_bids_are_found_by_the_coordinator() {
    let mut world = World::standard();
    world.open(1).announce(0).take_bid(0);
    let mut second = world.bid_record(0);
    second.load_ppm = 1;
    let second = world.executors[0].sign(&second);
    let fault = found(&mut world, Body::BidReceived(second), 0);
    assert_eq!(fault.rule, Rule::BidTwice);
    let step = world
        .coordinator
        .replay
        .state()
        .step(world.beacon_index())
        .unwrap();
    assert_eq!(step.bids.len(), 1, "the first bid stands");
}

/// Spec: BEACON-3, BEACON-11.
#[test]
fn replay_32_bid_out_of_turn() {
    // Nobody asked this peer.
    let mut world = World::standard();
    world.open(1);
    let mut beacon = world.beacon_record(0);
    let stranger = world.executors[3].key();
    beacon.asked.retain(|key| *key != stranger);
    world.announce_record(beacon);
    let bid = world.executors[3].sign(&world.bid_record(3));
    let fault = refused(&mut world, Body::BidReceived(bid));
    let key = world.coordinator.key();
    assert_fault(
        &fault,
        Rule::BidUnexpected,
        key,
        fault.entry,
        "was asked",
        &stranger.to_string(),
    );
    let (bid, beacon) = (world.bid_record(3), world.beacon().clone());
    let index = world.executors[3].size();
    let fault = world.executors[3]
        .try_push(Body::BidIssued(Issued::new(bid), beacon))
        .unwrap_err();
    assert_fault(
        &fault,
        Rule::BidUnexpected,
        stranger,
        index,
        "only where asked",
        "asks others",
    );
}

/// Spec: BEACON-11.
#[test]
fn replay_32_bid_after_the_close_or_the_deadline() {
    let mut world = World::standard();
    world.open(1).announce(0);
    for executor in 0..3 {
        world.take_bid(executor);
    }
    let (record, beacon) = (world.bid_record(3), world.beacon().clone());
    world.pass(WINDOW_MS);
    let index = world.executors[3].size();
    let late = world.executors[3]
        .try_push(Body::BidIssued(Issued::new(record), beacon))
        .unwrap_err();
    assert_fault(
        &late,
        Rule::BidUnexpected,
        world.executors[3].key(),
        index,
        "before 1000500 ms",
        "1000500 ms",
    );
    let phase = Phase::Bids;
    let beacon = world.beacon_index();
    world
        .coordinator
        .push(Body::Timeout(Timeout { beacon, phase }));
    world.close().assign();
    let bid = world.executors[3].sign(&record);
    let fault = refused(&mut world, Body::BidReceived(bid));
    let key = world.coordinator.key();
    assert_fault(
        &fault,
        Rule::BidUnexpected,
        key,
        fault.entry,
        "an open beacon",
        "one on",
    );
}
