//! The short form of `./x experiments`: every experiment with few seeds, and what must hold however many there are.

use symphony_protocol::records::Policy;
use symphony_simulation::experiments::{
    Arm, Course, Delay, Experiment, Request, Shock, Signing, Simulated, TrialOptions, produce,
    run_trial,
};

fn request(experiments: &[Experiment], workers: usize) -> Request {
    Request {
        experiments: experiments.to_vec(),
        scaling: false,
        plans: true,
        first_seed: 7,
        seeds: 2,
        workers,
        shorter: 20,
        origin: "A test.".to_owned(),
    }
}

fn quiet(_: &str, _: usize, _: usize) {}

#[test]
fn every_experiment_makes_its_files_and_the_same_seed_the_same_bytes() {
    let some = [
        Experiment::Delay,
        Experiment::Join,
        Experiment::Failures,
        Experiment::Liars,
        Experiment::Executors,
        Experiment::Regret,
    ];
    let once = produce(&request(&some, 1), &quiet).expect("runs");
    let again = produce(&request(&some, 2), &quiet).expect("runs on two cores");
    assert_eq!(once, again);
    for experiment in some {
        for ending in ["svg", "csv", "json"] {
            let name = format!("{}.{ending}", experiment.name());
            assert!(once.iter().any(|file| file.name == name), "{name}");
        }
    }
    assert!(once.iter().any(|file| file.name == "plans.csv"));
    let report = once.iter().find(|file| file.name == "report.md");
    let report = &report.expect("a report").content;
    assert!(report.contains("equal choices, equal state roots"));
    assert!(!report.contains("unequal"));
}

#[test]
fn signed_and_unsigned_executors_lead_to_equal_states() {
    let course = Course {
        rounds: 60,
        ..Course::exp1()
    };
    let arm = Arm::network("shared", Policy::shared());
    let run = |signing| {
        let options = TrialOptions {
            signing,
            ..TrialOptions::standard().expect("standard parameters")
        };
        run_trial(&course, &arm, &options, 3).expect("runs")
    };
    let (signed, unsigned) = (run(Signing::Signed), run(Signing::Unsigned));
    assert!(signed.state_root.is_some());
    assert_eq!(signed.state_root, unsigned.state_root);
    assert_eq!(signed.success, unsigned.success);
    assert_eq!(signed.picks, unsigned.picks);
}

#[test]
fn arms_meet_the_same_chance_and_the_oracle_answers_most() {
    let options = TrialOptions::standard().expect("standard parameters");
    let course = Course::exp2(Shock::Degraded);
    let share = |arm: &Arm| {
        let trials = (1..=5).map(|seed| run_trial(&course, arm, &options, seed).expect("runs"));
        trials.map(|trial| trial.share(0..1000)).sum::<f64>() / 5.0
    };
    let oracle = share(&Arm::Simulated(Simulated::Oracle));
    let shared = share(&Arm::network("shared", Policy::shared()));
    let random = share(&Arm::Simulated(Simulated::RandomTop));
    assert!(
        oracle > shared && shared > random,
        "{oracle} {shared} {random}"
    );
}

#[test]
fn the_parts_of_regret_are_not_negative_and_a_late_reward_changes_choices() {
    let options = TrialOptions::standard().expect("standard parameters");
    let arm = Arm::network("shared", Policy::shared());
    let course = |delay| Course {
        rounds: 300,
        delay,
        ..Course::exp2(Shock::Degraded)
    };
    let now = run_trial(&course(Delay::None), &arm, &options, 5).expect("runs");
    for (selector, whole) in now.selector_regret.iter().zip(&now.total_regret) {
        assert!(*selector >= 0.0 && whole >= selector);
    }
    let late = run_trial(&course(Delay::Fixed(50)), &arm, &options, 5).expect("runs");
    assert_ne!(now.picks, late.picks);
}
