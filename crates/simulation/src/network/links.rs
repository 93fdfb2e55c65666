//! Links: what is lost, doubled and late.

use symphony_coordination::Event;
use symphony_transparency::UnverifiedStatement;

use super::{Awaited, Happening, Message, Simulation, SimulationError};

impl Simulation<'_> {
    pub(super) fn number_of(&self, key: &symphony_transparency::PublicKey) -> Option<usize> {
        self.machines.iter().position(|machine| machine.key == *key)
    }

    pub(super) fn connected(&self, one: usize, two: usize) -> bool {
        let troubles = &self.scenario.troubles;
        let (from_ms, until_ms) = troubles.partition_ms;
        let below = troubles.partition_below as usize;
        !(from_ms..until_ms).contains(&self.now_ms) || (one < below) == (two < below)
    }

    pub(super) fn send_statement(
        &mut self,
        from: usize,
        to: usize,
        bytes: &[u8],
        private: Vec<u8>,
        awaited: Awaited,
    ) -> Result<(), SimulationError> {
        let statement = UnverifiedStatement::parse(bytes)
            .and_then(|statement| statement.verify(&self.network))
            .map_err(|source| SimulationError::Statement {
                peer: from,
                time_ms: self.now_ms,
                source,
            })?;
        let statement = Box::new(statement);
        self.send(
            from,
            to,
            &Message::Statement {
                from,
                statement,
                private,
                awaited,
            },
        );
        Ok(())
    }

    pub(super) fn send(&mut self, from: usize, to: usize, message: &Message) {
        let links = &self.scenario.links;
        self.messages += 1;
        if !self.connected(from, to) || self.random.chance(links.loss_ppm) {
            self.lost += 1;
            return;
        }
        let copies = if self.random.chance(links.duplicate_ppm) {
            2
        } else {
            1
        };
        for _ in 0..copies {
            let delay_ms = self.random.within(links.delay_ms.0, links.delay_ms.1);
            let message = message.clone();
            self.queue
                .push(self.now_ms + delay_ms, Happening::Arrives { to, message });
        }
    }

    pub(super) fn arrives(&mut self, to: usize, message: Message) -> Result<(), SimulationError> {
        if self.machines[to].peer.is_none() {
            self.lost += 1;
            return Ok(());
        }
        let event = match message {
            Message::Statement {
                from,
                statement,
                private,
                awaited,
            } => Event::Statement {
                statement: *statement,
                private,
                token: match awaited {
                    Awaited::Yes => Some(self.machines[to].token(from)),
                    Awaited::No => None,
                },
            },
            Message::AskReveal { from, assignment } => Event::RevealAsked {
                assignment,
                token: self.machines[to].token(from),
            },
        };
        self.handle(to, event)
    }
}
