//! Each rule, broken once in an otherwise sound and soundly chained log: replay names the rule, the entry, what the rules give
//! and what stands there. Spec: REPLAY-20 to REPLAY-49.
#![allow(clippy::unwrap_used, reason = "tests")]

mod bids;
mod capabilities;
mod chain;
mod chance;
mod choice;
mod execution;
mod histories;
#[path = "../kit/mod.rs"]
mod kit;
mod no_fault;
mod reveals;
mod settlement;
mod turn;

use kit::World;
use symphony_protocol::{Fault, records::Body};

/// What the coordinator's next entry, this one, is at fault for.
#[track_caller]
pub(crate) fn refused(world: &mut World, body: Body) -> Fault {
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
pub(crate) fn found(world: &mut World, body: Body, executor: usize) -> Fault {
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

pub(crate) fn settlement(world: &mut World) -> symphony_protocol::records::Settlement {
    let Body::Settlement(settlement) = world.coordinator.decision() else {
        panic!("a settlement")
    };
    settlement
}
