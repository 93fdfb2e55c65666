//! `symphony evidence make`, and the files of `symphony audit --evidence`.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use symphony_transparency::Digest;

use crate::{
    audit::{LogReport, Verdict, audit_files},
    cli::{
        arguments::OutputArgs,
        exit::{ExitStatus, UnusableInput},
        output::{complain, print_json, print_line, unread_too},
    },
    evidence::{Made, make, path_in, write_file},
};

/// Writes a file for each fault that exported logs show.
#[derive(Args, Debug)]
#[command(
    after_help = "The logs are audited first. Each fault that a signature of the peer covers becomes a file of its own, which
proves it without the logs: <digest>.evidence in the folder.

Examples:
  symphony evidence make --log liar.symlog
  symphony evidence make --log asker.symlog --log bidder.symlog --out faults/

Exit codes: 0 no fault; 3 faults, and a file for each; 1 a fault of which no file could be made; 2 a log cannot be judged."
)]
pub(in crate::cli) struct MakeCommand {
    /// Exported log (.symlog); may be given several times
    #[arg(long = "log", value_name = "EXPORT", required = true)]
    logs: Vec<PathBuf>,
    /// Folder for the files
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// Network that the logs must belong to [default: that of the first]
    #[arg(long, value_name = "ID")]
    network: Option<Digest>,
    #[command(flatten)]
    output: OutputArgs,
}

impl MakeCommand {
    pub(in crate::cli) fn run(self) -> anyhow::Result<ExitStatus> {
        let audit = audit_files(&self.logs, self.network, &mut |_| {});
        let unusable = audit
            .logs
            .iter()
            .find(|report| report.verdict == Verdict::Unusable && report.file.is_some());
        if let Some(report) = unusable {
            let name = report
                .file
                .as_ref()
                .map(|file| file.display().to_string())
                .unwrap_or_default();
            let reason = report.reason.clone().unwrap_or_default();
            return Err(UnusableInput(format!("{name}: {reason}")).into());
        }
        write_evidence(&self.logs, &audit.logs, &self.out, self.output)
    }
}

/// Writes a file for each fault in these reports, and says on standard error what could not be proven.
pub(in crate::cli) fn save_evidence(
    files: &[PathBuf],
    reports: &[LogReport],
    folder: &Path,
) -> anyhow::Result<Made> {
    let made = make(files, reports);
    for (_, evidence) in &made.evidence {
        write_file(folder, evidence.bytes())?;
    }
    for unproven in &made.unproven {
        let fault = &unproven.fault.fault;
        let reason = format!(
            "no evidence of {} by {}: {}",
            fault.rule, fault.peer, unproven.reason
        );
        complain(&format!("error: {reason}"));
    }
    Ok(made)
}

/// The same, and prints a line for each file.
pub(in crate::cli) fn write_evidence(
    files: &[PathBuf],
    reports: &[LogReport],
    folder: &Path,
    output: OutputArgs,
) -> anyhow::Result<ExitStatus> {
    let made = save_evidence(files, reports, folder)?;
    for (located, evidence) in &made.evidence {
        let path = path_in(folder, evidence.bytes());
        let fault = &located.fault;
        unread_too(if output.json {
            print_json(&json!({
                "evidence": path, "peer": fault.peer.to_string(), "rule": fault.rule.id(),
                "kind": evidence.kind(), "size": evidence.bytes().len(),
            }))
        } else {
            print_line(&format!(
                "{}: {} of {}, {} bytes",
                path.display(),
                fault.rule.id(),
                fault.peer,
                evidence.bytes().len()
            ))
        })?;
    }
    Ok(if !made.unproven.is_empty() {
        ExitStatus::Failure
    } else if made.evidence.is_empty() {
        ExitStatus::Success
    } else {
        ExitStatus::Exposed
    })
}
