//! What peers do to find out about each other: checkpoints are shown, logs are asked for and served, faults are told.

use std::rc::Rc;

use symphony_coordination::Event;
use symphony_transparency::{Digest, statement_digest};

use crate::{
    audit::Exposure,
    peer::Role,
    report::Conviction,
    zoo::{Cheat, Mischief, Offence},
};

use super::{
    Arrival, Awaited, CHECKPOINT_MS, Happening, Kept, Message, Simulation, SimulationError,
};

/// What was decided before a peer was exposed has left after so long, in milliseconds.
const SETTLED_MS: u64 = 1_000;
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

    /// The newest checkpoint that a peer shows another one.
    fn checkpoint_for(&mut self, peer: usize, to: usize) -> Option<String> {
        let machine = &mut self.machines[peer];
        if let Role::Cheat(doctor) = &mut machine.role {
            return doctor.checkpoint(to).map(|signed| signed.text());
        }
        let fresh = machine.writes.is_empty()
            && machine
                .note
                .as_ref()
                .is_none_or(|signed| signed.checkpoint().size < machine.disk.size());
        if fresh && let Some(running) = machine.peer.as_mut() {
            let checkpoint = running.checkpoint();
            machine.signing.advance(&machine.disk);
            machine.note = Some(running.sign_checkpoint(&checkpoint));
            if machine.is_honest() {
                let root = self
                    .signed
                    .entry((peer, checkpoint.size))
                    .or_insert(checkpoint.root);
                if *root != checkpoint.root {
                    let size = checkpoint.size;
                    self.violations
                        .push(format!("peer {peer} signed two roots at size {size}"));
                }
            }
        }
        machine.note.as_ref().map(|signed| signed.text())
    }

    /// Serves a log: the own one, or another one as far as it is known here.
    pub(super) fn serve(&mut self, peer: usize, to: usize, log: Digest, start: usize) {
        let (entries, note) = if log == self.machines[peer].log {
            let Some(note) = self.checkpoint_for(peer, to) else {
                return;
            };
            let machine = &self.machines[peer];
            match &machine.role {
                Role::Cheat(doctor) => {
                    let face = doctor.face(to);
                    (face.entries.get(start..).map(<[_]>::to_vec), note)
                }
                _ => {
                    let size = machine
                        .note
                        .as_ref()
                        .map_or(0, |signed| signed.checkpoint().size);
                    let end = usize::try_from(size).unwrap_or(usize::MAX);
                    let entries = machine.disk.entries().get(start..end);
                    (entries.map(<[_]>::to_vec), note)
                }
            }
        } else {
            let machine = &mut self.machines[peer];
            let Some((position, signed)) = machine.auditor.copy(&log) else {
                return;
            };
            let entries = self.memo.entries(position).get(start..).map(|entries| {
                entries
                    .iter()
                    .map(|learned| learned.bytes.clone())
                    .collect::<Vec<_>>()
            });
            let note = signed.text();
            let entries = match (&mut machine.role, entries) {
                (Role::Framer(framer), Some(entries)) => Some(framer.serve(entries)),
                (_, entries) => entries,
            };
            (entries, note)
        };
        let Some(entries) = entries else { return };
        let message = Message::Log {
            from: peer,
            log,
            start,
            entries: Rc::from(entries),
            note: Rc::from(note),
        };
        self.send(peer, to, &message);
    }

    /// A framer sends something to someone.
    pub(super) fn frame(&mut self, peer: usize) {
        let most = u64::try_from(self.machines.len() - 1).unwrap_or(0);
        let to = usize::try_from(self.random.within(0, most)).unwrap_or(0);
        let Role::Framer(framer) = &mut self.machines[peer].role else {
            return;
        };
        match framer.mischief() {
            Some(Mischief::Statement(bytes, private)) if to != peer => {
                self.send_bytes(peer, to, &bytes, private, Awaited::Yes);
            }
            Some(Mischief::Evidence(bytes)) if to != peer => {
                let bytes = Rc::from(bytes);
                self.send(peer, to, &Message::Evidence { bytes });
            }
            Some(Mischief::Checkpoint(note)) if to != peer => {
                let notes = Rc::from([note]);
                self.send(peer, to, &Message::Checkpoints { from: peer, notes });
            }
            _ => {}
        }
    }

    /// A peer found faults: it makes the evidence of each, and tells everyone.
    pub(super) fn found(
        &mut self,
        peer: usize,
        exposures: Vec<Exposure>,
    ) -> Result<(), SimulationError> {
        for exposure in exposures {
            let machine = &self.machines[peer];
            let accused = exposure.fault.peer;
            if !machine.is_honest() || machine.auditor.exposed().contains_key(&accused) {
                continue;
            }
            self.faults.push(exposure.fault.clone());
            match machine.auditor.prove(&exposure, &self.memo) {
                Ok(evidence) => {
                    let bytes: Rc<[u8]> = Rc::from(evidence.bytes());
                    self.evidence_arrives(peer, &bytes)?;
                    for other in (0..self.machines.len()).filter(|other| *other != peer) {
                        let bytes = Rc::clone(&bytes);
                        self.send(peer, other, &Message::Evidence { bytes });
                    }
                }
                Err(reason) => {
                    let accused = self.number_of(&accused);
                    let text = format!("{}: {reason}", exposure.fault);
                    match accused.map(|accused| &self.machines[accused].role) {
                        Some(Role::Cheat(_)) => drop(self.unproved.insert(text)),
                        // What a framer signs need not convict it.
                        Some(Role::Framer(_)) => {}
                        _ => self
                            .violations
                            .push(format!("an honest peer is accused: {text}")),
                    }
                }
            }
        }
        Ok(())
    }

    /// Evidence reaches a peer: it believes its own check of the bytes, and nothing else.
    pub(super) fn evidence_arrives(
        &mut self,
        peer: usize,
        bytes: &[u8],
    ) -> Result<(), SimulationError> {
        let machine = &mut self.machines[peer];
        match &mut machine.role {
            Role::Honest => {}
            Role::Cheat(_) => return Ok(()),
            Role::Framer(framer) => {
                framer.hear_evidence(bytes);
                return Ok(());
            }
        }
        let Some(proved) = machine.auditor.evidence(bytes, &self.network) else {
            return Ok(());
        };
        let fault = &proved.fault;
        match self.number_of(&fault.peer) {
            Some(accused) if !self.machines[accused].is_honest() => {
                let time_ms = self.now_ms;
                // What a peer logged before it crashed counts from now on.
                let in_the_open_ms = self.deed_ms(accused).unwrap_or(time_ms);
                self.convictions.entry(accused).or_insert(Conviction {
                    rule: fault.rule,
                    kind: proved.kind,
                    evidence_size: proved.size,
                    in_the_open_ms,
                    time_ms,
                    by: peer,
                });
            }
            accused => self.violations.push(format!(
                "an honest peer ({accused:?}) is exposed to {peer}: {fault}"
            )),
        }
        let exposed = fault.peer;
        self.avoided.insert((peer, exposed), self.now_ms);
        self.handle(peer, Event::Exposed { peer: exposed })
    }

    /// A peer that is exposed to another one is not asked by it any more.
    pub(super) fn check_asked(&mut self, from: usize, to: usize) {
        let asked = self.machines[to].key;
        let late = |since_ms: &u64| since_ms.saturating_add(SETTLED_MS) < self.now_ms;
        if self.avoided.get(&(from, asked)).is_some_and(late) {
            self.violations
                .push(format!("peer {from} asked {to}, which is exposed to it"));
        }
    }

    /// Notes what reached an honest peer from a cheat.
    pub(super) fn note_arrival(&mut self, to: usize, from: usize, bytes: &[u8], kept: Kept) {
        let cheat = matches!(self.machines[from].role, Role::Cheat(_));
        if cheat && self.machines[to].is_honest() {
            let now_ms = self.now_ms;
            self.arrivals[to]
                .entry(statement_digest(bytes))
                .or_insert(Arrival {
                    time_ms: now_ms,
                    kept,
                });
        }
    }

    /// When a deed of this peer was first in the open.
    pub(super) fn deed_ms(&self, accused: usize) -> Option<u64> {
        let Role::Cheat(doctor) = &self.machines[accused].role else {
            return None;
        };
        let together = matches!(doctor.cheat, Cheat::ForkEqual | Cheat::ForkLeaf);
        doctor
            .offences()
            .filter_map(|offence| self.in_the_open_ms(offence, together))
            .min()
    }

    /// When a deed was first in the open: all of its parts had reached one honest peer, or, where each half of the peers sees
    /// another face, honest peers together.
    fn in_the_open_ms(&self, offence: &Offence, together: bool) -> Option<u64> {
        let all = |arrived: &dyn Fn(&Digest) -> Option<u64>| {
            offence.iter().try_fold(0, |latest: u64, part| {
                let first = part.iter().filter_map(arrived).min()?;
                Some(latest.max(first))
            })
        };
        let at = |number: usize| {
            let arrivals = &self.arrivals[number];
            all(&|digest: &Digest| arrivals.get(digest).map(|arrival| arrival.time_ms))
        };
        if together {
            return all(&|digest: &Digest| {
                self.arrivals
                    .iter()
                    .filter_map(|arrivals| arrivals.get(digest).map(|arrival| arrival.time_ms))
                    .min()
            });
        }
        (0..self.machines.len()).filter_map(at).min()
    }
}
