//! The witness that every node is: it cosigns the checkpoints of logs whose growth it has seen.
//!
//! What it keeps of a log, size and root of the newest checkpoint that it cosigned, is one memo of the ledger. From reading
//! it to storing the next one a lock is held, whoever asks: two requests that overlap can never make it cosign a fork.
//! Spec: WITNESS-5 to WITNESS-7.

use std::sync::Arc;

use symphony_ledger::{Ledger, LedgerError, MemoWrite};
use symphony_transparency::{
    CosignatureError, Cosigner, Digest, NodeHash, NoteSignature, PublicKey, SecretKey,
    witness::{
        AddCheckpoint, HeadRecordError, Refusal, WitnessView, decide, head_from_record,
        head_to_record,
    },
};
use tokio::sync::Mutex;

use crate::home::now_ms;

/// Table of the memos.
const TABLE: &[u8] = b"witness\0";

/// Cosigns. Clones share one lock.
#[derive(Clone)]
pub struct Witness(Arc<Inner>);

struct Inner {
    cosigner: Cosigner,
    secret: SecretKey,
    ledger: Ledger,
    storing: Mutex<()>,
}

/// Why there is no cosignature.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessError {
    /// The request does not hold.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What was cosigned before cannot be read or stored.
    #[error("ledger: {0}")]
    Ledger(#[from] LedgerError),
    /// What was cosigned before is damaged: this witness no longer knows what it may cosign.
    #[error("kept head: {0}")]
    Head(#[from] HeadRecordError),
    /// The signature cannot be made.
    #[error(transparent)]
    Cosignature(#[from] CosignatureError),
}

impl Witness {
    /// The witness of a peer with this log and witness key.
    pub fn new(network: &Digest, log: &Digest, secret: SecretKey, ledger: Ledger) -> Self {
        Self(Arc::new(Inner {
            cosigner: Cosigner::of_peer(network, log, secret.public()),
            secret,
            ledger,
            storing: Mutex::new(()),
        }))
    }

    /// Name and key under which it cosigns.
    pub fn cosigner(&self) -> &Cosigner {
        &self.0.cosigner
    }

    /// Size of the newest checkpoint of a log that it cosigned; 0 if there is none.
    ///
    /// # Errors
    /// [`WitnessError::Ledger`], [`WitnessError::Head`].
    pub fn latest_size(&self, log: &Digest) -> Result<u64, WitnessError> {
        let kept = self.0.ledger.memo(&key_of(log))?;
        let head = kept.map(|record| head_from_record(&record)).transpose()?;
        Ok(head.map_or(0, |head| head.size))
    }

    /// Judges a request, stores the new head, and only then cosigns. `log_key` is the key of the log that the request names,
    /// if the log is known; `entries_root` the root of its entries at the checkpoint's size, if they are held.
    ///
    /// # Errors
    /// [`WitnessError`]; nothing was cosigned.
    ///
    /// Spec: WITNESS-6.
    pub async fn add_checkpoint(
        &self,
        request: &AddCheckpoint,
        log_key: Option<&PublicKey>,
        entries_root: Option<NodeHash>,
    ) -> Result<NoteSignature, WitnessError> {
        let key = key_of(&request.checkpoint().log);
        let _storing = self.0.storing.lock().await;
        let kept = self.0.ledger.memo(&key)?;
        let latest = kept.map(|record| head_from_record(&record)).transpose()?;
        let view = WitnessView {
            log_key,
            latest,
            entries_root,
        };
        let advance = decide(request, &view)?;
        let head = advance.against(latest.as_ref())?;
        let write = MemoWrite::put(key, head_to_record(&head));
        self.0.ledger.write_memos(vec![write]).await?;
        let time_s = now_ms() / 1_000;
        Ok(advance.cosign_stored(&self.0.cosigner, time_s, &self.0.secret)?)
    }
}

fn key_of(log: &Digest) -> Vec<u8> {
    [TABLE, log.as_bytes()].concat()
}
