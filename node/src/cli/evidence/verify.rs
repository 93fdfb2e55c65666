//! `symphony evidence verify`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use symphony_transparency::Digest;

use crate::{
    cli::{
        arguments::OutputArgs,
        exit::{ExitStatus, UnusableInput},
        output::{print_json, print_line},
    },
    evidence::{Invalid, judge, read_file},
};

/// Says what a file proves, and why.
#[derive(Args, Debug)]
#[command(
    after_help = "The file is all that is needed: no log, no network, no node. It proves a fault or it does not.

Examples:
  symphony evidence verify fault.evidence
  symphony evidence verify fault.evidence --json

Exit codes: 0 it proves the fault; 1 it does not; 2 it cannot be read."
)]
pub(in crate::cli) struct VerifyCommand {
    /// Evidence file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Network that the file must belong to [default: any]
    #[arg(long, value_name = "ID")]
    network: Option<Digest>,
    #[command(flatten)]
    output: OutputArgs,
}

impl VerifyCommand {
    pub(in crate::cli) fn run(self) -> anyhow::Result<ExitStatus> {
        let named = |reason: &dyn std::fmt::Display| {
            UnusableInput(format!("{}: {reason}", self.file.display()))
        };
        let file = read_file(&self.file).map_err(|error| named(&error))?;
        let (peer, rule, valid, explanation) = match judge(&file, self.network.as_ref()) {
            Ok(conviction) => (
                Some(conviction.fault.peer.to_string()),
                Some(conviction.fault.rule.id()),
                true,
                conviction.explanation,
            ),
            Err(Invalid::Evidence(error)) if error.is_unreadable() => {
                return Err(named(&error).into());
            }
            Err(error) => (None, None, false, error.to_string()),
        };
        if self.output.json {
            print_json(&json!({
                "peer": peer, "rule": rule, "valid": valid, "explanation": explanation,
            }))?;
        } else {
            let verdict = if valid { "proven" } else { "not proven" };
            print_line(&format!("{verdict}  {}", rule.unwrap_or("-")))?;
            if let Some(peer) = peer {
                print_line(&format!("peer  {peer}"))?;
            }
            print_line(&explanation)?;
        }
        Ok(if valid {
            ExitStatus::Success
        } else {
            ExitStatus::Failure
        })
    }
}
