//! What a followed peer measured, taken into the own log. Spec: chapter 21.

use std::collections::BTreeSet;

use symphony_admin::{BackendError, ErrorKind, ImportQuery, LogName, v1};
use symphony_ledger::LogReader;
use symphony_protocol::{
    PreparedEntry,
    records::{Body, Entry, MeasuresImported, Signatures},
    replay::Replay,
};
use symphony_transparency::{Digest, PublicKey, SignedCheckpoint};

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
        let Some(weight) = query.weight_ppm else {
            return self.leave_out(log).await;
        };
        let source = self.source(log)?;
        if source.own {
            return Err(refused(
                "the own log is no source: its measures are the own record",
            ));
        }
        let author = source.author()?;
        let name = Some(peer_name(&author, Some(&source.id())));
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

    /// Leaves out a source, named by its log or by its key. Neither log nor peer need be known here any more: what was taken in of it
    /// stands in the own log. Spec: IMPORT-4.
    async fn leave_out(&self, name: LogName) -> Result<v1::ImportResponse, BackendError> {
        let own = self.node.snapshot().await.map_err(|_| stopped())?;
        let sources: BTreeSet<PublicKey> = own.state().sources().into_keys().collect();
        let permit = std::sync::Arc::clone(&self.replays)
            .acquire_owned()
            .await
            .map_err(|_| stopped())?;
        let (reader, network) = (self.source(LogName::Own)?.reader, own.state().network());
        let found = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            source_named(&sources, logs_of_imports(&reader, &network), &name)
        });
        let (key, log) = found
            .await
            .map_err(internal)?
            .ok_or_else(|| refused(&format!("expected a source that is taken in, found {name}")))?;
        self.write(vec![MeasuresImported::leave_out(key)]).await?;
        Ok(v1::ImportResponse {
            source: Some(peer_name(&key, Some(&log))),
            size: 0,
            entries: 1,
            claims: 0,
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

/// The sources of the imports in a log, with the logs that they were measured in, the latest first.
fn logs_of_imports(
    reader: &LogReader,
    network: &Digest,
) -> impl Iterator<Item = (PublicKey, Digest)> {
    let entries = (1..reader.size().unwrap_or(0)).rev();
    entries.filter_map(|index| {
        let bytes = reader.entry(index).ok()??;
        let entry = Entry::parse_with(&bytes, Some(network), Signatures::AssumeVerified).ok()?;
        match entry.body {
            Body::MeasuresImported(MeasuresImported { source, taken }) => {
                Some((source, taken?.checkpoint.log))
            }
            _ => None,
        }
    })
}

/// The source with this log or key, and its log. A digest and a key are 32 bytes each, and nobody finds one for both.
fn source_named(
    sources: &BTreeSet<PublicKey>,
    logs: impl Iterator<Item = (PublicKey, Digest)>,
    name: &LogName,
) -> Option<(PublicKey, Digest)> {
    let LogName::Id(bytes) = name else {
        return None;
    };
    let mut imports = logs.filter(|(source, _)| sources.contains(source));
    imports.find(|(source, log)| {
        log.as_bytes() == bytes.as_slice() || source.as_bytes() == bytes.as_slice()
    })
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

#[cfg(test)]
mod tests {
    use symphony_transparency::SecretKey;

    use super::*;

    fn key(number: u8) -> PublicKey {
        SecretKey::from_bytes([number; 32]).public()
    }

    fn log(number: u8) -> Digest {
        Digest::from_bytes([number; 32])
    }

    #[test]
    fn import_4_a_source_is_named_by_its_log_or_its_key_whether_its_log_is_held_or_not() {
        let sources = BTreeSet::from([key(1), key(2)]);
        // The third was left out.
        let imports = [(key(2), log(2)), (key(3), log(3)), (key(1), log(1))];
        let named = |bytes: &[u8; 32]| {
            source_named(&sources, imports.iter().copied(), &LogName::Id(*bytes))
        };
        assert_eq!(named(log(1).as_bytes()), Some((key(1), log(1))));
        assert_eq!(named(key(2).as_bytes()), Some((key(2), log(2))));
        for other in [log(3).as_bytes(), key(3).as_bytes(), &[9; 32]] {
            assert_eq!(named(other), None);
        }
        let own = source_named(&sources, imports.iter().copied(), &LogName::Own);
        assert_eq!(own, None);
    }
}
