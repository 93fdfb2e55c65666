//! Each rule, broken once in an otherwise sound and soundly chained log: replay names the rule, the entry, what the rules give
//! and what stands there. Spec: REPLAY-20 to REPLAY-46.
#![allow(clippy::unwrap_used, reason = "tests")]

mod kit;

use kit::{
    Author, REVEAL_MS, START_MS, WINDOW_MS, World, acknowledge, assert_fault, capability, params,
    replay,
};
use symphony_protocol::{
    Fault, Rule,
    cross_check::{CrossCheck, fork},
    records::{
        AnswerCheck, Body, CheckerVerdict, Entry, Issued, OutcomeClass, OwnBid, Phase, Policy,
        Received, ResultClass, Revocation, TaskOpened, Timeout, Winner,
    },
    state::Duty,
};
use symphony_transparency::Digest;

/// What the coordinator's next entry, this one, is at fault for.
#[track_caller]
fn refused(world: &mut World, body: Body) -> Fault {
    let entry = world.coordinator.size();
    let fault = world
        .coordinator
        .try_push(body)
        .expect_err("a fault of the author");
    assert_eq!(fault.peer, world.coordinator.key(), "{fault}");
    assert_eq!(fault.entry, entry, "{fault}");
    fault
}

/// What the coordinator's next entry, which is sound, shows of an executor.
#[track_caller]
fn found(world: &mut World, body: Body, executor: usize) -> Fault {
    let entry = world.coordinator.size();
    let applied = world
        .coordinator
        .try_push(body)
        .expect("no fault of the author");
    let [finding] = &applied.findings[..] else {
        panic!("one finding, not {:?}", applied.findings);
    };
    assert_eq!(finding.peer, world.executors[executor].key(), "{finding}");
    assert_eq!(finding.entry, entry, "{finding}");
    finding.clone()
}

#[test]
fn replay_20_malformed_entry() {
    let mut author = Author::new(1);
    let mut bytes = author.entry(Body::PolicySet(Policy::shared())).encode();
    bytes.push(0);
    let fault = author.push_bytes(bytes).unwrap_err();
    assert_fault(
        &fault,
        Rule::Malformed,
        author.key(),
        1,
        "canonical entry",
        "Entry",
    );
}

#[test]
fn replay_20_foreign_statement_that_nobody_signed() {
    let mut world = World::standard();
    let own = world.executors[0].sign(&capability(world.executors[0].origin(), 2));
    let bytes = world
        .coordinator
        .entry(Body::CapabilityReceived(own.clone()))
        .encode();
    // The signature is the last field of the statement: its last byte is the entry's last.
    let mut forged = bytes.clone();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    let index = world.coordinator.size();
    let fault = world.coordinator.push_bytes(forged).unwrap_err();
    assert_fault(
        &fault,
        Rule::Malformed,
        world.coordinator.key(),
        index,
        "valid statements",
        "signature",
    );
    world
        .coordinator
        .push_bytes(bytes)
        .expect("sound as signed");
}

#[test]
fn replay_21_broken_chain() {
    type Change = fn(&mut Entry);
    let author = Author::new(1);
    let sound = author.entry(Body::PolicySet(Policy::shared()));
    let breaches: [(Change, &str, &str); 4] = [
        (|entry| entry.index = 2, "index 1", "index 2"),
        (|entry| entry.index = 0, "index 1", "index 0"),
        (
            |entry| entry.previous = Digest::ZERO,
            "previous",
            &"0".repeat(64),
        ),
        (|entry| entry.time_ms -= 1, "1000000 ms", "999999 ms"),
    ];
    for (change, expected, found) in breaches {
        let mut author = Author::new(1);
        let mut entry = sound.clone();
        change(&mut entry);
        let fault = author.push_bytes(entry.encode()).unwrap_err();
        assert_fault(&fault, Rule::Chain, author.key(), 1, expected, found);
    }
}

#[test]
fn replay_22_second_genesis() {
    let mut author = Author::new(1);
    let genesis = Entry::parse(&author.entries[0], None).unwrap();
    let fault = author.try_push(genesis.body).unwrap_err();
    assert_fault(
        &fault,
        Rule::Genesis,
        author.key(),
        1,
        "only as entry 0",
        "another",
    );
}

#[test]
fn replay_23_statement_out_of_place() {
    let mut author = Author::new(1);
    let mut origin = author.origin();
    origin.index += 1;
    let fault = author
        .try_push(Body::CapabilityIssued(Issued::new(capability(origin, 1))))
        .unwrap_err();
    assert_fault(
        &fault,
        Rule::Origin,
        author.key(),
        1,
        "index: 1",
        "index: 2",
    );
}

