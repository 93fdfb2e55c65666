//! `symphony audit`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};
use symphony_admin::v1::{self, audit_event::Kind};
use symphony_transparency::{Digest, TrustPolicy};

use super::{
    arguments::OutputArgs,
    connect::{LogArgs, NodeArgs},
    evidence::{save_evidence, write_evidence},
    exit::{ExitStatus, UnusableInput},
    output::{complain, print_json, print_line, print_lines, unread_too},
    progress,
    trust::{self, TrustArgs},
};
use crate::{
    audit::{LogReport, Verdict, audit_files, report_json, report_table},
    home::Home,
};

/// Judges logs by replay.
#[derive(Args, Debug)]
#[command(
    after_help = "Every entry is computed again from the entries before it: rankings, selections, votes, rewards, state
roots. Several logs are compared with each other, so that an entry that one of them dropped or rewrote shows.

Examples:
  symphony audit coordinator.symlog
  symphony audit exports/*.symlog --json
  symphony audit exports/*.symlog --evidence faults/
  symphony audit exports/*.symlog --trust-policy policy.txt --json
  symphony audit --node /run/symphony/admin.sock --log-id 5f…

Exit codes: 0 clean; 3 exposed: a rule is broken; 2 unusable: a damaged file, another network or other rules;
4 suspected: the author signed more than is here. If several apply, the first in this order: 3, 2, 4."
)]
pub(super) struct AuditCommand {
    /// Exported logs (.symlog); without any, the node is asked to audit a log that it holds
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Network that the files must belong to [default: that of the first file]
    #[arg(long, value_name = "ID", value_parser = parse_digest, requires = "files")]
    network: Option<Digest>,
    #[command(flatten)]
    trust: TrustArgs,
    /// Writes an evidence file for each fault into this folder, which may be sent to anyone
    #[arg(long, value_name = "DIR", requires = "files")]
    evidence: Option<PathBuf>,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    output: OutputArgs,
}

fn parse_digest(text: &str) -> Result<Digest, String> {
    text.parse()
        .map_err(|error: symphony_transparency::DigestError| error.to_string())
}

impl AuditCommand {
    /// Whether files were named.
    pub(super) fn reads_files(&self) -> bool {
        !self.files.is_empty()
    }

    /// Audits the named files.
    pub(super) fn run_files(self) -> anyhow::Result<ExitStatus> {
        let policy = self.trust.policy()?;
        let bar = progress::bar(0, "entries");
        let audit = audit_files(&self.files, self.network, &mut |at| {
            bar.set_length(at.entries_total);
            bar.set_position(at.entries_done);
            bar.set_message(at.file.display().to_string());
        });
        bar.finish_and_clear();
        for report in &audit.logs {
            if report.verdict == Verdict::Unusable
                && let (Some(file), Some(reason)) = (&report.file, &report.reason)
            {
                complain(&format!("error: {}: {reason}", file.display()));
            }
        }
        unread_too(self.print(&audit.logs, policy.as_ref()))?;
        if let Some(folder) = &self.evidence {
            // A script that reads JSON finds the files in the folder.
            let output = OutputArgs { json: false };
            if !self.output.json {
                write_evidence(&self.files, &audit.logs, folder, output)?;
            } else {
                save_evidence(&self.files, &audit.logs, folder)?;
            }
        }
        Ok(audit.verdict().into())
    }

    fn print(&self, logs: &[LogReport], policy: Option<&TrustPolicy>) -> anyhow::Result<()> {
        let trusted = |report: &LogReport| {
            let file = report
                .file
                .as_ref()
                .filter(|_| report.verdict != Verdict::Unusable)?;
            trust::judge(policy?, file)
        };
        if self.output.json {
            for report in logs {
                let mut line = report_json(report);
                if policy.is_some() {
                    line["witnessed"] =
                        trusted(report).map_or(Value::Null, |trusted| trusted.json());
                }
                print_json(&line)?;
            }
            return Ok(());
        }
        print_lines(&report_table(logs))?;
        for report in logs {
            if let (Some(file), Some(trusted)) = (&report.file, trusted(report)) {
                print_line(&format!("{}: {}", file.display(), trusted.line()))?;
            }
        }
        Ok(())
    }

    /// Lets the node audit one of its logs.
    pub(super) async fn run_node(self) -> anyhow::Result<ExitStatus> {
        if self.node.node.is_none() && Home::open(&self.node.home.folder()).is_err() {
            return Err(UnusableInput(
                "name exported logs (.symlog), or a node with --node or --home".to_owned(),
            )
            .into());
        }
        let client = self.node.connect().await?;
        let mut events = client.audit(self.log.name()).await?;
        let bar = progress::bar(0, "entries");
        let mut report = None;
        while let Some(event) = events.message().await? {
            match event.kind {
                Some(Kind::Progress(at)) => {
                    bar.set_length(at.entries_total);
                    bar.set_position(at.entries_done);
                }
                Some(Kind::Report(last)) => report = Some(last),
                None => {}
            }
        }
        bar.finish_and_clear();
        let report = report.context("the node ended the audit without a report")?;
        let verdict = report.verdict();
        unread_too(if self.output.json {
            print_json(&message_json(&report))
        } else {
            print_message(&report)
        })?;
        Ok(match verdict {
            v1::Verdict::Clean => ExitStatus::Success,
            v1::Verdict::Suspected => ExitStatus::Suspected,
            v1::Verdict::Exposed => ExitStatus::Exposed,
            v1::Verdict::Unusable | v1::Verdict::Pending | v1::Verdict::Unspecified => {
                ExitStatus::UnusableInput
            }
        })
    }
}

/// The word for a verdict of the API.
pub(super) fn verdict_name(verdict: v1::Verdict) -> &'static str {
    match verdict {
        v1::Verdict::Clean => "clean",
        v1::Verdict::Suspected => "suspected",
        v1::Verdict::Exposed => "exposed",
        v1::Verdict::Unusable => "unusable",
        v1::Verdict::Pending => "pending",
        v1::Verdict::Unspecified => "unknown",
    }
}

/// The same keys as of an audit of files.
fn message_json(report: &v1::AuditReport) -> Value {
    let peer = report.peer.clone().unwrap_or_default();
    let fault = report.fault.as_ref().map(|fault| {
        json!({
            "peer": peer.did_key,
            "rule": fault.rule,
            "name": fault.name,
            "log": fault.log_id,
            "entry": fault.entry,
            "expected": fault.expected,
            "found": fault.found,
            "signed": fault.signed,
        })
    });
    json!({
        "peer": text(&peer.did_key),
        "log": text(&peer.log_id),
        "file": Value::Null,
        "verdict": verdict_name(report.verdict()),
        "entries": report.entries,
        "selections": report.selections,
        "settlements": report.settlements,
        "void": report.void_settlements,
        "timeouts": report.timeouts,
        "state_root": text(&report.state_root),
        "claimed_state_root": text(&report.claimed_state_root),
        "checkpoint_size": Some(report.checkpoint_size).filter(|size| *size != 0),
        "entries_per_second": report.entries_per_second.round(),
        "fault": fault,
        "reason": text(&report.reason),
    })
}

fn text(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn print_message(report: &v1::AuditReport) -> anyhow::Result<()> {
    let peer = report.peer.clone().unwrap_or_default();
    print_line(&format!(
        "{}  {}",
        verdict_name(report.verdict()),
        peer.did_key
    ))?;
    print_line(&format!("log          {}", peer.log_id))?;
    print_line(&format!(
        "entries      {} ({:.0} a second), {} selections, {} settlements, {} void, {} time-outs",
        report.entries,
        report.entries_per_second,
        report.selections,
        report.settlements,
        report.void_settlements,
        report.timeouts
    ))?;
    if !report.state_root.is_empty() {
        print_line(&format!("state root   {}", report.state_root))?;
    }
    if !report.claimed_state_root.is_empty() {
        print_line(&format!(
            "as signed    {} after {} entries",
            report.claimed_state_root, report.checkpoint_size
        ))?;
    }
    if let Some(fault) = &report.fault {
        print_line(&format!("broke {} at entry {}", fault.rule, fault.entry))?;
        print_line(&format!("expected     {}", fault.expected))?;
        print_line(&format!("found        {}", fault.found))?;
    }
    if !report.reason.is_empty() {
        print_line(&report.reason)?;
    }
    Ok(())
}
