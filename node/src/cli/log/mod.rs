//! `symphony log show|tail|prove|export|import|tiles|cosign|witnessed|fsck|retire`.
//!
//! `show` and `export` ask the node of the home folder if it runs, and read the folder if it does not.

mod cosign;
mod export;
mod fsck;
mod import;
mod prove;
mod retire;
mod show;
mod tail;
mod tiles;
mod witnessed;

use clap::Subcommand;
use symphony_admin::v1::LogEntry;

use self::{
    cosign::CosignCommand, export::ExportCommand, fsck::FsckCommand, import::ImportCommand,
    prove::ProveCommand, retire::RetireCommand, show::ShowCommand, tail::TailCommand,
    tiles::TilesCommand, witnessed::WitnessedCommand,
};
use super::{
    exit::ExitStatus,
    output::{print_json, print_line},
};
use crate::render::{entry_json, entry_line, unreadable_json};

/// Reads, proves, exports, imports and checks logs.
#[derive(Debug, Subcommand)]
pub(super) enum LogCommand {
    /// Shows entries
    Show(ShowCommand),
    /// Shows the last entries, then each new one
    Tail(TailCommand),
    /// Proves that an entry is in a log, or that a log only grew, and verifies the proof
    Prove(ProveCommand),
    /// Writes a log into one portable file (.symlog)
    Export(ExportCommand),
    /// Takes another peer's log from a portable file (.symlog), or heals the own one; the node must not run
    Import(ImportCommand),
    /// Writes an exported log as static files that standard tools read (C2SP tlog-tiles)
    Tiles(TilesCommand),
    /// Asks witnesses to cosign a log that was published as static files (C2SP tlog-witness)
    Cosign(CosignCommand),
    /// Judges by a trust policy whether a log's checkpoint is witnessed (C2SP tlog-policy)
    Witnessed(WitnessedCommand),
    /// Checks everything that a home folder stores; the node must not run
    Fsck(FsckCommand),
    /// Ends a log that cannot be healed, and names its successor; the node must not run
    Retire(RetireCommand),
}

impl LogCommand {
    pub(super) async fn run(self) -> anyhow::Result<ExitStatus> {
        match self {
            Self::Show(command) => command.run().await,
            Self::Tail(command) => command.run().await,
            Self::Prove(command) => command.run().await,
            Self::Export(command) => command.run().await,
            Self::Import(command) => command.run().await,
            Self::Tiles(command) => command.run(),
            Self::Cosign(command) => command.run().await,
            Self::Witnessed(command) => command.run(),
            Self::Fsck(command) => command.run(),
            Self::Retire(command) => command.run().await,
        }
    }
}

/// The network of a log, read from its entry 0; nothing if that cannot be read, and then no foreign statement can be.
fn network_of(entry_0: &[u8]) -> Option<symphony_transparency::Digest> {
    let entry = symphony_protocol::records::Entry::parse(entry_0, None).ok()?;
    match entry.body {
        symphony_protocol::records::Body::Genesis(genesis) => Some(genesis.params.network_id()),
        _ => None,
    }
}

/// Prints one entry, from its exact bytes.
fn print_entry(
    index: u64,
    bytes: &[u8],
    network: Option<&symphony_transparency::Digest>,
    json: bool,
) -> anyhow::Result<()> {
    match symphony_protocol::records::Entry::parse(bytes, network) {
        Ok(entry) if json => print_json(&entry_json(&entry)),
        Ok(entry) => print_line(&entry_line(&entry)),
        Err(error) if json => print_json(&unreadable_json(index, bytes, &error.to_string())),
        Err(error) => print_line(&format!("{index:>8}  unreadable: {error}")),
    }
}

/// Prints one entry that a node sent.
fn print_log_entry(
    entry: &LogEntry,
    network: Option<&symphony_transparency::Digest>,
    json: bool,
) -> anyhow::Result<()> {
    print_entry(entry.index, &entry.bytes, network, json)
}
