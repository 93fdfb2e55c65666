//! Faults that are found, and the evidence of them.

use std::rc::Rc;

use symphony_coordination::Event;
use symphony_transparency::{Digest, statement_digest};

use crate::{
    audit::Exposure,
    peer::Role,
    report::Conviction,
    zoo::{Cheat, Offence},
};

use super::{Arrival, Kept, Message, Simulation, SimulationError};

/// What was decided before a peer was exposed has left after so long, in milliseconds.
const SETTLED_MS: u64 = 1_000;

impl Simulation<'_> {
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
