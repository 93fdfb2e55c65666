//! Honest peers that wander through everything the rules allow: late bids, silence, disagreement, restarts.

use symphony_protocol::{
    records::{Body, Policy},
    state::{Duty, Progress},
};

use crate::kit::{Order, World};

/// An honest world after so many choices; each byte decides what happens next.
pub(crate) fn wander(policy: Policy, choices: &[u8]) -> World {
    let mut world = World::new(4, policy);
    for choice in choices {
        step(&mut world, *choice);
    }
    world
}

fn step(world: &mut World, choice: u8) {
    match world.coordinator.replay.state().duty() {
        Some(Duty::Assign(..)) => {
            world.assign();
            return;
        }
        Some(_) => {
            world.coordinator.decide();
            return;
        }
        None => {}
    }
    if let Some(due) = world.coordinator.replay.state().next_due()
        && (due.time_ms <= world.coordinator.time_ms || choice.is_multiple_of(9))
    {
        world.pass(due.time_ms.saturating_sub(world.coordinator.time_ms));
        world.coordinator.push(Body::Timeout(due.timeout()));
        return;
    }
    if choice.is_multiple_of(31) {
        world.coordinator.push(Body::Resumed);
        return;
    }
    go_on(world, choice);
    world.pass(u64::from(choice % 40));
}

fn go_on(world: &mut World, choice: u8) {
    let state = world.coordinator.replay.state();
    let open = world
        .beacon
        .as_ref()
        .and_then(|beacon| state.step(beacon.record.origin.index))
        .cloned();
    let Some(step) = open else {
        if let Some(task) = state.task(world.task)
            && task.plans[0].steps_done > 0
        {
            let done = task.plans[0].steps_done;
            world.announce(done);
        } else {
            world.open(1 + u32::from(choice % 2)).announce(0);
        }
        return;
    };
    let answer = if choice.is_multiple_of(3) {
        "False"
    } else {
        "True"
    };
    if !step.closed {
        let waiting: Vec<usize> = (0..world.executors.len())
            .filter(|executor| {
                let key = world.executors[*executor].key();
                step.bids.iter().all(|bid| bid.peer != key)
            })
            .collect();
        let bidder = waiting[usize::from(choice) % waiting.len()];
        world.take_bid(bidder);
        return;
    }
    let of = |wanted: fn(&Progress) -> bool| -> Option<Order> {
        world
            .orders
            .iter()
            .find(|order| wanted(&step.selections[order.slot as usize].progress))
            .cloned()
    };
    if let Some(order) = of(|progress| matches!(progress, Progress::Assigned)) {
        let receipt = world.receipt(&order, answer);
        world.coordinator.push(Body::ReceiptReceived(receipt));
    } else if let Some(order) = of(|progress| matches!(progress, Progress::Answered(_))) {
        // What was committed is what is opened: try both.
        let key = &world.executors[order.executor].key();
        let Progress::Answered(ballot) = step.selections[order.slot as usize].progress else {
            return;
        };
        let said = ["True", "False"]
            .into_iter()
            .find(|answer| world.reveal_record(&order, answer).commitment(key) == ballot)
            .expect("one of the two was committed");
        world.take_reveal(&order, said);
    }
}
