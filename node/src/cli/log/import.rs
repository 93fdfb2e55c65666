//! `symphony log import`.

use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use symphony_ledger::{
    Damage, FsckReport, ImportError, ImportKind, Imported, OpenError, fsck, put_aside,
    symlog::ExportReader,
};

use crate::{
    cli::{
        arguments::OutputArgs,
        connect::HomeArgs,
        exit::{ExitStatus, UnusableInput},
        offline::OfflineLedger,
        output::{print_json, print_line},
        progress,
    },
    home::Home,
};

/// Takes a log from a file.
#[derive(Args, Debug)]
#[command(
    after_help = "Another peer's log is stored as a copy; a running node that follows the peer replays and judges it.

The node's own log is healed: if the data was damaged, or restored from a backup, the entries that are missing up to what the
signing record says was signed are taken from the file, all or none, and only if they lead to the root that was signed. A
damaged database is put aside first, not deleted. Ask a peer that follows this log for the file:
`symphony log export --log-id ID FILE`. The node must not run.

Examples:
  symphony log import coordinator.symlog
  symphony log import my-own-log-from-a-peer.symlog"
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
        let reader = ExportReader::new(BufReader::new(file)).map_err(|error| refused(&error))?;
        let home = Home::open(&self.home.folder())?;
        let aside = if reader.header().log_key == home.secret("log")?.public() {
            put_aside_if_damaged(&home)?
        } else {
            None
        };
        let offline = OfflineLedger::open(&self.home)?;
        let spinner = progress::spinner("importing");
        let imported = offline.ledger.import(reader).await;
        spinner.finish_and_clear();
        let imported = imported.map_err(|error| match error {
            ImportError::Ledger(error) => anyhow::Error::from(error).context(named()),
            error => refused(&error).into(),
        })?;
        offline.close().await?;
        self.print(&imported, aside.as_deref())?;
        Ok(ExitStatus::Success)
    }

    fn print(&self, imported: &Imported, aside: Option<&Path>) -> anyhow::Result<()> {
        let healed = imported.kind == ImportKind::Healed;
        if self.output.json {
            return print_json(&json!({
                "log": imported.log.to_string(),
                "size": imported.head.size,
                "root": data_encoding::HEXLOWER.encode(&imported.head.root),
                "new_entries": imported.new_entries,
                "healed": healed,
                "put_aside": aside.map(|path| path.display().to_string()),
            }));
        }
        if let Some(path) = aside {
            print_line(&format!("the damaged database lies in {}", path.display()))?;
        }
        print_line(&format!(
            "log {}: {} entries, {} of them new{}",
            imported.log,
            imported.head.size,
            imported.new_entries,
            if healed {
                "; healed up to everything that was signed"
            } else {
                ""
            }
        ))
    }
}

/// A database in which the own log is damaged takes no more entries, so healing begins with an empty one. Spec: STORE-14.
fn put_aside_if_damaged(home: &Home) -> anyhow::Result<Option<PathBuf>> {
    let spinner = progress::spinner("checking");
    let report = fsck(&home.data_folder());
    spinner.finish_and_clear();
    match report {
        Ok(report) if own_is_damaged(&report) => Ok(put_aside(&home.data_folder())?),
        Ok(_) | Err(OpenError::NotALedger { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn own_is_damaged(report: &FsckReport) -> bool {
    let of_own = report
        .logs
        .iter()
        .any(|check| Some(check.log) == report.own && !check.damages.is_empty());
    let of_all = report.elsewhere.listed().iter().any(|damage| {
        matches!(
            damage,
            Damage::DatabaseUnreadable { .. }
                | Damage::RecordUnreadable { .. }
                | Damage::TableUnreadable { .. }
        )
    });
    of_own || of_all
}
