//! `symphony policy counterfactual`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use symphony_evaluation::{Agreement, Compared, Counterfactual, Estimate, Interval, Learning};
use symphony_protocol::{
    policy::{PolicyKind, PolicyParameters},
    records::Entry,
    replay::Replay,
};
use symphony_transparency::Digest;

use crate::{
    audit::ExportFile,
    cli::{
        arguments::OutputArgs,
        exit::{ExitStatus, UnusableInput},
        output::{print_json, print_line, print_lines, table},
    },
};

/// Parts per million in one whole.
const PPM: f64 = 1_000_000.0;
/// Most selections that are listed.
const LISTED_MAX: usize = 1_000_000;

/// What the target may learn from.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Learn {
    /// The log's choices that could be its own
    Coinciding,
    /// All choices of the log
    All,
}

/// A log, and another policy. What is not given is as in the log's first policy entry.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  symphony policy counterfactual coordinator.symlog --alpha 0.1
  symphony policy counterfactual coordinator.symlog --kind disjoint --list --json

The log is replayed as it is; at each selection the other policy is asked with the log's own candidates, after the log's own
earlier picks. A value is estimated where the log's policy left its picks to chance; otherwise the reason is given. See
docs/evaluation.md for what the numbers mean and what they assume.")]
pub(in crate::cli) struct CounterfactualArgs {
    /// An exported log
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Policy: any kind that a policy entry can name, such as shared, disjoint, random-top or epsilon-greedy
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// α: multiplies the noise scale
    #[arg(long, value_name = "NUMBER")]
    alpha: Option<f64>,
    /// Multiplies the whole width
    #[arg(long, value_name = "NUMBER")]
    exploration: Option<f64>,
    /// λ: the ridge
    #[arg(long, value_name = "NUMBER")]
    lambda: Option<f64>,
    /// δ: the probability that the confidence bound fails
    #[arg(long, value_name = "NUMBER")]
    delta: Option<f64>,
    /// Scale of a reward's noise
    #[arg(long, value_name = "NUMBER")]
    noise: Option<f64>,
    /// S: bound of the weights' length
    #[arg(long, value_name = "NUMBER")]
    norm_bound: Option<f64>,
    /// γ: how much of its weight a choice keeps with each later one
    #[arg(long, value_name = "NUMBER")]
    discount: Option<f64>,
    /// ε: how often epsilon-greedy picks anybody
    #[arg(long, value_name = "NUMBER")]
    epsilon: Option<f64>,
    /// How often the interval of the value may be wrong
    #[arg(long, value_name = "NUMBER", default_value_t = 0.05)]
    error: f64,
    /// What the other policy learns from
    #[arg(long, value_name = "WHAT", value_enum, default_value = "coinciding")]
    learn: Learn,
    /// Shows each selection
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// A finished comparison.
struct Comparison {
    log: Digest,
    entries: u64,
    target: PolicyParameters,
    counterfactual: Counterfactual,
    compared: Vec<Compared>,
}

impl CounterfactualArgs {
    pub(super) fn run(self) -> anyhow::Result<ExitStatus> {
        let result = self.replay()?;
        if self.output.json {
            print_json(&self.json(&result))?;
        } else {
            self.print(&result)?;
        }
        Ok(ExitStatus::Success)
    }

    fn replay(&self) -> anyhow::Result<Comparison> {
        // NaN too.
        if !(self.error > 0.0 && self.error < 1.0) {
            return Err(unusable("--error: expected a number between 0 and 1"));
        }
        let mut file = ExportFile::open(&self.file).map_err(unusable)?;
        let mut next = || file.next_entry().map_err(unusable);
        let entry_0 = next()?.ok_or_else(|| unusable("the file has no entries"))?;
        let mut replay = Replay::begin(&entry_0, None).map_err(unusable)?;
        let network = replay.state().network();
        let mut running: Option<(PolicyParameters, Counterfactual)> = None;
        let mut compared = Vec::new();
        while let Some(bytes) = next()? {
            let entry = Entry::parse(&bytes, Some(&network)).map_err(unusable)?;
            if running.is_none()
                && let Some(learner) = replay.state().learner()
            {
                let target = self.target(learner.policy.parameters)?;
                running = Some((target, Counterfactual::new(&target, self.learning())));
            }
            if let Some((_, counterfactual)) = &mut running {
                let made = counterfactual.observe(replay.state(), &entry);
                if self.list && compared.len() < LISTED_MAX {
                    compared.extend(made);
                }
            }
            // A log with a fault says nothing.
            replay.push(&bytes).map_err(unusable)?;
        }
        let (target, counterfactual) =
            running.ok_or_else(|| unusable("the log has no policy entry: nothing was selected"))?;
        Ok(Comparison {
            log: replay.state().log(),
            entries: replay.size(),
            target,
            counterfactual,
            compared,
        })
    }

