//! Judging: checkpoints against entries, and what follows from a fault.

use std::collections::BTreeSet;

use symphony_coordination::Event;
use symphony_network::AnsweredEntry;
use symphony_protocol::{Fault, Rule, records::Challenge};
use symphony_transparency::{
    Checkpoint, Digest, NodeHash, PublicKey, SignedCheckpoint, entry_digest,
};

use super::{
    Auditor, EXPOSED_MAX, Exposure,
    convicting::Shown,
    followed::{await_size, check_waiting},
};
use crate::runtime::{core::CoreCommand, view::Verdict};

impl Auditor {
    /// Takes a checkpoint, from whomever it came. By whatever key its bringer read it, only the author of the log that it names
    /// speaks for that log: anyone can sign a note with another log's name. Spec: REPLAY-18, KEYS-14, LOG-25.
    pub(super) async fn checkpoint(&mut self, signed: SignedCheckpoint) {
        let checkpoint = *signed.checkpoint();
        let log = checkpoint.log;
        let Some(followed) = self.logs.get_mut(&log) else {
            return;
        };
        if followed.convicted {
            return;
        }
        let author = followed.replay.author();
        if checkpoint.network != followed.replay.state().network()
            || SignedCheckpoint::parse_and_verify(&signed.text(), &author).is_err()
        {
            return;
        }
        if self.contradicts_stored(&signed, &author).await {
            return;
        }
        let is_new = matches!(
            self.parts.ledger.checkpoint_at(&log, checkpoint.size),
            Ok(None)
        );
        let Some(followed) = self.logs.get_mut(&log) else {
            return;
        };
        let mut checked = Ok(());
        if followed
            .newest
            .is_none_or(|newest| newest.size < checkpoint.size)
        {
            followed.newest = Some(checkpoint);
        }
        if checkpoint.size >= followed.replay.size() {
            await_size(&mut followed.waiting, signed.clone());
            checked = check_waiting(followed);
        }
        if checked.is_ok()
            && followed.verdict == Verdict::Pending
            && followed.tail.is_none()
            && checkpoint.size <= followed.replay.size()
        {
            followed.verdict = Verdict::Clean;
        }
        let (peer, replayed) = (followed.peer, followed.replay.size());
        self.follow.heard(&log, &peer, checkpoint.size);
        self.changed = true;
        if checkpoint.size < replayed && self.fits(&checkpoint) == Some(false) {
            if let Some(followed) = self.logs.get_mut(&log) {
                followed.conflicting.get_or_insert(signed);
            }
        } else {
            if is_new
                && checkpoint.size < replayed
                && let Some(followed) = self.logs.get_mut(&log)
            {
                await_size(&mut followed.late, signed.clone());
            }
            if let Err(error) = self.parts.ledger.put_checkpoint(signed).await {
                tracing::debug!(%error, "a checkpoint is not kept");
            }
        }
        match checked {
            Err(fault) if fault.rule == Rule::TreeRoot => {
                self.judge_conflict(&log).await;
                self.begin_anew(&log).await;
                return;
            }
            Err(fault) => return self.convict(fault, log).await,
            Ok(()) => {}
        }
        self.judge_conflict(&log).await;
        self.judge_tail(&log).await;
        self.judge_words(&log).await;
        self.cosign(&log).await;
    }

    /// Whether the stored entries give the root of a checkpoint that they cover; nothing if they cannot be read.
    pub(super) fn fits(&self, checkpoint: &Checkpoint) -> Option<bool> {
        let reader = self.parts.ledger.log(&checkpoint.log).ok().flatten()?;
        let root = reader.root_at(checkpoint.size).ok()?;
        Some(root == checkpoint.root)
    }

    /// Whether the author signed another root, of tree or state, at the same size before: two histories, one of them here or not. Spec: REPLAY-46.
    async fn contradicts_stored(&mut self, signed: &SignedCheckpoint, author: &PublicKey) -> bool {
        let checkpoint = signed.checkpoint();
        let stored = self
            .parts
            .ledger
            .checkpoint_at(&checkpoint.log, checkpoint.size);
        let Ok(Some(stored)) = stored else {
            return false;
        };
        if stored.checkpoint == *checkpoint {
            return false;
        }
        let fault = Fault {
            peer: *author,
            rule: Rule::Fork,
            entry: checkpoint.size.saturating_sub(1),
            expected: format!("one root of {} entries", checkpoint.size),
            found: "two signed roots".to_owned(),
        };
        let (log, note) = (checkpoint.log, signed.text());
        self.convict_of_fork(fault, log, (&stored.text, &note))
            .await;
        true
    }

    /// Judges a checkpoint that contradicts the entries, as soon as the author has signed for these. Spec: REPLAY-46.
    pub(super) async fn judge_conflict(&mut self, log: &Digest) {
        let Some(followed) = self.logs.get(log) else {
            return;
        };
        let Some(conflicting) = &followed.conflicting else {
            return;
        };
        let (small, note) = (*conflicting.checkpoint(), conflicting.text());
        let (author, replayed) = (followed.replay.author(), followed.replay.size());
        let Ok(Some(covering)) = self.parts.ledger.checkpoint_up_to(log, replayed) else {
            return;
        };
        if covering.checkpoint.size <= small.size || self.fits(&covering.checkpoint) != Some(true) {
            return;
        }
        let fault = Fault {
            peer: author,
            rule: Rule::Fork,
            entry: small.size.saturating_sub(1),
            expected: format!(
                "the root of the first {} of {} signed entries",
                small.size, covering.checkpoint.size
            ),
            found: "another signed root".to_owned(),
        };
        self.convict_of_fork(fault, *log, (&note, &covering.text))
            .await;
    }

