//! Logs that take in what others measured. Spec: chapter 21, REPLAY-51.

use symphony_protocol::{
    Rule,
    records::{Body, MeasuresImported, Phase, Policy, Timeout},
};
use symphony_transparency::{Digest, PublicKey};

use crate::{
    check_fault,
    kit::{Author, EXECUTE_MS, World, measures::measures_for},
    with,
};

/// What the log of a world with this seed measured in so many tasks.
fn measured(seed: u8, tasks: u32, importer: &PublicKey) -> Vec<MeasuresImported> {
    let mut world = World::of(seed, 4, Policy::shared());
    for _ in 0..tasks {
        world.whole_task();
    }
    measures_for(&mut world.coordinator, importer, 750_000, 100)
}

/// Two sources, tasks in which what they foretold comes true and does not, a peer measured anew, a source left out.
#[test]
fn replay_vectors_of_imports() {
    let mut policy = Policy::shared();
    policy.change_threshold_ppm = 1_500_000;
    policy.change_drift_ppm = 100_000;
    let mut world = World::of(1, 4, policy);
    let key = world.coordinator.key();
    for (seed, tasks) in [(2, 3), (3, 1), (2, 5)] {
        for import in measured(seed, tasks, &key) {
            world.coordinator.push(Body::MeasuresImported(import));
        }
        world.whole_task();
    }
    for _ in 0..5 {
        world.until_assigned();
        world.pass(EXECUTE_MS.into());
        let beacon = world.beacon_index();
        for slot in 0..2 {
            world.coordinator.push(Body::Timeout(Timeout {
                beacon,
                phase: Phase::Receipt(slot),
            }));
            if world.coordinator.replay.state().duty().is_some() {
                world.coordinator.decide();
                world.assign();
            }
        }
        world.pass(50);
        let replacements: Vec<_> = world.orders[2..].to_vec();
        for order in &replacements {
            let receipt = world.receipt(order, "True");
            world.coordinator.push(Body::ReceiptReceived(receipt));
        }
        for order in &replacements {
            world.take_reveal(order, "True");
        }
        world.coordinator.decide();
        world.coordinator.decide();
    }
    let older = measured(2, 1, &key).remove(0);
    check_fault(
        "replay-51-older",
        Rule::Import,
        "An import with a smaller checkpoint than the one before it.",
        &with(&world.coordinator, Body::MeasuresImported(older)),
    );
    let gone = MeasuresImported::leave_out(Author::new(3).key());
    world.coordinator.push(Body::MeasuresImported(gone.clone()));
    world.whole_task();
    check_fault(
        "replay-51-left-out",
        Rule::Import,
        "A source is left out that was left out before.",
        &with(&world.coordinator, Body::MeasuresImported(gone)),
    );
    let executor = Author::new(10);
    let praise = measured(2, 3, &key)
        .into_iter()
        .find(|import| {
            let keys = import.open_keys();
            keys.iter()
                .any(|key| key.ends_with(executor.key().as_bytes()))
        })
        .unwrap();
    check_fault(
        "replay-51-author",
        Rule::Import,
        "A peer takes in what was measured of itself.",
        &with(&executor, Body::MeasuresImported(praise)),
    );
    let own = measured(1, 1, &executor.key()).remove(0);
    check_fault(
        "replay-51-own",
        Rule::Import,
        "A peer takes its own log for a source.",
        &with(&world.coordinator, Body::MeasuresImported(own)),
    );
    let Body::Settlement(mut settlement) = world.until_voted().coordinator.decision() else {
        panic!("a settlement");
    };
    settlement.state_root = Digest::ZERO;
    check_fault(
        "replay-42-beside-sources",
        Rule::StateRoot,
        "A wrong state root, beside a source.",
        &with(&world.coordinator, Body::Settlement(settlement)),
    );
}