    fn learning(&self) -> Learning {
        match self.learn {
            Learn::Coinciding => Learning::WhereItCoincides,
            Learn::All => Learning::FromTheLog,
        }
    }

    /// The log's parameters, and what the arguments change.
    fn target(&self, mut parameters: PolicyParameters) -> anyhow::Result<PolicyParameters> {
        if let Some(name) = &self.kind {
            parameters.kind = PolicyKind::from_name(name)
                .ok_or_else(|| unusable(format_args!("--kind: no such policy: {name}")))?;
            if parameters.kind != PolicyKind::EpsilonGreedy {
                parameters.epsilon_ppm = 0;
            }
        }
        for (option, number, place) in [
            ("--alpha", self.alpha, &mut parameters.alpha_ppm),
            (
                "--exploration",
                self.exploration,
                &mut parameters.exploration_ppm,
            ),
            ("--lambda", self.lambda, &mut parameters.lambda_ppm),
            ("--delta", self.delta, &mut parameters.delta_ppm),
            ("--noise", self.noise, &mut parameters.noise_ppm),
            (
                "--norm-bound",
                self.norm_bound,
                &mut parameters.norm_bound_ppm,
            ),
            ("--discount", self.discount, &mut parameters.discount_ppm),
            ("--epsilon", self.epsilon, &mut parameters.epsilon_ppm),
        ] {
            if let Some(number) = number {
                *place = ppm(number)
                    .ok_or_else(|| unusable(format_args!("{option}: expected 0 to 1000")))?;
            }
        }
        parameters.validate().map_err(unusable)?;
        Ok(parameters)
    }

    fn json(&self, result: &Comparison) -> Value {
        let agreement = result.counterfactual.agreement();
        let value = result.counterfactual.value(self.error);
        let mut json = json!({
            "log": result.log.to_string(),
            "entries": result.entries,
            "target": {
                "kind": result.target.kind.name(),
                "alpha_ppm": result.target.alpha_ppm,
                "exploration_ppm": result.target.exploration_ppm,
                "lambda_ppm": result.target.lambda_ppm,
                "delta_ppm": result.target.delta_ppm,
                "noise_ppm": result.target.noise_ppm,
                "norm_bound_ppm": result.target.norm_bound_ppm,
                "discount_ppm": result.target.discount_ppm,
                "epsilon_ppm": result.target.epsilon_ppm,
            },
            "learns_from": match self.learn {
                Learn::Coinciding => "coinciding",
                Learn::All => "all",
            },
            "selections": agreement.selections,
            "coincide": agreement.coincide,
            "votes": agreement.votes,
            "same_picks": agreement.same_picks,
            "settled": agreement.settled,
            "reward": mean(agreement.reward, agreement.settled as f64),
            "coincide_settled": agreement.coincide_settled,
            "coincide_reward": mean(agreement.coincide_reward, agreement.coincide_settled),
            "draws": agreement.draws,
            "draws_with_missing_openings": agreement.draws_with_missing_openings,
            "value": value.as_ref().ok().map(|value| value_json(value, self.error)),
            "no_value": value.as_ref().err().map(ToString::to_string),
            "peers": agreement.peers.iter().map(|(peer, picks)| json!({
                "peer": peer.to_string(), "logged": picks.logged, "target": picks.target,
            })).collect::<Vec<_>>(),
        });
        if self.list {
            json["compared"] = result.compared.iter().map(compared_json).collect();
        }
        json
    }

    fn print(&self, result: &Comparison) -> anyhow::Result<()> {
        let agreement = result.counterfactual.agreement();
        print_line(&format!(
            "{} entries of log {}; the other policy is {} with α {}, exploration {}",
            result.entries,
            result.log,
            result.target.kind.name(),
            f64::from(result.target.alpha_ppm) / PPM,
            f64::from(result.target.exploration_ppm) / PPM,
        ))?;
        print_line(&format!(
            "of {} selections it would have made {} ({}); in {} votes it would have made all picks in {} ({})",
            agreement.selections,
            count(agreement.coincide),
            percent(agreement.coincide, agreement.selections),
            agreement.votes,
            count(agreement.same_picks),
            percent(agreement.same_picks, agreement.votes),
        ))?;
        print_rewards(agreement)?;
        self.print_value(result)?;
        let rows: Vec<Vec<String>> = agreement
            .peers
            .iter()
            .map(|(peer, picks)| {
                vec![
                    picks.logged.to_string(),
                    count(picks.target),
                    peer.to_string(),
                ]
            })
            .collect();
        print_lines(&table(&["LOGGED", "OTHER", "PEER"], &rows))?;
        if self.list {
            let rows: Vec<Vec<String>> = result.compared.iter().map(compared_row).collect();
            print_lines(&table(&["ENTRY", "SLOT", "LOGGED", "OTHER"], &rows))?;
        }
        Ok(())
    }

