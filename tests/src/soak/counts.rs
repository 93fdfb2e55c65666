//! What a soak did.

use std::{collections::BTreeMap, fmt};

use super::{boundary::Boundary, damage::Damage, scarcity::Scarcity};

/// What was done, for people and for tests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Kills at a random moment.
    pub kills: u64,
    /// Ends at a boundary.
    pub boundaries: BTreeMap<Boundary, u64>,
    /// Kills while the ledger opened.
    pub openings: u64,
    /// Entries that were acknowledged, of all logs.
    pub acknowledged: u64,
    /// Comparisons of an acknowledged entry with the stored one.
    pub compared: u64,
    /// Damages planted, by way and file; each with how the folder stood, and whether a peer's entries healed it.
    pub damages: BTreeMap<(Damage, &'static str), BTreeMap<Standing, u64>>,
    /// Times that something was scarce.
    pub scarcities: BTreeMap<Scarcity, u64>,
    /// Logs that a peer's export healed.
    pub healed: u64,
    /// Whole checks.
    pub checks: u64,
}

/// How a damaged folder stood.
pub type Standing = &'static str;

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "kills at a random moment          {:>8}",
            self.kills
        )?;
        for (boundary, count) in &self.boundaries {
            writeln!(formatter, "ends when {:<24}{count:>8}", boundary.name())?;
        }
        writeln!(
            formatter,
            "kills while opening               {:>8}",
            self.openings
        )?;
        for (scarcity, count) in &self.scarcities {
            writeln!(formatter, "{:<34}{count:>8}", format!("{scarcity:?}"))?;
        }
        writeln!(
            formatter,
            "entries acknowledged              {:>8}",
            self.acknowledged
        )?;
        writeln!(
            formatter,
            "comparisons with the list         {:>8}",
            self.compared
        )?;
        writeln!(
            formatter,
            "whole checks (fsck)               {:>8}",
            self.checks
        )?;
        writeln!(
            formatter,
            "logs healed from a peer's export  {:>8}",
            self.healed
        )?;
        writeln!(formatter, "damages to copies:")?;
        for ((damage, file), stands) in &self.damages {
            let stands: Vec<String> = stands
                .iter()
                .map(|(standing, count)| format!("{standing} {count}"))
                .collect();
            writeln!(
                formatter,
                "  {:<14}{file:<18}{}",
                format!("{damage:?}"),
                stands.join(", ")
            )?;
        }
        write!(formatter, "acknowledged entries lost         {:>8}", 0)
    }
}
