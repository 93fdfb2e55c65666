//! The log that a request means: its reader, replay and checkpoint.

use std::time::Duration;

use symphony_admin::{BackendError, LogName, v1};
use symphony_ledger::LogReader;
use symphony_protocol::{
    records::{Body, Entry, Genesis},
    replay::Replay,
};
use symphony_transparency::{Checkpoint, Digest, PublicKey, SignedCheckpoint};

use super::{
    NodeBackend,
    failure::{internal, ledger, not_found, stopped, unknown_log},
    names::peer_name,
};

/// Longest wait until what the node decided is on the device.
const DURABLE_WAIT: Duration = Duration::from_secs(10);

/// A log that the node holds.
pub(super) struct LogSource {
    pub(super) reader: LogReader,
    pub(super) own: bool,
}

impl LogSource {
    pub(super) fn id(&self) -> Digest {
        *self.reader.log()
    }

    pub(super) fn size(&self) -> Result<u64, BackendError> {
        self.reader.size().map_err(ledger)
    }

    /// Entry 0, which names network, parameters and keys.
    pub(super) fn genesis(&self) -> Result<Genesis, BackendError> {
        let bytes = self
            .reader
            .entry(0)
            .map_err(ledger)?
            .ok_or_else(|| not_found("the log has no entry 0 here"))?;
        match Entry::parse(&bytes, None).map_err(internal)?.body {
            Body::Genesis(genesis) => Ok(*genesis),
            _ => Err(internal("entry 0 is no genesis")),
        }
    }

    pub(super) fn author(&self) -> Result<PublicKey, BackendError> {
        Ok(self.genesis()?.keys.log)
    }
}

/// A checkpoint and its note.
pub(super) struct Note {
    pub(super) checkpoint: Checkpoint,
    pub(super) text: String,
}

impl Note {
    pub(super) fn parse(text: String) -> Result<Self, BackendError> {
        let checkpoint = SignedCheckpoint::parse_unverified(&text).map_err(internal)?;
        Ok(Self { checkpoint, text })
    }
}

impl NodeBackend {
    /// The log that a request names.
    pub(super) fn source(&self, log: LogName) -> Result<LogSource, BackendError> {
        let own = self.node.about().log;
        let id = match log {
            LogName::Own => own,
            LogName::Id(bytes) => Digest::from_bytes(bytes),
        };
        let reader = self
            .node
            .ledger()
            .log(&id)
            .map_err(ledger)?
            .ok_or_else(|| unknown_log(&id))?;
        Ok(LogSource {
            reader,
            own: id == own,
        })
    }

    /// The log's replay as the node holds it; what it shows of the own log is on the device.
    pub(super) async fn replay(&self, source: &LogSource) -> Result<Replay, BackendError> {
        if source.own {
            let replay = self.node.snapshot().await.map_err(|_| stopped())?;
            self.wait_durable(replay.size()).await?;
            return Ok(replay);
        }
        let replay = self.node.followed(source.id()).await;
        replay
            .map_err(|_| stopped())?
            .ok_or_else(|| not_found("this node has not replayed the log"))
    }

    /// The own log's replay runs ahead of the device by what is being synced.
    async fn wait_durable(&self, size: u64) -> Result<(), BackendError> {
        let mut tail = self.node.ledger().subscribe();
        let reached = tail.wait_for(|tail| tail.is_some_and(|tail| tail.head.size >= size));
        match tokio::time::timeout(DURABLE_WAIT, reached).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(stopped()),
            Err(_) => Err(internal("the log does not reach the device")),
        }
    }

    /// An own checkpoint with the cosignatures that came since it was signed.
    pub(super) fn cosigned(&self, note: Note) -> Result<Note, BackendError> {
        let checkpoint = &note.checkpoint;
        let stored = self
            .node
            .ledger()
            .checkpoint_at(&checkpoint.log, checkpoint.size)
            .map_err(ledger)?;
        Ok(match stored {
            Some(stored) if stored.checkpoint == *checkpoint => Note {
                checkpoint: stored.checkpoint,
                text: stored.text,
            },
            _ => note,
        })
    }

    /// The newest checkpoint of the log that covers at most `size_max` entries.
    pub(super) fn newest_note(
        &self,
        source: &LogSource,
        size_max: u64,
    ) -> Result<Option<Note>, BackendError> {
        if source.own
            && let Some(text) = self.node.checkpoint()
        {
            let note = Note::parse(text)?;
            if note.checkpoint.size <= size_max {
                return self.cosigned(note).map(Some);
            }
        }
        let stored = self
            .node
            .ledger()
            .checkpoint_up_to(&source.id(), size_max)
            .map_err(ledger)?;
        Ok(stored.map(|stored| Note {
            checkpoint: stored.checkpoint,
            text: stored.text,
        }))
    }

    pub(super) async fn status_of(&self, log: LogName) -> Result<v1::LogStatus, BackendError> {
        let source = self.source(log)?;
        let replay = match self.replay(&source).await {
            Ok(replay) => Some(replay),
            Err(_) if !source.own => None,
            Err(error) => return Err(error),
        };
        let (size, root, time_ms, state_root) = match replay {
            // The state and the size must be of one moment, while the log grows.
            Some(mut replay) if source.own || replay.size() == source.size()? => (
                replay.size(),
                replay.tree().root(),
                replay.end().time_ms,
                replay.state_mut().root().to_string(),
            ),
            _ => {
                let head = source.reader.head().map_err(ledger)?;
                let end = source.reader.chain_end().map_err(ledger)?;
                (head.size, head.root, end.time_ms, String::new())
            }
        };
        Ok(v1::LogStatus {
            log: Some(peer_name(&source.author()?, Some(&source.id()))),
            size,
            root: hex(&root),
            state_root,
            last_entry_time_ms: time_ms,
            checkpoint_size: self
                .newest_note(&source, u64::MAX)?
                .map(|note| note.checkpoint.size),
        })
    }

    pub(super) async fn checkpoint_of(
        &self,
        log: LogName,
    ) -> Result<v1::SignedCheckpoint, BackendError> {
        let source = self.source(log)?;
        let note = self
            .newest_note(&source, u64::MAX)?
            .ok_or_else(|| not_found("no checkpoint of this log is known"))?;
        Ok(v1::SignedCheckpoint {
            size: note.checkpoint.size,
            root: hex(&note.checkpoint.root),
            state_root: note.checkpoint.state_root.to_string(),
            note: note.text,
        })
    }
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}
