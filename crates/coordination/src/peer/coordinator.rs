//! The coordinator: from a task to its answer.
//!
//! Per step: beacon → bids → close → assignments → receipts → reveals → settlement. Every decision on the way is a duty
//! of the state; this module announces, sends and tells the client. Spec: BEACON-1 to BEACON-9, EXEC-14, VOTE-9.

use std::collections::BTreeMap;

use symphony_protocol::{
    embedding::Embedding,
    matching::{Profile as MatchProfile, match_ppm},
    records::{
        AnswerCheck, Assignment, Beacon, Bid, Body, Capability, CheckerVerdict, Issued, OwnBid,
        Phase, Reach, Receipt, Received, Reveal, RevealPrivate, STEPS_MAX, TEXT_SIZE_MAX, TaskKey,
        TaskOpened,
    },
    state::{Due, Duty, OpenStep, Progress},
};
use symphony_transparency::{Digest, PublicKey, VerifiedStatement};

use crate::{
    answer,
    event::{Effect, TaskEvent, TaskRequest},
    peer::{Peer, ProposeError, Taken},
};

/// Room in a prompt for the answers of earlier steps, in bytes.
const CONTEXT_SIZE_MAX: usize = 4 * 1024;

/// Bid window of a beacon that asks nobody, in milliseconds: it closes on the coordinator's own bid, or on none.
const NOBODY_ASKED_MS: u64 = 1;

/// A step that may be announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReadyStep {
    /// Index of the task.
    task: u64,
    /// Number of the plan.
    plan: u32,
    /// Number of the step.
    step: u32,
}

/// An open task, with what never stands in the log.
pub(crate) struct Task {
    request: u64,
    task: TaskRequest,
    key: TaskKey,
    /// Texts of revealed answers, by keyed digest.
    answers: BTreeMap<Digest, String>,
    /// Prompts of open steps, by beacon.
    prompts: BTreeMap<u64, String>,
    /// Winning answers of settled steps, by plan.
    context: BTreeMap<u32, Vec<(String, String)>>,
    /// Selections whose reveal was asked for.
    asked: Vec<(u64, u32)>,
}

impl Peer {
    pub(crate) fn submit(
        &mut self,
        request: u64,
        task: TaskRequest,
        key: TaskKey,
    ) -> Result<(), ProposeError> {
        let entry = self.replay.size();
        if let Err(reason) = self.check_request(&task) {
            self.report(request, entry, TaskEvent::Failed { reason });
            return Ok(());
        }
        let opened = TaskOpened {
            key_commitment: key.commitment(),
            plan_steps: task
                .plans
                .iter()
                .map(|plan| u32::try_from(plan.steps.len()).unwrap_or(u32::MAX))
                .collect(),
        };
        self.propose(Body::TaskOpened(opened))?;
        self.report(request, entry, TaskEvent::Opened);
        let plans = task.plans.len();
        self.tasks.insert(
            entry,
            Task {
                request,
                task,
                key,
                answers: BTreeMap::new(),
                prompts: BTreeMap::new(),
                context: BTreeMap::new(),
                asked: Vec::new(),
            },
        );
        self.ready.extend((0..plans).map(|plan| ReadyStep {
            task: entry,
            plan: u32::try_from(plan).unwrap_or(u32::MAX),
            step: 0,
        }));
        Ok(())
    }

