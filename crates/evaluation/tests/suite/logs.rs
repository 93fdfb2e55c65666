//! Counterfactual choices and values over logs of whole simulated networks.

use symphony_evaluation::{Compared, Counterfactual, Learning, Refusal};
use symphony_protocol::policy::{PolicyKind, PolicyParameters};
use symphony_protocol::records::{Body, Entry, Policy};
use symphony_protocol::replay::Replay;
use symphony_simulation::{Scenario, Simulation};

const LEARNINGS: [Learning; 2] = [Learning::WhereItCoincides, Learning::FromTheLog];
const ALPHA: f64 = 0.05;

/// The log with the most entries of a network, with loss, time-outs and restarts as in the scenario's defaults.
fn log_of(kind: PolicyKind, executors: u32) -> Vec<Vec<u8>> {
    let mut scenario = Scenario {
        peers: 6,
        // Enough for every claim here; a simulated network is the slowest part of these tests.
        tasks: 30,
        ..Scenario::default()
    };
    let parameters = PolicyParameters {
        kind,
        epsilon_ppm: u32::from(kind == PolicyKind::EpsilonGreedy) * 400_000,
        ..scenario.policy.parameters
    };
    scenario.policy = Policy {
        parameters,
        ..scenario.policy
    };
    scenario.settings.executors = executors;
    // Fewer than bid, so that something lies outside of it.
    scenario.settings.shortlist = 4;
    let mut simulation = Simulation::new(&scenario).expect("a network");
    simulation.run().expect("honest peers keep to the rules");
    simulation
        .logs()
        .map(|(_, entries)| entries.to_vec())
        .max_by_key(Vec::len)
        .expect("some log")
}

/// What a whole log gave.
struct Compares {
    counterfactual: Counterfactual,
    compared: Vec<Compared>,
    /// What the log says of its picks, in the order of `compared`.
    propensities: Vec<Option<f64>>,
}

fn compare(
    log: &[Vec<u8>],
    change: impl Fn(PolicyParameters) -> PolicyParameters,
    learning: Learning,
) -> Compares {
    let mut replay = Replay::begin(&log[0], None).expect("a genesis");
    let network = replay.state().network();
    let mut counterfactual: Option<Counterfactual> = None;
    let (mut compared, mut propensities) = (Vec::new(), Vec::new());
    for bytes in &log[1..] {
        let entry = Entry::parse(bytes, Some(&network)).expect("an honest log");
        if let Some(learner) = replay.state().learner() {
            let target = change(learner.policy.parameters);
            compared.extend(
                counterfactual
                    .get_or_insert_with(|| Counterfactual::new(&target, learning))
                    .observe(replay.state(), &entry),
            );
        }
        match &entry.body {
            Body::Close(close) => propensities.extend(propensity(&close.selections)),
            Body::Draw(draw) => propensities.extend(propensity(&draw.selections)),
            Body::Replacement(one) => propensities.push(one.selection.propensity),
            _ => {}
        }
        replay.push(bytes).expect("an honest log");
    }
    Compares {
        counterfactual: counterfactual.expect("a policy entry"),
        compared,
        propensities,
    }
}

fn propensity(
    selections: &[symphony_protocol::records::Selection],
) -> impl Iterator<Item = Option<f64>> {
    selections.iter().map(|selection| selection.propensity)
}

#[test]
fn the_log_s_own_policy_makes_the_log_s_own_choices() {
    let log = log_of(PolicyKind::Shared, 3);
    for learning in LEARNINGS {
        let run = compare(&log, |parameters| parameters, learning);
        let agreement = run.counterfactual.agreement();
        assert!(agreement.selections > 20, "{agreement:?}");
        assert_eq!(agreement.coincide, agreement.selections as f64);
        assert_eq!(agreement.same_picks, agreement.votes as f64);
        assert_eq!(agreement.coincide_settled, agreement.settled as f64);
        assert_eq!(agreement.coincide_reward, agreement.reward);
        for one in &run.compared {
            assert_eq!(
                (one.target, one.coincides, one.likelihood),
                (one.logged, 1.0, 1.0)
            );
        }
    }
}

#[test]
fn another_policy_makes_other_choices_and_counts_add_up() {
    let log = log_of(PolicyKind::Shared, 3);
    let bolder = |parameters| PolicyParameters {
        exploration_ppm: 0,
        ..parameters
    };
    for learning in LEARNINGS {
        let run = compare(&log, bolder, learning);
        let agreement = run.counterfactual.agreement();
        assert!(
            agreement.coincide < agreement.selections as f64,
            "{agreement:?}"
        );
        let same = run
            .compared
            .iter()
            .filter(|one| one.logged == one.target)
            .count();
        assert_eq!(agreement.coincide, same as f64);
        assert_eq!(agreement.selections, run.compared.len() as u64);
        let (mut logged, mut target) = (0, 0.0);
        for picks in agreement.peers.values() {
            logged += picks.logged;
            target += picks.target;
        }
        assert_eq!(
            (logged, target),
            (agreement.selections, agreement.selections as f64)
        );
        assert!(agreement.coincide_settled < agreement.settled as f64);
    }
}

