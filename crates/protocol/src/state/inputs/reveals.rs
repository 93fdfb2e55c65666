//! Ballots that are opened. Spec: EXEC-14, EXEC-15, SETTLE-6.

use symphony_transparency::Digest;

use crate::{
    fault::{Breach, Fault, Rule},
    records::{AnswerCheck, CheckerVerdict, Entry, Phase, Received, Reveal},
    state::{Duty, PendingSelection, Progress, State},
};

impl State {
    pub(in crate::state) fn apply_reveal_received(
        &mut self,
        entry: &Entry,
        received: &Received<Reveal>,
        check: AnswerCheck,
        checker: CheckerVerdict,
        findings: &mut Vec<Fault>,
    ) -> Result<(), Breach> {
        let peer = *received.statement.author();
        let checks = |state: &Self| {
            let learner = state.learner();
            learner.is_some_and(|learner| learner.policy.checker_ppm > 0)
        };
        if checker != CheckerVerdict::Unchecked && !checks(self) {
            return Err(Breach::new(
                Rule::Reward,
                "no checker under this policy",
                format_args!("{checker:?}"),
            ));
        }
        self.charge_pending(&received.record.assignment);
        let Some((beacon, slot, selection)) = self.pending_selection(&received.record.assignment)
        else {
            return Ok(());
        };
        if selection.executor != peer {
            return Err(Breach::new(
                Rule::Reveal,
                format_args!("a reveal of {}", selection.executor),
                format_args!("one of {peer}"),
            ));
        }
        let Progress::Answered(ballot) = selection.progress else {
            return Ok(());
        };
        if self
            .steps
            .get(&beacon)
            .is_some_and(|step| step.reveal_due_ms.is_none())
        {
            return Err(Breach::new(
                Rule::Reveal,
                "reveals after all receipts",
                "one before",
            ));
        }
        let commitment = received.record.commitment(&peer);
        if commitment != ballot {
            let breach = Breach::new(
                Rule::Reveal,
                format_args!("an opening of {ballot}"),
                format_args!("one of {commitment}"),
            );
            findings.push(breach.at(peer, entry.index));
            return Ok(());
        }
        let answer = (check == AnswerCheck::Parses).then_some(received.record.answer);
        let confidence_ppm = received.record.confidence_ppm;
        self.change_selection(beacon, slot, |selection| {
            selection.progress = Progress::Revealed(answer);
            selection.confidence_ppm = confidence_ppm;
            selection.checker = checker;
        });
        self.after_reveal(beacon);
        Ok(())
    }

    /// The author opens its own ballot on its own step.
    pub(in crate::state) fn take_own_reveal(
        &mut self,
        reveal: &Reveal,
        commitment: Digest,
    ) -> Result<(), Breach> {
        self.charge_pending(&reveal.assignment);
        let found = self.pending_selection(&reveal.assignment);
        let Some((
            beacon,
            slot,
            PendingSelection {
                progress: Progress::Answered(ballot),
                ..
            },
        )) = found
        else {
            return Err(Breach::new(
                Rule::Reveal,
                "a reveal of a committed ballot, once",
                "a reveal without one",
            ));
        };
        if self
            .steps
            .get(&beacon)
            .is_some_and(|step| step.reveal_due_ms.is_none())
        {
            return Err(Breach::new(
                Rule::Reveal,
                "reveals after all receipts",
                "one before",
            ));
        }
        if commitment != *ballot {
            return Err(Breach::new(
                Rule::Reveal,
                format_args!("an opening of {ballot}"),
                format_args!("one of {commitment}"),
            ));
        }
        let (answer, confidence_ppm) = (reveal.answer, reveal.confidence_ppm);
        self.change_selection(beacon, slot, |selection| {
            selection.progress = Progress::Revealed(Some(answer));
            selection.confidence_ppm = confidence_ppm;
        });
        self.after_reveal(beacon);
        Ok(())
    }

    fn after_reveal(&mut self, beacon: u64) {
        let Some(step) = self.steps.get(&beacon) else {
            return;
        };
        if !step.awaits_reveals() {
            if let Some(due_ms) = step.reveal_due_ms {
                self.drop_due(due_ms, beacon, Phase::Reveals);
            }
            self.duty = Some(Duty::Settle(beacon));
        }
    }
}
