//! A report as scripts read it.

use serde_json::{Value, json};

use super::report::{LocatedFault, LogReport};

/// One report as a JSON object. The keys are a contract: none is removed or changes its meaning (docs/cli.md).
pub fn report_json(report: &LogReport) -> Value {
    json!({
        "peer": report.peer.map(|peer| peer.to_string()),
        "log": report.log.map(|log| log.to_string()),
        "file": report.file.as_ref().map(|file| file.display().to_string()),
        "verdict": report.verdict.name(),
        "entries": report.entries,
        "selections": report.counters.selections,
        "settlements": report.counters.settlements,
        "void": report.counters.void_settlements,
        "timeouts": report.counters.timeouts,
        "state_root": report.state_root.map(|root| root.to_string()),
        "claimed_state_root": report.claimed.map(|claim| claim.state_root.to_string()),
        "checkpoint_size": report.claimed.map(|claim| claim.size),
        "entries_per_second": report.entries_per_second().round(),
        "fault": report.fault.as_ref().map(fault_json),
        "reason": report.reason,
    })
}

fn fault_json(located: &LocatedFault) -> Value {
    let fault = &located.fault;
    json!({
        "peer": fault.peer.to_string(),
        "rule": fault.rule.id(),
        "name": fault.rule.name(),
        "log": located.log.to_string(),
        "entry": fault.entry,
        "expected": fault.expected,
        "found": fault.found,
        "signed": located.signed,
    })
}
