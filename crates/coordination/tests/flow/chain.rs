//! Plans that are handed over from executor to executor.

use symphony_coordination::{Chaining, PlannedBy, TaskEvent, TaskSettings};
use symphony_protocol::records::Body;

use crate::world::{Model, World, settings, task};

const LINK: &[&str] = &["hand-over", "sums"];
const SUMS: &[&str] = &["sums"];
const MODEL: Model = Model::Steps("Answer: 5", "Answer: 14");

fn handed_over() -> TaskSettings {
    TaskSettings {
        chaining: Chaining::HandedOver,
        execute_ms: 8_000,
        ..settings()
    }
}

/// Whoever holds an earlier link is asked, and silent: each later link waits for its whole bid window.
fn wait_for_silent_bidders(world: &mut World) {
    for _ in 0..4 {
        world.pass(500);
    }
}

/// Tasks that were opened in each log.
fn opened(world: &World) -> Vec<u64> {
    let counts = world.peers.iter().map(|peer| peer.state().counters().tasks);
    counts.collect()
}

#[test]
fn plan_4_each_executor_coordinates_the_next_step_in_its_own_log() {
    let mut world = World::new(&[(LINK, MODEL), (LINK, MODEL), (LINK, MODEL), (SUMS, MODEL)]);
    world.submit(task(&["2 + 3", "4 + 5", "5 + 9"], handed_over()));
    wait_for_silent_bidders(&mut world);
    assert_eq!(world.decided(), Some(Some("14")), "{:?}", world.told);
    let mut tasks = opened(&world);
    assert_eq!(tasks[0], 1, "one step for its coordinator");
    tasks.sort_unstable();
    assert_eq!(
        tasks,
        [0, 0, 1, 1, 1],
        "and one task for each link but the last"
    );
    let beacon = world.log.iter().find_map(|body| match body {
        Body::BeaconIssued(issued) => Some(&issued.record),
        _ => None,
    });
    assert_eq!(beacon.expect("a beacon").tags, LINK);
    for peer in &world.peers {
        assert_eq!(peer.state().open_steps().count(), 0);
        assert_eq!(peer.load(), 0, "nobody is held");
    }
    world.assert_at_rest();
}

#[test]
fn plan_4_several_chains_are_voted_on_as_executors_are() {
    let mut world = World::new(&[(LINK, MODEL); 4]);
    let two = TaskSettings {
        executors: 2,
        ..handed_over()
    };
    world.submit(task(&["2 + 3", "5 + 9"], two));
    wait_for_silent_bidders(&mut world);
    let supporters = world.log.iter().find_map(|body| match body {
        Body::Settlement(settlement) => Some(settlement.supporters),
        _ => None,
    });
    assert_eq!(world.decided(), Some(Some("14")), "{:?}", world.told);
    assert_eq!(supporters, Some(2));
}

#[test]
fn plan_4_a_broken_link_fails_the_order_above_and_is_dispatched_again() {
    // A third link is found by nobody: everybody who hands on is busy with the first two.
    let mut world = World::new(&[(LINK, MODEL), (LINK, MODEL)]);
    world.submit(task(&["2 + 3", "4 + 5", "5 + 9"], handed_over()));
    for _ in 0..40 {
        world.pass(1_000);
    }
    assert_eq!(world.decided(), Some(None), "{:?}", world.told);
    assert_eq!(world.count("replacement"), 1);
    for peer in &world.peers {
        assert_eq!(peer.state().open_steps().count(), 0);
        assert_eq!(peer.load(), 0, "nobody is held");
    }
    world.assert_at_rest();
    // Whoever does not offer it is never asked.
    let mut world = World::new(&[(SUMS, MODEL)]);
    world.submit(task(&["2 + 3", "5 + 9"], handed_over()));
    world.pass(1);
    assert_eq!(world.decided(), Some(None));
    assert_eq!(world.count("bid_received"), 0);
}

#[test]
fn plan_4_plans_of_planners_are_handed_over_too() {
    const PLAN: &str = "{\"steps\": [\"What is 2 + 3?\", \"And then?\"]}";
    let planner: &[&str] = &["hand-over", "plan", "sums"];
    let mut world = World::new(&[
        (planner, Model::Plans(PLAN, "Answer: 14")),
        (LINK, Model::Steps("Answer: 5", "Answer: 14")),
    ]);
    let planned = TaskSettings {
        planners: 1,
        ..handed_over()
    };
    world.submit(task(&["2 + 3 + 9"], planned));
    let by = world.told.iter().find_map(|event| match event {
        TaskEvent::Planned { by, .. } => Some(*by),
        _ => None,
    });
    assert_eq!(by, Some(PlannedBy::Planners));
    assert_eq!(world.decided(), Some(Some("14")), "{:?}", world.told);
}
