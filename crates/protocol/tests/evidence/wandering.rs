//! Honest peers that wander through what the rules allow: several tasks at once, silence, disagreement, restarts.

use symphony_protocol::{
    records::{Beacon, Bid, Body, Policy, Received},
    state::{Duty, Progress},
};

use crate::kit::{Order, World};

/// A task that waits while another goes on.
#[derive(Default)]
struct Parked {
    task: u64,
    beacon: Option<Received<Beacon>>,
    bids: Vec<Received<Bid>>,
    orders: Vec<Order>,
}

/// Tasks side by side.
const TASKS: usize = 3;

/// An honest world after so many choices; each byte decides what happens next.
pub(crate) fn wander(policy: Policy, choices: &[u8]) -> World {
    let mut world = World::new(4, policy);
    let mut parked: Vec<Parked> = (1..TASKS).map(|_| Parked::default()).collect();
    for choice in choices {
        if let Some(Duty::Assign(beacon, _)) = world.coordinator.replay.state().duty() {
            for task in &mut parked {
                if !holds(&world, beacon) {
                    exchange(&mut world, task);
                }
            }
        } else if choice % 4 == 1 {
            exchange(
                &mut world,
                &mut parked[usize::from(choice / 4) % (TASKS - 1)],
            );
        }
        step(&mut world, *choice);
    }
    world
}

fn holds(world: &World, beacon: u64) -> bool {
    world
        .beacon
        .as_ref()
        .is_some_and(|held| held.record.origin.index == beacon)
}

fn exchange(world: &mut World, parked: &mut Parked) {
    std::mem::swap(&mut world.task, &mut parked.task);
    std::mem::swap(&mut world.beacon, &mut parked.beacon);
    std::mem::swap(&mut world.bids, &mut parked.bids);
    std::mem::swap(&mut world.orders, &mut parked.orders);
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

#[test]
fn wandering_peers_get_everywhere() {
    let mut number = 1_u32;
    let choices: Vec<u8> = (0..1_500)
        .map(|_| {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            number.to_be_bytes()[0]
        })
        .collect();
    let world = wander(Policy::shared(), &choices);
    let state = world.coordinator.replay.state();
    let counters = state.counters();
    assert!(counters.settlements > 50, "{counters:?}");
    assert!(counters.void_settlements > 3, "{counters:?}");
    assert!(counters.timeouts > 3, "{counters:?}");
    assert!(counters.tasks_decided > 20, "{counters:?}");
    let fewest = world.executors.iter().map(|executor| executor.size()).min();
    assert!(fewest > Some(50), "every executor works");
}
