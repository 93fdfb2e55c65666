//! The end: every log is audited from its bytes.

use crate::{
    audit::audit,
    report::{PeerReport, Report, TaskOutcome, TaskReport},
};

use super::{Simulation, SimulationError};

impl Simulation<'_> {
    /// Audits every log and tells how the run went.
    ///
    /// # Errors
    /// A log that cannot be audited: a defect of this program.
    pub fn report(mut self) -> Result<Report, SimulationError> {
        let logs: Vec<&[Vec<u8>]> = self
            .machines
            .iter()
            .map(|machine| machine.stored.as_slice())
            .collect();
        let (roots, faults) = audit(&self.network, &logs)?;
        self.faults.extend(faults);
        let peers = self
            .machines
            .iter_mut()
            .zip(roots)
            .filter_map(|(machine, replayed_root)| {
                let key = machine.key;
                let bytes = machine.stored.iter().map(Vec::len).sum::<usize>();
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
            faults: self.faults,
            messages: self.messages,
            lost: self.lost,
            crashes: self.crashes,
        })
    }
}
