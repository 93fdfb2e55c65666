//! Gossiped beacons on their way from neighbour to neighbour. Spec: BEACON-15, NET-68.

use std::rc::Rc;

use symphony_coordination::Hearing;
use symphony_protocol::records::{Beacon, Received, RelayedBeacon};
use symphony_transparency::{Digest, VerifiedStatement};

use super::{Awaited, Message, Simulation, SimulationError};

impl Simulation<'_> {
    /// Sends a beacon to both neighbours in the line.
    pub(super) fn pass_on(&mut self, from: usize, statement: Vec<u8>, token: Digest) {
        let relayed = RelayedBeacon {
            statement,
            token,
            relay: self.machines[from].key,
        };
        let bytes: Rc<[u8]> = Rc::from(relayed.encode());
        let before = from.checked_sub(1);
        let after = Some(from + 1).filter(|after| *after < self.machines.len());
        for to in before.into_iter().chain(after) {
            let bytes = Rc::clone(&bytes);
            self.send(from, to, &Message::Beacon { from, bytes });
        }
    }

    pub(super) fn beacon_arrives(
        &mut self,
        to: usize,
        from: usize,
        bytes: &[u8],
    ) -> Result<(), SimulationError> {
        let heard = RelayedBeacon::parse(bytes).ok().and_then(|relayed| {
            let statement = self.memo.statement(&relayed.statement)?;
            let statement = VerifiedStatement::clone(&statement);
            let beacon = Received::<Beacon>::from_statement(statement).ok()?;
            Some((relayed, beacon))
        });
        let Some((relayed, beacon)) = heard else {
            self.refused += 1;
            return Ok(());
        };
        if *beacon.statement.author() == self.machines[to].key {
            return Ok(());
        }
        let clock_ms = self.machines[to].clock_ms(self.now_ms);
        match self.relays[to].hear(&beacon, &relayed.token, clock_ms) {
            Hearing::Forged => {
                self.refused += 1;
                Ok(())
            }
            Hearing::Known => Ok(()),
            Hearing::Heard { first, next, .. } => {
                if let Some(token) = next {
                    self.pass_on(to, relayed.statement.clone(), token);
                }
                if !first {
                    return Ok(());
                }
                self.beacons_heard[to] += 1;
                self.statement_arrives(to, from, &relayed.statement, Vec::new(), Awaited::No)
            }
        }
    }
}
