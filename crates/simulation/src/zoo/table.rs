//! What trials showed, and the table of it.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
};

use symphony_protocol::Rule;

use super::{
    cheat::Cheat,
    trial::{cheat_scenario, honest_scenario},
};
use crate::{
    network::{SimulationError, run},
    report::{CharacterReport, Conviction, Report},
    scenario::Character,
};

/// One trial. The same trial has the same outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trial {
    /// A network with a cheat.
    Cheat(Cheat, u64),
    /// A network in which nobody cheats.
    Honest(u64),
}

/// What a trial showed.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The trial.
    pub trial: Trial,
    /// What must not happen, and did.
    pub failures: Vec<String>,
    /// The cheat's conviction, if it was convicted.
    conviction: Option<Conviction>,
    in_the_open: bool,
    report: Counts,
}

/// Sums over runs.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    entries: u64,
    messages: u64,
    lost: u64,
    crashes: u64,
    restored: u64,
    healed: u64,
    retired: u64,
    refused: u64,
    unusable: u64,
    framers: u64,
    framers_exposed: u64,
}

impl Trial {
    /// Runs the trial.
    ///
    /// # Errors
    /// A defect of this program.
    pub fn run(self) -> Result<Outcome, SimulationError> {
        let scenario = match self {
            Self::Cheat(cheat, seed) => cheat_scenario(cheat, seed),
            Self::Honest(seed) => honest_scenario(seed),
        };
        let report = run(&scenario)?;
        Ok(Outcome::of(self, &report))
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cheat(cheat, seed) => write!(formatter, "{} with seed {seed}", cheat.name()),
            Self::Honest(seed) => write!(formatter, "honest with seed {seed}"),
        }
    }
}

