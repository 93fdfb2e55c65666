//! Inputs: what arrived, and what the author said. Each handler checks before it changes anything.
//!
//! Spec: CAP-4, CAP-7, CAP-8, BEACON-1 to BEACON-9, BEACON-10, BEACON-13, EXEC-1, EXEC-12 to EXEC-15, SETTLE-8, SETTLE-10.

use symphony_transparency::{Digest, PublicKey};

use super::{
    Duty, Key, KnownCapability, Learner, OpenStep, OpenTask, PendingSelection, Plan, PlanProgress,
    Progress, State, StepBid, own::check_match, step::Name,
};
use crate::{
    embedding::similarity,
    fault::{Breach, Fault, Rule, require_equal},
    matching::{Profile, match_ppm},
    policy::LinUcb,
    records::{
        AnswerCheck, Assignment, Beacon, Bid, Capability, CheckerVerdict, Entry, Issued, Phase,
        Policy, Reach, Receipt, Received, ResultClass, Reveal, Revocation, TaskOpened, Timeout,
    },
};

/// Most tasks that a log has open at once: the state's clock lists them, and evidence always holds the clock. Spec: BEACON-2.
pub const OPEN_TASKS_MAX: usize = 256;

impl State {
    pub(super) fn apply_policy_set(&mut self, policy: &Policy) -> Result<(), Breach> {
        let open = self.steps.len();
        if open > 0 {
            return Err(Breach::new(
                Rule::BeaconTerms,
                "a policy change between steps",
                format_args!("{open} open steps"),
            ));
        }
        let model = LinUcb::new(&policy.parameters);
        let learner = Learner {
            policy: policy.clone(),
            digest: policy.digest(),
            model,
        };
        self.learner.insert((), learner);
        self.touch(Key::Policy);
        Ok(())
    }

    pub(super) fn apply_capability_issued(
        &mut self,
        entry: &Entry,
        issued: &Issued<Capability>,
    ) -> Result<(), Breach> {
        if let Some(known) = self.capabilities.get(&self.author)
            && issued.record.sequence <= known.capability.sequence
        {
            let expected = format_args!("a number above {}", known.capability.sequence).to_string();
            return Err(Breach::new(
                Rule::CapabilitySequence,
                expected,
                issued.record.sequence,
            ));
        }
        self.know_capability(
            self.author,
            entry.index,
            issued.digest,
            issued.record.clone(),
        );
        Ok(())
    }

    pub(super) fn apply_revocation_issued(
        &mut self,
        issued: &Issued<Revocation>,
    ) -> Result<(), Breach> {
        self.revoke(self.author, issued.record.sequence);
        Ok(())
    }

    pub(super) fn apply_capability_received(
        &mut self,
        entry: &Entry,
        received: &Received<Capability>,
        findings: &mut Vec<Fault>,
    ) -> Result<(), Breach> {
        let peer = *received.statement.author();
        match self.capabilities.get(&peer) {
            Some(known)
                if known.capability.sequence == received.record.sequence
                    && known.statement != received.digest() =>
            {
                let breach = Breach::new(
                    Rule::CapabilitySequence,
                    format_args!(
                        "capability {} under number {}",
                        known.statement, known.capability.sequence
                    ),
                    format_args!("capability {}", received.digest()),
                );
                findings.push(breach.at(peer, entry.index));
                return Ok(());
            }
            Some(known) if known.capability.sequence >= received.record.sequence => {
                let expected =
                    format_args!("a number above {}", known.capability.sequence).to_string();
                return Err(Breach::new(
                    Rule::Reliance,
                    expected,
                    received.record.sequence,
                ));
            }
            Some(_) | None => {}
        }
        self.know_capability(
            peer,
            entry.index,
            received.digest(),
            received.record.clone(),
        );
        Ok(())
    }

    pub(super) fn apply_revocation_received(
        &mut self,
        received: &Received<Revocation>,
    ) -> Result<(), Breach> {
        let peer = *received.statement.author();
        self.revoke(peer, received.record.sequence);
        Ok(())
    }

    fn know_capability(
        &mut self,
        peer: PublicKey,
        entry: u64,
        statement: Digest,
        capability: Capability,
    ) {
        self.capabilities.insert(
            peer,
            KnownCapability {
                entry,
                statement,
                capability,
                revoked: false,
            },
        );
        self.touch(Key::Capability(peer));
    }

    fn revoke(&mut self, peer: PublicKey, sequence: u64) {
        if let Some(known) = self.capabilities.get_mut(&peer)
            && known.capability.sequence == sequence
        {
            known.revoked = true;
            self.touch(Key::Capability(peer));
        }
    }

