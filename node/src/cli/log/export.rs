//! `symphony log export`.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use symphony_admin::AdminClient;
use symphony_ledger::ExportAbout;

use crate::cli::{
    arguments::OutputArgs,
    connect::{LogArgs, NodeArgs},
    exit::ExitStatus,
    offline::{OfflineLedger, genesis},
    output::{print_bytes, print_json, print_line},
    progress,
};

/// Writes a log into one file.
#[derive(Args, Debug)]
#[command(
    after_help = "The file holds everything that the author signed: the entries up to a checkpoint, and the checkpoint.
Anyone can audit it: `symphony audit FILE`.

Examples:
  symphony log export my-log.symlog
  symphony log export --log-id 5f… - | ssh auditor 'cat > log.symlog'"
)]
pub(in crate::cli) struct ExportCommand {
    /// File to write, which must not exist; `-` is standard output
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Overwrites the file
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Where an export goes. A file appears under its name when it is whole and on the device.
enum Target {
    Stdout,
    File {
        file: BufWriter<File>,
        temporary: PathBuf,
        path: PathBuf,
        bytes: u64,
    },
}

impl Target {
    fn open(path: &Path, force: bool) -> anyhow::Result<Self> {
        if path.as_os_str() == "-" {
            return Ok(Self::Stdout);
        }
        if !force && path.exists() {
            anyhow::bail!("{} exists; --force overwrites it", path.display());
        }
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(".part");
        let temporary = PathBuf::from(temporary);
        let file = File::create(&temporary).with_context(|| format!("{}", temporary.display()))?;
        Ok(Self::File {
            file: BufWriter::new(file),
            temporary,
            path: path.to_owned(),
            bytes: 0,
        })
    }

    fn finish(self) -> anyhow::Result<Option<(PathBuf, u64)>> {
        let Self::File {
            file,
            temporary,
            path,
            bytes,
        } = self
        else {
            return Ok(None);
        };
        let file = file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .with_context(|| format!("{}", temporary.display()))?;
        file.sync_all()
            .and_then(|()| std::fs::rename(&temporary, &path))
            .with_context(|| format!("{}", path.display()))?;
        Ok(Some((path, bytes)))
    }

    fn abandon(self) {
        if let Self::File { temporary, .. } = self {
            // What is left is marked as a part by its name, and no reader accepts it.
            let _ = std::fs::remove_file(temporary);
        }
    }
}

impl Write for Target {
    fn write(&mut self, written: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout => {
                print_bytes(written).map_err(io::Error::other)?;
                Ok(written.len())
            }
            Self::File { file, bytes, .. } => {
                let count = file.write(written)?;
                *bytes = bytes.saturating_add(count as u64);
                Ok(count)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout => Ok(()),
            Self::File { file, .. } => file.flush(),
        }
    }
}

impl ExportCommand {
    pub(in crate::cli) async fn run(self) -> anyhow::Result<ExitStatus> {
        let client = self.node.connect_if_running().await?;
        let mut target = Target::open(&self.file, self.force)?;
        let written = match client {
            Some(client) => self.export_running(&client, &mut target).await,
            None => self.export_offline(&mut target).await,
        };
        if let Err(error) = written {
            target.abandon();
            return Err(error);
        }
        if let Some((path, bytes)) = target.finish()? {
            if self.output.json {
                print_json(&json!({ "file": path.display().to_string(), "bytes": bytes }))?;
            } else {
                print_line(&format!("{}: {bytes} bytes", path.display()))?;
            }
        }
        Ok(ExitStatus::Success)
    }

    async fn export_running(
        &self,
        client: &AdminClient,
        target: &mut Target,
    ) -> anyhow::Result<()> {
        let mut chunks = client.export(self.log.name()).await?;
        let spinner = progress::spinner("exporting");
        let mut offset = 0;
        while let Some(chunk) = chunks.message().await? {
            anyhow::ensure!(
                chunk.offset == offset,
                "the node sends byte {} after byte {offset}",
                chunk.offset
            );
            target
                .write_all(&chunk.bytes)
                .with_context(|| format!("{}", self.file.display()))?;
            offset = offset.saturating_add(chunk.bytes.len() as u64);
            spinner.set_message(format!("exporting: {} KiB", offset / 1024));
        }
        spinner.finish_and_clear();
        Ok(())
    }

    async fn export_offline(&self, target: &mut Target) -> anyhow::Result<()> {
        let offline = OfflineLedger::open(&self.node.home)?;
        let reader = offline.reader(self.log.name())?;
        let size = reader.size()?;
        let genesis = genesis(&reader)?;
        let stored = offline.ledger.checkpoint_up_to(reader.log(), size)?;
        let about = ExportAbout {
            network_id: genesis.params.network_id(),
            params: genesis.params.to_bytes(),
            log_key: genesis.keys.log,
            size: stored
                .as_ref()
                .map_or(size, |stored| stored.checkpoint.size),
            checkpoint: stored.map(|stored| stored.text),
        };
        reader.export(about, target)?;
        drop(reader);
        offline.close().await
    }
}
