//! `symphony policy explain`.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use symphony_admin::{SelectionQuery, v1};
use symphony_protocol::replay::Replay;

use super::key;
use crate::{
    audit::ExportFile,
    backend::explain_selection,
    cli::{
        arguments::OutputArgs,
        connect::{LogArgs, NodeArgs},
        exit::{ExitStatus, UnusableInput},
        output::{print_json, print_line, print_lines, table},
    },
};

/// A selection.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  symphony policy explain 131
  symphony policy explain 131 --slot 2 --json
  symphony policy explain 131 --file coordinator.symlog")]
pub(in crate::cli) struct ExplainArgs {
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

impl ExplainArgs {
    pub(super) async fn run(self) -> anyhow::Result<ExitStatus> {
        let explanation = match &self.file {
            Some(file) => self.explain_file(file)?,
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

    fn explain_file(&self, path: &Path) -> anyhow::Result<v1::Explanation> {
        let refused =
            |error: &dyn std::fmt::Display| UnusableInput(format!("{}: {error}", path.display()));
        let beyond = || UnusableInput(format!("the file has no entry {}", self.entry));
        let mut file = ExportFile::open(path).map_err(|error| refused(&error))?;
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
                "eligible": candidate.eligible,
                "estimate_shares": candidate.estimate_shares,
                "width_shares": candidate.width_shares,
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
        "propensity": explanation.propensity,
        "runner_up": explanation.runner_up,
        "flips": explanation.flips.iter().map(|flip| json!({
            "bid": flip.bid,
            "feature": flip.feature,
            "from": flip.from,
            "to": flip.to,
            "picked": flip.picked,
        })).collect::<Vec<_>>(),
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
            "; the last place is kept for a newcomer, or for whom nobody settled for longest"
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
    ))?;
    print_shares(explanation)?;
    print_flips(explanation)
}

/// What each feature adds, for the picked candidate and its runner-up.
fn print_shares(explanation: &v1::Explanation) -> anyhow::Result<()> {
    let candidate = |wanted: &dyn Fn(&v1::Candidate) -> bool| {
        explanation
            .candidates
            .iter()
            .find(|candidate| wanted(candidate) && !candidate.estimate_shares.is_empty())
    };
    let Some(chosen) = candidate(&|one| one.picked_slot == Some(explanation.slot)) else {
        return Ok(());
    };
    let second = candidate(&|one| Some(one.bid) == explanation.runner_up);
    let share = |shares: &[f64], place: usize| {
        shares
            .get(place)
            .map_or_else(|| "-".to_owned(), |share| format!("{share:+.4}"))
    };
    let rows: Vec<Vec<String>> = explanation
        .features
        .iter()
        .enumerate()
        .map(|(place, feature)| {
            let mut row = vec![feature.clone()];
            for one in [Some(chosen), second].into_iter().flatten() {
                row.push(share(&one.estimate_shares, place));
                row.push(share(&one.width_shares, place));
            }
            row
        })
        .collect();
    let mut headings = vec!["SHARE OF", "ESTIMATE", "WIDTH"];
    if second.is_some() {
        headings.extend(["RUNNER-UP'S ESTIMATE", "WIDTH"]);
    }
    print_lines(&table(&headings, &rows))
}

/// What would have led to another pick.
fn print_flips(explanation: &v1::Explanation) -> anyhow::Result<()> {
    let peer = |bid: u64| {
        explanation
            .candidates
            .iter()
            .find(|candidate| candidate.bid == bid)
            .map_or_else(String::new, |candidate| key(candidate.peer.as_ref()))
    };
    if let Some(propensity) = explanation.propensity {
        return print_line(&format!(
            "chance picked: this pick had probability {propensity:.4}"
        ));
    }
    if explanation.flips.is_empty() {
        return print_line("no change of one number would have flipped it");
    }
    print_line("any of these alone would have flipped it:")?;
    let rows: Vec<Vec<String>> = explanation
        .flips
        .iter()
        .map(|flip| {
            vec![
                flip.feature.clone(),
                format!("{:.4}", flip.from),
                format!("{:.4}", flip.to),
                peer(flip.bid),
                peer(flip.picked),
            ]
        })
        .collect();
    print_lines(&table(&["NUMBER", "IS", "AT", "OF", "PICKED THEN"], &rows))
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
