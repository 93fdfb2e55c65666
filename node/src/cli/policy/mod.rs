//! `symphony policy counterfactual|explain|import|roles|state`.

mod counterfactual;
mod explain;
mod import;
mod roles;
mod state;

use clap::Subcommand;
use symphony_admin::v1;

use self::{
    counterfactual::CounterfactualArgs, explain::ExplainArgs, import::ImportArgs, roles::RolesArgs,
    state::StateArgs,
};
use super::exit::ExitStatus;

/// Shows why work goes where it goes, and takes in what others measured.
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Shows what another policy would have chosen at each selection of an exported log, and what that would have been worth
    Counterfactual(CounterfactualArgs),
    /// Explains one selection term by term, recomputed by replay
    Explain(ExplainArgs),
    /// Takes in what a followed peer measured, so that not everything has to be found out alone
    Import(ImportArgs),
    /// Shows who solves what, before and after learning, from an exported log
    Roles(RolesArgs),
    /// Shows the policy and what it has learned
    State(StateArgs),
}

impl PolicyCommand {
    pub(super) async fn run(self) -> anyhow::Result<ExitStatus> {
        match self {
            Self::Counterfactual(arguments) => arguments.run(),
            Self::Explain(arguments) => arguments.run().await,
            Self::Import(arguments) => arguments.run().await,
            Self::Roles(arguments) => arguments.run(),
            Self::State(arguments) => arguments.run().await,
        }
    }
}

/// The key of a peer; empty if it is not known.
fn key(peer: Option<&v1::PeerName>) -> String {
    peer.map(|peer| peer.did_key.clone()).unwrap_or_default()
}
