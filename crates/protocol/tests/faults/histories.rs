//! Checkpoints, several logs, and forks. Spec: REPLAY-44 to REPLAY-46.

use crate::kit::{Author, World, acknowledge, assert_fault, capability};
use symphony_protocol::{
    Fault, Rule,
    cross_check::{CrossCheck, fork},
    records::{Body, Issued, Policy},
};

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
    one.push(Body::PolicySet(
        Policy::shared(),
        symphony_protocol::records::Learning::Anew,
    ));
    two.push(Body::PolicySet(
        Policy::paper(),
        symphony_protocol::records::Learning::Anew,
    ));
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
    one.push(Body::PolicySet(
        Policy::shared(),
        symphony_protocol::records::Learning::Anew,
    ));
    two.push(Body::PolicySet(
        Policy::paper(),
        symphony_protocol::records::Learning::Anew,
    ));
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