#[test]
fn replay_23_own_statement_as_received() {
    let mut author = Author::new(1);
    let own = author.sign(&capability(author.origin(), 1));
    let fault = author.try_push(Body::CapabilityReceived(own)).unwrap_err();
    assert_fault(
        &fault,
        Rule::Origin,
        author.key(),
        1,
        "as issued",
        "as received",
    );
}

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

/// Spec: SETTLE-5.
#[test]
fn replay_24_vote_complete_and_not_settled() {
    let mut world = World::standard();
    world.until_voted();
    let fault = refused(&mut world, Body::PolicySet(Policy::paper()));
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
    let fault = refused(&mut world, Body::PolicySet(Policy::paper()));
    let key = world.coordinator.key();
    assert_fault(
        &fault,
        Rule::BeaconTerms,
        key,
        fault.entry,
        "between steps",
        "1 open steps",
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

/// Spec: BEACON-12.
#[test]
fn replay_33_wrong_ranking() {
    for kind in 0..3 {
        let mut world = World::standard();
        world.open(1).announce(0).take_bids();
        let Body::Close(mut close) = world.coordinator.decision() else {
            panic!("a close")
        };
        match kind {
            0 => close.ranking[0].score += 0.001,
            1 => close.ranking.swap(0, 1),
            _ => drop(close.ranking.pop()),
        }
        let fault = refused(&mut world, Body::Close(close));
        let key = world.coordinator.key();
        assert_fault(
            &fault,
            Rule::Ranking,
            key,
            fault.entry,
            "ranking [",
            "ranking [",
        );
        assert_ne!(fault.expected, fault.found);
    }
}

/// Spec: BEACON-12.
#[test]
fn replay_34_wrong_selection() {
    for kind in 0..4 {
        let mut world = World::standard();
        world.open(1).announce(0).take_bids();
        let Body::Close(mut close) = world.coordinator.decision() else {
            panic!("a close")
        };
        let other = close
            .ranking
            .iter()
            .map(|ranked| ranked.bid)
            .find(|bid| {
                close
                    .selections
                    .iter()
                    .all(|selection| selection.bid != *bid)
            })
            .unwrap();
        match kind {
            0 => close.selections[0].bid = other,
            1 => close.selections[0].width *= 2.0,
            2 => close.selections[0].features[4] = 0.0,
            _ => drop(close.selections.pop()),
        }
        let fault = refused(&mut world, Body::Close(close));
        let key = world.coordinator.key();
        assert_fault(
            &fault,
            Rule::Selection,
            key,
            fault.entry,
            "selections [",
            "selections [",
        );
    }
}

/// Spec: EXEC-13.
#[test]
fn replay_34_wrong_replacement() {
    let mut world = World::standard();
    world.until_assigned();
    world.pass(kit::EXECUTE_MS.into());
    let beacon = world.beacon_index();
    world.coordinator.push(Body::Timeout(Timeout {
        beacon,
        phase: Phase::Receipt(0),
    }));
    let Body::Replacement(mut replacement) = world.coordinator.decision() else {
        panic!("a replacement")
    };
    let right = replacement;
    let picked = world
        .coordinator
        .replay
        .state()
        .step(beacon)
        .unwrap()
        .selections[1]
        .bid;
    replacement.selection.bid = picked;
    let fault = refused(&mut world, Body::Replacement(replacement));
    let key = world.coordinator.key();
    assert_fault(
        &fault,
        Rule::Selection,
        key,
        fault.entry,
        &format!("bid: {}", right.selection.bid),
        &format!("bid: {picked}"),
    );
    world.coordinator.push(Body::Replacement(right));
}

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
    world.pass(kit::EXECUTE_MS.into());
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
    world.pass(u64::from(kit::EXECUTE_MS) + 1);
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

fn settlement(world: &mut World) -> symphony_protocol::records::Settlement {
    let Body::Settlement(settlement) = world.coordinator.decision() else {
        panic!("a settlement")
    };
    settlement
}

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

/// Spec: REPLAY-12.
#[test]
fn replay_44_checkpoint_of_another_history() {
    let mut world = World::standard();
    world.whole_task();
    let mut checkpoint = world.coordinator.replay.checkpoint();
    checkpoint.root = [0; 32];
    let fault = world.coordinator.replay.check(&checkpoint).unwrap_err();
    assert_fault(
        &fault,
        Rule::TreeRoot,
        world.coordinator.key(),
        checkpoint.size - 1,
        "",
        &"0".repeat(64),
    );
}

/// Cross-checks logs.
fn cross_check(logs: &[(&Author, &[Vec<u8>])]) -> Vec<Fault> {
    let mut check = CrossCheck::default();
    for (author, entries) in logs {
        let mut replay = symphony_protocol::replay::Replay::begin(&entries[0], None).unwrap();
        let log = replay.state().log();
        for bytes in &entries[1..] {
            let (entry, _) = replay.push(bytes).expect("sound by itself");
            check.add(&log, author.key(), &entry);
        }
    }
    check.faults()
}

/// Spec: REPLAY-14.
#[test]
fn replay_45_executor_omits_its_bid() {
    let mut world = World::standard();
    world.open(1).announce(0).take_bid(0);
    let executor = &world.executors[0];
    // The executor shows a log in which something else stands where its bid says that it stands.
    let mut shown = Author::new(10);
    shown.push(Body::CapabilityIssued(Issued::new(capability(
        shown.origin(),
        1,
    ))));
    shown.push(Body::Resumed);
    let faults = cross_check(&[
        (&world.coordinator, &world.coordinator.entries),
        (executor, &shown.entries),
    ]);
    let [fault] = &faults[..] else {
        panic!("one fault, not {faults:?}")
    };
    assert_fault(
        fault,
        Rule::Omission,
        executor.key(),
        2,
        &world.bids[0].digest().to_string(),
        "no statement",
    );
    assert_eq!(
        cross_check(&[
            (&world.coordinator, &world.coordinator.entries),
            (executor, &executor.entries)
        ]),
        []
    );
}

/// Spec: REPLAY-14.
#[test]
fn replay_45_coordinator_omits_an_acknowledged_bid() {
    let mut world = World::standard();
    world.open(1).announce(0);
    let before = world.coordinator.entries.clone();
    world.take_bid(0);
    let index = world.coordinator.size() - 1;
    let bid = world.bids[0].digest();
    let acknowledgement = acknowledge(&world.coordinator, index, bid);
    world.executors[0].push(Body::AcknowledgementReceived(acknowledgement));
    let honest = world.coordinator.entries.clone();
    assert_eq!(
        cross_check(&[
            (&world.coordinator, &honest),
            (&world.executors[0], &world.executors[0].entries)
        ]),
        []
    );
    // The coordinator shows a log in which the bid never came.
    let mut shown = World::standard();
    shown.open(1).announce(0);
    assert_eq!(shown.coordinator.entries, before);
    shown.take_bid(1);
    let faults = cross_check(&[
        (&world.coordinator, &shown.coordinator.entries),
        (&world.executors[0], &world.executors[0].entries),
    ]);
    let [fault] = &faults[..] else {
        panic!("one fault, not {faults:?}")
    };
    assert_fault(
        fault,
        Rule::Omission,
        world.coordinator.key(),
        index,
        &bid.to_string(),
        &shown.bids[0].digest().to_string(),
    );
}

/// Spec: REPLAY-10.
#[test]
fn replay_45_what_lies_beyond_the_copy_at_hand_is_no_fault() {
    let mut world = World::standard();
    world.open(1).announce(0).take_bid(0);
    let short = &world.executors[0].entries[..2];
    assert_eq!(
        cross_check(&[
            (&world.coordinator, &world.coordinator.entries),
            (&world.executors[0], short)
        ]),
        []
    );
}

/// Spec: REPLAY-10, REPLAY-14.
#[test]
fn replay_45_a_word_on_somebody_elses_log_binds_nobody() {
    let mut world = World::standard();
    world.open(1).announce(0);
    // Executor 1 signs a bid that names a place in executor 0's log.
    let mut bid = world.bid_record(1);
    bid.origin = world.executors[0].origin();
    bid.origin.index = 1;
    let bid = world.executors[1].sign(&bid);
    world.coordinator.push(Body::BidReceived(bid));
    assert_eq!(
        cross_check(&[
            (&world.coordinator, &world.coordinator.entries),
            (&world.executors[0], &world.executors[0].entries)
        ]),
        []
    );
}

#[test]
fn replay_46_fork_of_two_checkpoints() {
    let (mut one, mut two) = (Author::new(1), Author::new(1));
    one.push(Body::PolicySet(Policy::shared()));
    two.push(Body::PolicySet(Policy::paper()));
    let (one_checkpoint, two_checkpoint) = (one.replay.checkpoint(), two.replay.checkpoint());
    let fault = fork(&one.key(), &one_checkpoint, &two_checkpoint).expect("a fork");
    assert_fault(&fault, Rule::Fork, one.key(), 1, "", "");
    assert_ne!(fault.expected, fault.found);
    assert_eq!(fork(&one.key(), &one_checkpoint, &one_checkpoint), None);
    two.push(Body::Resumed);
    let longer = two.replay.checkpoint();
    assert_eq!(
        fork(&one.key(), &one_checkpoint, &longer),
        None,
        "other sizes prove nothing by themselves"
    );
}

#[test]
fn replay_46_fork_of_two_copies() {
    let (mut one, mut two) = (Author::new(1), Author::new(1));
    one.push(Body::PolicySet(Policy::shared()));
    two.push(Body::PolicySet(Policy::paper()));
    one.push(Body::Resumed);
    two.push(Body::Resumed);
    let faults = cross_check(&[(&one, &one.entries), (&two, &two.entries)]);
    let [fault] = &faults[..] else {
        panic!("one fault, not {faults:?}")
    };
    assert_fault(fault, Rule::Fork, one.key(), 1, "", "");
    assert_eq!(
        cross_check(&[(&one, &one.entries), (&one, &one.entries)]),
        []
    );
}

#[test]
fn replay_withheld_reveal_settles_as_invalid() {
    let mut world = World::standard();
    world.until_assigned().take_receipts("True");
    let order = world.orders[0].clone();
    world.take_reveal(&order, "True");
    world.pass(REVEAL_MS.into());
    let beacon = world.beacon_index();
    world.coordinator.push(Body::Timeout(Timeout {
        beacon,
        phase: Phase::Reveals,
    }));
    assert_eq!(
        world.coordinator.replay.state().duty(),
        Some(Duty::Settle(beacon))
    );
    let settlement = settlement(&mut world);
    assert_eq!(settlement.outcomes[1].class, OutcomeClass::Invalid);
    assert_eq!(settlement.outcomes[1].reward, 0.0);
    assert_eq!(
        settlement.outcomes[0].class,
        OutcomeClass::Valid,
        "one ballot is no quorum"
    );
    world.coordinator.decide();
}

/// Spec: SETTLE-10.
#[test]
fn replay_resumed_settles_as_void_and_teaches_nothing() {
    for stage in 0..5 {
        let mut world = World::standard();
        world.open(2).announce(0);
        if stage > 0 {
            world.take_bids();
        }
        if stage > 1 {
            world.close();
        }
        if stage > 2 {
            world.assign();
        }
        if stage > 3 {
            world.take_receipts("True");
        }
        let before = world.coordinator.replay.state().peers().clone();
        world.pass(1_000_000);
        world.coordinator.push(Body::Resumed);
        let beacon = world.beacon_index();
        assert_eq!(
            world.coordinator.replay.state().duty(),
            Some(Duty::Void(beacon))
        );
        let settlement = settlement(&mut world);
        assert!(
            settlement
                .outcomes
                .iter()
                .all(|outcome| outcome.class == OutcomeClass::Void)
        );
        world.coordinator.decide();
        world.coordinator.decide();
        let state = world.coordinator.replay.state();
        assert_eq!(state.duty(), None, "stage {stage}");
        assert_eq!(state.next_due(), None, "stage {stage}");
        assert_eq!(state.counters().tasks_decided, 1);
        assert_eq!(state.counters().settlements, 0);
        assert_eq!(state.peers(), &before, "stage {stage}");
        world.open(1).announce(0).take_bids();
    }
}

/// Spec: EXEC-6, SETTLE-20.
#[test]
fn replay_failed_and_abstained_receipts_are_replaced() {
    for class in [ResultClass::Failed, ResultClass::Abstained] {
        let mut world = World::standard();
        world.until_assigned();
        let order = world.orders[0].clone();
        world.executors[order.executor].push(Body::AssignmentReceived(order.statement.clone()));
        let mut receipt = world.receipt_record(&order, "");
        receipt.class = class;
        let receipt: Received<_> =
            world.executors[order.executor].issue(receipt, Body::ReceiptIssued);
        world.coordinator.push(Body::ReceiptReceived(receipt));
        assert!(matches!(
            world.coordinator.replay.state().duty(),
            Some(Duty::Replace(_, 0))
        ));
        world.coordinator.decide();
        world.assign();
        assert_eq!(world.orders.len(), 3);
    }
}
