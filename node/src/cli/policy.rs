//! `symphony policy explain|state`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use symphony_admin::{SelectionQuery, v1};
use symphony_protocol::replay::Replay;

use super::{
    arguments::OutputArgs,
    connect::{LogArgs, NodeArgs},
    exit::{ExitStatus, UnusableInput},
    output::{print_json, print_line, print_lines, table},
};
use crate::{
    audit::{ExportFile, InputError},
    backend::explain_selection,
};

/// Most rows of measures that are listed at once.
const LISTED_MAX: usize = 1_000_000;

/// Shows why work goes where it goes.
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Explains one selection term by term, recomputed by replay
    Explain(ExplainArgs),
    /// Shows the policy and what it has learned
    State(StateArgs),
}

/// A selection.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  symphony policy explain 131
  symphony policy explain 131 --slot 2 --json
  symphony policy explain 131 --file coordinator.symlog")]
pub(super) struct ExplainArgs {
    /// Index of a close or replacement entry (`symphony log show --kind close` lists them)
    #[arg(value_name = "ENTRY")]
    entry: u64,
    /// Number of the selection [default: the entry's first]
    #[arg(long, value_name = "NUMBER")]
    slot: Option<u32>,
    /// Reads an exported file instead of asking a node
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Which policy.
#[derive(Args, Debug)]
pub(super) struct StateArgs {
    /// Shows also what the log measured of each peer
    #[arg(long)]
    measures: bool,
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl PolicyCommand {
    pub(super) async fn run(self) -> anyhow::Result<ExitStatus> {
        match self {
            Self::Explain(arguments) => arguments.run().await,
            Self::State(arguments) => arguments.run().await,
        }
    }
}

impl ExplainArgs {
    async fn run(self) -> anyhow::Result<ExitStatus> {
        let explanation = match &self.file {
            Some(file) => self.explain_file(ExportFile::open(file))?,
            None => {
                let query = SelectionQuery {
                    entry: self.entry,
                    slot: self.slot,
                };
                let client = self.node.connect().await?;
                client.explain(self.log.name(), query).await?
            }
        };
        if self.output.json {
            print_json(&explanation_json(&explanation))?;
        } else {
            print_explanation(&explanation)?;
        }
        Ok(ExitStatus::Success)
    }

