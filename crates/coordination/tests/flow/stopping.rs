//! Tasks that are given up, and tasks whose time is over.

use symphony_coordination::{Event, StoppedBy, TaskEvent, TaskSettings};
use symphony_protocol::records::{Body, OutcomeClass};

use crate::world::{Model, World, settings, task};

const SUMS: &[&str] = &["sums"];

fn stopped(world: &World) -> Vec<StoppedBy> {
    world
        .told
        .iter()
        .filter_map(|event| match event {
            TaskEvent::Stopped { by } => Some(*by),
            _ => None,
        })
        .collect()
}

/// How many peers each beacon of the log asks.
fn asked(world: &World) -> Vec<usize> {
    world
        .log
        .iter()
        .filter_map(|body| match body {
            Body::BeaconIssued(issued) => Some(issued.record.asked.len()),
            _ => None,
        })
        .collect()
}

#[test]
fn plan_3_what_was_begun_is_settled_and_nothing_more_is_begun() {
    let mut world = World::new(&[(SUMS, Model::Hangs), (SUMS, Model::Hangs)]);
    world.submit(task(&["2 + 3", "4 + 5"], settings()));
    world.happen(Event::Cancel { request: 1 });
    world.happen(Event::Cancel { request: 1 });
    world.happen(Event::Cancel { request: 9 });
    assert_eq!(stopped(&world), [StoppedBy::Client]);
    assert_eq!(world.decided(), None, "an executor is at work");
    world.change(1, Model::Says("Answer: 5"));
    world.change(2, Model::Says("Answer: 5"));
    world.pass(400);
    world.pass(1);
    assert_eq!(world.decided(), Some(None), "{:?}", world.told);
    assert_eq!(asked(&world), [2, 0]);
    let classes: Vec<OutcomeClass> = world
        .log
        .iter()
        .filter_map(|body| match body {
            Body::Settlement(settlement) => Some(settlement),
            _ => None,
        })
        .flat_map(|settlement| settlement.outcomes.iter().map(|outcome| outcome.class))
        .collect();
    assert_eq!(
        classes,
        [OutcomeClass::Timeout, OutcomeClass::Valid],
        "what was begun counts, and is replaced"
    );
    world.assert_at_rest();
}

#[test]
fn plan_3_a_task_that_is_given_up_while_it_is_planned_is_not_opened() {
    const BOTH: &[&str] = &["plan", "sums"];
    let mut world = World::new(&[(BOTH, Model::Hangs)]);
    let planners = TaskSettings {
        planners: 1,
        ..settings()
    };
    world.submit(task(&["2 + 3"], planners));
    world.happen(Event::Cancel { request: 1 });
    world.pass(400);
    assert_eq!(world.decided(), Some(None));
    assert_eq!(world.count("task_opened"), 1);
    world.assert_at_rest();
}

#[test]
fn plan_3_no_step_is_begun_when_the_time_is_over() {
    let mut world = World::new(&[(SUMS, Model::Hangs), (SUMS, Model::Says("Answer: 5"))]);
    let hurried = TaskSettings {
        executors: 2,
        shortlist: 2,
        task_ms: Some(300),
        ..settings()
    };
    world.submit(task(&["2 + 3", "4 + 5"], hurried));
    let beacon = world.log.iter().find_map(|body| match body {
        Body::BeaconIssued(issued) => Some(&issued.record),
        _ => None,
    });
    let beacon = beacon.expect("a beacon");
    // 200 ms for bids, and what is left of 300 ms for executions.
    assert_eq!(beacon.execute_ms, 100);
    assert_eq!(beacon.close_deadline_ms, world.now_ms + 200);
    world.pass(100);
    assert_eq!(stopped(&world), []);
    assert_eq!(asked(&world), [2, 2], "the answer of one is enough");
    world.pass(200);
    world.pass(200);
    world.pass(200);
    assert_eq!(world.decided(), Some(Some("5")), "{:?}", world.told);
    world.assert_at_rest();
    // The same, when the first step takes it all.
    let mut world = World::new(&[(SUMS, Model::Hangs), (SUMS, Model::Says("Answer: 5"))]);
    world.submit(task(&["2 + 3", "4 + 5"], hurried));
    world.pass(300);
    world.pass(1);
    assert_eq!(stopped(&world), [StoppedBy::Deadline]);
    assert_eq!(asked(&world), [2, 0]);
    assert_eq!(world.decided(), Some(None), "{:?}", world.told);
    world.assert_at_rest();
}