    pub(super) fn apply_task_opened(
        &mut self,
        entry: &Entry,
        task: &TaskOpened,
    ) -> Result<(), Breach> {
        if self.tasks.len() >= OPEN_TASKS_MAX {
            return Err(Breach::new(
                Rule::BeaconTerms,
                format_args!("at most {OPEN_TASKS_MAX} open tasks"),
                "one more",
            ));
        }
        let plans = task
            .plan_steps
            .iter()
            .map(|steps| Plan {
                steps: *steps,
                steps_done: 0,
                progress: PlanProgress::Ready,
                weight_sum: 0.0,
            })
            .collect();
        self.tasks.insert(
            entry.index,
            OpenTask {
                key_commitment: task.key_commitment,
                plans,
            },
        );
        self.counters.tasks += 1;
        self.touch(Key::Task(entry.index));
        self.touch(Key::Counters);
        Ok(())
    }

    pub(super) fn apply_beacon_issued(
        &mut self,
        entry: &Entry,
        issued: &Issued<Beacon>,
    ) -> Result<(), Breach> {
        let beacon = &issued.record;
        self.check_terms(entry, beacon)?;
        let own = self.own_step_bid(entry, issued)?;
        let step = OpenStep {
            statement: issued.digest,
            bucket: beacon.bucket(),
            beacon: beacon.clone(),
            bids: own.into_iter().collect(),
            closed: false,
            ranking: Vec::new(),
            selections: Vec::new(),
            reveal_due_ms: None,
        };
        self.set_plan(beacon.task, beacon.plan, PlanProgress::Open);
        self.add_due(beacon.close_deadline_ms, entry.index, Phase::Bids);
        self.steps.insert(entry.index, step);
        self.touch(Key::Beacon(entry.index));
        self.add_name(issued.digest, entry.index, None);
        Ok(())
    }

    /// The beacon keeps to the agreed terms, the policy in force and the task's plan. Spec: BEACON-5.
    fn check_terms(&self, entry: &Entry, beacon: &Beacon) -> Result<(), Breach> {
        let breach = |expected: String, found: String| {
            Err(Breach {
                rule: Rule::BeaconTerms,
                expected,
                found,
            })
        };
        let ready = self
            .tasks
            .get(&beacon.task)
            .and_then(|task| task.plans.get(beacon.plan as usize));
        match ready {
            Some(plan)
                if plan.progress == PlanProgress::Ready && plan.steps_done == beacon.step => {}
            Some(plan) => {
                return breach(
                    format!("step {} of a plan that is ready", plan.steps_done),
                    format!("step {} ({:?})", beacon.step, plan.progress),
                );
            }
            None => {
                return breach(
                    "a plan of an open task".to_owned(),
                    format!("plan {} of task {}", beacon.plan, beacon.task),
                );
            }
        }
        match self.learner() {
            Some(learner) if learner.digest == beacon.policy => {}
            Some(learner) => {
                return breach(
                    format!("policy {}", learner.digest),
                    format!("policy {}", beacon.policy),
                );
            }
            None => return breach("a policy in force".to_owned(), "none".to_owned()),
        }
        let window_end_ms = entry
            .time_ms
            .saturating_add(self.params.bid_window_ms_max().into());
        if beacon.close_deadline_ms <= entry.time_ms || beacon.close_deadline_ms > window_end_ms {
            return breach(
                format!(
                    "a deadline after {} and by {window_end_ms} ms",
                    entry.time_ms
                ),
                format!("{} ms", beacon.close_deadline_ms),
            );
        }
        for (name, most, found) in [
            ("close_bids", self.params.bids_max(), beacon.close_bids),
            (
                "execute_ms",
                self.params.execute_ms_max(),
                beacon.execute_ms,
            ),
            ("reveal_ms", self.params.reveal_ms_max(), beacon.reveal_ms),
        ] {
            if found > most {
                return breach(format!("{name} of at most {most}"), found.to_string());
            }
        }
        Ok(())
    }

    fn own_step_bid(
        &self,
        entry: &Entry,
        issued: &Issued<Beacon>,
    ) -> Result<Option<StepBid>, Breach> {
        let Some(bid) = issued.record.own_bid else {
            return Ok(None);
        };
        let author = self.author;
        let statement = self
            .capabilities
            .get(&author)
            .filter(|known| known.entry == bid.capability)
            .map(|known| known.statement);
        let Some(statement) = statement else {
            return Err(Breach::new(
                Rule::Reliance,
                "the author's newest capability",
                format_args!("entry {}", bid.capability),
            ));
        };
        let known = self.relied_on(&author, &statement, entry.time_ms)?;
        check_match(
            matched(&known.capability, &issued.record),
            bid.match_ppm,
            self.params.match_threshold_ppm(),
        )?;
        Ok(Some(StepBid {
            entry: entry.index,
            peer: author,
            statement: issued.digest,
            similarity: similarity(&known.capability.embedding, &issued.record.embedding),
            load_ppm: bid.load_ppm,
            eligible: true,
        }))
    }

