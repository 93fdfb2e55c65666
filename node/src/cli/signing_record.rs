//! `symphony signing-record export|import`.

use std::{io::Read as _, path::PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::json;
use symphony_ledger::SigningRecord;

use super::{
    arguments::OutputArgs,
    connect::HomeArgs,
    exit::{ExitStatus, UnusableInput},
    output::{print_json, print_line, print_text},
};
use crate::home::Home;

/// Largest record that is read, in bytes.
const TEXT_SIZE_MAX: u64 = 64 * 1024;

/// Moves the record of what was signed.
#[derive(Debug, Subcommand)]
#[command(
    after_help = "The signing record holds the highest size and root that this peer ever signed, so that a restored
backup cannot make it sign a second history. It does not belong into a backup: when a peer moves to another machine, export
it there as the last step and import it here before the first start. The node must not run.

Examples:
  symphony signing-record export > record.json
  symphony signing-record import record.json"
)]
pub(super) enum SigningRecordCommand {
    /// Prints the record as JSON
    Export(ExportArgs),
    /// Takes in a record: of each log, the larger size stays
    Import(ImportArgs),
}

/// Where the record lies.
#[derive(Args, Debug)]
pub(super) struct ExportArgs {
    /// File to write; standard output if absent
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    home: HomeArgs,
}

/// A record to take in.
#[derive(Args, Debug)]
pub(super) struct ImportArgs {
    /// File to read; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    home: HomeArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl SigningRecordCommand {
    pub(super) fn run(self) -> anyhow::Result<ExitStatus> {
        match self {
            Self::Export(arguments) => export(&arguments)?,
            Self::Import(arguments) => import(&arguments)?,
        }
        Ok(ExitStatus::Success)
    }
}

fn open(home: &HomeArgs) -> anyhow::Result<SigningRecord> {
    let home = Home::open(&home.folder())?;
    let network = home.config()?.params().context("network")?.network_id();
    SigningRecord::open(&home.signing_record(), &network).context("signing record")
}

fn export(arguments: &ExportArgs) -> anyhow::Result<()> {
    let text = open(&arguments.home)?.export_text();
    match &arguments.file {
        Some(file) => std::fs::write(file, text).with_context(|| format!("{}", file.display())),
        None => print_text(&text),
    }
}

fn import(arguments: &ImportArgs) -> anyhow::Result<()> {
    let mut text = String::new();
    let file = &arguments.file;
    let read = if file.as_os_str() == "-" {
        std::io::stdin()
            .take(TEXT_SIZE_MAX)
            .read_to_string(&mut text)
    } else {
        std::fs::File::open(file)
            .and_then(|opened| opened.take(TEXT_SIZE_MAX).read_to_string(&mut text))
    };
    read.map_err(|error| UnusableInput(format!("{}: {error}", file.display())))?;
    let mut record = open(&arguments.home)?;
    record
        .import_text(&text)
        .map_err(|error| UnusableInput(format!("{}: {error}", file.display())))?;
    for (log, head) in record.logs() {
        if arguments.output.json {
            let root = data_encoding::HEXLOWER.encode(&head.root);
            print_json(&json!({ "log": log.to_string(), "size": head.size, "root": root }))?;
        } else {
            print_line(&format!("log {log}: {} entries signed", head.size))?;
        }
    }
    Ok(())
}
