//! The writer's process, as the killer sees it.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, sync_channel},
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;

use super::{
    acknowledged::{Acknowledged, Said},
    boundary::Boundary,
};

/// A writer that says nothing for so long hangs.
const SILENCE: Duration = Duration::from_secs(60);
/// Lines that wait for the killer.
const LINES_WAITING_MAX: usize = 4_096;

/// A running writer.
pub(super) struct Writer {
    child: Child,
    lines: Receiver<String>,
}

impl Writer {
    pub(super) fn start(
        mut command: Command,
        folder: &Path,
        seed: u64,
        boundary: Option<Boundary>,
    ) -> anyhow::Result<Self> {
        command.arg(folder).arg(seed.to_string());
        if let Some(boundary) = boundary {
            command.arg(boundary.name());
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start the writer")?;
        let output = child.stdout.take().context("no output")?;
        let (sender, lines) = sync_channel(LINES_WAITING_MAX);
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, lines })
    }

    /// Waits for the word that the ledger is open.
    pub(super) fn wait_until_open(
        &mut self,
        acknowledged: &mut Acknowledged,
    ) -> anyhow::Result<()> {
        while let Ok(line) = self.lines.recv_timeout(SILENCE) {
            let said = Said::read(&line);
            if let Some(said) = &said {
                acknowledged.note(said)?;
            }
            if matches!(said, Some(Said::Opened(_))) {
                return Ok(());
            }
        }
        anyhow::bail!("the writer does not open: {}", self.complaint())
    }

    /// Notes what is said for a time.
    pub(super) fn hear_for(
        &mut self,
        acknowledged: &mut Acknowledged,
        time: Duration,
    ) -> anyhow::Result<()> {
        let until = Instant::now() + time;
        while let Ok(line) = self
            .lines
            .recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            if let Some(said) = Said::read(&line) {
                acknowledged.note(&said)?;
            }
        }
        Ok(())
    }

    /// Notes what is said until the writer ended itself, or until its time is over and it is killed.
    pub(super) fn listen(
        &mut self,
        acknowledged: &mut Acknowledged,
        life: Option<Duration>,
    ) -> anyhow::Result<()> {
        if let Some(life) = life {
            self.hear_for(acknowledged, life)?;
            // It may have ended before.
            let _ = self.child.kill();
        }
        self.hear_to_the_end(acknowledged)?;
        let status = self.child.wait()?;
        anyhow::ensure!(
            status.code().is_none(),
            "the writer ended with {status}: {}",
            self.complaint()
        );
        Ok(())
    }

    /// Notes what is said until the writer stops by itself, since its ledger did.
    pub(super) fn listen_until_stopped(
        &mut self,
        acknowledged: &mut Acknowledged,
    ) -> anyhow::Result<()> {
        let stopped = self.hear_to_the_end(acknowledged)?;
        let status = self.child.wait()?;
        anyhow::ensure!(
            status.success() && stopped,
            "the writer ended with {status}: {}",
            self.complaint()
        );
        Ok(())
    }

    /// The writer must end by itself with a complaint, since its ledger does not open.
    pub(super) fn refused(&mut self, acknowledged: &mut Acknowledged) -> anyhow::Result<()> {
        self.hear_to_the_end(acknowledged)?;
        let status = self.child.wait()?;
        let complaint = self.complaint();
        anyhow::ensure!(
            status.code() == Some(1) && complaint.starts_with("Error"),
            "the writer ended with {status}: {complaint}"
        );
        Ok(())
    }

    /// True if the writer said that its ledger stopped.
    fn hear_to_the_end(&mut self, acknowledged: &mut Acknowledged) -> anyhow::Result<bool> {
        let mut stopped = false;
        loop {
            match self.lines.recv_timeout(SILENCE) {
                Ok(line) => {
                    if let Some(said) = Said::read(&line) {
                        acknowledged.note(&said)?;
                        stopped |= said == Said::Stopped;
                    }
                }
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return Ok(stopped),
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                    anyhow::bail!("the writer says nothing for {SILENCE:?}")
                }
            }
        }
    }

    /// What the writer wrote on standard error.
    fn complaint(&mut self) -> String {
        let mut text = String::new();
        if let Some(mut output) = self.child.stderr.take() {
            // What cannot be read is not said.
            let _ = std::io::Read::read_to_string(&mut output, &mut text);
        }
        text
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Nothing may outlive a round; most have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
