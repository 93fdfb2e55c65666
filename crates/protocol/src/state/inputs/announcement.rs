//! Tasks and the beacons of their steps. Spec: BEACON-1 to BEACON-6.

use std::sync::Arc;

use crate::{
    fault::{Breach, Rule},
    records::{Beacon, Entry, Issued, Phase, TaskOpened},
    state::{
        Key, Learner, OpenStep, OpenTask, Plan, PlanProgress, State, StepBid,
        inputs::bids::matched, own::check_match,
    },
};

/// Most tasks that a log has open at once: the state's clock lists them, and evidence always holds the clock. Spec: BEACON-2.
pub const OPEN_TASKS_MAX: usize = 128;

impl State {
    pub(in crate::state) fn apply_task_opened(
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

    pub(in crate::state) fn apply_beacon_issued(
        &mut self,
        entry: &Entry,
        issued: &Issued<Beacon>,
    ) -> Result<(), Breach> {
        let beacon = &issued.record;
        let learner = self.check_terms(entry, beacon)?;
        let own = self.own_step_bid(entry, issued)?;
        let step = OpenStep {
            statement: issued.digest,
            bucket: beacon.bucket(),
            beacon: beacon.clone(),
            size: issued.payload.len() as u64,
            bids: own.into_iter().collect(),
            closed: false,
            ranking: Vec::new(),
            selections: Vec::new(),
            reveal_due_ms: None,
            policy: learner.policy.clone(),
            policy_bytes: Arc::clone(&learner.policy_bytes),
            since: learner.since,
            openings_due_ms: None,
            seed: None,
        };
        if !step.bids.is_empty() {
            let author = self.author;
            self.charge_capability(&author);
        }
        self.charge_model();
        self.set_plan(beacon.task, beacon.plan, PlanProgress::Open);
        self.add_due(beacon.close_deadline_ms, entry.index, Phase::Bids);
        self.bidding = self.bidding.saturating_add(1);
        self.steps.insert(entry.index, step);
        self.touch(Key::Beacon(entry.index));
        self.add_name(issued.digest, entry.index, None);
        Ok(())
    }

    /// The beacon keeps to the agreed terms, the task's plan and the policy in force, which is given back.
    /// Spec: BEACON-5.
    fn check_terms(&self, entry: &Entry, beacon: &Beacon) -> Result<&Learner, Breach> {
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
        let learner = match self.learner() {
            Some(learner) if learner.digest == beacon.policy => {
                let chance = learner.policy.parameters.kind.uses_chance();
                if chance != beacon.secret_commitment.is_some() {
                    return breach(
                        "a commitment to a secret under a policy with chance, and under no other"
                            .to_owned(),
                        format!("{:?}", beacon.secret_commitment),
                    );
                }
                learner
            }
            Some(learner) => {
                return breach(
                    format!("policy {}", learner.digest),
                    format!("policy {}", beacon.policy),
                );
            }
            None => return breach("a policy in force".to_owned(), "none".to_owned()),
        };
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
        Ok(learner)
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
        let fit = matched(&known.capability, &issued.record);
        check_match(
            fit.match_ppm,
            bid.match_ppm,
            self.params.match_threshold_ppm(),
        )?;
        Ok(Some(StepBid {
            entry: entry.index,
            peer: author,
            statement: issued.digest,
            similarity: fit.similarity,
            load_ppm: bid.load_ppm,
            price_share_ppm: 0,
            eligible: true,
            nonce_commitment: None,
            nonce: None,
            standing: self.standing(&issued.record.bucket(), &author),
        }))
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
