//! What a witness decides.

use super::{AddCheckpoint, Refusal};
use crate::merkle::{EMPTY_ROOT, NodeHash, TreeHead, verify_consistency};
use crate::note::NoteSignature;
use crate::{CosignatureError, Cosigner, PublicKey, SecretKey};

/// What a witness knows of the log that a request names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WitnessView<'a> {
    /// The log's key (LOG-6); nothing if the witness does not know the log.
    pub log_key: Option<&'a PublicKey>,
    /// Size and root of the newest checkpoint of the log that it cosigned.
    pub latest: Option<TreeHead>,
    /// If the witness holds the log's entries up to the checkpoint's size: their root.
    pub entries_root: Option<NodeHash>,
}

/// A request that holds against what the witness kept when it looked. Nothing is promised to anybody yet.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "nothing is cosigned before the head is stored"]
pub struct Advance {
    /// What was kept when the request was judged.
    latest: Option<TreeHead>,
    next: TreeHead,
    text: String,
}

/// Judges a request for a cosignature, in the order that the statuses ask for.
///
/// # Errors
/// [`Refusal`], whose [`status`](Refusal::status) and [`body`](Refusal::body) are the answer.
///
/// Spec: WITNESS-5.
pub fn decide(request: &AddCheckpoint, view: &WitnessView<'_>) -> Result<Advance, Refusal> {
    let checkpoint = request.checkpoint();
    let origin = checkpoint.origin();
    let Some(log_key) = view.log_key else {
        return Err(Refusal::UnknownOrigin { origin });
    };
    if request.note().verify(&origin, log_key).is_err() {
        return Err(Refusal::NotSigned);
    }
    let (old_size, size) = (request.old_size(), checkpoint.size);
    if old_size > size {
        return Err(Refusal::OldSizeAbove { old_size, size });
    }
    let latest_size = view.latest.map_or(0, |latest| latest.size);
    if old_size != latest_size {
        return Err(Refusal::OtherOldSize {
            latest_size,
            old_size,
        });
    }
    let next = checkpoint.head();
    let old = view.latest.unwrap_or(TreeHead {
        size: 0,
        root: EMPTY_ROOT,
    });
    if old.size == next.size && old.root != next.root {
        return Err(Refusal::OtherRoot { latest_size });
    }
    verify_consistency(&old, &next, request.proof())?;
    if view.entries_root.is_some_and(|root| root != next.root) {
        return Err(Refusal::OtherEntries { size, latest_size });
    }
    Ok(Advance {
        latest: view.latest,
        next,
        text: request.note().text().to_owned(),
    })
}

impl Advance {
    /// The head to keep in the place of the one that was judged against.
    pub const fn next(&self) -> &TreeHead {
        &self.next
    }

    /// The compare-and-set, given what is kept at the moment of storing: the head to store, in the same atomic step.
    ///
    /// # Errors
    /// [`Refusal::OtherOldSize`] if another request came through since the request was judged.
    ///
    /// Spec: WITNESS-6.
    pub fn against(&self, kept: Option<&TreeHead>) -> Result<TreeHead, Refusal> {
        if kept != self.latest.as_ref() {
            return Err(Refusal::OtherOldSize {
                latest_size: kept.map_or(0, |kept| kept.size),
                old_size: self.latest.map_or(0, |latest| latest.size),
            });
        }
        Ok(self.next)
    }

    /// Cosigns. "Stored": the caller knows that [`Advance::against`] gave a head and that it is on the device; a witness that
    /// forgot what it cosigned would cosign a fork.
    ///
    /// # Errors
    /// [`CosignatureError::Time`], [`CosignatureError::OtherKey`].
    ///
    /// Spec: WITNESS-6, WITNESS-7.
    pub fn cosign_stored(
        &self,
        cosigner: &Cosigner,
        time_s: u64,
        secret: &SecretKey,
    ) -> Result<NoteSignature, CosignatureError> {
        cosigner.cosign(&self.text, time_s, secret)
    }
}
