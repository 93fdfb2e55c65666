//! Witnessing: a checkpoint that fits the replayed and stored entries is cosigned, and its author is told. Cosignatures of
//! others on the own checkpoints are collected. Spec: WITNESS-6, WITNESS-7, NET-35.

use symphony_ledger::LedgerError;
use symphony_network::{Refusal, RefusalCode, ReplyToken, Request, Response};
use symphony_transparency::{
    CheckpointError, Cosigner, Digest, NoteError, PublicKey, SignedCheckpoint, SignedNote,
    witness::AddCheckpoint,
};

use super::{Auditor, TIMEOUT};
use crate::runtime::{view::Verdict, witness::WitnessError};

/// Why a checkpoint is not cosigned, or a cosignature not taken.
#[derive(Debug, thiserror::Error)]
enum CosigningError {
    /// The witness does not cosign.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// Entries or checkpoints cannot be read or stored.
    #[error("ledger: {0}")]
    Ledger(#[from] LedgerError),
    /// No checkpoint, or no room for another line.
    #[error("checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// No signed note.
    #[error("note: {0}")]
    Note(#[from] NoteError),
    /// This peer signed no such checkpoint, or no longer keeps it.
    #[error("this peer keeps no such checkpoint of its own")]
    NotOwn,
    /// No line is the sender's.
    #[error("no cosignature of the sender's witness key")]
    NoCosignature,
}

impl Auditor {
    /// Cosigns the newest checkpoint of a log that fits its entries, at most once an interval: an author that signs twice a
    /// second must not cost every follower two synced writes a second.
    pub(super) async fn cosign(&mut self, log: &Digest) {
        let now = self.began.elapsed();
        let interval = self.parts.cosign_interval;
        let Some(followed) = self.logs.get_mut(log) else {
            return;
        };
        let too_soon = followed
            .cosigned_at
            .is_some_and(|at| now.saturating_sub(at) < interval);
        if too_soon || followed.verdict != Verdict::Clean {
            return;
        }
        let Some(signed) = followed.checked.take() else {
            return;
        };
        followed.cosigned_at = Some(now);
        let (peer, key) = (followed.peer, followed.replay.author());
        let size = signed.checkpoint().size;
        match self.cosigned_note(signed, &key).await {
            Ok(None) => {}
            Ok(Some(cosigned)) => {
                if let Some(followed) = self.logs.get_mut(log) {
                    followed.cosigned_size = size;
                    self.changed = true;
                }
                let network = self.parts.network.clone();
                let request = Request::SubmitCosignature {
                    note: cosigned.text(),
                };
                tokio::spawn(async move {
                    // The next cosignature says the same of more entries.
                    if let Err(error) = network.request(peer, request, TIMEOUT).await {
                        tracing::debug!(%peer, %error, "a cosignature was not handed over");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(peer = key.fmt_short(), %error, "not cosigned");
            }
        }
    }

    /// Cosigns whatever waited for its interval: so the last checkpoint of a log that has gone quiet is cosigned, too.
    pub(super) async fn cosign_due(&mut self) {
        let waiting: Vec<Digest> = self
            .logs
            .iter()
            .filter(|(_, followed)| followed.checked.is_some())
            .map(|(log, _)| *log)
            .collect();
        for log in waiting {
            self.cosign(&log).await;
        }
    }

    /// The checkpoint with this node's cosignature, stored; nothing if a newer one was cosigned already.
    async fn cosigned_note(
        &self,
        mut signed: SignedCheckpoint,
        key: &PublicKey,
    ) -> Result<Option<SignedCheckpoint>, CosigningError> {
        let checkpoint = *signed.checkpoint();
        let Some(reader) = self.parts.ledger.log(&checkpoint.log)? else {
            return Ok(None);
        };
        let old_size = self.parts.witness.latest_size(&checkpoint.log)?;
        // Only what is on the device is cosigned: a witness must be able to show what it saw.
        if old_size >= checkpoint.size || reader.size()? < checkpoint.size {
            return Ok(None);
        }
        let proof = match old_size {
            0 => Vec::new(),
            old_size => reader.consistency_proof(old_size, checkpoint.size)?,
        };
        let entries_root = reader.root_at(checkpoint.size)?;
        let request = AddCheckpoint::new(old_size, proof, &signed);
        let line = self
            .parts
            .witness
            .add_checkpoint(&request, Some(key), Some(entries_root))
            .await?;
        signed.add_line(line)?;
        self.parts.ledger.put_checkpoint(signed.clone()).await?;
        Ok(Some(signed))
    }

    /// Adds a peer's cosignature to the stored checkpoint of the own log.
    pub(super) async fn cosigned(&mut self, note: &str, cosigner: &Cosigner, reply: ReplyToken) {
        let response = match self.add_cosignature(note, cosigner).await {
            Ok(()) => Response::Acknowledged {
                statement: Vec::new(),
            },
            Err(reason) => {
                tracing::debug!(cosigner = cosigner.name(), %reason, "a cosignature is not taken");
                Response::Refused(Refusal::new(RefusalCode::NotAccepted, reason.to_string()))
            }
        };
        let network = self.parts.network.clone();
        tokio::spawn(async move {
            let _ = network.reply(reply, response).await;
        });
    }

    async fn add_cosignature(&self, note: &str, cosigner: &Cosigner) -> Result<(), CosigningError> {
        let claimed = SignedCheckpoint::parse_unverified(note)?;
        let note = SignedNote::parse(note.as_bytes())?;
        let own = self.parts.ledger.own().ok_or(CosigningError::NotOwn)?;
        if claimed.log != *own.log() {
            return Err(CosigningError::NotOwn);
        }
        let stored = self
            .parts
            .ledger
            .checkpoint_at(&claimed.log, claimed.size)?
            .ok_or(CosigningError::NotOwn)?;
        let mut signed = SignedCheckpoint::parse_and_verify(&stored.text, &self.parts.own_key)?;
        if signed.note().text() != note.text() {
            return Err(CosigningError::NotOwn);
        }
        let line = note
            .signatures()
            .iter()
            .find(|line| cosigner.verify_line(note.text(), line).is_ok())
            .ok_or(CosigningError::NoCosignature)?;
        let known = signed
            .note()
            .signatures()
            .iter()
            .any(|held| cosigner.verify_line(note.text(), held).is_ok());
        if known {
            return Ok(());
        }
        signed.add_line(line.clone())?;
        self.parts.ledger.put_checkpoint(signed).await?;
        Ok(())
    }
}