    /// Judges the entries behind a fault: only if the author signed a tree that holds the faulty one is it the author's. Says
    /// whether the author is convicted. Spec: REPLAY-7.
    pub(super) async fn judge_tail(&mut self, log: &Digest) -> bool {
        let Some(followed) = self.logs.get(log) else {
            return false;
        };
        let Some(tail) = &followed.tail else {
            return false;
        };
        let stored = self.parts.ledger.checkpoint_up_to(log, followed.have());
        let Some(covering) = stored.ok().flatten().map(|stored| stored.checkpoint) else {
            return false;
        };
        let fault = match Signed::what(tail.fault.entry, &covering, |size| {
            followed.root_behind(size)
        }) {
            Signed::Nothing => return false,
            Signed::These => tail.fault.clone(),
            Signed::Others => {
                self.begin_anew(log).await;
                return false;
            }
        };
        self.convict(fault, *log).await;
        true
    }

    /// Judges a fault behind which more follows than is kept, by an answer that proves two entries: if they are the faulty one and
    /// the one before it, the author signed for both, and so for all that led to them. Says whether the answer was about that.
    /// Spec: REPLAY-7.
    pub(super) async fn judge_shown(
        &mut self,
        challenge: &Challenge,
        shown: &[AnsweredEntry],
    ) -> bool {
        let log = challenge.log();
        let Some(followed) = self.logs.get(&log) else {
            return false;
        };
        let (Some(tail), [before, faulty]) = (followed.full_tail(), shown) else {
            return false;
        };
        if challenge.indices().end != tail.fault.entry.saturating_add(1) {
            return false;
        }
        let is_held = tail.entries.first() == Some(&faulty.entry)
            && entry_digest(&before.entry) == followed.replay.end().last;
        if is_held {
            let (fault, hashes) = (tail.fault.clone(), faulty.hashes.clone());
            let shown = Shown {
                note: challenge.note().to_owned(),
                hashes,
            };
            self.convict_shown(fault, log, shown).await;
        } else {
            self.begin_anew(&log).await;
        }
        true
    }

    /// A peer broke a rule: it is shown, and routed to no more. `found_in` is the log whose entries show it.
    pub(super) async fn expose(&mut self, fault: Fault, found_in: Option<Digest>) {
        let peer = fault.peer;
        if self.exposed.contains_key(&peer) {
            return;
        }
        tracing::warn!(%peer, rule = fault.rule.id(), entry = fault.entry, "exposed");
        for followed in self
            .logs
            .values_mut()
            .filter(|followed| followed.replay.author() == peer)
        {
            followed.verdict = Verdict::Exposed;
        }
        self.changed = true;
        self.make_room_for_exposed();
        let exposure = Exposure {
            fault,
            found_in,
            proven: false,
            tried: BTreeSet::new(),
        };
        self.exposed.insert(peer, exposure);
        // Anyone can have any number of keys exposed. Of one that never came nothing else here needs to know, until it comes.
        if self.parts.directory.get(&peer).is_some() || self.known_authors().contains(&peer) {
            self.shun(&peer).await;
        }
    }

    /// Forgets somebody that is exposed if there are too many: nobody whose log is held here, and nobody of whom a file is kept. Of
    /// both together there are far fewer.
    fn make_room_for_exposed(&mut self) {
        if self.exposed.len() < EXPOSED_MAX {
            return;
        }
        let known = self.known_authors();
        let mut exposed = self.exposed.iter();
        let stranger = exposed.find(|(key, exposure)| !exposure.proven && !known.contains(*key));
        if let Some(stranger) = stranger.map(|(key, _)| *key) {
            self.exposed.remove(&stranger);
        }
    }

    /// A peer that is exposed gets no work, and nothing that it says is read. Spec: NET-36, REPLAY-8.
    pub(super) async fn shun(&self, peer: &PublicKey) {
        self.punish(peer);
        let _ = self
            .parts
            .core
            .send(CoreCommand::Event(Event::Exposed { peer: *peer }))
            .await;
    }
}

/// What an author signed of entries that were served as its own, of which one breaks a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signed {
    /// Nothing yet: nobody is exposed.
    Nothing,
    /// A tree that holds them.
    These,
    /// A tree of that size that does not hold them.
    Others,
}

impl Signed {
    fn what(
        faulty: u64,
        checkpoint: &Checkpoint,
        root_of: impl FnOnce(u64) -> Option<NodeHash>,
    ) -> Self {
        if checkpoint.size <= faulty {
            return Self::Nothing;
        }
        match root_of(checkpoint.size) {
            // What is not at hand exposes nobody.
            None => Self::Nothing,
            Some(root) if root == checkpoint.root => Self::These,
            Some(_) => Self::Others,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replay_7_only_what_a_signed_checkpoint_covers_exposes() {
        let checkpoint = Checkpoint {
            network: Digest::ZERO,
            log: Digest::ZERO,
            size: 10,
            root: [1; 32],
            state_root: Digest::ZERO,
        };
        let root = |root: [u8; 32]| move |_| Some(root);
        assert_eq!(
            Signed::what(10, &checkpoint, root([1; 32])),
            Signed::Nothing
        );
        assert_eq!(Signed::what(9, &checkpoint, root([1; 32])), Signed::These);
        assert_eq!(Signed::what(9, &checkpoint, root([2; 32])), Signed::Others);
        assert_eq!(Signed::what(9, &checkpoint, |_| None), Signed::Nothing);
    }
}