    fn check_request(&self, task: &TaskRequest) -> Result<(), String> {
        let settings = &task.settings;
        let params = self.state().params();
        if self.tasks.len() >= self.config.tasks_max as usize {
            return Err(format!(
                "at most {} open tasks; try again later",
                self.config.tasks_max
            ));
        }
        if !(1..=symphony_protocol::records::PLANS_MAX).contains(&task.plans.len()) {
            return Err(format!("expected 1 to 8 plans, found {}", task.plans.len()));
        }
        for (name, value, least, most) in [
            (
                "executors",
                settings.executors,
                1,
                16.min(settings.shortlist),
            ),
            ("shortlist", settings.shortlist, 1, 32),
            ("asked", settings.asked, 1, 64),
            (
                "bid_window_ms",
                settings.bid_window_ms,
                1,
                params.bid_window_ms_max(),
            ),
            (
                "execute_ms",
                settings.execute_ms,
                1,
                params.execute_ms_max(),
            ),
            ("reveal_ms", settings.reveal_ms, 1, params.reveal_ms_max()),
            ("hop_limit", settings.hop_limit, 0, 16),
        ] {
            if !(least..=most).contains(&value) {
                return Err(format!("{name}: expected {least} to {most}, found {value}"));
            }
        }
        for plan in &task.plans {
            if plan.steps.is_empty() || plan.steps.len() > STEPS_MAX as usize {
                return Err(format!(
                    "expected 1 to {STEPS_MAX} steps of a plan, found {}",
                    plan.steps.len()
                ));
            }
            for step in &plan.steps {
                let size = step.text.len();
                if size == 0 || size > TEXT_SIZE_MAX - CONTEXT_SIZE_MAX {
                    return Err(format!(
                        "expected a question of 1 to {} bytes, found {size}",
                        TEXT_SIZE_MAX - CONTEXT_SIZE_MAX
                    ));
                }
                if step.tags.len() > symphony_protocol::records::REQUIREMENT_TAGS_MAX
                    || step.tags.windows(2).any(|pair| pair[0] >= pair[1])
                {
                    return Err("expected at most 8 tags, strictly sorted".to_owned());
                }
                if step.tags.iter().any(|tag| !is_tag(tag)) {
                    return Err("expected tags of 1 to 64 bytes of a-z, 0-9 and '-'".to_owned());
                }
            }
        }
        Ok(())
    }

    /// Announces a step of a plan.
    pub(crate) fn announce(&mut self, ready: ReadyStep) -> Result<(), ProposeError> {
        let ReadyStep {
            task: index,
            plan,
            step: number,
        } = ready;
        let Some(task) = self.tasks.get(&index) else {
            return Ok(());
        };
        let settings = task.task.settings;
        let Some(step) = task
            .task
            .plans
            .get(plan as usize)
            .and_then(|plan| plan.steps.get(number as usize))
            .cloned()
        else {
            return Ok(());
        };
        let prompt = prompt(&step.text, task.context.get(&plan));
        let request = task.request;
        let embedding = Embedding::of_text(&step.tags.join(" "));
        let asked = if settings.reach == Reach::Directed {
            self.peers_to_ask(&step.tags, &embedding, settings.asked)
        } else {
            Vec::new()
        };
        let window_ms = match settings.reach {
            Reach::Directed if asked.is_empty() => NOBODY_ASKED_MS,
            Reach::Directed | Reach::Gossip => settings.bid_window_ms.into(),
        };
        let close_bids = match settings.reach {
            Reach::Directed => u32::try_from(asked.len()).unwrap_or(u32::MAX).max(1),
            Reach::Gossip => settings.asked,
        };
        let policy = self
            .state()
            .learner()
            .map_or(Digest::ZERO, |learner| learner.digest);
        let entry = self.replay.size();
        let beacon = Beacon {
            origin: self.next_origin(),
            task: index,
            plan,
            step: number,
            form: step.form,
            close_bids: close_bids.min(self.state().params().bids_max()),
            close_deadline_ms: self
                .now_ms
                .max(self.state().time_ms())
                .saturating_add(window_ms),
            execute_ms: settings.execute_ms,
            reveal_ms: settings.reveal_ms,
            reach: settings.reach,
            hop_limit: settings.hop_limit,
            asked: asked.clone(),
            shortlist: settings.shortlist,
            executors: settings.executors,
            policy,
            own_bid: self.own_bid(&step.tags, &embedding),
            tags: step.tags,
            embedding,
        };
        let issued = Issued::new(beacon);
        let statement = self.sign(&issued).into_bytes();
        self.propose(Body::BeaconIssued(issued))?;
        if let Some(task) = self.tasks.get_mut(&index) {
            task.prompts.insert(entry, prompt);
        }
        match settings.reach {
            Reach::Gossip => self.effect(Effect::Publish { statement }),
            Reach::Directed => {
                for to in &asked {
                    self.effect(Effect::Send {
                        to: *to,
                        statement: statement.clone(),
                        private: Vec::new(),
                    });
                }
            }
        }
        let asked = u32::try_from(asked.len()).unwrap_or(u32::MAX);
        self.report(
            request,
            entry,
            TaskEvent::Beacon {
                plan,
                step: number,
                asked,
            },
        );
        Ok(())
    }

