//! Links: what is lost, doubled, late, and forged; and what becomes of what arrives.

use std::rc::Rc;

use symphony_coordination::Event;
use symphony_transparency::{PublicKey, StatementKind, UnverifiedStatement, VerifiedStatement};

use crate::{
    audit::word,
    peer::{Recovery, Role},
    zoo::Heard,
};

use super::{Awaited, Happening, Kept, Message, Simulation, SimulationError};

/// Share of statements that remind a framer of something, in parts per million.
const MISCHIEF_PPM: u32 = 200_000;

impl Simulation<'_> {
    pub(super) fn number_of(&self, key: &PublicKey) -> Option<usize> {
        self.machines.iter().position(|machine| machine.key == *key)
    }

    pub(super) fn connected(&self, one: usize, two: usize) -> bool {
        let troubles = &self.scenario.troubles;
        let (from_ms, until_ms) = troubles.partition_ms;
        let below = troubles.partition_below as usize;
        !(from_ms..until_ms).contains(&self.now_ms) || (one < below) == (two < below)
    }

    /// Sends an own statement: what an honest peer sends is noted, what another one sends is what it makes of it.
    pub(super) fn release(
        &mut self,
        from: usize,
        to: usize,
        bytes: &[u8],
        private: Vec<u8>,
        awaited: Awaited,
    ) -> Result<(), SimulationError> {
        let Some(statement) = self.memo.statement(bytes) else {
            // Only its author could have made it, so this is a defect of this program.
            return Err(SimulationError::Statement {
                peer: from,
                time_ms: self.now_ms,
                source: UnverifiedStatement::parse(bytes)
                    .and_then(|statement| statement.verify(&self.network))
                    .expect_err("it did not verify before"),
            });
        };
        match &mut self.machines[from].role {
            Role::Honest => {
                if statement.kind() == StatementKind::Beacon && matches!(awaited, Awaited::Yes) {
                    self.check_asked(from, to);
                }
                if let Some(word) = word(&statement) {
                    self.released
                        .insert((from, word.place.index, word.named), word.standing);
                }
                self.send_bytes(from, to, bytes, private, awaited);
            }
            Role::Cheat(doctor) => {
                let sent: Vec<(Option<PublicKey>, VerifiedStatement)> = doctor
                    .send(&statement)
                    .into_iter()
                    .map(|statement| (doctor.redirected(&statement), statement))
                    .collect();
                for (redirected, statement) in sent {
                    let to = redirected
                        .and_then(|key| self.number_of(&key))
                        .unwrap_or(to);
                    self.send_bytes(from, to, statement.bytes(), private.clone(), awaited);
                }
            }
            Role::Framer(framer) => {
                if let Some(private) = framer.send(&statement, private) {
                    self.send_bytes(from, to, bytes, private, awaited);
                }
            }
        }
        Ok(())
    }

    pub(super) fn send_bytes(
        &mut self,
        from: usize,
        to: usize,
        bytes: &[u8],
        private: Vec<u8>,
        awaited: Awaited,
    ) {
        let message = Message::Statement {
            from,
            bytes: Rc::from(bytes),
            private,
            awaited,
        };
        self.send(from, to, &message);
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
            let mut delay_ms = self.random.within(links.delay_ms.0, links.delay_ms.1);
            if links.late_ppm > 0 && self.random.chance(links.late_ppm) {
                delay_ms += self.random.within(0, links.late_ms);
            }
            let message = message.clone();
            self.queue
                .push(self.now_ms + delay_ms, Happening::Arrives { to, message });
        }
    }

    pub(super) fn arrives(&mut self, to: usize, message: Message) -> Result<(), SimulationError> {
        if self.machines[to].peer.is_none() {
            match (self.machines[to].recovery, message) {
                (
                    Recovery::Healing(_),
                    Message::Log {
                        log,
                        start,
                        entries,
                        ..
                    },
                ) => self.heal_with(to, &log, start, &entries)?,
                _ => self.lost += 1,
            }
            return Ok(());
        }
        match message {
            Message::Statement {
                from,
                bytes,
                private,
                awaited,
            } => self.statement_arrives(to, from, &bytes, private, awaited),
            Message::Beacon { from, bytes } => self.beacon_arrives(to, from, &bytes),
            Message::AskReveal { from, assignment } => {
                let token = self.machines[to].token(from);
                self.handle(to, Event::RevealAsked { assignment, token })
            }
            Message::AskLog { from, log, start } => {
                self.serve(to, from, log, start);
                Ok(())
            }
            Message::Hello { entry_0 } => {
                self.machines[to].auditor.hello(&entry_0, &mut self.memo);
                Ok(())
            }
            Message::Log {
                from,
                log,
                start,
                entries,
                note,
            } => {
                self.note_arrival(to, from, note.as_bytes(), Kept::Stored);
                for entry in entries.iter() {
                    self.note_arrival(to, from, entry, Kept::Stored);
                }
                let found = self.machines[to].auditor.entries(
                    &log,
                    (start, &entries),
                    &note,
                    &mut self.memo,
                );
                self.found(to, found)
            }
            Message::Checkpoints { from, notes } => {
                for note in notes.iter() {
                    self.note_arrival(to, from, note.as_bytes(), Kept::Stored);
                    let found = self.machines[to].auditor.checkpoint(note, &mut self.memo);
                    self.found(to, found)?;
                }
                if self.follows(to, from)
                    && self.machines[to].auditor.lacks(&self.machines[from].log)
                {
                    self.ask_log(to, from);
                }
                Ok(())
            }
            Message::Evidence { bytes } => self.evidence_arrives(to, &bytes),
        }
    }

    pub(super) fn statement_arrives(
        &mut self,
        to: usize,
        from: usize,
        bytes: &[u8],
        private: Vec<u8>,
        awaited: Awaited,
    ) -> Result<(), SimulationError> {
        let Some(statement) = self.memo.statement(bytes) else {
            self.refused += 1;
            return Ok(());
        };
        self.note_arrival(to, from, bytes, Kept::InMemory);
        if self.machines[to].is_honest() {
            let found = self.machines[to].auditor.hear(&statement, &self.memo);
            self.found(to, found)?;
        }
        let next = self.machines[to]
            .peer
            .as_ref()
            .map_or(0, |peer| peer.replay().size());
        let mut mischief = false;
        match &mut self.machines[to].role {
            Role::Honest => {}
            Role::Cheat(doctor) => {
                if let Heard::Answer(answer) = doctor.hear(&statement, next) {
                    self.send_bytes(to, from, &answer, Vec::new(), Awaited::No);
                    return Ok(());
                }
            }
            Role::Framer(framer) => {
                framer.hear(&statement);
                mischief = true;
            }
        }
        if mischief && self.random.chance(MISCHIEF_PPM) {
            self.frame(to);
        }
        let token = match awaited {
            Awaited::Yes => Some(self.machines[to].token(from)),
            Awaited::No => None,
        };
        let statement = VerifiedStatement::clone(&statement);
        self.handle(
            to,
            Event::Statement {
                statement,
                private,
                token,
            },
        )
    }
}
