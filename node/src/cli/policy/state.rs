//! `symphony policy state`.

use clap::Args;
use serde_json::{Value, json};
use symphony_admin::v1;

use super::key;
use crate::cli::{
    arguments::OutputArgs,
    connect::{LogArgs, NodeArgs},
    exit::ExitStatus,
    output::{print_json, print_line, print_lines, table},
};

/// Most rows of measures that are listed at once.
const LISTED_MAX: usize = 1_000_000;

/// Which policy.
#[derive(Args, Debug)]
pub(in crate::cli) struct StateArgs {
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

impl StateArgs {
    pub(super) async fn run(self) -> anyhow::Result<ExitStatus> {
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
        v1::PolicyKind::Disjoint => "disjoint",
        v1::PolicyKind::Hybrid => "hybrid",
        v1::PolicyKind::Strongest => "strongest",
        v1::PolicyKind::Screening => "screening",
        v1::PolicyKind::Static => "static",
        v1::PolicyKind::Random => "random",
        v1::PolicyKind::RandomTop => "random-top",
        v1::PolicyKind::EpsilonGreedy => "epsilon-greedy",
        v1::PolicyKind::Thompson => "thompson",
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
            "discount_ppm": policy.discount_ppm,
            "frozen_after": policy.frozen_after,
            "change_threshold_ppm": policy.change_threshold_ppm,
            "change_drift_ppm": policy.change_drift_ppm,
            "warm_up_closes": policy.warm_up_closes,
            "price_ppm": policy.price_ppm,
            "price_scale_microunits": policy.price_scale_microunits,
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
        "since": state.since,
        "choices": state.choices,
        "settled": state.settled,
        "frozen": state.frozen,
        "peers": state.peers.iter().map(|row| json!({
            "peer": key(row.peer.as_ref()),
            "observations": row.observations,
            "theta": row.theta,
        })).collect::<Vec<_>>(),
        "sources": state.sources.iter().map(|source| json!({
            "peer": key(source.peer.as_ref()),
            "size": source.size,
            "odds": source.odds,
        })).collect::<Vec<_>>(),
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
            "reliability": row.reliability,
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
    if !rows.is_empty() {
        print_line(&format!("learned from {} observations", state.observations))?;
        print_lines(&table(&["FEATURE", "THETA", "B"], &rows))?;
    }
    if state.frozen {
        print_line(&format!(
            "learns no more since {} settlements",
            state.settled
        ))?;
    }
    for source in &state.sources {
        print_line(&format!(
            "takes in what {} measured in its {} entries, which weighs {:.3} against the own record",
            key(source.peer.as_ref()),
            source.size,
            source.odds
        ))?;
    }
    print_peers(state)
}

/// What was learned of each peer by itself.
fn print_peers(state: &v1::PolicyState) -> anyhow::Result<()> {
    if state.peers.is_empty() {
        return Ok(());
    }
    let longest = state.peers.iter().map(|row| row.theta.len()).max();
    let names = state.features.iter().take(longest.unwrap_or(0));
    let mut headings = vec!["OBSERVATIONS".to_owned()];
    headings.extend(names.map(|name| name.to_uppercase()));
    headings.push("PEER".to_owned());
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    let rows: Vec<Vec<String>> = state
        .peers
        .iter()
        .map(|row| {
            std::iter::once(row.observations.to_string())
                .chain(row.theta.iter().map(|theta| format!("{theta:+.4}")))
                .chain([key(row.peer.as_ref())])
                .collect()
        })
        .collect();
    print_lines(&table(&headings, &rows))
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
                format!("{:.3}", row.reliability),
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
    let headings = [
        "KIND OF STEP",
        "SETTLEMENTS",
        "WINS",
        "REPUTATION",
        "RELIABILITY",
        "PEER",
    ];
    print_lines(&table(&headings, &buckets))
}