    /// The K peers to ask: reachable, not exposed, a valid capability at or above the threshold; best match first, then best
    /// measured prior, then raw key bytes. Spec: BEACON-3.
    fn peers_to_ask(&self, tags: &[String], embedding: &Embedding, count: u32) -> Vec<PublicKey> {
        let state = self.state();
        let parts: Vec<&[u8]> = tags.iter().map(String::as_bytes).collect();
        let bucket =
            symphony_transparency::digest_parts(symphony_transparency::Domain::Bucket, &parts);
        let mut candidates: Vec<(u32, f64, PublicKey)> = self
            .known
            .iter()
            .filter(|(peer, _)| self.reachable.contains(*peer) && !self.exposed.contains(*peer))
            .filter(|(_, received)| received.record.valid_at(self.now_ms))
            .map(|(peer, received)| {
                let matched = matched(&received.record, tags, embedding);
                (
                    matched,
                    state.bucket_measures(&bucket, peer).prior(state.params()),
                    *peer,
                )
            })
            .filter(|(matched, ..)| *matched >= state.params().match_threshold_ppm())
            .collect();
        candidates.sort_by(|left, right| {
            right
                .0
                .cmp(&left.0)
                .then(right.1.total_cmp(&left.1))
                .then(left.2.cmp(&right.2))
        });
        candidates.truncate(count as usize);
        let mut asked: Vec<PublicKey> = candidates.into_iter().map(|(.., peer)| peer).collect();
        asked.sort_unstable();
        asked
    }

    fn own_bid(&self, tags: &[String], embedding: &Embedding) -> Option<OwnBid> {
        let profile = self.config.profile.as_ref()?;
        let known = self
            .state()
            .capabilities()
            .get(&self.author())
            .filter(|known| !known.revoked)?;
        let match_ppm = matched(&known.capability, tags, embedding);
        let fits = match_ppm >= self.state().params().match_threshold_ppm()
            && known.capability.valid_at(self.now_ms)
            && self.load() < profile.parallel_max.saturating_add(self.config.queue_max);
        fits.then(|| OwnBid {
            capability: known.entry,
            match_ppm,
            load_ppm: self.load_ppm(),
            queue: self.queue(),
        })
    }