    fn explain_file(
        &self,
        file: Result<ExportFile, InputError>,
    ) -> anyhow::Result<v1::Explanation> {
        let refused = |error: &dyn std::fmt::Display| UnusableInput(error.to_string());
        let beyond = || UnusableInput(format!("the file has no entry {}", self.entry));
        let mut file = file.map_err(|error| refused(&error))?;
        let mut next = || file.next_entry().map_err(|error| refused(&error));
        let entry_0 = next()?.ok_or_else(beyond)?;
        let mut replay = Replay::begin(&entry_0, None).map_err(|error| refused(&error))?;
        if self.entry == 0 {
            return Err(UnusableInput(
                "entry 0 is a genesis; expected a close or a replacement".to_owned(),
            )
            .into());
        }
        loop {
            let bytes = next()?.ok_or_else(beyond)?;
            if replay.size() == self.entry {
                return explain_selection(&replay, self.entry, &bytes, self.slot)
                    .map_err(|error| refused(&error).into());
            }
            replay.push(&bytes).map_err(|fault| refused(&fault))?;
        }
    }
}

fn key(peer: Option<&v1::PeerName>) -> String {
    peer.map(|peer| peer.did_key.clone()).unwrap_or_default()
}

fn explanation_json(explanation: &v1::Explanation) -> Value {
    let candidates: Vec<Value> = explanation
        .candidates
        .iter()
        .map(|candidate| {
            json!({
                "peer": key(candidate.peer.as_ref()),
                "bid": candidate.bid,
                "own": candidate.own,
                "newcomer": candidate.newcomer,
                "similarity": candidate.similarity,
                "prior": candidate.prior,
                "load": candidate.load,
                "latency": candidate.latency,
                "availability": candidate.availability,
                "reputation": candidate.reputation,
                "stability": candidate.stability,
                "composite": candidate.composite,
                "rank": candidate.rank,
                "x": candidate.x,
                "estimate": candidate.estimate,
                "width": candidate.width,
                "score": candidate.score,
                "picked_slot": candidate.picked_slot,
            })
        })
        .collect();
    let log = explanation.log.clone().unwrap_or_default();
    json!({
        "log": log.log_id,
        "peer": log.did_key,
        "beacon": explanation.beacon,
        "entry": explanation.entry,
        "slot": explanation.slot,
        "shortlist": explanation.shortlist,
        "newcomer_place": explanation.newcomer_place,
        "similarity_weight_ppm": explanation.similarity_weight_ppm,
        "prior_weight_ppm": explanation.prior_weight_ppm,
        "stability_weight_ppm": explanation.stability_weight_ppm,
        "features": explanation.features,
        "theta": explanation.theta,
        "observations": explanation.observations,
        "beta": explanation.beta,
        "candidates": candidates,
    })
}

fn print_explanation(explanation: &v1::Explanation) -> anyhow::Result<()> {
    print_line(&format!(
        "selection {} of beacon {}, made by entry {}",
        explanation.slot, explanation.beacon, explanation.entry
    ))?;
    let share = |ppm: u32| f64::from(ppm) / 1_000_000.0;
    print_line(&format!(
        "screening: {:.2}·similarity + {:.2}·prior + {:.2}·stability, the best {} stay{}",
        share(explanation.similarity_weight_ppm),
        share(explanation.prior_weight_ppm),
        share(explanation.stability_weight_ppm),
        explanation.shortlist,
        if explanation.newcomer_place {
            "; the last place is kept for a newcomer"
        } else {
            ""
        }
    ))?;
    let rows: Vec<Vec<String>> = explanation.candidates.iter().map(screened_row).collect();
    let headings = [
        "RANK",
        "COMPOSITE",
        "SIMILARITY",
        "PRIOR",
        "STABILITY",
        "LOAD",
        "LATENCY",
        "AVAILABLE",
        "PEER",
    ];
    print_lines(&table(&headings, &rows))?;
    let theta: Vec<String> = explanation
        .features
        .iter()
        .zip(&explanation.theta)
        .map(|(name, weight)| format!("{name} {weight:+.4}"))
        .collect();
    print_line(&format!(
        "policy: θ after {} observations: {}",
        explanation.observations,
        theta.join(", ")
    ))?;
    print_line(&format!("score = x·θ + {:.4}·√(xᵀA⁻¹x)", explanation.beta))?;
    let rows: Vec<Vec<String>> = explanation
        .candidates
        .iter()
        .filter(|candidate| candidate.rank.is_some())
        .map(|candidate| picked_row(candidate, explanation.slot))
        .collect();
    print_lines(&table(
        &["SCORE", "ESTIMATE", "WIDTH", "PICKED", "PEER"],
        &rows,
    ))
}

fn screened_row(candidate: &v1::Candidate) -> Vec<String> {
    let number = |number: f64| format!("{number:.4}");
    let mut notes = String::new();
    if candidate.own {
        notes.push_str(" (own)");
    }
    if candidate.newcomer {
        notes.push_str(" (newcomer)");
    }
    vec![
        candidate
            .rank
            .map_or_else(|| "-".to_owned(), |rank| (rank + 1).to_string()),
        number(candidate.composite),
        number(candidate.similarity),
        number(candidate.prior),
        number(candidate.stability),
        number(candidate.load),
        number(candidate.latency),
        number(candidate.availability),
        format!("{}{notes}", key(candidate.peer.as_ref())),
    ]
}

fn picked_row(candidate: &v1::Candidate, slot: u32) -> Vec<String> {
    let picked = match candidate.picked_slot {
        Some(picked) if picked == slot => "here".to_owned(),
        Some(picked) => format!("slot {picked}"),
        None => "no".to_owned(),
    };
    vec![
        format!("{:.4}", candidate.score),
        format!("{:.4}", candidate.estimate),
        format!("{:.4}", candidate.width),
        picked,
        key(candidate.peer.as_ref()),
    ]
}

impl StateArgs {
    async fn run(self) -> anyhow::Result<ExitStatus> {
        let client = self.node.connect().await?;
        let log = self.log.name();
        let state = client.policy_state(log).await?;
        let measures = if self.measures {
            client
                .measures(log)
                .await?
                .collect_at_most(LISTED_MAX)
                .await?
        } else {
            Vec::new()
        };
        if self.output.json {
            print_json(&state_json(&state, self.measures.then_some(&measures)))?;
        } else {
            print_state(&state)?;
            if self.measures {
                print_measures(&measures)?;
            }
        }
        Ok(ExitStatus::Success)
    }
}

fn kind_word(kind: v1::PolicyKind) -> &'static str {
    match kind {
        v1::PolicyKind::Shared => "shared",
        v1::PolicyKind::Paper => "paper",
        v1::PolicyKind::Unspecified => "unknown",
    }
}

fn vote_word(rule: v1::VoteRule) -> &'static str {
    match rule {
        v1::VoteRule::Reliability => "reliability",
        v1::VoteRule::Screening => "screening",
        v1::VoteRule::Majority => "majority",
        v1::VoteRule::Unspecified => "unknown",
    }
}