    pub(super) fn apply_bid_received(
        &mut self,
        entry: &Entry,
        received: &Received<Bid>,
        findings: &mut Vec<Fault>,
    ) -> Result<(), Breach> {
        let peer = *received.statement.author();
        let bid = &received.record;
        if bid.coordinator != self.author {
            return Err(Breach::new(
                Rule::BidUnexpected,
                "a bid to the author",
                format_args!("one to {}", bid.coordinator),
            ));
        }
        let open = self
            .names
            .get(&bid.beacon)
            .and_then(|name| Some((name.beacon, self.steps.get(&name.beacon)?)))
            .filter(|(_, step)| step.statement == bid.beacon && !step.closed);
        let Some((index, step)) = open else {
            return Err(Breach::new(
                Rule::BidUnexpected,
                "a bid on an open beacon",
                format_args!("one on {}", bid.beacon),
            ));
        };
        if step.beacon.reach == Reach::Directed && step.beacon.asked.binary_search(&peer).is_err() {
            return Err(Breach::new(
                Rule::BidUnexpected,
                "a bid of a peer that was asked",
                format_args!("one of {peer}"),
            ));
        }
        if let Some(first) = step.bids.iter().find(|other| other.peer == peer) {
            if first.statement == received.digest() {
                return Err(Breach::new(
                    Rule::BidUnexpected,
                    "each bid once",
                    format_args!("the bid of entry {} again", first.entry),
                ));
            }
            let breach = Breach::new(
                Rule::BidTwice,
                format_args!("one bid (entry {})", first.entry),
                format_args!("another, {}", received.digest()),
            );
            findings.push(breach.at(peer, entry.index));
            return Ok(());
        }
        let known = self.relied_on(&peer, &bid.capability, entry.time_ms)?;
        let checked = check_match(
            matched(&known.capability, &step.beacon),
            bid.match_ppm,
            self.params.match_threshold_ppm(),
        );
        let taken = StepBid {
            entry: entry.index,
            peer,
            statement: received.digest(),
            similarity: similarity(&known.capability.embedding, &step.beacon.embedding),
            load_ppm: bid.load_ppm,
            eligible: checked.is_ok(),
        };
        if let Err(breach) = checked {
            findings.push(breach.at(peer, entry.index));
        }
        let author = self.author;
        if let Some(step) = self.steps.get_mut(&index) {
            step.bids.push(taken);
            let foreign = step.bids.iter().filter(|bid| bid.peer != author).count();
            if foreign >= step.beacon.close_bids as usize {
                self.duty = Some(Duty::Close(index));
            }
        }
        self.touch(Key::Beacon(index));
        Ok(())
    }

    pub(super) fn apply_assignment_issued(
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

    pub(super) fn apply_receipt_received(
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
    pub(super) fn take_receipt(
        &mut self,
        entry: &Entry,
        peer: PublicKey,
        digest: Digest,
        receipt: &Receipt,
    ) -> Result<Option<Breach>, Breach> {
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

    pub(super) fn apply_reveal_received(
        &mut self,
        entry: &Entry,
        received: &Received<Reveal>,
        check: AnswerCheck,
        checker: CheckerVerdict,
        findings: &mut Vec<Fault>,
    ) -> Result<(), Breach> {
        let peer = *received.statement.author();
        let checks = self
            .learner()
            .is_some_and(|learner| learner.policy.checker_ppm > 0);
        if checker != CheckerVerdict::Unchecked && !checks {
            return Err(Breach::new(
                Rule::Reward,
                "no checker under this policy",
                format_args!("{checker:?}"),
            ));
        }
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
    pub(super) fn take_own_reveal(
        &mut self,
        reveal: &Reveal,
        commitment: Digest,
    ) -> Result<(), Breach> {
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

    pub(super) fn apply_timeout(&mut self, entry: &Entry, timeout: Timeout) -> Result<(), Breach> {
        // A partial state knows the deadlines of the steps that it holds: this step's must be among them.
        self.steps.get(&timeout.beacon);
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

    pub(super) fn apply_resumed(&mut self) -> Result<(), Breach> {
        self.resuming = true;
        self.duty = self.next_resuming_duty();
        Ok(())
    }

    /// A selection ended its execution: replace it, wait for others, wait for reveals, or settle. Spec: SETTLE-20, EXEC-13,
    /// EXEC-14.
    fn after_execution(&mut self, entry: &Entry, beacon: u64, slot: u32) {
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

    fn pending_selection(&self, assignment: &Digest) -> Option<(u64, u32, &PendingSelection)> {
        let (beacon, slot) = self.pending_assignment(assignment)?;
        let selection = self.steps.get(&beacon)?.selections.get(slot as usize)?;
        Some((beacon, slot, selection))
    }

    /// A statement is now known as part of an open step.
    fn add_name(&mut self, statement: Digest, beacon: u64, slot: Option<u32>) {
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

    pub(super) fn change_selection(
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

    pub(super) fn set_plan(&mut self, task: u64, plan: u32, progress: PlanProgress) {
        if let Some(plan) = self
            .tasks
            .get_mut(&task)
            .and_then(|task| task.plans.get_mut(plan as usize))
        {
            plan.progress = progress;
        }
        self.touch(Key::Task(task));
    }
}

/// φ of a capability and a beacon.
fn matched(capability: &Capability, beacon: &Beacon) -> u32 {
    match_ppm(
        &Profile {
            tags: &capability.tags,
            embedding: &capability.embedding,
        },
        &Profile {
            tags: &beacon.tags,
            embedding: &beacon.embedding,
        },
    )
}
