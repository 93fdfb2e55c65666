//! Every log as a file: of the living over gRPC, of the dead from their folder.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use symphony_admin::{AdminClient, LogName};
use symphony_ledger::{ExportAbout, MissingRecord};
use symphony_transparency::PublicKey;

use super::{Actor, Stage};
use crate::home::Home;

impl Stage {
    /// Exports every log: the living over gRPC, the dead from their folder.
    pub(in crate::demo) async fn export(&self) -> anyhow::Result<Vec<PathBuf>> {
        let mut exports = Vec::new();
        for actor in &self.actors {
            let path = self
                .folder
                .join("exports")
                .join(format!("{}.symlog", actor.player.name));
            if actor.process.is_some() {
                export_alive(&self.client(actor).await?, &path)
                    .await
                    .with_context(|| format!("export of {}", actor.player.name))?;
            } else {
                export_dead(actor, &path)
                    .await
                    .with_context(|| format!("export of {} from its folder", actor.player.name))?;
            }
            exports.push(path);
        }
        Ok(exports)
    }
}

async fn export_alive(client: &AdminClient, path: &Path) -> anyhow::Result<()> {
    let mut chunks = client.export(LogName::Own).await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.message().await? {
        bytes.extend_from_slice(&chunk.bytes);
    }
    std::fs::write(path, bytes)?;
    Ok(())
}

async fn export_dead(actor: &Actor, path: &Path) -> anyhow::Result<()> {
    let home = Home::open(&actor.home)?;
    let params = home.config()?.params()?;
    let (ledger, _) = home.open_ledger(&params, MissingRecord::Refuse)?;
    let own = ledger.own().context("no log")?;
    let key: PublicKey = home.secret("log")?.public();
    let newest = ledger.latest_checkpoint(own.log())?;
    let size = newest
        .as_ref()
        .map_or(own.size()?, |stored| stored.checkpoint.size);
    let about = ExportAbout {
        network_id: params.network_id(),
        params: params.to_bytes(),
        log_key: key,
        checkpoint: newest.map(|stored| stored.text),
        size,
    };
    let file = std::io::BufWriter::new(std::fs::File::create(path)?);
    own.export(about, file)?;
    ledger.close().await?;
    Ok(())
}
