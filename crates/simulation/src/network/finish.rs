//! The end: every log is audited from its bytes, and what honest peers said is compared with what they kept.

use symphony_protocol::records::Entry;

use crate::{
    audit::{audit, held},
    peer::{Recovery, Role},
    report::{CharacterReport, PeerReport, Report, TaskOutcome, TaskReport},
};

use super::{Simulation, SimulationError};

impl Simulation<'_> {
    /// Audits every log and tells how the run went.
    ///
    /// # Errors
    /// A log that cannot be audited: a defect of this program.
    pub fn report(mut self) -> Result<Report, SimulationError> {
        self.check_released();
        self.check_signed();
        let characters = self.characters();
        let logs: Vec<&[Vec<u8>]> = self
            .machines
            .iter()
            .map(|machine| match &machine.role {
                Role::Cheat(doctor) => doctor.face(0).entries.as_slice(),
                Role::Honest | Role::Framer(_) => machine.disk.entries(),
            })
            .collect();
        let (roots, faults) = audit(&self.network, &logs, &self.memo)?;
        for fault in &faults {
            let author = self.number_of(&fault.peer);
            if author.is_none_or(|author| self.machines[author].is_honest()) {
                self.violations.push(format!("at the end: {fault}"));
            }
        }
        self.faults.extend(faults);
        let peers = self
            .machines
            .iter_mut()
            .zip(roots)
            .filter_map(|(machine, replayed_root)| {
                let key = machine.key;
                let bytes = machine.disk.entries().iter().map(Vec::len).sum::<usize>();
                let peer = machine.peer.as_mut()?;
                let checkpoint = peer.checkpoint();
                Some(PeerReport {
                    key,
                    size: checkpoint.size,
                    last: peer.replay().end().last,
                    state_root: checkpoint.state_root,
                    replayed_root,
                    counters: *peer.state().counters(),
                    open_steps: peer.state().open_steps().count(),
                    bytes: u64::try_from(bytes).unwrap_or(u64::MAX),
                })
            })
            .collect();
        Ok(Report {
            virtual_ms: self.now_ms,
            peers,
            tasks: self
                .tasks
                .iter()
                .map(|task| TaskReport {
                    coordinator: u32::try_from(task.coordinator).unwrap_or(u32::MAX),
                    outcome: task.outcome.unwrap_or(TaskOutcome::Lost),
                })
                .collect(),
            selections: self.selections,
            planned: self.planned,
            faults: self.faults,
            violations: self.violations,
            unproved: self.unproved.into_iter().collect(),
            characters,
            messages: self.messages,
            lost: self.lost,
            crashes: self.crashes,
            refused: self.refused,
            beacons_heard: self.beacons_heard,
            unusable: self
                .machines
                .iter()
                .map(|machine| machine.auditor.unusable())
                .sum(),
            restored: self.restored,
            healed: self.healed,
            retired: self.retired,
        })
    }

    /// Whether a machine's log is one that goes on: not retired, and not waiting to be healed.
    fn goes_on(&self, peer: usize) -> bool {
        self.machines[peer].recovery == Recovery::None
    }

    /// Everything that an honest peer released or acknowledged stands where it said.
    fn check_released(&mut self) {
        for ((peer, index, named), standing) in &self.released {
            if !self.goes_on(*peer) {
                continue;
            }
            let stands = usize::try_from(*index)
                .ok()
                .and_then(|index| self.machines[*peer].disk.entries().get(index))
                .and_then(|bytes| Entry::parse(bytes, Some(&self.network)).ok())
                .and_then(|entry| held(&entry.body));
            if stands != Some((*standing, *named)) {
                self.violations.push(format!(
                    "peer {peer} said that entry {index} holds {named}: it holds {stands:?}"
                ));
            }
        }
    }

    /// Every checkpoint that an honest peer signed is one of its log.
    fn check_signed(&mut self) {
        for ((peer, size), root) in &self.signed {
            if !self.goes_on(*peer) {
                continue;
            }
            let stands = self.machines[*peer].disk.tree().root_at(*size).ok();
            if stands != Some(*root) {
                self.violations
                    .push(format!("peer {peer} signed another root at size {size}"));
            }
        }
    }

    fn characters(&self) -> Vec<CharacterReport> {
        let mut reports = Vec::new();
        for (number, machine) in self.machines.iter().enumerate() {
            let known = self
                .scenario
                .characters
                .iter()
                .find(|(peer, _)| usize::try_from(*peer) == Ok(number));
            let Some((peer, character)) = known else {
                continue;
            };
            let honest =
                |observer: &&crate::peer::Machine| observer.is_honest() && observer.peer.is_some();
            let observers = self.machines.iter().filter(honest).count();
            let exposed = self
                .machines
                .iter()
                .filter(honest)
                .filter(|observer| observer.auditor.exposed().contains_key(&machine.key))
                .count();
            reports.push(CharacterReport {
                peer: *peer,
                character: *character,
                in_the_open: self.deed_ms(number).is_some(),
                conviction: self.convictions.get(&number).copied(),
                observers: (
                    u32::try_from(observers).unwrap_or(u32::MAX),
                    u32::try_from(exposed).unwrap_or(u32::MAX),
                ),
            });
        }
        reports
    }
}
