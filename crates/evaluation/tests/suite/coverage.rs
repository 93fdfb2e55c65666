//! Intervals leave the truth out no more often than they say, at any time; estimates are as biased as they say.

use crate::world::{Chooser, Run, WORLDS, World};

/// Nominal share of runs in which an interval may ever leave the truth out.
const ALPHA: f64 = 0.05;
const RUNS: u64 = 1_000;
/// Votes of a run.
const VOTES: u64 = 200;

fn runs(world: World, count: u64) -> impl Iterator<Item = Run> {
    (1..=count).map(move |seed| world.run(seed, ALPHA))
}

/// The example `coverage` does the same with 1,000 votes.
fn cover_the_truth_at_every_vote_as_often_as_they_say(world: World) {
    let world = World { votes: 60, ..world };
    let (mut by_weight, mut by_model) = (0, 0);
    for run in runs(world, RUNS) {
        by_weight += u64::from(run.missed.0);
        by_model += u64::from(run.missed.1);
    }
    assert!(
        by_weight <= RUNS / 20 && by_model <= RUNS / 20,
        "{}: {by_weight} and {by_model} of {RUNS} runs missed",
        world.name
    );
}

#[test]
fn intervals_of_a_uniform_log_cover_the_truth() {
    cover_the_truth_at_every_vote_as_often_as_they_say(WORLDS[0]);
}

#[test]
fn intervals_of_an_adaptive_log_cover_a_target_that_learns() {
    cover_the_truth_at_every_vote_as_often_as_they_say(WORLDS[1]);
}

#[test]
fn intervals_of_an_adaptive_log_cover_a_uniform_target() {
    cover_the_truth_at_every_vote_as_often_as_they_say(WORLDS[2]);
}

#[test]
fn intervals_of_three_picks_cover_a_target_with_chance() {
    cover_the_truth_at_every_vote_as_often_as_they_say(WORLDS[3]);
}

#[test]
fn intervals_of_three_picks_and_an_adaptive_log_cover_a_target_that_learns() {
    cover_the_truth_at_every_vote_as_often_as_they_say(WORLDS[4]);
}

#[test]
fn intervals_are_narrow_enough_to_tell_policies_apart() {
    let world = World {
        votes: 4_000,
        ..WORLDS[0]
    };
    for run in runs(world, 20) {
        let estimate = run.estimate.estimate(ALPHA).expect("votes");
        assert!(
            estimate.doubly_robust_interval.low > run.logged,
            "the target's advantage is seen: {estimate:?}, truth {}",
            run.truth
        );
    }
}

#[test]
fn forged_propensities_are_noticed_by_this_test() {
    let world = World {
        logged: Chooser::EpsilonGreedy(0.1),
        target: Chooser::Uniform,
        forged: true,
        ..WORLDS[0]
    };
    let missed = runs(world, 50).filter(|run| run.missed.0).count();
    assert!(missed > 45, "{missed} of 50");
}

#[test]
fn ips_and_doubly_robust_are_unbiased_and_snips_nearly() {
    for world in WORLDS {
        let world = World {
            votes: VOTES,
            ..world
        };
        let mut errors = [Vec::new(), Vec::new(), Vec::new()];
        for run in runs(world, 200) {
            let estimate = run.estimate.estimate(ALPHA).expect("votes");
            errors[0].push(estimate.ips - run.truth);
            errors[1].push(estimate.doubly_robust - run.truth);
            errors[2].push(estimate.snips.unwrap_or(estimate.ips) - run.truth);
        }
        let [ips, doubly_robust, snips] = errors.map(|errors| mean_and_deviation(&errors));
        let bound = |deviation: f64| 4.0 * deviation / 200.0f64.sqrt();
        assert!(ips.0.abs() < bound(ips.1), "{}: IPS {ips:?}", world.name);
        assert!(
            doubly_robust.0.abs() < bound(doubly_robust.1),
            "{}: doubly robust {doubly_robust:?}",
            world.name
        );
        assert!(
            snips.0.abs() < bound(snips.1) + 0.01,
            "{}: SNIPS {snips:?}",
            world.name
        );
        assert!(snips.1 < ips.1, "{}: SNIPS is steadier", world.name);
    }
}

fn mean_and_deviation(numbers: &[f64]) -> (f64, f64) {
    let count = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let squares: f64 = numbers
        .iter()
        .map(|number| (number - mean) * (number - mean))
        .sum();
    (mean, (squares / count).sqrt())
}
