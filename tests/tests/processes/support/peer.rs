//! A peer: a home folder, and the process that runs it.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
};

use anyhow::Context as _;
use symphony_admin::{AdminClient, ClientError, LogName, v1};
use tokio::process::{Child, Command};

use super::{Program, TIME_MAX, until};

/// Most peers that one answer lists.
const LIST_MAX: usize = 1_024;

/// A peer and its process.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) program: Program,
    pub(crate) home: PathBuf,
    pub(crate) socket: PathBuf,
    /// Log key.
    pub(crate) did_key: String,
    /// Where it listens, over TCP and QUIC.
    pub(crate) port: u16,
    /// What the process writes, all its lives.
    pub(crate) output: PathBuf,
    pub(crate) process: Option<Child>,
}

impl Peer {
    /// Starts the process; `flags` follow `--home DIR`.
    pub(crate) fn start(&mut self, flags: &[String]) -> anyhow::Result<()> {
        let mut command = Command::new(self.program.path());
        if self.program == Program::Symphony {
            command.args(["node", "run"]);
        }
        let output = File::options()
            .create(true)
            .append(true)
            .open(&self.output)?;
        let process = command
            .arg("--home")
            .arg(&self.home)
            .args(flags)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", self.name))?;
        self.process = Some(process);
        Ok(())
    }

    /// Where others dial it.
    pub(crate) fn address(&self) -> String {
        format!("/ip4/127.0.0.1/tcp/{}", self.port)
    }

    /// The id of the running process.
    pub(crate) fn id(&self) -> anyhow::Result<u32> {
        self.process
            .as_ref()
            .and_then(Child::id)
            .with_context(|| format!("{} does not run", self.name))
    }

    /// Waits until the admin API answers.
    pub(crate) async fn ready(&mut self) -> anyhow::Result<AdminClient> {
        let (socket, output) = (self.socket.clone(), self.output.clone());
        let process = self.process.as_mut().context("not started")?;
        tokio::select! {
            ended = process.wait() => anyhow::bail!(
                "{} ended with {}: {}",
                self.name,
                ended?,
                std::fs::read_to_string(&output).unwrap_or_default()
            ),
            client = until("the admin socket answers", || connected(&socket)) => client,
        }
    }

    /// A client of the running peer.
    pub(crate) async fn client(&self) -> Result<AdminClient, ClientError> {
        AdminClient::connect_unix(&self.socket).await
    }

    /// SIGKILL: no goodbye, no last checkpoint.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        let mut process = self.process.take().context("does not run")?;
        process.kill().await?;
        Ok(())
    }

    /// Whether the process has ended by itself.
    pub(crate) fn has_ended(&mut self) -> anyhow::Result<bool> {
        let process = self.process.as_mut().context("does not run")?;
        Ok(process.try_wait()?.is_some())
    }

    /// Waits until the process has ended by itself.
    pub(crate) async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        let mut process = self.process.take().context("does not run")?;
        tokio::time::timeout(TIME_MAX, process.wait())
            .await
            .with_context(|| format!("{} did not end", self.name))?
            .map_err(Into::into)
    }

    /// SIGTERM, by process id.
    pub(crate) async fn terminate(&mut self) -> anyhow::Result<ExitStatus> {
        let id = self.id()?;
        let sent = Command::new("kill")
            .args(["-TERM", &id.to_string()])
            .status()
            .await?;
        anyhow::ensure!(sent.success(), "kill ended with {sent}");
        let mut process = self.process.take().context("does not run")?;
        tokio::time::timeout(TIME_MAX, process.wait())
            .await
            .with_context(|| format!("{} did not end", self.name))?
            .map_err(Into::into)
    }

    /// How many peers' capabilities it knows.
    pub(crate) async fn capabilities(&self) -> Option<usize> {
        let stream = self.client().await.ok()?.capabilities().await.ok()?;
        Some(stream.collect_at_most(LIST_MAX).await.ok()?.len())
    }

    /// What it knows of other peers.
    pub(crate) async fn peers(&self) -> anyhow::Result<Vec<v1::Peer>> {
        let stream = self.client().await?.peers().await?;
        Ok(stream.collect_at_most(LIST_MAX).await?)
    }

    /// What it knows of one other peer.
    pub(crate) async fn view_of(&self, did_key: &str) -> Option<v1::Peer> {
        let peers = self.peers().await.ok()?;
        peers.into_iter().find(|peer| {
            peer.name
                .as_ref()
                .is_some_and(|name| name.did_key == did_key)
        })
    }

    /// Exports one of the logs that it holds, over the admin API, into a new file.
    pub(crate) async fn export(&self, log: LogName, file: &Path) -> anyhow::Result<()> {
        let mut chunks = self.client().await?.export(log).await?;
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.message().await? {
            bytes.extend_from_slice(&chunk.bytes);
        }
        std::fs::write(file, bytes)?;
        Ok(())
    }

    /// What the process wrote so far.
    pub(crate) fn written(&self) -> String {
        std::fs::read_to_string(&self.output).unwrap_or_default()
    }
}

async fn connected(socket: &Path) -> Option<AdminClient> {
    let client = AdminClient::connect_unix(socket).await.ok()?;
    client.node_info().await.ok()?;
    Some(client)
}
