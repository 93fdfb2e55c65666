//! `symphony log tiles`.

use std::path::PathBuf;

use clap::Args;
use data_encoding::HEXLOWER;
use serde_json::json;

use crate::{
    audit::ExportFile,
    cli::{
        arguments::OutputArgs,
        exit::{ExitStatus, UnusableInput},
        output::{print_json, print_line},
        progress,
    },
    tiles::{Phase, PublishError, publish},
};

/// Writes a log as static files.
#[derive(Args, Debug)]
#[command(
    after_help = "The folder holds the tree of C2SP tlog-tiles: checkpoint, tile/<level>/<index> and tile/entries/<index>, partial
ones under .p/<width>. Any web server can serve it, and any reader of transparency logs can check it; the verifier key that is
printed is what Go's golang.org/x/mod/sumdb/note takes.

Nothing is written before the whole export agrees with its author's signature and with the checkpoint that the folder already
shows. Run it again with a newer export to add what is new; files that are there are kept.

Example:
  symphony log export my-log.symlog && symphony log tiles my-log.symlog --out /srv/www/my-log"
)]
pub(in crate::cli) struct TilesCommand {
    /// Exported log (.symlog)
    #[arg(value_name = "EXPORT")]
    export: PathBuf,
    /// Folder to write into; made if it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    output: OutputArgs,
}

impl TilesCommand {
    pub(in crate::cli) fn run(self) -> anyhow::Result<ExitStatus> {
        let named = format!("{}", self.export.display());
        let entries = ExportFile::open(&self.export)
            .map_err(|error| UnusableInput(format!("{named}: {error}")))?
            .header()
            .size;
        let bar = progress::bar(entries.saturating_mul(2), "entries");
        let published = publish(&self.export, &self.out, &mut |phase, done| {
            // Drawing costs more than an entry.
            if done.is_multiple_of(256) {
                let (message, before) = match phase {
                    Phase::Checking => ("checking", 0),
                    Phase::Writing => ("writing", entries),
                };
                bar.set_message(message);
                bar.set_position(before.saturating_add(done));
            }
        });
        bar.finish_and_clear();
        let published = published.map_err(|error| match error {
            PublishError::File { .. } => anyhow::Error::from(error),
            error => UnusableInput(format!("{named}: {error}")).into(),
        })?;
        let checkpoint = published.signed.checkpoint();
        let (folder, root) = (self.out.display(), HEXLOWER.encode(&checkpoint.root));
        if self.output.json {
            print_json(&json!({
                "directory": folder.to_string(),
                "log": checkpoint.log.to_string(),
                "origin": checkpoint.origin(),
                "verifier_key": published.verifier_key.to_string(),
                "size": checkpoint.size,
                "root": root,
                "files_written": published.written,
                "files_kept": published.kept,
            }))?;
        } else {
            print_line(&format!(
                "{folder}: log {} of {} entries; {} files written, {} kept",
                checkpoint.log, checkpoint.size, published.written, published.kept
            ))?;
            print_line(&format!("verifier key {}", published.verifier_key))?;
        }
        Ok(ExitStatus::Success)
    }
}
