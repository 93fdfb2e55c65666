//! What a log with chance says of policies that did not write it, where the truth is known.
//!
//! A coordinator runs a course under a policy with chance. Its log is then read entry by entry, as anybody would read it, and what
//! other policies would have earned is estimated from it alone. The world knows what every candidate of every vote would have
//! earned in expectation, and so what those policies are worth: an interval of 95 % may leave that out on one seed of twenty.

use std::{collections::BTreeMap, fmt::Write as _};

use symphony_coordination::TaskSettings;
use symphony_evaluation::{Compared, Counterfactual, Interval, Learning};
use symphony_protocol::{
    PreparedEntry,
    policy::{PolicyKind, PolicyParameters},
    records::{Entry, Policy, Signatures},
    replay::Replay,
};

use super::{
    ExperimentError,
    arm::rewards,
    coordinator::{Coordinator, Failure, Setup, Signing},
    course::Course,
    parallel::in_parallel,
    statistics::Estimate,
    trial::TrialOptions,
    world::{Chance, World},
};
use crate::random::Random;

/// Nominal share of logs whose interval may leave the truth out.
const ALPHA: f64 = 0.05;
/// The three estimates, in the order of all lists.
pub const METHODS: [&str; 3] = ["IPS", "SNIPS", "doubly robust"];

/// A policy that writes logs, and policies that are judged by them.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Name of the log's policy.
    pub log: &'static str,
    /// The log's policy.
    pub policy: Policy,
    /// Names and parameters of the targets.
    pub targets: Vec<(&'static str, PolicyParameters)>,
}

/// What the estimates of one target from one policy's logs came to.
#[derive(Clone, Debug)]
pub struct OffPolicyFinding {
    /// Name of the log's policy.
    pub log: &'static str,
    /// Name of the target.
    pub target: &'static str,
    /// Logs.
    pub logs: u64,
    /// Votes of a log.
    pub votes: Estimate,
    /// Votes of the target itself that would say as much.
    pub effective_votes: Estimate,
    /// What the log's policy earned a vote.
    pub logged: Estimate,
    /// What the target would have earned a vote.
    pub truth: Estimate,
    /// Estimate less truth, for each of [`METHODS`].
    pub bias: [Estimate; 3],
    /// Root of the mean square of the same.
    pub error: [f64; 3],
    /// Width of the intervals, for the methods that have one: IPS and doubly robust.
    pub width: [Option<Estimate>; 3],
    /// Logs whose interval holds the truth.
    pub covered: [Option<u64>; 3],
}

/// What is judged: logs of two policies with chance. Targets pick among the best L, where both may pick anybody.
pub fn judged() -> Vec<Judged> {
    let mut greedy = Policy::of_kind(PolicyKind::EpsilonGreedy);
    greedy.parameters.epsilon_ppm = 300_000;
    let shared = ("shared (default)", Policy::shared().parameters);
    let random = ("random in top L", Policy::random_top().parameters);
    vec![
        Judged {
            log: "ε-greedy, ε 0.3",
            targets: vec![shared, random],
            policy: greedy.clone(),
        },
        Judged {
            log: "random in top L",
            policy: Policy::random_top(),
            targets: vec![shared, ("ε-greedy, ε 0.3", greedy.parameters)],
        },
    ]
}

