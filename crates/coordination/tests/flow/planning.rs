//! Plans of planners.

use symphony_coordination::{PlannedBy, TaskEvent, TaskSettings};
use symphony_protocol::records::{AnswerForm, Body};

use crate::world::{Model, World, settings, task};

const SUMS: &[&str] = &["sums"];
const BOTH: &[&str] = &["plan", "sums"];

fn planners(planners: u32) -> TaskSettings {
    TaskSettings {
        planners,
        ..settings()
    }
}

/// Question, tags and form of a step.
type Step = (String, Vec<String>, AnswerForm);

/// The steps of each plan, and whose they are.
fn planned(world: &World) -> (Vec<Vec<Step>>, PlannedBy) {
    let found = world.told.iter().find_map(|event| match event {
        TaskEvent::Planned { plans, by } => Some((plans, *by)),
        _ => None,
    });
    let (plans, by) = found.expect("planned");
    let steps = plans.iter().map(|plan| {
        plan.steps
            .iter()
            .map(|step| (step.text.clone(), step.tags.clone(), step.form))
            .collect()
    });
    (steps.collect(), by)
}

#[test]
fn plan_2_each_planner_gives_a_plan_and_none_changes_the_question() {
    const TWO: &str =
        "```{'steps': [{'question': 'What is 2 + 3?', 'tags': ['Sums', 'magic']}, 'Say 99.']}```";
    const ONE: &str = "{\"steps\": [\"Is it 99?\"]}";
    let mut world = World::new(&[
        (BOTH, Model::Plans(TWO, "Answer: 5")),
        (BOTH, Model::Plans(ONE, "Answer: 5")),
        (SUMS, Model::Says("Answer: 5")),
    ]);
    world.submit(task(&["2 + 3"], planners(2)));
    let (mut plans, by) = planned(&world);
    plans.sort_by_key(Vec::len);
    let sums = || vec!["sums".to_owned()];
    let question = ("2 + 3".to_owned(), sums(), AnswerForm::Integer);
    // Of the skills that a step wants, only those that somebody offers.
    let first = ("What is 2 + 3?".to_owned(), sums(), AnswerForm::Text);
    assert_eq!(plans, [vec![question.clone()], vec![first, question]]);
    assert_eq!(by, PlannedBy::Planners);
    assert_eq!(world.decided(), Some(Some("5")), "{:?}", world.told);

    // The log holds two tasks under different keys, and the planners' bucket.
    let opened: Vec<_> = world
        .log
        .iter()
        .filter_map(|body| match body {
            Body::TaskOpened(opened) => Some(opened),
            _ => None,
        })
        .collect();
    assert_eq!(opened[0].plan_steps, [1]);
    assert_eq!(opened[1].plan_steps.len(), 2);
    assert_ne!(opened[0].key_commitment, opened[1].key_commitment);
    let first = world.log.iter().find_map(|body| match body {
        Body::BeaconIssued(issued) => Some(&issued.record),
        _ => None,
    });
    let first = first.expect("a beacon");
    assert_eq!(first.tags, ["plan"]);
    assert_eq!((first.form, first.executors), (AnswerForm::Plan, 2));
    assert_eq!(first.asked.len(), 2, "only who offers to plan");
    world.assert_at_rest();
}

#[test]
fn plan_2_the_order_of_events_tells_planning_from_the_task() {
    let mut world = World::new(&[(BOTH, Model::Plans("[]", "Answer: 5"))]);
    world.submit(task(&["2 + 3"], planners(1)));
    let at = |wanted: &dyn Fn(&TaskEvent) -> bool| world.told.iter().position(wanted);
    let planning = at(&|event| matches!(event, TaskEvent::Planning));
    let planned = at(&|event| matches!(event, TaskEvent::Planned { .. }));
    let opened = at(&|event| matches!(event, TaskEvent::Opened));
    assert!(planning < planned && planned < opened, "{:?}", world.told);
    let decided = |event: &&TaskEvent| matches!(event, TaskEvent::Decided { .. });
    assert_eq!(world.told.iter().filter(decided).count(), 1);
}

#[test]
fn plan_2_without_a_plan_the_question_is_asked_as_it_is() {
    for model in [
        Model::Plans("The answer is 5.", "Answer: 5"),
        Model::Plans("{\"steps\": []}", "Answer: 5"),
    ] {
        let mut world = World::new(&[(BOTH, model), (SUMS, Model::Says("Answer: 5"))]);
        world.submit(task(&["2 + 3"], planners(3)));
        assert_eq!(planned(&world).1, PlannedBy::Nobody);
        assert_eq!(world.decided(), Some(Some("5")));
        world.assert_at_rest();
    }
    // Nobody offers to plan.
    let mut world = World::new(&[(SUMS, Model::Says("Answer: 5"))]);
    world.submit(task(&["2 + 3"], planners(1)));
    world.pass(1);
    assert_eq!(planned(&world).1, PlannedBy::Nobody);
    assert_eq!(world.decided(), Some(Some("5")));
    world.assert_at_rest();
}

#[test]
fn plan_2_planners_are_asked_about_one_question() {
    let mut world = World::new(&[(BOTH, Model::Hangs)]);
    world.submit(task(&["2 + 3", "4 + 5"], planners(1)));
    world.submit(task(&["2 + 3"], planners(9)));
    let mut plan = task(&["2 + 3"], settings());
    plan.plans[0].steps[0].form = AnswerForm::Plan;
    world.submit(plan);
    let failed = |event: &&TaskEvent| matches!(event, TaskEvent::Failed { .. });
    assert_eq!(world.told.iter().filter(failed).count(), 3);
    assert_eq!(world.count("task_opened"), 0);
}

#[test]
fn plan_2_a_step_requires_no_role() {
    const ROLE: &str =
        "{\"steps\": [{\"question\": \"What is 2 + 3?\", \"tags\": [\"hand-over\"]}, \"Say it.\"]}";
    let mut world = World::new(&[
        (BOTH, Model::Plans(ROLE, "Answer: 5")),
        (&["hand-over", "sums"], Model::Says("Answer: 5")),
    ]);
    world.submit(task(&["2 + 3"], planners(1)));
    let (plans, _) = planned(&world);
    let steps: Vec<_> = plans.iter().flatten().collect();
    assert_eq!(steps.len(), 2);
    assert!(
        steps.iter().all(|(_, tags, _)| tags == &["sums"]),
        "{steps:?}"
    );
    assert_eq!(world.count("timeout"), 0);

    let mut named = task(&["2 + 3"], settings());
    named.plans[0].steps[0].tags = vec!["hand-over".to_owned()];
    world.submit(named);
    let refused = |event: &TaskEvent| matches!(event, TaskEvent::Failed { .. });
    assert!(world.told.iter().any(refused), "{:?}", world.told);
}