    pub(crate) fn bid_heard(
        &mut self,
        statement: VerifiedStatement,
    ) -> Result<Result<Taken, String>, ProposeError> {
        let bid = match Received::<Bid>::from_statement(statement) {
            Ok(bid) => bid,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let peer = *bid.statement.author();
        let found = self
            .open_step(&bid.record.beacon)
            .filter(|(_, step)| !step.closed);
        let Some((index, step)) = found else {
            return Ok(Err("no open beacon of this digest".to_owned()));
        };
        if let Some(known) = step
            .bids
            .iter()
            .find(|known| known.peer == peer && known.statement == bid.digest())
        {
            return Ok(Ok(Taken::Logged(known.entry)));
        }
        let task = step.beacon.task;
        if let Some(capability) = self.known.get(&peer).cloned()
            && capability.digest() == bid.record.capability
            && let Err(reason) = self.rely_on(&capability)
        {
            return Ok(Err(reason));
        }
        let match_ppm = bid.record.match_ppm;
        let taken = self.log_received(Body::BidReceived(bid));
        if let (Ok(Taken::Logged(entry)), Some(request)) = (&taken, self.request_of(task)) {
            self.report(request, *entry, TaskEvent::Bid { peer, match_ppm });
        }
        debug_assert!(
            self.state().step(index).is_some(),
            "a bid never ends a step"
        );
        Ok(taken)
    }

    pub(crate) fn assign(&mut self, beacon: u64, slot: u32) -> Result<(), ProposeError> {
        let Some(step) = self.state().step(beacon) else {
            return Ok(());
        };
        let Some(selection) = step.selections.get(slot as usize) else {
            return Ok(());
        };
        let (executor, task_index, statement) =
            (selection.executor, step.beacon.task, step.statement);
        let (execute_ms, reveal_ms) = (step.beacon.execute_ms, step.beacon.reveal_ms);
        let Some(task) = self.tasks.get(&task_index) else {
            // After a restart the texts are gone: the steps of such tasks were settled as void by `start`.
            return Ok(());
        };
        let prompt = task.prompts.get(&beacon).cloned().unwrap_or_default();
        let private = symphony_protocol::records::AssignmentPrivate {
            task_key: task.key.clone(),
            prompt: prompt.clone(),
        };
        let issued = Issued::new(Assignment {
            origin: self.next_origin(),
            beacon: statement,
            slot,
            executor,
            prompt: task.key.prompt(&prompt),
            key_commitment: task.key.commitment(),
            execute_ms,
            reveal_ms,
        });
        let assignment = issued.digest;
        let key = task.key.clone();
        let form = self.state().step(beacon).map(|step| step.beacon.form);
        let bytes = self.sign(&issued).into_bytes();
        let index = self.replay.size();
        self.propose(Body::AssignmentIssued(issued))?;
        if executor == self.author() {
            if let Some(form) = form {
                self.begin_own_session(assignment, key, form);
            }
            self.effect(Effect::Execute {
                assignment,
                prompt,
                execute_ms,
            });
        } else {
            self.send_awaited(executor, (index, assignment), bytes, private.encode());
        }
        Ok(())
    }

    pub(crate) fn receipt_heard(
        &mut self,
        statement: VerifiedStatement,
    ) -> Result<Result<Taken, String>, ProposeError> {
        let receipt = match Received::<Receipt>::from_statement(statement) {
            Ok(receipt) => receipt,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let (peer, digest, assignment) = (
            *receipt.statement.author(),
            receipt.digest(),
            receipt.record.assignment,
        );
        let pending = self.selection_of(&assignment);
        let Some((beacon, slot)) = pending else {
            return Ok(Err("no pending assignment of this digest".to_owned()));
        };
        let known = self
            .state()
            .step(beacon)
            .and_then(|step| step.selections.get(slot as usize))
            .and_then(|selection| selection.receipt);
        if known == Some(digest) {
            return Ok(Err("a receipt that is already in the log".to_owned()));
        }
        let task = self.state().step(beacon).map(|step| step.beacon.task);
        let taken = self.log_received(Body::ReceiptReceived(receipt));
        if let (Ok(Taken::Logged(entry)), Some(request)) =
            (&taken, task.and_then(|task| self.request_of(task)))
        {
            let selection = self
                .state()
                .step(beacon)
                .and_then(|step| step.selections.get(slot as usize));
            let latency_ms = selection.map_or(0, |selection| selection.latency_ms);
            self.report(
                request,
                *entry,
                TaskEvent::Receipt {
                    slot,
                    peer,
                    latency_ms,
                },
            );
        }
        Ok(taken)
    }

    /// Asks for the reveals of steps whose receipts are all in, once each.
    pub(crate) fn ask_reveals(&mut self) -> Result<(), ProposeError> {
        let ready: Vec<(u64, u64, u32, PublicKey, Digest)> = self
            .state()
            .open_steps()
            .filter_map(|index| Some((index, self.state().step(index)?)))
            .filter(|(_, step)| step.reveal_due_ms.is_some())
            .flat_map(|(index, step)| {
                step.selections
                    .iter()
                    .enumerate()
                    .filter_map(move |(slot, selection)| {
                        let waits = matches!(selection.progress, Progress::Answered(_));
                        let assignment = selection.assignment.filter(|_| waits)?;
                        Some((
                            step.beacon.task,
                            index,
                            u32::try_from(slot).ok()?,
                            selection.executor,
                            assignment,
                        ))
                    })
            })
            .collect();
        for (task, beacon, slot, executor, assignment) in ready {
            let Some(task) = self.tasks.get_mut(&task) else {
                continue;
            };
            if task.asked.contains(&(beacon, slot)) {
                continue;
            }
            task.asked.push((beacon, slot));
            if executor == self.author() {
                self.reveal_own(&assignment)?;
            } else {
                self.effect(Effect::AskReveal {
                    to: executor,
                    assignment,
                });
            }
        }
        Ok(())
    }

    pub(crate) fn reveal_heard(
        &mut self,
        statement: VerifiedStatement,
        private: &[u8],
    ) -> Result<Result<Taken, String>, ProposeError> {
        let reveal = match Received::<Reveal>::from_statement(statement) {
            Ok(reveal) => reveal,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let peer = *reveal.statement.author();
        let Some((beacon, slot)) = self.selection_of(&reveal.record.assignment) else {
            return Ok(Err("no pending assignment of this digest".to_owned()));
        };
        let Some(step) = self.state().step(beacon) else {
            return Ok(Err("no open step".to_owned()));
        };
        let waits = step
            .selections
            .get(slot as usize)
            .is_some_and(|selection| matches!(selection.progress, Progress::Answered(_)));
        if !waits {
            return Ok(Err("no closed ballot to open".to_owned()));
        }
        let (form, index) = (step.beacon.form, step.beacon.task);
        let Some(task) = self.tasks.get_mut(&index) else {
            return Ok(Err("no open task".to_owned()));
        };
        let text = RevealPrivate::parse(private)
            .ok()
            .filter(|text| task.key.answer(&text.answer) == reveal.record.answer);
        let check = match &text {
            Some(text) if answer::parses(&text.answer, form) => AnswerCheck::Parses,
            Some(_) => AnswerCheck::Unparsable,
            None => AnswerCheck::Withheld,
        };
        let (request, gold) = (task.request, task.task.gold.clone());
        if let Some(text) = &text {
            task.answers
                .insert(reveal.record.answer, text.answer.clone());
        }
        let checker = self.check_answer(
            text.as_ref().map(|text| text.answer.as_str()),
            gold.as_deref(),
            check,
        );
        let taken = self.log_received(Body::RevealReceived(reveal, check, checker));
        if let (Ok(Taken::Logged(entry)), Some(text)) = (&taken, text) {
            self.report(
                request,
                *entry,
                TaskEvent::Revealed {
                    slot,
                    peer,
                    answer: text.answer,
                    output: text.output,
                    checker,
                },
            );
        }
        Ok(taken)
    }

    fn check_answer(
        &self,
        answer: Option<&str>,
        gold: Option<&str>,
        check: AnswerCheck,
    ) -> CheckerVerdict {
        let switched_on = self.config.policy.checker_ppm > 0 && check == AnswerCheck::Parses;
        match (switched_on, answer, gold) {
            (true, Some(answer), Some(gold)) if answer == gold => CheckerVerdict::Passed,
            (true, Some(_), Some(_)) => CheckerVerdict::Failed,
            _ => CheckerVerdict::Unchecked,
        }
    }

    /// The own ballot's text, so that a winning own answer can be shown.
    pub(crate) fn note_own_answer(&mut self, assignment: &Digest, digest: Digest, answer: String) {
        let task = self
            .selection_of(assignment)
            .and_then(|(beacon, _)| self.state().step(beacon))
            .map(|step| step.beacon.task);
        if let Some(task) = task.and_then(|task| self.tasks.get_mut(&task)) {
            task.answers.insert(digest, answer);
        }
    }

    /// What a duty is about, before the decision removes it from the state.
    pub(crate) fn step_of(&self, duty: Duty) -> Option<OpenStep> {
        match duty {
            Duty::Settle(beacon) | Duty::Void(beacon) | Duty::Close(beacon) => {
                self.state().step(beacon).cloned()
            }
            Duty::Assign(..) | Duty::Replace(..) | Duty::Decide(_) => None,
        }
    }

    /// Tells the client, and goes on with the plan.
    pub(crate) fn after_decision(&mut self, index: u64, body: &Body, before: Option<OpenStep>) {
        match (body, before) {
            (Body::Close(close), Some(step)) => {
                let Some(request) = self.request_of(step.beacon.task) else {
                    return;
                };
                let peer_of = |bid: u64| {
                    step.bids
                        .iter()
                        .find(|known| known.entry == bid)
                        .map(|known| known.peer)
                };
                let ranking = close
                    .ranking
                    .iter()
                    .filter_map(|ranked| Some((peer_of(ranked.bid)?, ranked.score)))
                    .collect();
                self.report(
                    request,
                    index,
                    TaskEvent::Closed {
                        plan: step.beacon.plan,
                        step: step.beacon.step,
                        ranking,
                    },
                );
                for (slot, selection) in close.selections.iter().enumerate() {
                    if let Some(peer) = peer_of(selection.bid) {
                        let slot = u32::try_from(slot).unwrap_or(u32::MAX);
                        self.report(
                            request,
                            index,
                            TaskEvent::Assigned {
                                slot,
                                peer,
                                estimate: selection.estimate,
                                width: selection.width,
                            },
                        );
                    }
                }
            }
            (Body::Replacement(replacement), _) => {
                let found = self.state().step(replacement.beacon).and_then(|step| {
                    let slot = u32::try_from(step.selections.len().checked_sub(1)?).ok()?;
                    Some((step.beacon.task, slot, step.selections.last()?.executor))
                });
                if let Some((task, slot, peer)) = found
                    && let Some(request) = self.request_of(task)
                {
                    let (estimate, width) =
                        (replacement.selection.estimate, replacement.selection.width);
                    self.report(
                        request,
                        index,
                        TaskEvent::Assigned {
                            slot,
                            peer,
                            estimate,
                            width,
                        },
                    );
                }
            }
            (Body::Settlement(settlement), Some(step)) => {
                self.after_settlement(index, settlement, &step)
            }
            (Body::TaskDecided(decided), _) => {
                if let Some(task) = self.tasks.remove(&decided.task) {
                    let answer = decided
                        .winner
                        .and_then(|winner| task.answers.get(&winner.answer).cloned());
                    let weight = decided.winner.map_or(0.0, |winner| winner.weight);
                    self.report(task.request, index, TaskEvent::Decided { answer, weight });
                }
            }
            _ => {}
        }
    }

    fn after_settlement(
        &mut self,
        index: u64,
        settlement: &symphony_protocol::records::Settlement,
        step: &OpenStep,
    ) {
        let (task_index, plan, number) = (step.beacon.task, step.beacon.plan, step.beacon.step);
        let Some(task) = self.tasks.get_mut(&task_index) else {
            return;
        };
        task.prompts.remove(&settlement.beacon);
        task.asked
            .retain(|(beacon, _)| *beacon != settlement.beacon);
        let answer = settlement
            .winner
            .and_then(|winner| task.answers.get(&winner.answer).cloned());
        let question = task
            .task
            .plans
            .get(plan as usize)
            .and_then(|plan| plan.steps.get(number as usize))
            .map(|step| step.text.clone());
        if let (Some(answer), Some(question)) = (&answer, question) {
            task.context
                .entry(plan)
                .or_default()
                .push((question, answer.clone()));
        }
        let request = task.request;
        let outcomes = step
            .selections
            .iter()
            .zip(&settlement.outcomes)
            .map(|(selection, outcome)| {
                (
                    selection.executor,
                    outcome.class,
                    outcome.latency_ms,
                    outcome.reward,
                )
            })
            .collect();
        let weight = settlement.winner.map_or(0.0, |winner| winner.weight);
        self.report(
            request,
            index,
            TaskEvent::Settled {
                plan,
                step: number,
                answer,
                weight,
                outcomes,
            },
        );
        let ready = self
            .state()
            .task(task_index)
            .and_then(|task| task.plans.get(plan as usize))
            .is_some_and(|plan| plan.progress == symphony_protocol::state::PlanProgress::Ready);
        if ready {
            self.ready.push_back(ReadyStep {
                task: task_index,
                plan,
                step: number + 1,
            });
        }
    }

    pub(crate) fn report_timeout(&mut self, index: u64, due: &Due) {
        let Phase::Receipt(slot) = due.phase else {
            return;
        };
        let found = self.state().step(due.beacon).and_then(|step| {
            Some((
                step.beacon.task,
                step.selections.get(slot as usize)?.executor,
            ))
        });
        if let Some((task, peer)) = found
            && let Some(request) = self.request_of(task)
        {
            self.report(request, index, TaskEvent::TimedOut { slot, peer });
        }
    }

    fn report(&mut self, request: u64, entry: u64, event: TaskEvent) {
        let time_ms = self.state().time_ms();
        self.effect(Effect::Report {
            request,
            entry,
            time_ms,
            event,
        });
    }

    fn request_of(&self, task: u64) -> Option<u64> {
        self.tasks.get(&task).map(|task| task.request)
    }

    fn open_step(&self, statement: &Digest) -> Option<(u64, &OpenStep)> {
        let state = self.state();
        state
            .open_steps()
            .filter_map(|index| Some((index, state.step(index)?)))
            .find(|(_, step)| step.statement == *statement)
    }

    fn selection_of(&self, assignment: &Digest) -> Option<(u64, u32)> {
        self.state().pending_assignment(assignment)
    }

    pub(crate) fn load_ppm(&self) -> u32 {
        let parallel = self
            .config
            .profile
            .as_ref()
            .map_or(1, |profile| profile.parallel_max.max(1));
        let share = u64::from(self.load()) * 1_000_000 / u64::from(parallel);
        u32::try_from(share.min(1_000_000)).unwrap_or(1_000_000)
    }

    pub(crate) fn queue(&self) -> u32 {
        let parallel = self
            .config
            .profile
            .as_ref()
            .map_or(1, |profile| profile.parallel_max);
        self.load().saturating_sub(parallel)
    }
}

fn is_tag(tag: &str) -> bool {
    (1..=symphony_protocol::records::TAG_SIZE_MAX).contains(&tag.len())
        && tag
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn matched(capability: &Capability, tags: &[String], embedding: &Embedding) -> u32 {
    match_ppm(
        &MatchProfile {
            tags: &capability.tags,
            embedding: &capability.embedding,
        },
        &MatchProfile { tags, embedding },
    )
}

/// The question, after the questions and answers before it. Only as much context as fits is kept, the newest first.
fn prompt(question: &str, context: Option<&Vec<(String, String)>>) -> String {
    let mut room = CONTEXT_SIZE_MAX;
    let mut kept: Vec<String> = Vec::new();
    for (asked, answer) in context.into_iter().flatten().rev() {
        let text = format!("{asked}\nAnswer: {answer}\n\n");
        if text.len() > room {
            break;
        }
        room -= text.len();
        kept.push(text);
    }
    kept.reverse();
    kept.push(question.to_owned());
    kept.concat()
}
