//! Proposing entries, and keeping duties and deadlines.

use symphony_protocol::{
    Fault, PreparedEntry,
    records::{Body, Entry, Issued, Origin, Signatures, StatementRecord},
    state::{Applied, Duty},
};
use symphony_transparency::{
    Digest, PublicKey, VerifiedStatement, sign_statement, statement_without_signature,
};

use crate::event::Effect;

use super::{AWAITED_MAX, Peer, ProposeError, Signing};

impl Peer {
    /// Where the next entry will stand.
    pub(crate) fn next_origin(&self) -> Origin {
        Origin {
            log: self.state().log(),
            index: self.replay.size(),
        }
    }

    /// Applies and hands out an entry. Decisions and inputs alike pass through here.
    pub(crate) fn propose(&mut self, body: Body) -> Result<Applied, ProposeError> {
        self.try_propose(body).map_err(ProposeError)
    }

    /// The same for an input of another peer, which the rules may refuse: then nothing has changed.
    pub(crate) fn try_propose(&mut self, body: Body) -> Result<Applied, Fault> {
        let applied = self.append(body)?;
        // Nothing may come between, so nobody else has to know.
        self.record_root()?;
        Ok(applied)
    }

    /// Records the root, if it is due: before everything else, and leaving that as it is. Spec: REPLAY-16.
    pub(super) fn record_root(&mut self) -> Result<(), Fault> {
        if let Some(duty @ Duty::Record) = self.state().duty()
            && let Some(body) = self.replay.state_mut().decide(duty)
        {
            self.append(body)?;
        }
        Ok(())
    }

    fn append(&mut self, body: Body) -> Result<Applied, Fault> {
        let in_turn = self.state().duty().is_some();
        let time_ms = if in_turn {
            self.state().time_ms()
        } else {
            self.now_ms.max(self.state().time_ms())
        };
        let entry = Entry {
            index: self.replay.size(),
            previous: self.replay.end().last,
            time_ms,
            body,
        };
        let bytes = entry.encode();
        // What others signed in it was verified when it arrived, or its type would not say so: once is enough.
        let prepared =
            PreparedEntry::new(bytes, &self.state().network(), Signatures::AssumeVerified);
        let bytes = prepared.bytes().to_vec();
        let (_, applied) = self.replay.push_prepared(prepared)?;
        self.output.entries.push(bytes);
        for finding in &applied.findings {
            // One finding convicts; what the peer says afterwards would only fill the log.
            self.note_exposed(finding.peer);
            self.output.effects.push(Effect::Found(finding.clone()));
        }
        Ok(applied)
    }

    pub(crate) fn sign<R: StatementRecord>(&self, issued: &Issued<R>) -> VerifiedStatement {
        let (network, payload) = (self.state().network(), issued.payload.clone());
        match self.signing {
            Signing::Signed => sign_statement(&self.secret, &network, R::KIND, payload),
            #[expect(
                clippy::disallowed_methods,
                reason = "only a simulation can ask for it: Peer::without_signatures is banned elsewhere"
            )]
            Signing::Unsigned => {
                statement_without_signature(self.author(), &network, R::KIND, payload)
            }
        }
    }

    pub(crate) fn effect(&mut self, effect: Effect) {
        self.output.effects.push(effect);
    }

    /// Sends an own statement, which stands at this index, to a peer that is to acknowledge it.
    pub(crate) fn send_awaited(
        &mut self,
        to: PublicKey,
        (index, digest): (u64, Digest),
        statement: Vec<u8>,
        private: Vec<u8>,
    ) {
        self.awaited.insert(digest, (to, index));
        self.awaited_since.insert(index, digest);
        if self.awaited.len() > AWAITED_MAX
            && let Some((_, oldest)) = self.awaited_since.pop_first()
        {
            self.awaited.remove(&oldest);
        }
        self.effect(Effect::Send {
            to,
            statement,
            private,
        });
    }

    /// What follows from the state without being a duty: steps to announce, reveals to ask for. Only after every deadline
    /// that passed has its time-out: an announcement before it would break the order of the log. Spec: REPLAY-25.
    pub(super) fn go_on(&mut self) -> Result<(), ProposeError> {
        loop {
            self.keep_duties()?;
            if let Some((assignment, execution, salt)) = self.links_back.pop_front() {
                self.answer(assignment, execution, salt)?;
                continue;
            }
            if let Some(linked) = self.link_tasks.pop_front() {
                self.open_link(linked)?;
                continue;
            }
            if let Some(planned) = self.planned.pop_front() {
                self.open_planned(planned)?;
                continue;
            }
            if let Some(step) = self.ready.pop_front() {
                self.announce(step)?;
                continue;
            }
            self.ask_reveals()?;
            let waits = !self.ready.is_empty()
                || !self.planned.is_empty()
                || !self.link_tasks.is_empty()
                || !self.links_back.is_empty();
            if self.state().duty().is_none() && !waits {
                return Ok(());
            }
        }
    }

    /// Carries out what is due next, as long as something is. Each round appends an entry, and every chain of duties ends.
    pub(super) fn keep_duties(&mut self) -> Result<(), ProposeError> {
        while let Some(duty) = self.state().duty() {
            let size = self.replay.size();
            match duty {
                Duty::Assign(beacon, slot) => self.assign(beacon, slot)?,
                Duty::Call(beacon) => self.call(beacon)?,
                Duty::Draw(beacon) => self.draw(beacon)?,
                _ => {
                    let Some(body) = self.replay.state_mut().decide(duty) else {
                        break;
                    };
                    let index = self.replay.size();
                    let before = self.step_of(duty);
                    self.propose(body.clone())?;
                    self.after_decision(index, &body, before);
                }
            }
            if self.replay.size() == size {
                // A duty that this memory cannot carry out: only `start` can settle what an earlier run left.
                break;
            }
        }
        Ok(())
    }

    pub(super) fn keep_deadlines(&mut self) -> Result<(), ProposeError> {
        self.keep_duties()?;
        while let Some(due) = self
            .state()
            .next_due()
            .filter(|due| due.time_ms <= self.now_ms)
        {
            let index = self.replay.size();
            self.report_timeout(index, &due);
            self.propose(Body::Timeout(due.timeout()))?;
            self.keep_duties()?;
        }
        Ok(())
    }
}
