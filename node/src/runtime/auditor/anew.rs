//! Beginning anew: an author signed another history than the entries that it showed here.
//!
//! Entries prove nothing without the author's signature, not even to this node alone: an author whose disk was put back may have
//! shown what it never signed for, and lost it. So the copy is dropped, the author is suspected, and the entries under its
//! signature are fetched. They clear it; or they contradict what it signed before, and both signatures convict. Spec: REPLAY-17.

use std::collections::BTreeMap;

use symphony_protocol::replay::Replay;
use symphony_transparency::{Digest, SignedCheckpoint};

use super::{Auditor, followed::await_size};
use crate::runtime::view::Verdict;

impl Auditor {
    /// Drops the copy of a log and fetches it again, once; the checkpoints that it fitted and did not fit are kept.
    pub(super) async fn begin_anew(&mut self, log: &Digest) {
        let ledger = self.parts.ledger.clone();
        let Some(followed) = self.logs.get(log) else {
            return;
        };
        let (replayed, author) = (followed.replay.size(), followed.replay.author());
        let genesis = ledger
            .log(log)
            .ok()
            .flatten()
            .and_then(|reader| reader.entry(0).ok()?);
        let begun = genesis
            .as_ref()
            .and_then(|genesis| Replay::begin(genesis, Some(&self.parts.network_id)).ok());
        let (Some(genesis), Some(begun)) = (genesis, begun) else {
            return;
        };
        let fitted = ledger.checkpoint_up_to(log, replayed).ok().flatten();
        let fitted = fitted.filter(|stored| self.fits(&stored.checkpoint) == Some(true));
        let Some(followed) = self.logs.get_mut(log) else {
            return;
        };
        self.changed = true;
        followed.verdict = Verdict::Suspected;
        followed.reason = format!(
            "it signed another history than the {replayed} entries that it showed, and is asked for the signed one"
        );
        if std::mem::replace(&mut followed.begun_anew, true) {
            // Shown twice: what is at hand stays, until a signature covers it.
            return;
        }
        tracing::warn!(
            log = log.fmt_short(),
            replayed,
            "suspected: a log is fetched anew"
        );
        followed.replay = begun;
        followed.tail = None;
        followed.checked = None;
        followed.missing = None;
        let mut kept: Vec<SignedCheckpoint> = followed.conflicting.take().into_iter().collect();
        kept.extend(
            fitted
                .and_then(|stored| SignedCheckpoint::parse_and_verify(&stored.text, &author).ok()),
        );
        kept.extend(std::mem::take(&mut followed.late).into_values());
        let mut waiting: BTreeMap<_, _> = std::mem::take(&mut followed.waiting);
        for signed in kept {
            await_size(&mut waiting, signed);
        }
        let kept: Vec<SignedCheckpoint> = waiting.values().cloned().collect();
        followed.waiting = waiting;
        let (peer, connected) = (followed.peer, followed.connected);
        if let Err(error) = ledger.forget(*log).await {
            tracing::warn!(%error, "a copy cannot be dropped");
        }
        if let Err(error) = ledger.append_followed(*log, vec![genesis]).await {
            tracing::warn!(%error, "a followed log is not kept");
        }
        for signed in kept {
            if let Err(error) = ledger.put_checkpoint(signed).await {
                tracing::debug!(%error, "a checkpoint is not kept");
            }
        }
        let now = self.began.elapsed();
        self.follow.remove(log);
        if let Err(error) = self.follow.add(*log, 1, now) {
            tracing::warn!(%error, "a log is no longer followed");
        }
        if connected {
            // It is followed since just now.
            let _ = self.follow.add_source(log, peer, now);
        }
    }
}
