//! `symphony policy roles`.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use symphony_protocol::{
    records::Entry,
    replay::Replay,
    roles::{KindOfStep, Part, Roles},
};

use crate::{
    audit::ExportFile,
    cli::{
        arguments::OutputArgs,
        exit::{ExitStatus, UnusableInput},
        output::{print_json, print_line, print_lines, table},
    },
};

/// A log.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  symphony log export coordinator.symlog && symphony policy roles coordinator.symlog
  symphony policy roles coordinator.symlog --json")]
pub(in crate::cli) struct RolesArgs {
    /// An exported log
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    output: OutputArgs,
}

impl RolesArgs {
    pub(super) fn run(&self) -> anyhow::Result<ExitStatus> {
        let kinds = self.replayed()?.report();
        if self.output.json {
            for kind in &kinds {
                print_json(&kind_json(kind))?;
            }
        } else {
            for kind in &kinds {
                print_kind(kind)?;
            }
        }
        Ok(ExitStatus::Success)
    }

    /// Replays the file; what a fault follows is not counted.
    fn replayed(&self) -> anyhow::Result<Roles> {
        let refused = |error: &dyn std::fmt::Display| {
            UnusableInput(format!("{}: {error}", self.file.display()))
        };
        let mut file = ExportFile::open(&self.file).map_err(|error| refused(&error))?;
        let mut next = || file.next_entry().map_err(|error| refused(&error));
        let entry_0 = next()?.ok_or_else(|| refused(&"the export holds no entries"))?;
        let mut replay = Replay::begin(&entry_0, None).map_err(|error| refused(&error))?;
        let network = replay.state().network();
        let mut roles = Roles::default();
        while let Some(bytes) = next()? {
            let entry = Entry::parse(&bytes, Some(&network)).map_err(|error| refused(&error))?;
            roles.observe(replay.state(), &entry);
            replay.push(&bytes).map_err(|fault| refused(&fault))?;
        }
        Ok(roles)
    }
}

fn part_json(part: Part) -> Value {
    json!({ "selections": part.selections, "won": part.won })
}

fn kind_json(kind: &KindOfStep) -> Value {
    let peers: Vec<Value> = kind
        .peers
        .iter()
        .map(|role| {
            json!({
                "peer": role.peer.to_string(),
                "before": part_json(role.before),
                "after": part_json(role.after),
            })
        })
        .collect();
    json!({
        "tags": kind.tags,
        "selections": kind.selections,
        "concentration_before": kind.concentration_before,
        "concentration_after": kind.concentration_after,
        "peers": peers,
    })
}

fn print_kind(kind: &KindOfStep) -> anyhow::Result<()> {
    print_line(&format!(
        "[{}]: {} settled selections, concentration {:.3} in the first half and {:.3} in the last",
        kind.tags.join(" "),
        kind.selections,
        kind.concentration_before,
        kind.concentration_after
    ))?;
    let rows: Vec<Vec<String>> = kind
        .peers
        .iter()
        .map(|role| {
            vec![
                role.before.selections.to_string(),
                role.before.won.to_string(),
                role.after.selections.to_string(),
                role.after.won.to_string(),
                role.peer.to_string(),
            ]
        })
        .collect();
    let headings = ["SELECTED BEFORE", "WON", "SELECTED AFTER", "WON", "PEER"];
    print_lines(&table(&headings, &rows))
}
