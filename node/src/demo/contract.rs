//! The contract for scripts: one JSON object on the last line of standard output, kept stable. Documented in `docs/demo.md`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{
    baseline::Baseline,
    show::{Performance, share},
    stage::Stage,
    strangers::{AuditLine, EvidenceLine},
};

/// Windows into which the questions are divided.
const WINDOWS: usize = 6;

/// The result of a demo.
#[derive(Clone, Debug, Serialize)]
pub struct DemoResult {
    /// Questions asked.
    pub tasks: usize,
    /// Shares of right answers, 0 to 1, among questions with a known answer.
    pub accuracy: Accuracy,
    /// The questions in the order asked, in six parts.
    pub windows: Vec<WindowLine>,
    /// The peers.
    pub peers: Vec<PeerLine>,
    /// Faults that the separate audit found.
    pub faults: Vec<FaultLine>,
    /// Exported logs.
    pub exports: Vec<PathBuf>,
    /// Files that prove the faults to anyone, each checked by a process of its own.
    pub evidence: Vec<EvidenceLine>,
}

/// Shares of right answers, 0 to 1.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Accuracy {
    /// The network's answers.
    pub routed: f64,
    /// The network's answers in the last half.
    pub routed_last_half: f64,
    /// A model drawn at random for every question.
    pub random: f64,
    /// The one model that is best over all questions.
    pub best_single: f64,
    /// Right if any model is right.
    pub oracle: f64,
}

/// A part of the run.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct WindowLine {
    /// Number of the first question, from 0.
    pub first: usize,
    /// Questions.
    pub tasks: usize,
    /// Share of right answers.
    pub accuracy: f64,
    /// Mean time from submission to decision, in milliseconds.
    pub latency_ms: f64,
}

/// A peer of the demo.
#[derive(Clone, Debug, Serialize)]
pub struct PeerLine {
    /// The demo's name.
    pub name: String,
    /// Log key.
    pub peer: String,
    /// Log id.
    pub log: String,
    /// What is special about it.
    pub part: String,
    /// Its model's folder, if it has one.
    pub model: Option<String>,
    /// Selections in the first half of the questions.
    pub selections_first_half: usize,
    /// Selections in the last half of the questions.
    pub selections_last_half: usize,
}

/// A fault.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct FaultLine {
    /// Log key of the peer that broke the rule.
    pub peer: String,
    /// Requirement id in the specification.
    pub rule: String,
    /// Index of the entry.
    pub entry: u64,
    /// What the rules give.
    pub expected: String,
    /// What stands there.
    pub found: String,
}

impl DemoResult {
    pub(super) fn new(
        stage: &Stage,
        performance: &Performance,
        audits: &[AuditLine],
        baseline: &Baseline,
        exports: &[PathBuf],
        evidence: Vec<EvidenceLine>,
    ) -> Self {
        let total = performance.asked.len();
        let mut faults: Vec<FaultLine> = Vec::new();
        for fault in audits.iter().filter_map(|audit| audit.fault.clone()) {
            if !faults.contains(&fault) {
                faults.push(fault);
            }
        }
        Self {
            tasks: total,
            accuracy: Accuracy {
                routed: performance.accuracy(0..total),
                routed_last_half: performance.accuracy(total / 2..total),
                random: baseline.random(),
                best_single: baseline.best_single(),
                oracle: baseline.oracle(),
            },
            windows: windows(performance),
            peers: stage
                .actors
                .iter()
                .map(|actor| PeerLine {
                    name: actor.player.name.to_owned(),
                    peer: actor.did_key.clone(),
                    log: actor.log_id.clone(),
                    part: actor.player.part.describe().to_owned(),
                    model: actor.player.model.map(str::to_owned),
                    selections_first_half: selections(performance, &actor.did_key, 0..total / 2),
                    selections_last_half: selections(performance, &actor.did_key, total / 2..total),
                })
                .collect(),
            faults,
            exports: exports.to_vec(),
            evidence,
        }
    }
}

fn windows(performance: &Performance) -> Vec<WindowLine> {
    let total = performance.asked.len();
    let count = WINDOWS.min(total).max(1);
    (0..count)
        .map(|number| {
            let (first, end) = (number * total / count, (number + 1) * total / count);
            let millis: f64 = performance.outcomes[first..end]
                .iter()
                .map(|outcome| outcome.latency.as_secs_f64() * 1_000.0)
                .sum();
            #[expect(
                clippy::cast_precision_loss,
                reason = "counts of questions are far below 2^53"
            )]
            let mean = millis / (end - first).max(1) as f64;
            WindowLine {
                first,
                tasks: end - first,
                accuracy: performance.accuracy(first..end),
                latency_ms: mean,
            }
        })
        .collect()
}

/// How often a peer was selected for the questions of a range.
pub(super) fn selections(
    performance: &Performance,
    did_key: &str,
    range: std::ops::Range<usize>,
) -> usize {
    performance.outcomes[range]
        .iter()
        .filter(|outcome| outcome.executors.iter().any(|executor| executor == did_key))
        .count()
}

/// The vote against its best member: how often it was right where that one was wrong, and the other way round.
pub(super) fn vote_against_best(performance: &Performance) -> (usize, usize) {
    let mut records: std::collections::BTreeMap<(&str, &[String]), (usize, usize)> =
        std::collections::BTreeMap::new();
    for (asked, outcome) in performance.asked.iter().zip(&performance.outcomes) {
        let Some(target) = &asked.target else {
            continue;
        };
        for (peer, answer) in &outcome.ballots {
            let record = records
                .entry((peer.as_str(), asked.tags.as_slice()))
                .or_default();
            record.0 += usize::from(answer == target);
            record.1 += 1;
        }
    }
    let (mut won, mut lost) = (0, 0);
    for (index, (asked, outcome)) in performance
        .asked
        .iter()
        .zip(&performance.outcomes)
        .enumerate()
    {
        let (Some(right), Some(target)) = (performance.right(index), &asked.target) else {
            continue;
        };
        let skill = |peer: &str| {
            records
                .get(&(peer, asked.tags.as_slice()))
                .map_or(0.0, |(right, all)| share(*right, *all))
        };
        let best = outcome
            .ballots
            .iter()
            .max_by(|left, other| skill(left.0).total_cmp(&skill(other.0)));
        let Some((_, answer)) = best else { continue };
        match (right, answer == target) {
            (true, false) => won += 1,
            (false, true) => lost += 1,
            _ => {}
        }
    }
    (won, lost)
}
