//! `symphony log show`.

use std::path::{Path, PathBuf};

use clap::{Args, builder::PossibleValuesParser};
use symphony_admin::{AdminClient, EntryRange};
use symphony_protocol::records::Body;
use symphony_transparency::Digest;

use super::{network_of, print_entry, print_log_entry};
use crate::{
    audit::ExportFile,
    cli::{
        arguments::OutputArgs,
        connect::{LogArgs, NodeArgs},
        exit::{ExitStatus, UnusableInput},
        offline::OfflineLedger,
    },
};

/// Shows entries.
#[derive(Args, Debug)]
#[command(
    after_help = "A line shows index, time, kind and what matters of an entry; --json shows every field.

Examples:
  symphony log show --last 20
  symphony log show --from 100 --to 110 --json
  symphony log show --file export.symlog --kind settlement"
)]
pub(in crate::cli) struct ShowCommand {
    /// First index
    #[arg(
        long,
        value_name = "INDEX",
        default_value_t = 0,
        conflicts_with = "last"
    )]
    from: u64,
    /// Index behind the last one [default: the log's size]
    #[arg(long, value_name = "INDEX", conflicts_with = "last")]
    to: Option<u64>,
    /// Only the last entries
    #[arg(long, value_name = "COUNT")]
    last: Option<u64>,
    /// Only entries of this kind
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(Body::NAMES))]
    kind: Option<String>,
    /// Reads an exported file instead of a node's log
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl ShowCommand {
    pub(in crate::cli) async fn run(self) -> anyhow::Result<ExitStatus> {
        if let Some(file) = &self.file {
            return self.show_file(file).map(|()| ExitStatus::Success);
        }
        match self.node.connect_if_running().await? {
            Some(client) => self.show_running(&client).await?,
            None => self.show_offline().await?,
        }
        Ok(ExitStatus::Success)
    }

    /// The indices to show of a log of this size.
    fn range(&self, size: u64) -> anyhow::Result<std::ops::Range<u64>> {
        if let Some(last) = self.last {
            return Ok(size.saturating_sub(last)..size);
        }
        let to = self.to.unwrap_or(size);
        if self.from > to || to > size {
            return Err(
                UnusableInput(format!("entries {} to {to} of a log of {size}", self.from)).into(),
            );
        }
        Ok(self.from..to)
    }

    fn wants(&self, kind: &str) -> bool {
        self.kind.as_deref().is_none_or(|wanted| wanted == kind)
    }

    fn wants_bytes(&self, bytes: &[u8], network: Option<&Digest>) -> bool {
        self.kind.is_none()
            || symphony_protocol::records::Entry::parse(bytes, network)
                .is_ok_and(|entry| self.wants(entry.body.name()))
    }

    async fn show_running(&self, client: &AdminClient) -> anyhow::Result<()> {
        let log = self.log.name();
        let size = client.log_status(log).await?.size;
        let range = self.range(size)?;
        if range.is_empty() {
            return Ok(());
        }
        let first = EntryRange {
            start: 0,
            end: Some(1),
        };
        let entry_0 = client.entries(log, first).await?.message().await?;
        let network = entry_0.and_then(|entry| network_of(&entry.bytes));
        let asked = EntryRange {
            start: range.start,
            end: Some(range.end),
        };
        let mut entries = client.entries(log, asked).await?;
        while let Some(entry) = entries.message().await? {
            if self.wants(&entry.kind) {
                print_log_entry(&entry, network.as_ref(), self.output.json)?;
            }
        }
        Ok(())
    }

    async fn show_offline(&self) -> anyhow::Result<()> {
        let offline = OfflineLedger::open(&self.node.home)?;
        let reader = offline.reader(self.log.name())?;
        let network = Some(offline.params.network_id());
        for entry in reader.entries(self.range(reader.size()?)?) {
            let (index, bytes) = entry?;
            if self.wants_bytes(&bytes, network.as_ref()) {
                print_entry(index, &bytes, network.as_ref(), self.output.json)?;
            }
        }
        drop(reader);
        offline.close().await
    }

    fn show_file(&self, path: &Path) -> anyhow::Result<()> {
        let refused =
            |error: &dyn std::fmt::Display| UnusableInput(format!("{}: {error}", path.display()));
        let mut file = ExportFile::open(path).map_err(|error| refused(&error))?;
        let range = self.range(file.header().size)?;
        let mut network = None;
        let mut index = 0;
        while let Some(bytes) = file.next_entry().map_err(|error| refused(&error))? {
            if index == 0 {
                network = network_of(&bytes);
            }
            if range.contains(&index) && self.wants_bytes(&bytes, network.as_ref()) {
                print_entry(index, &bytes, network.as_ref(), self.output.json)?;
            }
            index += 1;
        }
        Ok(())
    }
}
