//! Figures in Markdown.

use std::fmt::Write as _;

use super::words::words;
use crate::experiments::{catalogue::Experiment, statistics::Estimate, study::Finding};

/// The table of an experiment, in Markdown. Arms that exist in the simulation alone bear a star.
pub fn table(experiment: Experiment, findings: &[Finding]) -> String {
    let words = words(experiment);
    let mut text = String::from("| world | policy |");
    for (_, heading, _) in words.columns {
        let _ = write!(text, " {heading} |");
    }
    text.push_str("\n|---|---|");
    text.push_str(&"---|".repeat(words.columns.len()));
    text.push('\n');
    for finding in findings {
        let star = if finding.simulation_only { " \\*" } else { "" };
        let _ = write!(text, "| {} | {}{star} |", finding.course, finding.arm);
        for (name, _, digits) in words.columns {
            let _ = match finding.figure(name) {
                Some(value) => write!(text, " {} |", shown(value, *digits)),
                None => write!(text, " |"),
            };
        }
        text.push('\n');
    }
    text
}

/// `mean ± half-width`.
pub fn shown(value: Estimate, digits: usize) -> String {
    format!("{:.digits$} ± {:.digits$}", value.mean, value.half_width)
}

/// Looks a figure up.
pub fn figure(findings: &[Finding], course: &str, arm: &str, name: &str) -> Option<Estimate> {
    findings
        .iter()
        .find(|finding| finding.course == course && finding.arm == arm)
        .and_then(|finding| finding.figure(name))
}