    fn print_value(&self, result: &Comparison) -> anyhow::Result<()> {
        let value = match result.counterfactual.value(self.error) {
            Ok(value) => value,
            Err(refusal) => return print_line(&format!("no value: {refusal}")),
        };
        let agreement = result.counterfactual.agreement();
        print_line(&format!(
            "value, where the log's policy earned {:.4} a vote in {} votes (worth {:.1}; openings were missing at {} of {} draws):",
            value.logged,
            value.votes,
            value.effective_votes,
            agreement.draws_with_missing_openings,
            agreement.draws,
        ))?;
        let within = |interval: Interval| format!("{:.4} to {:.4}", interval.low, interval.high);
        let snips = value
            .snips
            .map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
        let rows = [
            vec![
                "doubly robust".to_owned(),
                format!("{:.4}", value.doubly_robust),
                within(value.doubly_robust_interval),
            ],
            vec![
                "weights alone".to_owned(),
                format!("{:.4}", value.ips),
                within(value.ips_interval),
            ],
            vec!["self-normalised".to_owned(), snips, "-".to_owned()],
        ];
        let confidence = format!("{}% INTERVAL", 100.0 * (1.0 - self.error));
        print_lines(&table(&["ESTIMATE", "VALUE", &confidence], &rows))
    }
}

fn value_json(value: &Estimate, error: f64) -> Value {
    let interval = |interval: Interval| json!({ "low": interval.low, "high": interval.high });
    json!({
        "error": error,
        "votes": value.votes,
        "logged": value.logged,
        "ips": value.ips,
        "ips_interval": interval(value.ips_interval),
        "snips": value.snips,
        "doubly_robust": value.doubly_robust,
        "doubly_robust_interval": interval(value.doubly_robust_interval),
        "effective_votes": value.effective_votes,
        "weight_max": value.weight_max,
    })
}

fn unusable(error: impl std::fmt::Display) -> anyhow::Error {
    UnusableInput(error.to_string()).into()
}

/// A number as parts per million.
fn ppm(number: f64) -> Option<u32> {
    let ppm = (number * PPM).round();
    // Up to 1000, which every parameter's range ends at.
    (0.0..=1_000.0 * PPM).contains(&ppm).then_some(ppm as u32)
}

fn mean(sum: f64, count: f64) -> Option<f64> {
    (count > 0.0).then(|| sum / count)
}

fn percent(part: f64, whole: u64) -> String {
    mean(part, whole as f64)
        .map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", 100.0 * share))
}

/// A sum of probabilities: whole where nothing was left to chance.
fn count(sum: f64) -> String {
    if sum.fract() == 0.0 {
        format!("{sum}")
    } else {
        format!("{sum:.1}")
    }
}

fn compared_json(compared: &Compared) -> Value {
    json!({
        "entry": compared.entry,
        "beacon": compared.beacon,
        "slot": compared.slot,
        "logged": compared.logged.to_string(),
        "coincides": compared.coincides,
        "target": compared.target.to_string(),
        "likelihood": compared.likelihood,
    })
}

fn compared_row(compared: &Compared) -> Vec<String> {
    let other = if compared.logged == compared.target {
        "the same".to_owned()
    } else {
        compared.target.to_string()
    };
    let other = if compared.likelihood < 1.0 {
        format!("{other} ({:.3})", compared.likelihood)
    } else {
        other
    };
    vec![
        compared.entry.to_string(),
        compared.slot.to_string(),
        compared.logged.to_string(),
        other,
    ]
}

fn print_rewards(agreement: &Agreement) -> anyhow::Result<()> {
    let number =
        |mean: Option<f64>| mean.map_or_else(|| "-".to_owned(), |mean| format!("{mean:.4}"));
    print_line(&format!(
        "mean reward {} of {} settled selections, {} of the {} that coincide (no estimate of its value: that says nothing of the rest)",
        number(mean(agreement.reward, agreement.settled as f64)),
        agreement.settled,
        number(mean(agreement.coincide_reward, agreement.coincide_settled)),
        count(agreement.coincide_settled),
    ))
}
