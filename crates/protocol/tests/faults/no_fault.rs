//! What is no fault, though it looks like one. Spec: REPLAY-10.

use symphony_protocol::{
    records::{Body, OutcomeClass, Phase, Received, ResultClass, Timeout},
    state::Duty,
};

use crate::{
    kit::{REVEAL_MS, World},
    settlement,
};

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
