//! Calling for openings, taking them, and drawing. Spec: CHANCE-3 to CHANCE-6.

use symphony_protocol::records::{Body, Call, Issued, Opening, Origin, Received};
use symphony_transparency::{PublicKey, VerifiedStatement};

use crate::{
    event::Effect,
    peer::{Peer, ProposeError, Taken},
};

impl Peer {
    /// Calls the bidders of a closed beacon's ranking.
    pub(crate) fn call(&mut self, beacon: u64) -> Result<(), ProposeError> {
        let Some(step) = self.state().step(beacon) else {
            return Ok(());
        };
        let called: Vec<PublicKey> = step
            .ranked()
            .filter(|bid| !bid.opened())
            .map(|bid| bid.peer)
            .collect();
        let issued = Issued::new(Call {
            origin: self.next_origin(),
            beacon: step.statement,
            close: self.replay.end().last,
        });
        let statement = self.sign(&issued).into_bytes();
        self.propose(Body::CallIssued(issued))?;
        for to in called {
            self.effect(Effect::Send {
                to,
                statement: statement.clone(),
                private: Vec::new(),
            });
        }
        Ok(())
    }

    /// Opens the secret, and lets the seed pick.
    pub(crate) fn draw(&mut self, beacon: u64) -> Result<(), ProposeError> {
        let place = Origin {
            log: self.state().log(),
            index: beacon,
        };
        let secret = self.own_secret(&place);
        let before = self.state().step(beacon).cloned();
        let index = self.replay.size();
        if let Some(body) = self.replay.state_mut().decide_draw(beacon, &secret) {
            self.propose(body.clone())?;
            self.after_decision(index, &body, before);
        }
        Ok(())
    }

    pub(crate) fn opening_heard(&mut self, statement: VerifiedStatement) -> Result<Taken, String> {
        let opening =
            Received::<Opening>::from_statement(statement).map_err(|error| error.to_string())?;
        let peer = *opening.statement.author();
        let again = self
            .open_step(&opening.record.beacon)
            .is_some_and(|(_, step)| {
                step.bids
                    .iter()
                    .any(|bid| bid.peer == peer && bid.nonce == Some(opening.record.nonce))
            });
        if again {
            return Ok(Taken::Noted);
        }
        self.log_received(Body::OpeningReceived(opening))
    }
}
