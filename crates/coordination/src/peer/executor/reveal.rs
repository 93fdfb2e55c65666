//! Opening the ballot, and sending stored bytes again. Spec: EXEC-8 to EXEC-10.

use symphony_protocol::records::{Body, Issued, Reveal, RevealPrivate};
use symphony_transparency::Digest;

use super::Stage;
use crate::{
    event::Effect,
    peer::{Peer, ProposeError},
};

impl Peer {
    /// Answers a coordinator that asks for the reveal.
    pub(crate) fn reveal_asked(
        &mut self,
        assignment: &Digest,
        token: u64,
    ) -> Result<(), ProposeError> {
        match self.sessions.get(assignment).map(|session| &session.stage) {
            None => self.refuse(Some(token), "no assignment of this digest"),
            Some(Stage::Running | Stage::HandedOn) => self.refuse(Some(token), "not answered yet"),
            Some(Stage::Answered { ballot: None, .. }) => {
                self.refuse(Some(token), "no ballot to open")
            }
            Some(Stage::Answered { .. } | Stage::Revealed { .. }) => {
                self.reveal_own(assignment)?;
                self.effect(Effect::Acknowledge {
                    token,
                    statement: Vec::new(),
                });
                self.send_again(assignment);
            }
        }
        Ok(())
    }

    /// Opens the ballot in the own log, once.
    pub(crate) fn reveal_own(&mut self, assignment: &Digest) -> Result<(), ProposeError> {
        let author = self.author();
        let origin = self.next_origin();
        let Some(session) = self.sessions.get(assignment) else {
            return Ok(());
        };
        let Stage::Answered {
            receipt,
            ballot: Some(opening),
            ..
        } = &session.stage
        else {
            return Ok(());
        };
        let own = session.coordinator == author;
        let issued = Issued::new(Reveal {
            origin,
            assignment: *assignment,
            answer: opening.digest,
            confidence_ppm: opening.confidence_ppm,
            salt: opening.salt,
        });
        let private = RevealPrivate {
            answer: opening.answer.clone(),
            output: opening.output.clone(),
        };
        let (receipt, answer, digest) = (receipt.clone(), opening.answer.clone(), opening.digest);
        let reveal = self.sign(&issued).into_bytes();
        let place = (self.replay.size(), issued.digest);
        if own {
            self.note_own_answer(assignment, digest, answer);
        }
        // Too late by the own log: the ballot stays closed.
        if self.try_propose(Body::RevealIssued(issued)).is_err() {
            return Ok(());
        }
        if let Some(session) = self.sessions.get_mut(assignment) {
            session.stage = Stage::Revealed {
                place,
                receipt,
                reveal,
                private: private.encode(),
            };
        }
        Ok(())
    }

    /// Sends stored bytes again: nothing is executed or signed twice.
    pub(super) fn send_again(&mut self, assignment: &Digest) {
        let Some(session) = self.sessions.get(assignment) else {
            return;
        };
        let to = session.coordinator;
        let (place, statement, private) = match &session.stage {
            Stage::Running | Stage::HandedOn => return,
            Stage::Answered { place, receipt, .. } => (*place, receipt.clone(), Vec::new()),
            Stage::Revealed {
                place,
                reveal,
                private,
                ..
            } => (*place, reveal.clone(), private.clone()),
        };
        self.send_awaited(to, place, statement, private);
    }
}
