//! Judging: checkpoints against entries, and what follows from a fault.

use symphony_coordination::Event;
use symphony_protocol::{Fault, Rule};
use symphony_transparency::{Digest, SignedCheckpoint};

use super::{Auditor, EXPOSED_MAX, Exposure, followed::check_waiting};
use crate::runtime::{core::CoreCommand, view::Verdict};

impl Auditor {
    pub(super) async fn checkpoint(&mut self, signed: SignedCheckpoint) {
        let checkpoint = *signed.checkpoint();
        let Some(followed) = self.logs.get_mut(&checkpoint.log) else {
            return;
        };
        let author = followed.replay.author();
        if let Some(newest) = &followed.newest
            && newest.size == checkpoint.size
            && newest.root != checkpoint.root
        {
            let fault = Fault {
                peer: author,
                rule: Rule::Fork,
                entry: checkpoint.size.saturating_sub(1),
                expected: format!("one root of {} entries", checkpoint.size),
                found: "two signed roots".to_owned(),
            };
            return self.expose(fault, checkpoint.log).await;
        }
        let replayed = followed.replay.size();
        if checkpoint.size < replayed {
            let root = self
                .ledger
                .log(&checkpoint.log)
                .ok()
                .flatten()
                .and_then(|reader| reader.root_at(checkpoint.size).ok());
            if root.is_some_and(|root| root != checkpoint.root) {
                let fault = Fault {
                    peer: author,
                    rule: Rule::TreeRoot,
                    entry: checkpoint.size.saturating_sub(1),
                    expected: "the root of the entries that it served".to_owned(),
                    found: "another signed root".to_owned(),
                };
                return self.expose(fault, checkpoint.log).await;
            }
            return;
        }
        if followed
            .newest
            .as_ref()
            .is_none_or(|newest| newest.size < checkpoint.size)
        {
            followed.newest = Some(checkpoint);
            followed.waiting = Some(checkpoint);
        }
        let checked = check_waiting(followed);
        if checked.is_ok() && followed.verdict == Verdict::Pending {
            followed.verdict = Verdict::Clean;
        }
        let peer = followed.peer;
        let pending_fault = followed
            .uncovered
            .clone()
            .filter(|_| followed.verdict != Verdict::Exposed);
        self.follow.heard(&checkpoint.log, &peer, checkpoint.size);
        self.changed = true;
        if let Err(error) = self.ledger.put_checkpoint(signed).await {
            tracing::debug!(%error, "a checkpoint is not kept");
        }
        if let Err(fault) = checked {
            self.expose(fault, checkpoint.log).await;
        } else if let Some(fault) = pending_fault.filter(|fault| fault.entry < checkpoint.size) {
            self.expose(fault, checkpoint.log).await;
        }
    }

    /// A peer broke a rule: it is shown, and routed to no more. `found_in` is the log whose entries show it.
    pub(super) async fn expose(&mut self, fault: Fault, found_in: Digest) {
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
        if self.exposed.len() < EXPOSED_MAX {
            self.exposed.insert(peer, Exposure { fault, found_in });
        }
        let _ = self
            .core
            .send(CoreCommand::Event(Event::Exposed { peer }))
            .await;
    }
}
