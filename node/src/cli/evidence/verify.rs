//! `symphony evidence verify`.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use symphony_transparency::Digest;

use crate::{
    cli::{
        arguments::OutputArgs,
        exit::{ExitStatus, UnusableInput},
        output::{complain, print_json, print_line, unread_too},
    },
    evidence::{Invalid, judge, read_file},
};

/// Says what files prove, and why.
#[derive(Args, Debug)]
#[command(
    after_help = "The file is all that is needed: no log, no network, no node. It proves a fault or it does not.

Examples:
  symphony evidence verify fault.evidence
  symphony evidence verify faults/*.evidence --json

Exit codes: 0 each file proves its fault; 1 one does not; 2 one cannot be read."
)]
pub(in crate::cli) struct VerifyCommand {
    /// Evidence files
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Network that the files must belong to [default: any]
    #[arg(long, value_name = "ID")]
    network: Option<Digest>,
    #[command(flatten)]
    output: OutputArgs,
}

/// What a file proves, or why it proves nothing.
struct Judged {
    peer: Option<String>,
    rule: Option<&'static str>,
    explanation: String,
}

impl VerifyCommand {
    pub(in crate::cli) fn run(self) -> anyhow::Result<ExitStatus> {
        let (mut unproven, mut unreadable) = (false, false);
        for file in &self.files {
            match self.judged(file) {
                Ok(judged) => {
                    unproven |= judged.rule.is_none();
                    unread_too(self.print(file, &judged))?;
                }
                Err(error) => {
                    unreadable = true;
                    complain(&format!("error: {error}"));
                }
            }
        }
        Ok(if unreadable {
            ExitStatus::UnusableInput
        } else if unproven {
            ExitStatus::Failure
        } else {
            ExitStatus::Success
        })
    }

    fn judged(&self, file: &Path) -> Result<Judged, UnusableInput> {
        let bytes = read_file(file).map_err(|error| UnusableInput(error.to_string()))?;
        match judge(&bytes, self.network.as_ref()) {
            Ok(conviction) => Ok(Judged {
                peer: Some(conviction.fault.peer.to_string()),
                rule: Some(conviction.fault.rule.id()),
                explanation: conviction.explanation,
            }),
            Err(Invalid::Evidence(error)) if error.is_unreadable() => {
                Err(UnusableInput(format!("{}: {error}", file.display())))
            }
            Err(error) => Ok(Judged {
                peer: None,
                rule: None,
                explanation: error.to_string(),
            }),
        }
    }

    fn print(&self, file: &Path, judged: &Judged) -> anyhow::Result<()> {
        let file = file.display();
        if self.output.json {
            return print_json(&json!({
                "file": file.to_string(), "peer": judged.peer, "rule": judged.rule,
                "valid": judged.rule.is_some(), "explanation": judged.explanation,
            }));
        }
        match judged.rule {
            Some(rule) => print_line(&format!("proven  {rule}  {file}"))?,
            None => print_line(&format!("not proven  {file}"))?,
        }
        if let Some(peer) = &judged.peer {
            print_line(&format!("peer  {peer}"))?;
        }
        print_line(&judged.explanation)
    }
}
