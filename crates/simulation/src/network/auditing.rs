//! What peers do to find out about each other: checkpoints are shown, logs are asked for and served, faults are told.

use std::rc::Rc;

use crate::peer::Role;

use super::{CHECKPOINT_MS, Happening, Message, Simulation, SimulationError};

/// Tries at mischief of a framer in one heartbeat.
const MISCHIEF_COUNT: u32 = 4;

impl Simulation<'_> {
    /// What every heartbeat asks and tells.
    pub(super) fn audit_round(&mut self, peer: usize) -> Result<(), SimulationError> {
        let count = self.machines.len();
        self.show_checkpoint(peer);
        if matches!(self.machines[peer].role, Role::Framer(_)) {
            for _ in 0..MISCHIEF_COUNT {
                self.frame(peer);
            }
        }
        if !self.machines[peer].is_honest() {
            return Ok(());
        }
        self.audit_own(peer)?;
        let followers = usize::try_from(self.scenario.followers).unwrap_or(usize::MAX);
        for distance in 1..=followers.min(count - 1) {
            let other = (peer + distance) % count;
            self.ask_log(peer, other);
        }
        let most = u64::try_from(count - 2).unwrap_or(0);
        let other = usize::try_from(self.random.within(0, most)).unwrap_or(0);
        let other = other + usize::from(other >= peer);
        let notes: Rc<[String]> = self.machines[peer]
            .auditor
            .newest()
            .map(|signed| signed.text())
            .collect();
        self.send(peer, other, &Message::Checkpoints { from: peer, notes });
        let known: Vec<Rc<[u8]>> = self.machines[peer]
            .auditor
            .exposed()
            .values()
            .map(|evidence| Rc::from(evidence.bytes()))
            .collect();
        for bytes in known {
            self.send(peer, other, &Message::Evidence { bytes });
        }
        Ok(())
    }

    /// Shows everyone the newest checkpoint.
    fn show_checkpoint(&mut self, peer: usize) {
        for other in (0..self.machines.len()).filter(|other| *other != peer) {
            if let Some(note) = self.checkpoint_for(peer, other) {
                let notes = Rc::from([note]);
                self.send(peer, other, &Message::Checkpoints { from: peer, notes });
            }
        }
    }

    /// A log that grew gets a new checkpoint, which everyone is shown.
    pub(super) fn checkpoint_round(&mut self, peer: usize) {
        let size = self.machines[peer].disk.size();
        if self.machines[peer].shown_size < size && self.machines[peer].writes.is_empty() {
            self.machines[peer].shown_size = size;
            self.show_checkpoint(peer);
        }
        let epoch = self.machines[peer].epoch;
        self.queue.push(
            self.now_ms + CHECKPOINT_MS,
            Happening::Checkpoint { peer, epoch },
        );
    }

    /// Asks a peer for what is new in its log.
    pub(super) fn ask_log(&mut self, peer: usize, other: usize) {
        let (key, log) = (self.machines[other].key, self.machines[other].log);
        let auditor = &self.machines[peer].auditor;
        if auditor.exposed().contains_key(&key) {
            return;
        }
        let start = auditor.size(&log);
        self.send(
            peer,
            other,
            &Message::AskLog {
                from: peer,
                log,
                start,
            },
        );
    }

    /// Whether this peer follows the log of that one.
    pub(super) fn follows(&self, peer: usize, other: usize) -> bool {
        let count = self.machines.len();
        let distance = (other + count - peer) % count;
        let followers = usize::try_from(self.scenario.followers).unwrap_or(usize::MAX);
        self.machines[peer].is_honest() && (1..=followers).contains(&distance)
    }

    /// Audits the own log as any other peer would: so what others signed in it is found, and shown to others.
    pub(super) fn audit_own(&mut self, peer: usize) -> Result<(), SimulationError> {
        if !self.machines[peer].is_honest() {
            return Ok(());
        }
        let Some(note) = self.checkpoint_for(peer, peer) else {
            return Ok(());
        };
        let machine = &mut self.machines[peer];
        let start = machine.auditor.size(&machine.log);
        let size = machine
            .note
            .as_ref()
            .map_or(0, |signed| signed.checkpoint().size);
        let end = usize::try_from(size).unwrap_or(usize::MAX);
        let Some(entries) = machine.disk.entries().get(start..end) else {
            return Ok(());
        };
        let entries = entries.to_vec();
        let found = machine
            .auditor
            .entries(&machine.log, (start, &entries), &note, &mut self.memo);
        self.found(peer, found)
    }
}
