//! Assignments and the receipts for them. Spec: EXEC-1, EXEC-12, EXEC-13, SETTLE-20.

use symphony_transparency::{Digest, PublicKey};

use crate::{
    fault::{Breach, Fault, Rule, require_equal},
    records::{Assignment, Entry, Issued, Phase, Receipt, Received, ResultClass},
    state::{Duty, Key, PendingSelection, Progress, State, step::Name},
};

impl State {
    pub(in crate::state) fn apply_assignment_issued(
        &mut self,
        entry: &Entry,
        issued: &Issued<Assignment>,
    ) -> Result<(), Breach> {
        let assignment = &issued.record;
        let Some(Duty::Assign(beacon, slot)) = self.duty else {
            return Err(Breach::new(
                Rule::NotOpen,
                "an assignment of a fresh selection",
                "another one",
            ));
        };
        let Some(step) = self.steps.get(&beacon) else {
            return Err(Breach::new(
                Rule::NotOpen,
                "an open step",
                format_args!("beacon {beacon}"),
            ));
        };
        self.weight.add_step(beacon, step);
        let Some(selection) = step.selections.get(slot as usize) else {
            return Err(Breach::new(
                Rule::NotOpen,
                "a selection",
                format_args!("slot {slot}"),
            ));
        };
        let commitment = self
            .tasks
            .get(&step.beacon.task)
            .map(|task| task.key_commitment)
            .unwrap_or(Digest::ZERO);
        require_equal(
            Rule::Assignment,
            "executor",
            &selection.executor,
            &assignment.executor,
        )?;
        require_equal(
            Rule::Assignment,
            "key commitment",
            &commitment,
            &assignment.key_commitment,
        )?;
        require_equal(
            Rule::Assignment,
            "execute_ms",
            &step.beacon.execute_ms,
            &assignment.execute_ms,
        )?;
        require_equal(
            Rule::Assignment,
            "reveal_ms",
            &step.beacon.reveal_ms,
            &assignment.reveal_ms,
        )?;
        let next =
            (step.selections.len() > slot as usize + 1).then_some(Duty::Assign(beacon, slot + 1));
        let due_ms = entry.time_ms.saturating_add(assignment.execute_ms.into());
        self.change_selection(beacon, slot, |selection| {
            selection.assignment = Some(issued.digest);
            selection.assigned_ms = entry.time_ms;
            selection.progress = Progress::Assigned;
        });
        self.add_name(issued.digest, beacon, Some(slot));
        self.add_due(due_ms, beacon, Phase::Receipt(slot));
        self.duty = next;
        Ok(())
    }

    pub(in crate::state) fn apply_receipt_received(
        &mut self,
        entry: &Entry,
        received: &Received<Receipt>,
        findings: &mut Vec<Fault>,
    ) -> Result<(), Breach> {
        let peer = *received.statement.author();
        if let Some(breach) = self.take_receipt(entry, peer, received.digest(), &received.record)? {
            findings.push(breach.at(peer, entry.index));
        }
        Ok(())
    }

    /// Takes a receipt, of a peer or of the author itself. A late one changes nothing. Returns the executor's breach, if any.
    pub(in crate::state) fn take_receipt(
        &mut self,
        entry: &Entry,
        peer: PublicKey,
        digest: Digest,
        receipt: &Receipt,
    ) -> Result<Option<Breach>, Breach> {
        self.charge_pending(&receipt.assignment);
        let Some((beacon, slot, selection)) = self.pending_selection(&receipt.assignment) else {
            return Ok(None);
        };
        if selection.executor != peer {
            return Err(Breach::new(
                Rule::ReceiptUnexpected,
                format_args!("a receipt of {}", selection.executor),
                format_args!("one of {peer}"),
            ));
        }
        match selection.receipt {
            Some(first) if first == digest => return Ok(None),
            Some(first) => {
                return Ok(Some(Breach::new(
                    Rule::ReceiptTwice,
                    format_args!("receipt {first}"),
                    format_args!("receipt {digest}"),
                )));
            }
            None => {}
        }
        if selection.progress != Progress::Assigned {
            // Late: it changes no reward, but it is the one receipt of this assignment; another one convicts.
            self.change_selection(beacon, slot, |selection| selection.receipt = Some(digest));
            return Ok(None);
        }
        let assigned_ms = selection.assigned_ms;
        let progress = match receipt.class {
            ResultClass::Answered => Progress::Answered(receipt.ballot),
            ResultClass::Unparsable => Progress::Revealed(None),
            ResultClass::Failed | ResultClass::Abstained => Progress::Failed,
        };
        self.drop_receipt_due(beacon, slot);
        self.change_selection(beacon, slot, |selection| {
            selection.receipt = Some(digest);
            selection.latency_ms = entry.time_ms.saturating_sub(assigned_ms);
            selection.progress = progress;
        });
        self.after_execution(entry, beacon, slot);
        Ok(None)
    }

    /// A selection ended its execution: replace it, wait for others, wait for reveals, or settle. Spec: SETTLE-20, EXEC-13,
    /// EXEC-14.
    pub(super) fn after_execution(&mut self, entry: &Entry, beacon: u64, slot: u32) {
        let Some(step) = self.steps.get(&beacon) else {
            return;
        };
        let failed = step.selections.get(slot as usize).is_some_and(|selection| {
            matches!(selection.progress, Progress::Failed | Progress::TimedOut)
        });
        if failed && step.remaining().next().is_some() {
            self.duty = Some(Duty::Replace(beacon, slot));
            return;
        }
        if !step.executed() {
            return;
        }
        if !step.awaits_reveals() {
            self.duty = Some(Duty::Settle(beacon));
            return;
        }
        let due_ms = entry.time_ms.saturating_add(step.beacon.reveal_ms.into());
        if let Some(step) = self.steps.get_mut(&beacon) {
            step.reveal_due_ms = Some(due_ms);
        }
        self.add_due(due_ms, beacon, Phase::Reveals);
        self.touch(Key::Beacon(beacon));
    }

    pub(super) fn pending_selection(
        &self,
        assignment: &Digest,
    ) -> Option<(u64, u32, &PendingSelection)> {
        let (beacon, slot) = self.pending_assignment(assignment)?;
        let selection = self.steps.get(&beacon)?.selections.get(slot as usize)?;
        Some((beacon, slot, selection))
    }

    /// A statement is now known as part of an open step.
    pub(super) fn add_name(&mut self, statement: Digest, beacon: u64, slot: Option<u32>) {
        self.names.insert(statement, Name { beacon, slot });
        self.touch(Key::Name(statement));
    }

    fn drop_receipt_due(&mut self, beacon: u64, slot: u32) {
        let due_ms = self.steps.get(&beacon).and_then(|step| {
            let selection = step.selections.get(slot as usize)?;
            Some(
                selection
                    .assigned_ms
                    .saturating_add(step.beacon.execute_ms.into()),
            )
        });
        if let Some(due_ms) = due_ms {
            self.drop_due(due_ms, beacon, Phase::Receipt(slot));
        }
    }

    pub(in crate::state) fn change_selection(
        &mut self,
        beacon: u64,
        slot: u32,
        change: impl FnOnce(&mut PendingSelection),
    ) {
        if let Some(selection) = self
            .steps
            .get_mut(&beacon)
            .and_then(|step| step.selections.get_mut(slot as usize))
        {
            change(selection);
        }
        self.touch(Key::Beacon(beacon));
    }
}
