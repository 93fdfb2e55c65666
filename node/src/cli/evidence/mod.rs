//! `symphony evidence`.

mod list;
mod make;
mod verify;

use clap::Subcommand;

pub(super) use make::{save_evidence, write_evidence};

use super::exit::ExitStatus;

/// Files that prove a peer's fault to anyone.
#[derive(Debug, Subcommand)]
pub(super) enum EvidenceCommand {
    /// Says what files prove, and why
    Verify(verify::VerifyCommand),
    /// Writes a file for each fault that exported logs show
    Make(make::MakeCommand),
    /// Lists the files that a running node keeps
    List(list::ListCommand),
}

impl EvidenceCommand {
    pub(super) async fn run(self) -> anyhow::Result<ExitStatus> {
        match self {
            Self::Verify(command) => command.run(),
            Self::Make(command) => command.run(),
            Self::List(command) => command.run().await,
        }
    }
}
