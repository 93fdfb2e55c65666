//! The short form of `./x experiments`: every experiment with few seeds, and what must hold however many there are.

use symphony_protocol::records::Policy;
use symphony_simulation::experiments::{
    Arm, Course, Delay, Experiment, Request, Section, Shock, Signing, Simulated, TrialOptions,
    produce, run_trial,
};

fn request(sections: &[Section], workers: usize) -> Request {
    Request {
        sections: sections.to_vec(),
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
    let mut sections = some.map(Section::Experiment).to_vec();
    sections.extend([Section::OffPolicy, Section::Plans]);
    let once = produce(&request(&sections, 1), &quiet).expect("runs");
    let again = produce(&request(&sections, 2), &quiet).expect("runs on two cores");
    assert_eq!(once, again);
    for experiment in some {
        for ending in ["svg", "png", "csv", "json"] {
            let name = format!("{}.{ending}", experiment.name());
            assert!(once.iter().any(|file| file.name == name), "{name}");
        }
    }
    for name in ["plans.csv", "offpolicy.csv", "offpolicy.png"] {
        assert!(once.iter().any(|file| file.name == name), "{name}");
    }
    let report = once.iter().find(|file| file.name == "report.md");
    let report = report.and_then(|file| file.as_text()).expect("a report");
    assert!(report.contains("equal choices, equal state roots"));
    assert!(!report.contains("unequal"));
}

#[test]
fn a_part_is_found_by_its_name_and_the_timed_one_comes_last() {
    let all = Section::all();
    for section in &all {
        assert_eq!(Section::from_name(section.name()), Some(*section));
    }
    assert_eq!(Section::from_name("exp4"), None);
    assert_eq!(all.last(), Some(&Section::Scaling));
}

#[test]
fn who_knows_the_world_answers_more_or_pays_less_as_it_is_told_to() {
    let options = TrialOptions::standard().expect("standard parameters");
    let figures = |price, latency| {
        let arm = Arm::Simulated(Simulated::WeighingOracle { price, latency });
        let trial = run_trial(&Course::exp1(), &arm, &options, 3).expect("runs");
        let metrics = trial.metrics();
        (trial.share(0..2000), metrics["cost"], metrics["latency ms"])
    };
    let (best, cheap, quick) = (figures(0, 0), figures(100, 0), figures(0, 100));
    let oracle = run_trial(
        &Course::exp1(),
        &Arm::Simulated(Simulated::Oracle),
        &options,
        3,
    )
    .expect("runs");
    assert_eq!(best.0, oracle.share(0..2000));
    assert!(cheap.1 < 0.5 * best.1, "{cheap:?} {best:?}");
    assert!(quick.2 < 0.7 * best.2, "{quick:?} {best:?}");
}

#[test]
fn regret_in_reward_is_against_the_reward_that_is_asked_for() {
    let options = TrialOptions::standard().expect("standard parameters");
    let course = Course {
        rounds: 300,
        ..Course::exp2(Shock::Degraded)
    };
    let run = |rule| run_trial(&course, &Arm::Simulated(rule), &options, 3).expect("runs");
    // Who follows the default's reward loses none of it, but successes; who seeks successes alone, the other way round.
    let (reward, success) = (run(Simulated::RewardOracle), run(Simulated::Oracle));
    let sum = |values: &[f64]| values.iter().sum::<f64>();
    assert_eq!(sum(&reward.reward_regret), 0.0);
    assert!(sum(&reward.selector_regret) > 1.0);
    assert_eq!(sum(&success.selector_regret), 0.0);
    assert!(sum(&success.reward_regret) > 1.0);
}

#[test]
fn signed_and_unsigned_runs_lead_to_equal_states() {
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
