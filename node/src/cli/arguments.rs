//! All commands.

use clap::{Args, Parser, Subcommand};

use super::{
    audit::AuditCommand,
    evidence::EvidenceCommand,
    log::LogCommand,
    logging::LoggingArgs,
    node::NodeCommand,
    peers::{CapabilitiesCommand, PeersCommand},
    policy::PolicyCommand,
    signing_record::SigningRecordCommand,
    simulate::SimulateCommand,
    task::TaskCommand,
};
use crate::demo::DemoArgs;

/// An open network of language-model agents whose coordination anyone can check.
#[derive(Debug, Parser)]
#[command(
    name = "symphony",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "Examples:
  symphony demo                                     a whole network on this machine (in a clone: ./x demo)
  symphony node init --endpoint http://localhost:11434/v1 --model llama3.2 --tag general
  symphony node run --bootstrap /ip4/192.0.2.7/tcp/4791
  symphony task submit --follow \"not ( True ) and ( True ) is\"
  symphony audit exports/*.symlog

Exit codes: 0 done; 1 failed; 2 wrong usage, or an input that cannot be judged; 3 a peer is exposed; 4 a peer is
suspected; 5 the task ended without an answer."
)]
pub struct Cli {
    #[command(flatten)]
    pub(super) logging: LoggingArgs,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Makes and runs a node
    #[command(subcommand)]
    Node(NodeCommand),
    /// Asks the network a question
    #[command(subcommand)]
    Task(TaskCommand),
    /// Reads, proves, exports, imports and checks logs
    #[command(subcommand)]
    Log(LogCommand),
    /// Judges logs by replay: exported files, or what a running node holds
    Audit(AuditCommand),
    /// Verifies, makes and lists files that prove a peer's fault to anyone
    #[command(subcommand)]
    Evidence(EvidenceCommand),
    /// Shows why work goes where it goes
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Lists the peers that the node knows: log size, lag and verdict
    Peers(PeersCommand),
    /// Lists what peers say they can do
    Capabilities(CapabilitiesCommand),
    /// Moves the record of what was signed to another machine
    #[command(subcommand)]
    SigningRecord(SigningRecordCommand),
    Simulate(SimulateCommand),
    /// Runs a whole network on this machine: real processes, real models, and cheats that get caught
    Demo(DemoArgs),
}

/// How results are printed.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct OutputArgs {
    /// Prints JSON: one object a line
    #[arg(long)]
    pub(super) json: bool,
}