impl Outcome {
    fn of(trial: Trial, report: &Report) -> Self {
        let mut failures = report.violations.clone();
        failures.extend(
            report
                .unproved
                .iter()
                .map(|fault| format!("found and not proved: {fault}")),
        );
        let is_framer = |character: &&CharacterReport| character.character == Character::Framer;
        let framers = report.characters.iter().filter(is_framer);
        let cheat = report.characters.first().filter(|first| !is_framer(first));
        if let (Trial::Cheat(cheat, _), Some(first)) = (trial, cheat) {
            failures.extend(failures_of(cheat, first));
        }
        Self {
            trial,
            failures,
            conviction: cheat.and_then(|cheat| cheat.conviction),
            in_the_open: cheat.is_some_and(|cheat| cheat.in_the_open),
            report: Counts {
                entries: report.peers.iter().map(|peer| peer.size).sum(),
                messages: report.messages,
                lost: report.lost,
                crashes: report.crashes,
                restored: report.restored,
                healed: report.healed,
                retired: report.retired,
                refused: report.refused,
                unusable: report.unusable,
                framers: count(framers.clone()),
                framers_exposed: count(framers.filter(|framer| framer.conviction.is_some())),
            },
        }
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u64 {
    u64::try_from(items.count()).unwrap_or(u64::MAX)
}

fn failures_of(cheat: Cheat, seen: &CharacterReport) -> Vec<String> {
    let mut failures = Vec::new();
    match seen.conviction {
        None if seen.in_the_open => failures.push("in the open, and not convicted".to_owned()),
        Some(conviction) if !cheat.rules().contains(&conviction.rule) => {
            failures.push(format!("convicted by {}", conviction.rule));
        }
        _ => {}
    }
    let (running, exposed) = seen.observers;
    if seen.conviction.is_some() && exposed < running {
        failures.push(format!("exposed to {exposed} of {running} honest peers"));
    }
    failures
}

/// Sums over trials. Outcomes are added in any order.
#[derive(Clone, Debug, Default)]
pub struct Table {
    cheats: BTreeMap<Cheat, Row>,
    honest_runs: u64,
    honest: Counts,
    failures: BTreeMap<String, Vec<String>>,
}

#[derive(Clone, Debug, Default)]
struct Row {
    runs: u64,
    received: u64,
    delays_ms: Vec<u64>,
    evidence_sizes: Vec<usize>,
    rules: BTreeMap<Rule, u64>,
}

impl Table {
    /// Adds a trial.
    pub fn add(&mut self, outcome: &Outcome) {
        if !outcome.failures.is_empty() {
            self.failures
                .insert(outcome.trial.to_string(), outcome.failures.clone());
        }
        match outcome.trial {
            Trial::Cheat(cheat, _) => {
                let row = self.cheats.entry(cheat).or_default();
                row.runs += 1;
                row.received += u64::from(outcome.in_the_open || outcome.conviction.is_some());
                if let Some(conviction) = outcome.conviction {
                    let delay_ms = conviction.time_ms.saturating_sub(conviction.in_the_open_ms);
                    row.delays_ms.push(delay_ms);
                    row.evidence_sizes.push(conviction.evidence_size);
                    *row.rules.entry(conviction.rule).or_default() += 1;
                }
            }
            Trial::Honest(_) => {
                self.honest_runs += 1;
                self.honest.add(&outcome.report);
            }
        }
    }

    /// What must not have happened, by trial.
    pub fn failures(&self) -> &BTreeMap<String, Vec<String>> {
        &self.failures
    }

    /// In how many runs a cheat was convicted.
    pub fn convicted(&self, cheat: Cheat) -> usize {
        self.cheats.get(&cheat).map_or(0, |row| row.delays_ms.len())
    }

    /// The table in Markdown.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> fmt::Result {
        if !self.cheats.is_empty() {
            writeln!(
                text,
                "| cheat | what it does | runs | received | convicted | by | delay, median | longest | evidence, median | largest |"
            )?;
            writeln!(text, "|---|---|---:|---:|---:|---|---:|---:|---:|---:|")?;
        }
        for (cheat, row) in &self.cheats {
            let mut delays_ms = row.delays_ms.clone();
            delays_ms.sort_unstable();
            let mut sizes = row.evidence_sizes.clone();
            sizes.sort_unstable();
            let rules: Vec<String> = row
                .rules
                .iter()
                .map(|(rule, count)| format!("{} ({count})", rule.id()))
                .collect();
            writeln!(
                text,
                "| `{}` | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                cheat.name(),
                cheat.does(),
                row.runs,
                row.received,
                delays_ms.len(),
                rules.join(", "),
                seconds(delays_ms.get(delays_ms.len() / 2)),
                seconds(delays_ms.last()),
                bytes(sizes.get(sizes.len() / 2)),
                bytes(sizes.last()),
            )?;
        }
        if self.honest_runs > 0 {
            self.honest.write(text, self.honest_runs)?;
        }
        for (trial, failures) in &self.failures {
            writeln!(text, "\n**{trial}**: {}", failures.join("; "))?;
        }
        Ok(())
    }
}

fn seconds(delay_ms: Option<&u64>) -> String {
    delay_ms.map_or_else(
        || "–".to_owned(),
        |delay_ms| format!("{}.{:03} s", delay_ms / 1_000, delay_ms % 1_000),
    )
}

fn bytes(size: Option<&usize>) -> String {
    size.map_or_else(|| "–".to_owned(), |size| format!("{size} B"))
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.entries += other.entries;
        self.messages += other.messages;
        self.lost += other.lost;
        self.crashes += other.crashes;
        self.restored += other.restored;
        self.healed += other.healed;
        self.retired += other.retired;
        self.refused += other.refused;
        self.unusable += other.unusable;
        self.framers += other.framers;
        self.framers_exposed += other.framers_exposed;
    }

    fn write(&self, text: &mut String, runs: u64) -> fmt::Result {
        writeln!(text, "\n| runs of honest peers | {runs} |")?;
        writeln!(text, "|---|---:|")?;
        for (name, value) in [
            ("entries", self.entries),
            ("messages", self.messages),
            ("messages lost", self.lost),
            ("crashes", self.crashes),
            ("disks put back to an earlier state", self.restored),
            ("of these logs healed from others' copies", self.healed),
            ("logs retired", self.retired),
            (
                "forged, foreign or damaged statements refused",
                self.refused,
            ),
            ("introductions under unknown rules", self.unusable),
            ("framers", self.framers),
            (
                "of these exposed for what they signed",
                self.framers_exposed,
            ),
        ] {
            writeln!(text, "| {name} | {value} |")?;
        }
        Ok(())
    }
}
