//! `symphony policy explain|state`.

mod explain;
mod state;

use clap::Subcommand;
use symphony_admin::v1;

use self::{explain::ExplainArgs, state::StateArgs};
use super::exit::ExitStatus;

/// Shows why work goes where it goes.
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Explains one selection term by term, recomputed by replay
    Explain(ExplainArgs),
    /// Shows the policy and what it has learned
    State(StateArgs),
}

impl PolicyCommand {
    pub(super) async fn run(self) -> anyhow::Result<ExitStatus> {
        match self {
            Self::Explain(arguments) => arguments.run().await,
            Self::State(arguments) => arguments.run().await,
        }
    }
}

/// The key of a peer; empty if it is not known.
fn key(peer: Option<&v1::PeerName>) -> String {
    peer.map(|peer| peer.did_key.clone()).unwrap_or_default()
}