#[test]
fn a_log_without_chance_says_nothing_of_values() {
    let log = log_of(PolicyKind::Shared, 3);
    let run = compare(&log, |parameters| parameters, Learning::default());
    assert_eq!(run.counterfactual.value(ALPHA), Err(Refusal::NoChance));
}

#[test]
fn under_chance_the_log_s_own_policy_has_the_log_s_propensities_and_value() {
    for (kind, executors) in [
        (PolicyKind::EpsilonGreedy, 3),
        (PolicyKind::RandomTop, 3),
        (PolicyKind::Random, 3),
        (PolicyKind::Thompson, 1),
    ] {
        let log = log_of(kind, executors);
        for learning in LEARNINGS {
            let run = compare(&log, |parameters| parameters, learning);
            let own: Vec<Option<f64>> =
                run.compared.iter().map(|one| Some(one.coincides)).collect();
            let name = kind.name();
            assert_eq!(own, run.propensities, "{name}");
            let agreement = run.counterfactual.agreement();
            assert!(
                agreement.votes > 5 && agreement.draws > 5,
                "{name}: {agreement:?}"
            );
            let value = match run.counterfactual.value(ALPHA) {
                // A replacement after other samples: nobody knows what they would have been.
                Err(Refusal::SupportUnknown { .. }) if kind == PolicyKind::Thompson => continue,
                value => value.expect("a log with chance"),
            };
            assert!(value.votes > 5 && value.votes <= agreement.votes, "{name}");
            assert!((value.weight_max - 1.0).abs() < 1e-12, "{name}: {value:?}");
            assert!(
                (value.ips - value.logged).abs() < 1e-12,
                "{name}: {value:?}"
            );
            assert!(
                value.ips_interval.low < value.logged && value.logged < value.ips_interval.high
            );
        }
    }
}

#[test]
fn another_target_is_weighed_by_the_log_s_propensities() {
    let log = log_of(PolicyKind::EpsilonGreedy, 1);
    let hardly_by_chance = |parameters| PolicyParameters {
        epsilon_ppm: 1,
        ..parameters
    };
    // It learns as the log does, so it picks whom the log's policy holds best: such a pick weighs about 1 over its propensity, and
    // any other nearly 0.
    let run = compare(&log, hardly_by_chance, Learning::FromTheLog);
    let value = run.counterfactual.value(ALPHA).expect("a log with chance");
    let (mut greedy, mut others) = (0, 0);
    for (one, propensity) in run.compared.iter().zip(&run.propensities) {
        let propensity = propensity.expect("a log with chance");
        // ε = 0.4: the greedy one has at least 0.6.
        assert_eq!(
            one.coincides > 0.9,
            propensity > 0.6,
            "{one:?} {propensity}"
        );
        greedy += usize::from(propensity > 0.6);
        others += usize::from(propensity < 0.4);
    }
    assert!(greedy > 5 && others > 2, "{greedy} and {others}");
    // By the log's own words: the weight of a vote is the product over its picks.
    let mut weights = std::collections::BTreeMap::new();
    for (one, propensity) in run.compared.iter().zip(&run.propensities) {
        let weight = weights.entry(one.beacon).or_insert(1.0);
        *weight *= one.coincides / propensity.expect("a log with chance");
    }
    let by_words = |weight: &f64| (weight - value.weight_max).abs() < 1e-12;
    assert!(value.weight_max > 1.0 && weights.values().any(by_words));
    assert!(value.effective_votes < value.votes as f64);
}

#[test]
fn targets_outside_the_support_and_samples_of_several_picks_are_refused() {
    let log = log_of(PolicyKind::RandomTop, 3);
    let everybody = |parameters| PolicyParameters {
        kind: PolicyKind::Random,
        ..parameters
    };
    let run = compare(&log, everybody, Learning::default());
    let refusal = run
        .counterfactual
        .value(ALPHA)
        .expect_err("beyond the top L");
    assert!(
        matches!(refusal, Refusal::OutsideSupport { .. }),
        "{refusal}"
    );
    let log = log_of(PolicyKind::Thompson, 3);
    let run = compare(&log, |parameters| parameters, Learning::default());
    let refusal = run.counterfactual.value(ALPHA).expect_err("several picks");
    assert!(
        matches!(refusal, Refusal::SupportUnknown { .. }),
        "{refusal}"
    );
}
