//! Statements that arrive: refused, noted, or logged and acknowledged. Spec: KEYS-16.

use symphony_protocol::records::{Acknowledgement, Body, Issued, Origin, Received};
use symphony_transparency::{Digest, StatementKind, VerifiedStatement};

use crate::event::{Effect, Refusal};

use super::{Peer, ProposeError};

impl Peer {
    pub(super) fn take_statement(
        &mut self,
        statement: VerifiedStatement,
        private: &[u8],
        token: Option<u64>,
    ) -> Result<(), ProposeError> {
        let (author, kind, digest) = (
            *statement.author(),
            statement.kind(),
            statement.payload_digest(),
        );
        if author == self.author() {
            self.refuse(token, "a statement of this peer itself");
            return Ok(());
        }
        if self.exposed.contains(&author) {
            self.refuse(token, "a statement of an exposed peer");
            return Ok(());
        }
        if self.retired.contains(&author) {
            self.refuse(token, "a statement of a peer whose log has ended");
            return Ok(());
        }
        let taken = match kind {
            StatementKind::Capability => self.capability_heard(statement),
            StatementKind::Revocation => self.revocation_heard(statement),
            StatementKind::Beacon => self.beacon_heard(statement)?,
            StatementKind::Bid => self.bid_heard(statement)?,
            StatementKind::Assignment => self.assignment_heard(statement, private)?,
            StatementKind::Receipt => self.receipt_heard(statement)?,
            StatementKind::Reveal => self.reveal_heard(statement, private)?,
            StatementKind::Call => self.call_heard(statement),
            StatementKind::Opening => self.opening_heard(statement),
            StatementKind::Acknowledgement => self.acknowledgement_heard(statement),
            _ => Err(format!("no use for a statement of type {}", kind.name())),
        };
        match taken {
            Ok(Taken::Logged(index)) => self.acknowledge(token, index, digest),
            Ok(Taken::Noted) => {
                if let Some(token) = token {
                    self.effect(Effect::Acknowledge {
                        token,
                        statement: Vec::new(),
                    });
                }
            }
            Err(reason) => self.refuse(token, &reason),
        }
        Ok(())
    }

    /// Logs a statement as it is, if the rules allow it here.
    pub(crate) fn log_received(&mut self, body: Body) -> Result<Taken, String> {
        let index = self.replay.size();
        self.try_propose(body).map_err(|fault| {
            format!(
                "{}: expected {}, found {}",
                fault.rule, fault.expected, fault.found
            )
        })?;
        Ok(Taken::Logged(index))
    }

    pub(super) fn acknowledge(&mut self, token: Option<u64>, index: u64, statement: Digest) {
        let Some(token) = token else { return };
        let acknowledgement = Acknowledgement {
            origin: Origin {
                log: self.state().log(),
                index,
            },
            statement,
        };
        let statement = self.sign(&Issued::new(acknowledgement)).into_bytes();
        self.effect(Effect::Acknowledge { token, statement });
    }

    pub(crate) fn refuse(&mut self, token: Option<u64>, reason: &str) {
        if let Some(token) = token {
            let reason = reason.chars().take(REFUSAL_LETTERS_MAX).collect();
            self.effect(Effect::Refuse {
                token,
                refusal: Refusal(reason),
            });
        }
    }

    /// Logs an acknowledgement that is awaited, once.
    pub(super) fn acknowledgement_heard(
        &mut self,
        statement: VerifiedStatement,
    ) -> Result<Taken, String> {
        let received = Received::<Acknowledgement>::from_statement(statement)
            .map_err(|error| error.to_string())?;
        let (peer, digest) = (*received.statement.author(), received.record.statement);
        let Some((_, index)) = self
            .awaited
            .get(&digest)
            .copied()
            .filter(|(awaited, _)| *awaited == peer)
        else {
            return Err("an acknowledgement that is not awaited".to_owned());
        };
        self.log_received(Body::AcknowledgementReceived(received))?;
        self.awaited.remove(&digest);
        self.awaited_since.remove(&index);
        Ok(Taken::Noted)
    }
}

/// Longest refusal, in letters: it must fit a response.
const REFUSAL_LETTERS_MAX: usize = 200;

/// What became of a statement that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It stands in the log at this index.
    Logged(u64),
    /// It is known, and needs no entry.
    Noted,
}