/// Writes logs of so many seeds under each policy and judges the targets by each log.
///
/// # Errors
/// [`ExperimentError`], a defect of the coordinator or of the estimates.
pub fn measure_off_policy(
    judged: &[Judged],
    course: &Course,
    (first_seed, seeds): (u64, u64),
    workers: usize,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Vec<OffPolicyFinding>, ExperimentError> {
    let seeds = usize::try_from(seeds).unwrap_or(usize::MAX).max(1);
    let options = TrialOptions::standard()?;
    let runs = in_parallel(judged.len() * seeds, workers, progress, |place| {
        let seed = first_seed + (place % seeds) as u64;
        judge(&judged[place / seeds], course, &options, seed)
    })
    .into_iter()
    .collect::<Result<Vec<Vec<Judgement>>, ExperimentError>>()?;
    let mut findings = Vec::new();
    for (one, runs) in judged.iter().zip(runs.chunks(seeds)) {
        for (place, (target, _)) in one.targets.iter().enumerate() {
            let of_target: Vec<&Judgement> = runs.iter().map(|run| &run[place]).collect();
            findings.push(finding((one.log, target), &of_target));
        }
    }
    Ok(findings)
}

/// A vote as the world saw it.
struct Vote {
    shortlist: Vec<usize>,
    /// Expected reward of each agent.
    worth: Vec<f64>,
}

/// One target and one log.
struct Judgement {
    votes: f64,
    effective_votes: f64,
    logged: f64,
    truth: f64,
    estimates: [f64; 3],
    intervals: [Option<Interval>; 3],
}

fn judge(
    judged: &Judged,
    course: &Course,
    options: &TrialOptions,
    seed: u64,
) -> Result<Vec<Judgement>, ExperimentError> {
    let setup = Setup {
        policy: judged.policy.clone(),
        params: options.params.clone(),
        settings: TaskSettings {
            executors: 1,
            shortlist: course.shortlist,
            asked: 64,
            execute_ms: 600_000,
            reveal_ms: 60_000,
            ..TaskSettings::default()
        },
        failure: Failure::Final,
        signing: Signing::Unsigned,
    };
    let mut seeds = Random::new(seed);
    let (tasks, mut random) = (seeds.bits(), Random::new(seeds.bits()));
    let mut coordinator = Coordinator::with_log(&course.agents, setup, seeds.bits())?;
    let (mut world, mut chance) = (World::new(&course.agents), Chance::default());
    let rewards = rewards(&judged.policy);
    let mut votes = BTreeMap::new();
    for kind in course.kinds(&mut Random::new(tasks)) {
        world.begin_round();
        chance.draw(course.agents.len(), &mut random);
        let claims: Vec<f64> = (0..course.agents.len())
            .map(|agent| world.load(agent))
            .collect();
        let worth = (0..course.agents.len())
            .map(|agent| world.reward(agent, kind, &rewards))
            .collect();
        let step = coordinator.step(kind, &claims, |agent| {
            world.call(agent, kind, (chance.normal[agent], chance.uniform[agent]))
        })?;
        coordinator.settle(&step)?;
        let shortlist = step.shortlist;
        votes.insert(step.beacon, Vote { shortlist, worth });
    }
    read(judged, &coordinator, &votes)
}

/// Reads the log as it stands, once for all targets.
fn read(
    judged: &Judged,
    coordinator: &Coordinator,
    votes: &BTreeMap<u64, Vote>,
) -> Result<Vec<Judgement>, ExperimentError> {
    let entries = coordinator.log.as_deref().unwrap_or_default();
    let (first, rest) = entries.split_first().ok_or(ExperimentError::NoStep)?;
    let mut replay = Replay::begin(first, None)?;
    let network = replay.state().network();
    let mut targets: Vec<(Counterfactual, f64)> = judged
        .targets
        .iter()
        .map(|(_, parameters)| (Counterfactual::new(parameters, Learning::FromTheLog), 0.0))
        .collect();
    for bytes in rest {
        // Nobody signed in this run; a signed one has the same entries but for the signatures.
        let signatures = Signatures::AssumeVerified;
        let entry = Entry::parse_with(bytes, Some(&network), signatures)?;
        for (target, worth) in &mut targets {
            for compared in target.observe(replay.state(), &entry) {
                *worth += expected(&compared, votes, coordinator);
            }
        }
        let prepared = PreparedEntry::new(bytes.clone(), &network, signatures);
        replay
            .push_prepared(prepared)
            .map_err(ExperimentError::Fault)?;
    }
    targets
        .into_iter()
        .map(|(target, worth)| {
            let estimate = target.value(ALPHA)?;
            #[expect(clippy::cast_precision_loss, reason = "votes are far below 2^53")]
            let count = estimate.votes as f64;
            Ok(Judgement {
                votes: count,
                effective_votes: estimate.effective_votes,
                logged: estimate.logged,
                truth: worth / count,
                estimates: [
                    estimate.ips,
                    estimate.snips.unwrap_or(estimate.ips),
                    estimate.doubly_robust,
                ],
                intervals: [
                    Some(estimate.ips_interval),
                    None,
                    Some(estimate.doubly_robust_interval),
                ],
            })
        })
        .collect()
}

/// What the target would have earned in expectation at a vote. A target of these kinds has one favourite, and picks all others of
/// the shortlist alike.
#[expect(clippy::cast_precision_loss, reason = "few candidates")]
fn expected(compared: &Compared, votes: &BTreeMap<u64, Vote>, coordinator: &Coordinator) -> f64 {
    let Some(vote) = votes.get(&compared.beacon) else {
        return 0.0;
    };
    let favourite = coordinator.agent(&compared.target);
    let others = vote.shortlist.len().saturating_sub(1).max(1) as f64;
    let of = |agent: &usize| {
        let probability = if Some(*agent) == favourite {
            compared.likelihood
        } else {
            (1.0 - compared.likelihood) / others
        };
        probability * vote.worth[*agent]
    };
    vote.shortlist.iter().map(of).sum()
}

fn finding((log, target): (&'static str, &'static str), runs: &[&Judgement]) -> OffPolicyFinding {
    let of = |figure: &dyn Fn(&Judgement) -> f64| {
        let values: Vec<f64> = runs.iter().map(|run| figure(run)).collect();
        Estimate::of(&values)
    };
    let methods = [0, 1, 2];
    let error = |method: usize, run: &Judgement| run.estimates[method] - run.truth;
    let has_interval = |method: usize| runs.iter().all(|run| run.intervals[method].is_some());
    let width = |run: &Judgement, method: usize| {
        run.intervals[method].map_or(0.0, |interval| interval.high - interval.low)
    };
    let covers = |run: &Judgement, method: usize| {
        run.intervals[method]
            .is_some_and(|interval| (interval.low..=interval.high).contains(&run.truth))
    };
    OffPolicyFinding {
        log,
        target,
        logs: runs.len() as u64,
        votes: of(&|run| run.votes),
        effective_votes: of(&|run| run.effective_votes),
        logged: of(&|run| run.logged),
        truth: of(&|run| run.truth),
        bias: methods.map(|method| of(&|run| error(method, run))),
        error: methods.map(|method| {
            of(&|run| error(method, run) * error(method, run))
                .mean
                .sqrt()
        }),
        width: methods.map(|method| has_interval(method).then(|| of(&|run| width(run, method)))),
        covered: methods.map(|method| {
            has_interval(method)
                .then(|| runs.iter().filter(|run| covers(run, method)).count() as u64)
        }),
    }
}

/// The figures as a table for programs.
pub(super) fn csv(findings: &[OffPolicyFinding]) -> String {
    let mut text = String::from(
        "log,target,method,logs,votes,effective_votes,logged,truth,bias,bias_half_width_95,error,width,covered\n",
    );
    for finding in findings {
        for (place, method) in METHODS.iter().enumerate() {
            let _ = write!(
                text,
                "\"{}\",\"{}\",{method},{},{:.1},{:.1},{:.6},{:.6},{:.6},{:.6},{:.6}",
                finding.log,
                finding.target,
                finding.logs,
                finding.votes.mean,
                finding.effective_votes.mean,
                finding.logged.mean,
                finding.truth.mean,
                finding.bias[place].mean,
                finding.bias[place].half_width,
                finding.error[place],
            );
            let _ = match (finding.width[place], finding.covered[place]) {
                (Some(width), Some(covered)) => writeln!(text, ",{:.6},{covered}", width.mean),
                _ => writeln!(text, ",,"),
            };
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Judged, judged, measure_off_policy};
    use crate::experiments::Course;
    use symphony_protocol::records::Policy;

    fn course(rounds: usize) -> Course {
        Course {
            rounds,
            ..Course::exp2(crate::experiments::Shock::Degraded)
        }
    }

    #[test]
    fn intervals_hold_the_truth_and_estimates_are_near_it() {
        let findings =
            measure_off_policy(&judged(), &course(150), (1, 12), 2, &|_, _| {}).expect("runs");
        assert_eq!(findings.len(), 4);
        for finding in findings {
            let name = format!("{} by {}", finding.target, finding.log);
            for method in [0, 2] {
                assert_eq!(finding.covered[method], Some(12), "{name}");
                let width = finding.width[method].expect("an interval").mean;
                assert!(width > 0.05 && width < 0.9, "{name}: {width}");
            }
            for (bias, error) in finding.bias.iter().zip(finding.error) {
                assert!(
                    bias.mean.abs() < 0.05 && error < 0.12,
                    "{name}: {bias:?} {error}"
                );
            }
            // A target that learns is seen to be better than chance.
            let gain = finding.truth.mean - finding.logged.mean;
            let chance = finding.log == "random in top L";
            assert!(!chance || gain > 0.01, "{name}: {gain}");
        }
    }

    /// The log's own policy is worth what it was expected to earn at each of its picks: this ties the world's word to the log's.
    #[test]
    fn the_log_s_own_policy_is_worth_what_the_log_earned() {
        let own = Judged {
            log: "random in top L",
            policy: Policy::random_top(),
            targets: vec![("the same", Policy::random_top().parameters)],
        };
        let findings =
            measure_off_policy(&[own], &course(200), (1, 20), 2, &|_, _| {}).expect("runs");
        let finding = &findings[0];
        assert!((finding.effective_votes.mean - 200.0).abs() < 1e-6);
        let difference = finding.logged.mean - finding.truth.mean;
        assert!(difference.abs() < 0.02, "{finding:?}");
    }
}
