//! `symphony log import`.

use std::{fs::File, io::BufReader, path::PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use symphony_ledger::{ImportError, symlog::ExportReader};

use crate::cli::{
    arguments::OutputArgs,
    connect::HomeArgs,
    exit::{ExitStatus, UnusableInput},
    offline::OfflineLedger,
    output::{print_json, print_line},
    progress,
};

/// Takes another peer's log from a file.
#[derive(Args, Debug)]
#[command(
    after_help = "The log is stored as a copy of another peer's; a running node that follows the peer replays and judges
it. Its own log a node takes only from its signing record's copies, never from a file. The node must not run.

Example:
  symphony log import coordinator.symlog"
)]
pub(in crate::cli) struct ImportCommand {
    /// Exported log (.symlog)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    home: HomeArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl ImportCommand {
    pub(in crate::cli) async fn run(self) -> anyhow::Result<ExitStatus> {
        let named = || format!("{}", self.file.display());
        let file = File::open(&self.file).with_context(named)?;
        let refused =
            |error: &dyn std::fmt::Display| UnusableInput(format!("{}: {error}", named()));
        let mut reader =
            ExportReader::new(BufReader::new(file)).map_err(|error| refused(&error))?;
        let offline = OfflineLedger::open(&self.home)?;
        let spinner = progress::spinner("importing");
        let imported = offline.ledger.import(&mut reader).await;
        spinner.finish_and_clear();
        let imported = imported.map_err(|error| match error {
            ImportError::Ledger(error) => anyhow::Error::from(error).context(named()),
            error => refused(&error).into(),
        })?;
        offline.close().await?;
        if self.output.json {
            print_json(&json!({
                "log": imported.log.to_string(),
                "size": imported.head.size,
                "root": data_encoding::HEXLOWER.encode(&imported.head.root),
                "new_entries": imported.new_entries,
            }))?;
        } else {
            print_line(&format!(
                "log {}: {} entries, {} of them new",
                imported.log, imported.head.size, imported.new_entries
            ))?;
        }
        Ok(ExitStatus::Success)
    }
}
