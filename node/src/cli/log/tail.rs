//! `symphony log tail`.

use clap::Args;
use symphony_admin::{EntryRange, ErrorKind};

use super::{network_of, print_log_entry};
use crate::cli::{
    arguments::OutputArgs,
    connect::{LogArgs, NodeArgs},
    exit::ExitStatus,
    output::complain,
};

/// Shows the last entries, then each new one.
#[derive(Args, Debug)]
#[command(after_help = "Ends when it is interrupted or the node shuts down.

Examples:
  symphony log tail
  symphony log tail -n 0 --json | jq .kind")]
pub(in crate::cli) struct TailCommand {
    /// How many of the last entries are shown first
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 10)]
    last: u64,
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl TailCommand {
    pub(in crate::cli) async fn run(self) -> anyhow::Result<ExitStatus> {
        let client = self.node.connect().await?;
        let log = self.log.name();
        let size = client.log_status(log).await?.size;
        let first = EntryRange {
            start: 0,
            end: Some(1),
        };
        let entry_0 = client.entries(log, first).await?.message().await?;
        let network = entry_0.and_then(|entry| network_of(&entry.bytes));
        let start = size.saturating_sub(self.last);
        let mut entries = client.tail(log, Some(start)).await?;
        loop {
            let entry = tokio::select! {
                entry = entries.message() => entry,
                _ = tokio::signal::ctrl_c() => return Ok(ExitStatus::Success),
            };
            match entry {
                Ok(Some(entry)) => print_log_entry(&entry, network.as_ref(), self.output.json)?,
                Ok(None) => return Ok(ExitStatus::Success),
                Err(error) if error.kind() == ErrorKind::Unavailable => {
                    complain("the node has shut down");
                    return Ok(ExitStatus::Success);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}
