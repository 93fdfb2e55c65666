//! Whole networks in which planners plan, clients give up, and time runs out. Spec: PLAN-2, PLAN-3.

use symphony_coordination::TaskSettings;
use symphony_protocol::records::Reach;
use symphony_simulation::{Links, Report, Scenario, TaskOutcome, Troubles, Workers, run};

fn planned(seed: u64, reach: Reach) -> Scenario {
    Scenario {
        seed,
        tasks: 20,
        settings: TaskSettings {
            planners: 2,
            reach,
            ..Scenario::default().settings
        },
        workers: Workers {
            planner_every: 3,
            ..Workers::default()
        },
        ..Scenario::default()
    }
}

fn run_checked(scenario: &Scenario) -> Report {
    let report = run(scenario).expect("a scenario that can be set up");
    assert_eq!(report.faults, [], "no honest peer is at fault");
    assert_eq!(report.violations, [""; 0], "nothing is lost");
    for peer in &report.peers {
        assert_eq!(peer.state_root, peer.replayed_root);
        assert_eq!(peer.open_steps, 0);
        assert_eq!(peer.counters.tasks, peer.counters.tasks_decided);
    }
    println!(
        "{} planned; tasks right {} wrong {} unanswered {} refused {} lost {}",
        report.planned,
        report.count(TaskOutcome::Right),
        report.count(TaskOutcome::Wrong),
        report.count(TaskOutcome::Unanswered),
        report.count(TaskOutcome::Refused),
        report.count(TaskOutcome::Lost),
    );
    report
}

#[test]
fn plan_2_planners_are_found_by_beacons_of_both_kinds() {
    for reach in [Reach::Directed, Reach::Gossip] {
        let scenario = planned(7, reach);
        let report = run_checked(&scenario);
        // Two planners of four, of which one gives no plan in a hundred.
        assert!(report.planned >= 18, "{reach:?}: {}", report.planned);
        // A planning task and a task of two plans of two steps.
        let opened: u64 = report.peers.iter().map(|peer| peer.counters.tasks).sum();
        assert_eq!(opened, 2 * u64::from(scenario.tasks));
        assert!(report.count(TaskOutcome::Right) >= 12);
    }
}

#[test]
fn plan_2_without_planners_every_question_is_asked_as_it_is() {
    let mut scenario = planned(8, Reach::Directed);
    scenario.workers.planner_every = 0;
    let report = run_checked(&scenario);
    assert_eq!(report.planned, 0);
    assert_eq!(report, run(&scenario).expect("the same again"));
    // Twenty tasks of one network say little of the vote: 7 to 18 are right, by seed. So ten networks.
    let right: usize = (1..=10)
        .map(|seed| {
            let scenario = Scenario {
                seed,
                ..scenario.clone()
            };
            run_checked(&scenario).count(TaskOutcome::Right)
        })
        .sum();
    assert!(right >= 10 * 12, "{right} of 200");
}

#[test]
fn plan_2_planning_survives_crashes_and_garbage() {
    let mut scenario = planned(9, Reach::Directed);
    scenario.links = Links {
        loss_ppm: 20_000,
        duplicate_ppm: 50_000,
        ..scenario.links
    };
    scenario.troubles = Troubles {
        crashes: 10,
        boundary_crash_ppm: 2_000,
        ..Troubles::default()
    };
    scenario.workers = Workers {
        failed_ppm: 100_000,
        unparsable_ppm: 300_000,
        hanging_ppm: 50_000,
        ..scenario.workers
    };
    let report = run_checked(&scenario);
    assert!(report.planned > 0);
}

#[test]
fn plan_3_a_task_whose_time_is_over_is_decided_without_voids() {
    let mut scenario = planned(10, Reach::Directed);
    scenario.settings.planners = 0;
    scenario.plan_steps = vec![8, 1];
    scenario.settings.task_ms = Some(600);
    let report = run_checked(&scenario);
    let void: u64 = report
        .peers
        .iter()
        .map(|peer| peer.counters.void_settlements)
        .sum();
    assert_eq!(void, 0, "what was begun counts");
    // The short plan ends in time, the long one does not.
    assert!(report.count(TaskOutcome::Right) >= 10);
}
