//! Rankings, selections and replacements. Spec: REPLAY-33, REPLAY-34.

use crate::{
    kit::{World, assert_fault},
    refused,
};
use symphony_protocol::{
    Rule,
    records::{Body, Phase, Timeout},
};

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
    world.pass(crate::kit::EXECUTE_MS.into());
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
