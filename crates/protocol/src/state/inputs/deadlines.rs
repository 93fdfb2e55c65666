//! Deadlines that passed, and restarts. Spec: SETTLE-8, SETTLE-10.

use crate::{
    fault::{Breach, Rule},
    records::{Entry, Phase, Timeout},
    state::{Duty, Key, Progress, State},
};

impl State {
    pub(in crate::state) fn apply_timeout(
        &mut self,
        entry: &Entry,
        timeout: Timeout,
    ) -> Result<(), Breach> {
        // A partial state knows the deadlines of the steps that it holds: this step's must be among them.
        self.charge_step(timeout.beacon);
        let due = self
            .next_due()
            .filter(|due| due.timeout() == timeout && due.time_ms <= entry.time_ms);
        let Some(due) = due else {
            return Err(Breach::new(
                Rule::Timeout,
                format_args!("the next deadline ({:?})", self.next_due()),
                format_args!("{timeout:?} at {} ms", entry.time_ms),
            ));
        };
        self.dues.remove(&due);
        match timeout.phase {
            Phase::Bids => self.duty = Some(Duty::Close(timeout.beacon)),
            Phase::Reveals => self.duty = Some(Duty::Settle(timeout.beacon)),
            Phase::Openings => self.end_openings(timeout.beacon),
            Phase::Receipt(slot) => {
                self.counters.timeouts += 1;
                self.touch(Key::Counters);
                self.change_selection(timeout.beacon, slot, |selection| {
                    selection.progress = Progress::TimedOut
                });
                self.after_execution(entry, timeout.beacon, slot);
            }
        }
        Ok(())
    }

    pub(in crate::state) fn apply_resumed(&mut self) -> Result<(), Breach> {
        self.resuming = true;
        self.duty = self.next_resuming_duty();
        Ok(())
    }
}