fn state_json(state: &v1::PolicyState, measures: Option<&Vec<v1::Measure>>) -> Value {
    let log = state.log.clone().unwrap_or_default();
    let counts = state.counts.unwrap_or_default();
    let policy = state.policy.as_ref().map(|policy| {
        json!({
            "kind": kind_word(policy.kind()),
            "lambda_ppm": policy.lambda_ppm,
            "delta_ppm": policy.delta_ppm,
            "alpha_ppm": policy.alpha_ppm,
            "noise_ppm": policy.noise_ppm,
            "norm_bound_ppm": policy.norm_bound_ppm,
            "exploration_ppm": policy.exploration_ppm,
            "winner_bonus_ppm": policy.winner_bonus_ppm,
            "latency_penalty_ppm": policy.latency_penalty_ppm,
            "checker_ppm": policy.checker_ppm,
            "vote_rule": vote_word(policy.vote_rule()),
        })
    });
    json!({
        "log": log.log_id,
        "peer": log.did_key,
        "entries": state.entries,
        "policy": policy,
        "observations": state.observations,
        "features": state.features,
        "theta": state.theta,
        "b": state.b,
        "inverse": state.inverse,
        "counts": {
            "tasks": counts.tasks,
            "tasks_decided": counts.tasks_decided,
            "closes": counts.closes,
            "selections": counts.selections,
            "self_selections": counts.self_selections,
            "settlements": counts.settlements,
            "void": counts.void_settlements,
            "timeouts": counts.timeouts,
        },
        "measures": measures.map(|measures| measures.iter().map(measure_json).collect::<Vec<_>>()),
    })
}

fn measure_json(measure: &v1::Measure) -> Value {
    match &measure.row {
        Some(v1::measure::Row::Peer(row)) => json!({
            "peer": key(row.peer.as_ref()),
            "latency_ms": row.latency_ms,
            "failure": row.failure,
            "selections": row.selections,
            "settlements": row.settlements,
            "timeouts": row.timeouts,
        }),
        Some(v1::measure::Row::Bucket(row)) => json!({
            "peer": key(row.peer.as_ref()),
            "bucket": row.bucket,
            "tags": row.tags,
            "settlements": row.settlements,
            "wins": row.wins,
            "reputation": row.reputation,
        }),
        None => Value::Null,
    }
}

fn print_state(state: &v1::PolicyState) -> anyhow::Result<()> {
    let log = state.log.clone().unwrap_or_default();
    print_line(&format!("{} after {} entries", log.did_key, state.entries))?;
    match &state.policy {
        None => print_line("no policy is set yet")?,
        Some(policy) => print_line(&format!(
            "policy {}: exploration {:.2}, vote by {}",
            kind_word(policy.kind()),
            f64::from(policy.exploration_ppm) / 1_000_000.0,
            vote_word(policy.vote_rule())
        ))?,
    }
    let counts = state.counts.unwrap_or_default();
    print_line(&format!(
        "{} tasks ({} decided), {} closes, {} selections ({} of itself), {} settlements, {} void, {} time-outs",
        counts.tasks,
        counts.tasks_decided,
        counts.closes,
        counts.selections,
        counts.self_selections,
        counts.settlements,
        counts.void_settlements,
        counts.timeouts
    ))?;
    let rows: Vec<Vec<String>> = state
        .features
        .iter()
        .zip(state.theta.iter().zip(&state.b))
        .map(|(name, (theta, b))| vec![name.clone(), format!("{theta:+.6}"), format!("{b:+.6}")])
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    print_line(&format!("learned from {} observations", state.observations))?;
    print_lines(&table(&["FEATURE", "THETA", "B"], &rows))
}

fn print_measures(measures: &[v1::Measure]) -> anyhow::Result<()> {
    let mut peers = Vec::new();
    let mut buckets = Vec::new();
    for measure in measures {
        match &measure.row {
            Some(v1::measure::Row::Peer(row)) => peers.push(vec![
                format!("{:.0}", row.latency_ms),
                format!("{:.3}", row.failure),
                row.selections.to_string(),
                row.settlements.to_string(),
                row.timeouts.to_string(),
                key(row.peer.as_ref()),
            ]),
            Some(v1::measure::Row::Bucket(row)) => buckets.push(vec![
                if row.tags.is_empty() {
                    row.bucket.chars().take(8).collect()
                } else {
                    row.tags.join(" ")
                },
                row.settlements.to_string(),
                row.wins.to_string(),
                format!("{:.3}", row.reputation),
                key(row.peer.as_ref()),
            ]),
            None => {}
        }
    }
    let headings = [
        "LATENCY MS",
        "FAILURE",
        "SELECTIONS",
        "SETTLEMENTS",
        "TIME-OUTS",
        "PEER",
    ];
    print_lines(&table(&headings, &peers))?;
    let headings = ["KIND OF STEP", "SETTLEMENTS", "WINS", "REPUTATION", "PEER"];
    print_lines(&table(&headings, &buckets))
}
