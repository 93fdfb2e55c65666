//! What a followed peer measured, taken into the own log. Spec: chapter 21.

use symphony_admin::{BackendError, ErrorKind, ImportQuery, LogName, v1};
use symphony_protocol::{
    PreparedEntry,
    records::{MeasuresImported, Signatures},
    replay::Replay,
};
use symphony_transparency::{PublicKey, SignedCheckpoint};

use super::{
    NodeBackend,
    failure::{internal, ledger, not_found, stopped},
    logs::{LogSource, Note},
    names::peer_name,
};
use crate::runtime::Verdict;

impl NodeBackend {
    pub(super) async fn import_of(
        &self,
        log: LogName,
        query: ImportQuery,
    ) -> Result<v1::ImportResponse, BackendError> {
        let source = self.source(log)?;
        if source.own {
            return Err(refused(
                "the own log is no source: its measures are the own record",
            ));
        }
        let author = source.author()?;
        let name = Some(peer_name(&author, Some(&source.id())));
        let Some(weight) = query.weight_ppm else {
            self.write(vec![MeasuresImported::leave_out(author)])
                .await?;
            return Ok(v1::ImportResponse {
                source: name,
                size: 0,
                entries: 1,
                claims: 0,
            });
        };
        self.require_clean(&author)?;
        let (mut replay, note) = self.at_checkpoint(source).await?;
        let checkpoint =
            SignedCheckpoint::parse_and_verify(&note.text, &author).map_err(internal)?;
        if replay.check(&note.checkpoint).is_err() {
            // What it signed convicts it, whatever this import was for. Spec: REPLAY-42.
            self.node.doubt(checkpoint).await.map_err(|_| stopped())?;
            return Err(refused(
                "the log's checkpoint has another state root than its replay",
            ));
        }
        let importer = self.node.about().key;
        let imports = replay
            .state_mut()
            .imports_for(&importer, &checkpoint, weight.get(), query.claims_max)
            .map_err(internal)?;
        if imports.is_empty() {
            return Err(refused("that log measured nobody yet"));
        }
        let claims: usize = imports.iter().map(|import| import.open_keys().len()).sum();
        let entries = imports.len();
        self.write(imports).await?;
        Ok(v1::ImportResponse {
            source: name,
            size: note.checkpoint.size,
            entries: u32::try_from(entries).unwrap_or(u32::MAX),
            claims: u32::try_from(claims).unwrap_or(u32::MAX),
        })
    }

    /// What this node has not replayed without a fault it does not vouch for. Spec: IMPORT-1.
    fn require_clean(&self, author: &PublicKey) -> Result<(), BackendError> {
        let peers = self.node.peers();
        let view = peers.iter().find(|peer| peer.key == *author);
        match view.map(|view| view.verdict) {
            Some(Verdict::Clean) => Ok(()),
            Some(Verdict::Exposed) => {
                Err(refused("that peer is exposed: its log breaks the rules"))
            }
            Some(Verdict::Suspected) => Err(refused("that peer is suspected: it owes entries")),
            Some(Verdict::Pending | Verdict::Unusable) | None => {
                Err(refused("that log is not replayed yet"))
            }
        }
    }

    /// A replay of the log that ends where its newest checkpoint does.
    async fn at_checkpoint(&self, source: LogSource) -> Result<(Replay, Note), BackendError> {
        let replay = self.replay(&source).await?;
        let note = self
            .newest_note(&source, replay.size())?
            .ok_or_else(|| refused("that log has no checkpoint yet"))?;
        if note.checkpoint.size == replay.size() {
            return Ok((replay, note));
        }
        // The copy runs ahead: once more, up to the checkpoint.
        let permit = std::sync::Arc::clone(&self.replays)
            .acquire_owned()
            .await
            .map_err(|_| stopped())?;
        let size = note.checkpoint.size;
        let replay = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            replay_to(&source, size)
        })
        .await
        .map_err(internal)??;
        Ok((replay, note))
    }

    async fn write(&self, imports: Vec<MeasuresImported>) -> Result<(), BackendError> {
        let taken = self.node.import(imports).await.map_err(|_| stopped())?;
        taken.map_err(|fault| {
            refused(&format!(
                "expected {}, found {}",
                fault.expected, fault.found
            ))
        })
    }
}

/// Signatures were verified when the entries came.
fn replay_to(source: &LogSource, size: u64) -> Result<Replay, BackendError> {
    let mut entries = source.reader.entries(0..size);
    let (_, entry_0) = entries
        .next()
        .ok_or_else(|| not_found("the log is empty"))?
        .map_err(ledger)?;
    let mut replay = Replay::begin(&entry_0, None).map_err(internal)?;
    let network = replay.state().network();
    for entry in entries {
        let (_, bytes) = entry.map_err(ledger)?;
        let prepared = PreparedEntry::new(bytes, &network, Signatures::AssumeVerified);
        replay
            .push_prepared(prepared)
            .map_err(|fault| refused(&fault.to_string()))?;
    }
    Ok(replay)
}

fn refused(message: &str) -> BackendError {
    BackendError::new(ErrorKind::FailedPrecondition, message)
}
