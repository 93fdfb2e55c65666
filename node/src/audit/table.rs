//! Reports as people read them.

use std::fmt::Write as _;

use super::report::{LocatedFault, LogReport, Verdict};

/// One line for each report, and lines below it where there is more to say. Ends in a newline.
pub fn report_table(reports: &[LogReport]) -> String {
    let mut table = format!(
        "{:<10}{:>9}{:>12}{:>13}{:>6}{:>10}{:>11}  {}\n",
        "VERDICT", "ENTRIES", "SELECTIONS", "SETTLEMENTS", "VOID", "TIME-OUTS", "ENTRIES/S", "PEER"
    );
    for report in reports {
        let counters = &report.counters;
        let peer = report
            .peer
            .map_or_else(|| "unknown".to_owned(), |peer| peer.to_string());
        let _ = writeln!(
            table,
            "{:<10}{:>9}{:>12}{:>13}{:>6}{:>10}{:>11.0}  {peer}",
            report.verdict,
            report.entries,
            counters.selections,
            counters.settlements,
            counters.void_settlements,
            counters.timeouts,
            report.entries_per_second(),
        );
        for line in details(report) {
            let _ = writeln!(table, "          {line}");
        }
    }
    table
}

fn details(report: &LogReport) -> Vec<String> {
    let mut lines = Vec::new();
    match &report.file {
        Some(file) => lines.push(file.display().to_string()),
        None => lines.push("no log of this peer was given".to_owned()),
    }
    if let Some(fault) = &report.fault {
        lines.extend(fault_lines(fault, report));
    }
    if let Some(reason) = &report.reason {
        lines.push(reason.clone());
    }
    if report.verdict != Verdict::Unusable {
        lines.extend(root_line(report));
    }
    lines
}

fn fault_lines(located: &LocatedFault, report: &LogReport) -> Vec<String> {
    let fault = &located.fault;
    let place = if report.log == Some(located.log) {
        format!("entry {}", fault.entry)
    } else {
        format!("entry {} of log {}", fault.entry, located.log)
    };
    let mut lines = vec![
        format!("broke {} at {place}", fault.rule),
        format!("expected {}", fault.expected),
        format!("found    {}", fault.found),
    ];
    if !located.signed {
        lines.push(
            "no signature of the peer covers this entry: whoever wrote the file may have changed it"
                .to_owned(),
        );
    }
    lines
}

fn root_line(report: &LogReport) -> Option<String> {
    let root = report.state_root?;
    Some(match report.claimed {
        None => format!("state root {root}, and no checkpoint to compare it with"),
        Some(claim) if claim.size == report.entries && claim.state_root == root => {
            format!("state root {root}, as signed")
        }
        Some(claim) => format!(
            "state root {root} after {} entries; signed after {}: {}",
            report.entries, claim.size, claim.state_root
        ),
    })
}
