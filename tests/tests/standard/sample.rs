//! A log to publish: a real entry 0, signed checkpoints, and entries that nothing but the ledger reads.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use prost::Message as _;
use symphony_ledger::{ExportAbout, Ledger, MissingRecord};
use symphony_node::{config::Config, home::Home};
use symphony_proto::log::v1::Entry;
use symphony_protocol::records::Params;
use symphony_transparency::{Checkpoint, Digest, SignedCheckpoint, chain::entry_digest};
use tempfile::TempDir;

/// Entries of one request, below the ledger's limit.
const BATCH: u64 = 512;

/// A home folder with a log in it.
pub(crate) struct Sample {
    pub(crate) home: Home,
    pub(crate) params: Params,
    pub(crate) log: Digest,
    pub(crate) ledger: Ledger,
    folder: TempDir,
}

impl Sample {
    /// A log of `size` entries with a checkpoint of all of them.
    pub(crate) async fn new(size: u64) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut config = Config::default();
        config.network.admission_difficulty_bits = 0;
        let (home, log) = Home::init(&folder.path().join("home"), &config, |_| {}).await?;
        let params = config.params()?;
        let (ledger, _) = home.open_ledger(&params, MissingRecord::Refuse)?;
        let sample = Self {
            home,
            params,
            log,
            ledger,
            folder,
        };
        sample.grow(size).await?;
        sample.sign().await?;
        Ok(sample)
    }

    /// Adds entries until there are `size`; their lengths differ.
    pub(crate) async fn grow(&self, size: u64) -> Result<()> {
        self.append(size, 0).await
    }

    /// Adds entries until there are `size`, each at least `later_ms` after the one before.
    async fn append(&self, size: u64, later_ms: u64) -> Result<()> {
        let reader = self.ledger.own().context("entry 0 is there")?;
        let mut end = reader.chain_end()?;
        while end.size < size {
            let mut entries = Vec::new();
            for _ in 0..BATCH.min(size - end.size) {
                let time_ms = end.time_ms + 1 + later_ms + end.size % 100_000;
                let entry = Entry {
                    index: end.size,
                    previous: end.last.as_bytes().to_vec(),
                    time_ms,
                    body: None,
                }
                .encode_to_vec();
                end.size += 1;
                end.last = entry_digest(&entry);
                end.time_ms = time_ms;
                entries.push(entry);
            }
            self.ledger.append(entries).await?;
        }
        Ok(())
    }

    /// Signs and stores a checkpoint of all entries.
    pub(crate) async fn sign(&self) -> Result<SignedCheckpoint> {
        let head = self.ledger.own().context("entry 0 is there")?.head()?;
        self.ledger.record_signing(head).await?;
        let signed = self
            .checkpoint(head.size, head.root)
            .sign(&self.home.secret("log")?);
        self.ledger.put_checkpoint(signed.clone()).await?;
        Ok(signed)
    }

    /// A checkpoint of the log.
    pub(crate) fn checkpoint(&self, size: u64, root: [u8; 32]) -> Checkpoint {
        Checkpoint {
            network: self.params.network_id(),
            log: self.log,
            size,
            root,
            state_root: Digest::ZERO,
        }
    }

    /// The sample with its ledger opened again, as after a restart. Nobody else may hold the ledger.
    pub(crate) async fn reopened(self) -> Result<Self> {
        let Self {
            home,
            params,
            log,
            ledger,
            folder,
        } = self;
        ledger.close().await?;
        let (ledger, _) = home.open_ledger(&params, MissingRecord::Refuse)?;
        Ok(Self {
            home,
            params,
            log,
            ledger,
            folder,
        })
    }

    /// Another log of the same author with the same entry 0: what a peer has that restored a backup and vouched for it.
    pub(crate) async fn rewritten(&self, size: u64) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let home = folder.path().join("home");
        copy_keys(self.home.folder(), &home)?;
        let home = Home::open(&home)?;
        let (ledger, _) = home.open_ledger(&self.params, MissingRecord::Refuse)?;
        let entry_0 = self.ledger.own().context("entry 0 is there")?.entry(0)?;
        let entry_0 = entry_0.context("entry 0 is there")?;
        ledger.append_for_release(vec![entry_0], Vec::new()).await?;
        let sample = Self {
            home,
            params: self.params.clone(),
            log: self.log,
            ledger,
            folder,
        };
        // A later second entry makes all that follow others.
        sample.append(2, 1_000_000).await?;
        sample.grow(size).await?;
        sample.sign().await?;
        Ok(sample)
    }

    /// A place for a file or folder of the test.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Exports the log with its newest checkpoint.
    pub(crate) fn export(&self, name: &str) -> Result<PathBuf> {
        let stored = self.ledger.latest_checkpoint(&self.log)?;
        let stored = stored.context("the log has a checkpoint")?;
        self.export_with(name, stored.checkpoint.size, Some(stored.text))
    }

    /// Exports some entries with a checkpoint.
    pub(crate) fn export_with(
        &self,
        name: &str,
        size: u64,
        checkpoint: Option<String>,
    ) -> Result<PathBuf> {
        let path = self.path(name);
        let about = ExportAbout {
            network_id: self.params.network_id(),
            params: self.params.to_bytes(),
            log_key: self.home.secret("log")?.public(),
            checkpoint,
            size,
        };
        let file = std::io::BufWriter::new(std::fs::File::create(&path)?);
        self.ledger
            .own()
            .context("entry 0 is there")?
            .export(about, file)?
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error)?;
        Ok(path)
    }
}

/// Copies keys and settings of a home folder, and nothing of its log.
fn copy_keys(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to.join("keys"))?;
    for name in [
        "config.toml",
        "keys/log.key",
        "keys/transport.key",
        "keys/witness.key",
    ] {
        std::fs::copy(from.join(name), to.join(name))?;
    }
    Ok(())
}

/// Every file under a folder, by its path relative to it.
pub(crate) fn files_under(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for found in std::fs::read_dir(next)? {
            let path = found?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                files.push(path.strip_prefix(folder)?.to_owned());
            }
        }
    }
    files.sort();
    Ok(files)
}
