//! Decisions: computed here, by coordinator and auditor alike, and compared with what an entry claims.
//!
//! Spec: REPLAY-5, BEACON-12, EXEC-13, SETTLE-5, SETTLE-7, SETTLE-9, SETTLE-10, SETTLE-11, VOTE-8, VOTE-9.

use std::collections::BTreeMap;

use symphony_transparency::{Digest, PublicKey};

use super::{
    Duty, Key, OpenStep, PendingSelection, PlanProgress, Progress, State, chance::require_drawn,
    change::Shown,
};
use crate::{
    chance::Stream,
    fault::{Breach, Rule, require_equal},
    number::normalised,
    policy::{NewcomerRule, Pick, PickRules, Picked, PolicyKind, pick, pick_next},
    records::{
        AnswerForm, Beacon, Body, CheckerVerdict, Close, LIST_MAX, Outcome, OutcomeClass, Phase,
        Ranked, Replacement, RootRecorded, Selection, Settlement, TaskDecided, Winner,
    },
    reward::{self, RewardParameters},
    screening::{self, Candidate, Exploration, Weights, rank},
    vote::{
        Answers, Ballot, Belief, PlanBallot, Standing, Tally, Voter, plan_vote, probabilities,
        tally,
    },
};

/// Of so many closes that explore, one tries more than newcomers where a single executor is asked for: whoever is tried answers alone.
const ALONE: u64 = 8;

impl State {
    /// The body that the duty asks for, computed from this state and from nothing else. Assignments alone are not
    /// computed: they name a prompt, which only the coordinator knows; neither are calls, which name the entry before them,
    /// and draws, which open a secret ([`State::decide_draw`]).
    pub fn decide(&mut self, duty: Duty) -> Option<Body> {
        match duty {
            Duty::Close(beacon) => {
                let state_root = self.root();
                self.decide_close(beacon, state_root)
                    .map(|(close, _)| Body::Close(close))
            }
            Duty::Replace(beacon, slot) => self
                .decide_replacement(beacon, slot)
                .map(|(replacement, _)| Body::Replacement(replacement)),
            Duty::Settle(beacon) => {
                let state_root = self.root();
                self.decide_settlement(beacon, state_root)
                    .map(Body::Settlement)
            }
            Duty::Void(beacon) => {
                let state_root = self.root();
                self.decide_void(beacon, state_root).map(Body::Settlement)
            }
            Duty::Decide(task) => self.decide_task(task).map(Body::TaskDecided),
            Duty::Record => Some(Body::RootRecorded(RootRecorded {
                state_root: self.root(),
            })),
            Duty::Assign(..) | Duty::Call(_) | Duty::Draw(_) => None,
        }
    }

    fn decide_close(&self, beacon: u64, state_root: Digest) -> Option<(Close, Picked)> {
        let step = self.steps.get(&beacon)?;
        let candidates = self.candidates(step);
        let exploration = self.exploration(step);
        let ranked = rank(
            &candidates,
            &self.weights(),
            Self::shortlist(step.policy.parameters.kind, &step.beacon),
            exploration,
        );
        let shortlist: Vec<Candidate> = ranked
            .iter()
            .filter_map(|ranked| candidates.get(ranked.position).copied())
            .collect();
        let rules = PickRules {
            executors: step.beacon.executors as usize,
            newcomers: NewcomerRule::AtMostOne,
            exploration,
        };
        let model = self.selector_for(step, shortlist.iter().map(|candidate| candidate.peer))?;
        let picked = if step.policy.parameters.kind.uses_chance() {
            // Nobody is picked before the nonces are open.
            Picked {
                picks: Vec::new(),
                policy: model,
            }
        } else {
            pick(model, &shortlist, &rules, None)
        };
        let close = Close {
            beacon,
            ranking: ranked
                .iter()
                .map(|ranked| Ranked {
                    bid: ranked.bid_index,
                    score: ranked.score,
                })
                .collect(),
            selections: picked.picks.iter().map(selection).collect(),
            state_root,
        };
        Some((close, picked))
    }

    /// The best so many candidates of a step that closes now, best first; positions are those of [`State::candidates`].
    ///
    /// Spec: BEACON-12, SELECT-11.
    pub fn ranking(&self, step: &OpenStep, shortlist: usize) -> Vec<screening::Ranked> {
        rank(
            &self.candidates(step),
            &self.weights(),
            shortlist,
            self.exploration(step),
        )
    }

    /// For whom the next close keeps one place, if it is this step's: every n-th keeps one, where one executor answers alone every 8·n-th
    /// for more than newcomers; or all, while the log is warmed up. Spec: BEACON-12, SELECT-11, SELECT-28.
    pub fn exploration(&self, step: &OpenStep) -> Exploration {
        if self.counters.closes < step.policy.warm_up_closes {
            return Exploration::InTurn(self.counters.closes);
        }
        let interval = u64::from(self.params.newcomer_interval());
        let closes = self.counters.closes + 1;
        if interval == 0 || !closes.is_multiple_of(interval) {
            Exploration::Off
        } else if step.beacon.executors == 1 && !closes.is_multiple_of(ALONE * interval) {
            Exploration::Newcomers
        } else {
            Exploration::Everybody(closes)
        }
    }

    /// The weights of screening.
    pub fn weights(&self) -> Weights {
        Weights {
            similarity_ppm: self.params.screening_similarity_ppm(),
            prior_ppm: self.params.screening_prior_ppm(),
            stability_ppm: self.params.screening_stability_ppm(),
        }
    }

    pub(super) fn apply_close(&mut self, found: &Close) -> Result<(), Breach> {
        let beacon = found.beacon;
        // First: if it is wrong, nothing else that this entry looks up has to be shown.
        self.check_state_root(&found.state_root)?;
        let Some((expected, picked)) = self.decide_close(beacon, found.state_root) else {
            return Err(Breach::new(
                Rule::NotOpen,
                "an open step",
                format_args!("beacon {beacon}"),
            ));
        };
        require_equal(Rule::Ranking, "ranking", &expected.ranking, &found.ranking)?;
        require_equal(
            Rule::Selection,
            "selections",
            &expected.selections,
            &found.selections,
        )?;
        self.begin_weight();
        self.charge_choice(beacon, self.peers_of(beacon, &expected.ranking));
        if let Some(step) = self.steps.get_mut(&beacon) {
            step.closed = true;
            step.ranking = expected.ranking;
            // What nobody can be picked from any more is only carried along.
            let ranking = &step.ranking;
            step.bids
                .retain(|bid| ranking.iter().any(|ranked| ranked.bid == bid.entry));
        }
        // Also of a close without candidates, which selects nobody.
        self.touch(Key::Beacon(beacon));
        self.touch(Key::Counters);
        let deadline_ms = self
            .steps
            .get(&beacon)
            .map_or(0, |step| step.beacon.close_deadline_ms);
        self.drop_due(deadline_ms, beacon, Phase::Bids);
        self.counters.closes += 1;
        if self.draws(beacon) {
            self.after_close_with_chance(beacon);
            return Ok(());
        }
        self.bidding = self.bidding.saturating_sub(1);
        for (selection, pick) in expected.selections.iter().zip(&picked.picks) {
            self.add_selection(beacon, selection, pick.number);
        }
        self.adopt_in(beacon, picked);
        self.duty = Some(if expected.selections.is_empty() {
            Duty::Settle(beacon)
        } else {
            Duty::Assign(beacon, 0)
        });
        Ok(())
    }

    /// Who made these bids.
    pub(super) fn peers_of(&self, beacon: u64, ranked: &[Ranked]) -> Vec<PublicKey> {
        let Some(step) = self.steps.get(&beacon) else {
            return Vec::new();
        };
        let bids = ranked.iter().filter_map(|ranked| step.bid(ranked.bid));
        bids.map(|bid| bid.peer).collect()
    }

    /// How many candidates stay in the ranking under a kind of policy: L, or all under `random`. Spec: CHANCE-10.
    pub fn shortlist(kind: PolicyKind, beacon: &Beacon) -> usize {
        if kind == PolicyKind::Random {
            LIST_MAX
        } else {
            beacon.shortlist as usize
        }
    }

    /// Whether the policy of this step uses chance.
    fn draws(&self, beacon: u64) -> bool {
        self.steps
            .get(&beacon)
            .is_some_and(|step| step.policy.parameters.kind.uses_chance())
    }

    pub(super) fn adopt_in(&mut self, beacon: u64, picked: Picked) {
        if let Some(since) = self.steps.get(&beacon).map(|step| step.since) {
            self.adopt(since, picked.policy);
        }
    }

    pub(super) fn add_selection(&mut self, beacon: u64, selection: &Selection, number: u64) {
        let Some(step) = self.steps.get_mut(&beacon) else {
            return;
        };
        let Some(executor) = step
            .bids
            .iter()
            .find(|bid| bid.entry == selection.bid)
            .map(|bid| bid.peer)
        else {
            return;
        };
        step.selections.push(PendingSelection {
            bid: selection.bid,
            executor,
            features: selection.features,
            assignment: None,
            assigned_ms: 0,
            receipt: None,
            latency_ms: 0,
            progress: Progress::Picked,
            confidence_ppm: 0,
            checker: CheckerVerdict::Unchecked,
            replaced: false,
            number,
        });
        let mut measures = self.measures(&executor);
        measures.selections += 1;
        self.peers.insert(executor, measures);
        self.counters.selections += 1;
        self.counters.self_selections += u64::from(executor == self.author);
        for key in [Key::Beacon(beacon), Key::Peer(executor), Key::Counters] {
            self.touch(key);
        }
    }

    fn decide_replacement(&self, beacon: u64, slot: u32) -> Option<(Replacement, Picked)> {
        let step = self.steps.get(&beacon)?;
        let candidates = self.candidates(step);
        let remaining: Vec<Candidate> = step
            .remaining()
            .filter_map(|ranked| {
                candidates
                    .iter()
                    .find(|candidate| candidate.bid_index == ranked.bid)
                    .copied()
            })
            .collect();
        let newcomers = step
            .selections
            .iter()
            .filter(|selection| {
                step.bid(selection.bid)
                    .is_some_and(|bid| bid.standing.newcomer)
            })
            .count();
        let rules = PickRules {
            executors: step.beacon.executors as usize,
            newcomers: NewcomerRule::AtMostOne,
            exploration: Exploration::Off,
        };
        let model = self.selector_for(step, remaining.iter().map(|candidate| candidate.peer))?;
        // Spec: CHANCE-13. Another policy than the beacon's draws nothing (SELECT-27).
        let mut stream = step
            .seed
            .as_ref()
            .filter(|_| model.kind().uses_chance())
            .map(|seed| Stream::new(seed, count(step.selections.len())));
        let picked = pick_next(model, &remaining, newcomers, &rules, stream.as_mut());
        let selection = selection(picked.picks.first()?);
        Some((
            Replacement {
                beacon,
                slot,
                selection,
            },
            picked,
        ))
    }

    pub(super) fn apply_replacement(&mut self, found: &Replacement) -> Result<(), Breach> {
        let Some((expected, picked)) = self.decide_replacement(found.beacon, found.slot) else {
            return Err(Breach::new(
                Rule::NotOpen,
                "an open step with candidates left",
                format_args!("beacon {}", found.beacon),
            ));
        };
        require_drawn(&[expected.selection], &[found.selection])?;
        let left: Vec<Ranked> = self
            .steps
            .get(&found.beacon)
            .map(|step| step.remaining().copied().collect())
            .unwrap_or_default();
        self.charge_choice(found.beacon, self.peers_of(found.beacon, &left));
        self.change_selection(found.beacon, found.slot, |selection| {
            selection.replaced = true
        });
        let number = picked.picks.first().map_or(0, |pick| pick.number);
        self.add_selection(found.beacon, &expected.selection, number);
        self.adopt_in(found.beacon, picked);
        let slot = self
            .steps
            .get(&found.beacon)
            .map_or(0, |step| step.selections.len().saturating_sub(1));
        self.duty = Some(Duty::Assign(
            found.beacon,
            u32::try_from(slot).unwrap_or(u32::MAX),
        ));
        Ok(())
    }

    fn decide_settlement(&self, beacon: u64, state_root: Digest) -> Option<Settlement> {
        let step = self.steps.get(&beacon)?;
        let tally = tally(&self.ballots(step));
        let outcomes = step
            .selections
            .iter()
            .map(|selection| self.outcome(step, selection, tally.as_ref()))
            .collect();
        Some(Settlement {
            beacon,
            winner: tally.as_ref().map(|tally| Winner {
                answer: tally.answer,
                weight: tally.weight,
            }),
            supporters: tally.as_ref().map_or(0, |tally| tally.supporters),
            outcomes,
            state_root,
        })
    }

    fn ballots(&self, step: &OpenStep) -> Vec<Ballot> {
        step.selections
            .iter()
            .filter_map(|selection| {
                let answer = revealed(selection)?;
                Some(Ballot {
                    peer: selection.executor,
                    voter: if selection.executor == self.author {
                        Voter::Coordinator
                    } else {
                        Voter::Peer
                    },
                    answer,
                    confidence_ppm: selection.confidence_ppm,
                    weight: self.vote_weight(step, selection),
                })
            })
            .collect()
    }

    /// How probable each answer of a step is, by what was measured before. The coordinator's own ballot says nothing.
    /// Spec: VOTE-7.
    fn probabilities(&self, step: &OpenStep) -> BTreeMap<Digest, f64> {
        let beliefs: Vec<Belief> = step
            .selections
            .iter()
            .filter(|selection| selection.executor != self.author)
            .filter_map(|selection| {
                Some(Belief {
                    answer: revealed(selection)?,
                    reliability: self
                        .bucket_measures(&step.bucket, &selection.executor)
                        .reliability,
                })
            })
            .collect();
        let answers = match step.beacon.form {
            AnswerForm::Boolean | AnswerForm::YesNo => Answers::Two,
            _ => Answers::Many,
        };
        probabilities(&beliefs, answers)
    }

    fn vote_weight(&self, step: &OpenStep, selection: &PendingSelection) -> f64 {
        let standing = Standing {
            reliability: self
                .bucket_measures(&step.bucket, &selection.executor)
                .reliability,
            screening: step.score(selection.bid).unwrap_or(0.0),
        };
        step.policy.vote_rule.weight(&standing)
    }

    fn outcome(
        &self,
        step: &OpenStep,
        selection: &PendingSelection,
        tally: Option<&Tally>,
    ) -> Outcome {
        let parameters = self.reward_parameters(step);
        let latency_ms = selection.latency_ms;
        let (class, result) = match selection.progress {
            Progress::Revealed(Some(answer)) => {
                let won = tally.is_some_and(|tally| tally.quorum && tally.answer == answer);
                let (class, vote) = if won {
                    (OutcomeClass::Won, reward::Vote::Won)
                } else {
                    (OutcomeClass::Valid, reward::Vote::NotWon)
                };
                let checked = match selection.checker {
                    CheckerVerdict::Unchecked => reward::Checked::Unchecked,
                    CheckerVerdict::Passed => reward::Checked::Correct,
                    CheckerVerdict::Failed => reward::Checked::Wrong,
                };
                (
                    class,
                    reward::Outcome::Valid(reward::Answered {
                        vote,
                        latency_ms,
                        checked,
                        price_share_ppm: step.price_share_ppm(selection.bid),
                    }),
                )
            }
            Progress::TimedOut | Progress::Picked | Progress::Assigned => {
                (OutcomeClass::Timeout, reward::Outcome::TimedOut)
            }
            Progress::Revealed(None) | Progress::Answered(_) | Progress::Failed => {
                (OutcomeClass::Invalid, reward::Outcome::Invalid)
            }
        };
        Outcome {
            class,
            latency_ms,
            reward: parameters.reward(&result),
        }
    }

    fn reward_parameters(&self, step: &OpenStep) -> RewardParameters {
        let policy = &step.policy;
        RewardParameters {
            // Nobody can win alone: what cannot be earned is no part of the highest reward either.
            winner_bonus_ppm: if step.is_alone() {
                0
            } else {
                policy.winner_bonus_ppm
            },
            latency_penalty_ppm: policy.latency_penalty_ppm,
            latency_scale_ms: u64::from(self.params.latency_scale_ms()),
            checker_ppm: policy.checker_ppm,
            price_ppm: policy.price_ppm,
        }
    }

    fn decide_void(&self, beacon: u64, state_root: Digest) -> Option<Settlement> {
        let step = self.steps.get(&beacon)?;
        let void = Outcome {
            class: OutcomeClass::Void,
            latency_ms: 0,
            reward: 0.0,
        };
        Some(Settlement {
            beacon,
            winner: None,
            supporters: 0,
            outcomes: vec![void; step.selections.len()],
            state_root,
        })
    }

    pub(super) fn apply_settlement(&mut self, found: &Settlement) -> Result<(), Breach> {
        let beacon = found.beacon;
        self.check_state_root(&found.state_root)?;
        let expected = match self.duty {
            Some(Duty::Void(_)) => self.decide_void(beacon, found.state_root),
            _ => self.decide_settlement(beacon, found.state_root),
        };
        let Some(expected) = expected else {
            return Err(Breach::new(
                Rule::NotOpen,
                "an open step",
                format_args!("beacon {beacon}"),
            ));
        };
        require_equal(Rule::Tally, "winner", &expected.winner, &found.winner)?;
        require_equal(
            Rule::Tally,
            "supporters",
            &expected.supporters,
            &found.supporters,
        )?;
        require_equal(
            Rule::Reward,
            "number of outcomes",
            &expected.outcomes.len(),
            &found.outcomes.len(),
        )?;
        for (slot, (expected, found)) in expected.outcomes.iter().zip(&found.outcomes).enumerate() {
            let what = format_args!("slot {slot}");
            require_equal(Rule::Reward, what, expected, found)?;
        }
        self.begin_weight();
        let executors: Vec<PublicKey> = self
            .steps
            .get(&beacon)
            .map(|step| step.selections.iter().map(|one| one.executor).collect())
            .unwrap_or_default();
        self.charge_choice(beacon, executors);
        let Some(step) = self.steps.remove(&beacon) else {
            return Ok(());
        };
        if step.awaits_selection() {
            self.bidding = self.bidding.saturating_sub(1);
        }
        self.close_step(beacon, &step, &expected);
        Ok(())
    }

    fn close_step(&mut self, beacon: u64, step: &OpenStep, settlement: &Settlement) {
        let (weight, probabilities) = (self.step_weight(step), self.probabilities(step));
        for (selection, outcome) in step.selections.iter().zip(&settlement.outcomes) {
            let right = (selection.executor != self.author)
                .then(|| probabilities.get(&revealed(selection)?).copied())
                .flatten();
            self.learn(step, selection, outcome, right);
            if let Some(assignment) = selection.assignment {
                self.drop_name(assignment);
            }
        }
        self.drop_name(step.statement);
        self.dues.retain(|due| due.beacon != beacon);
        self.touch(Key::Beacon(beacon));
        self.advance_plan(step, settlement.winner, weight);
        self.duty = if self.resuming {
            self.next_resuming_duty()
        } else {
            self.tasks
                .get(&step.beacon.task)
                .is_some_and(|task| {
                    task.plans
                        .iter()
                        .all(|plan| matches!(plan.progress, PlanProgress::Finished(_)))
                })
                .then_some(Duty::Decide(step.beacon.task))
        };
    }

    fn drop_name(&mut self, statement: Digest) {
        self.names.remove(&statement);
        self.touch(Key::Name(statement));
    }

    /// The policy and the measures learn from one outcome; `right` is the probability of the answer, if a peer gave one.
    /// Spec: SETTLE-11 to SETTLE-15, SETTLE-22, SETTLE-23.
    fn learn(
        &mut self,
        step: &OpenStep,
        selection: &PendingSelection,
        outcome: &Outcome,
        right: Option<f64>,
    ) {
        self.teach(step, selection, outcome);
        self.touch(Key::Counters);
        if outcome.class == OutcomeClass::Void {
            self.counters.void_settlements += 1;
            return;
        }
        self.counters.settlements += 1;
        let executor = selection.executor;
        let (mut measures, mut bucket) = (
            self.measures(&executor),
            self.bucket_measures(&step.bucket, &executor),
        );
        measures.settlements += 1;
        let latency_ms = match outcome.class {
            OutcomeClass::Timeout => {
                measures.timeouts += 1;
                Some(u64::from(step.beacon.execute_ms))
            }
            _ => (selection.progress != Progress::Failed).then_some(outcome.latency_ms),
        };
        if let Some(latency_ms) = latency_ms {
            measures.observe_latency(&self.params, latency_ms);
        }
        let failed = matches!(outcome.class, OutcomeClass::Timeout | OutcomeClass::Invalid);
        measures.observe_failure(&self.params, if failed { 1.0 } else { 0.0 });
        let success = succeeded(step, selection, outcome);
        self.charge_imports(&step.bucket, &executor);
        self.judge_sources(&step.bucket, &executor, &bucket, success);
        let shown = bucket.observe(
            &self.params,
            &step.policy,
            u64::from(success),
            outcome.reward,
            right,
        );
        if shown == Shown::Changed {
            self.forget_claims(&step.bucket, &executor);
        }
        bucket.settled_at_close = self.counters.closes;
        self.peers.insert(executor, measures);
        self.buckets.insert((step.bucket, executor), bucket);
        self.touch(Key::Peer(executor));
        self.touch(Key::Bucket(step.bucket, executor));
    }

    /// The weight that a step adds to its plan: the mean vote weight of its executors. Spec: VOTE-8.
    fn step_weight(&self, step: &OpenStep) -> f64 {
        if step.selections.is_empty() {
            return 0.0;
        }
        let mut sum = 0.0;
        for selection in &step.selections {
            sum += self.vote_weight(step, selection);
        }
        #[expect(clippy::cast_precision_loss, reason = "at most 32 selections")]
        let count = step.selections.len() as f64;
        normalised(sum / count)
    }

    fn advance_plan(&mut self, step: &OpenStep, winner: Option<Winner>, weight: f64) {
        let (task, number) = (step.beacon.task, step.beacon.plan);
        if let Some(plan) = self
            .tasks
            .get_mut(&task)
            .and_then(|task| task.plans.get_mut(number as usize))
        {
            plan.steps_done += 1;
            plan.weight_sum = normalised(plan.weight_sum + weight);
            plan.progress = match winner {
                Some(_) if plan.steps_done < plan.steps && !self.resuming => PlanProgress::Ready,
                Some(winner) if plan.steps_done == plan.steps => {
                    PlanProgress::Finished(Some(winner.answer))
                }
                Some(_) | None => PlanProgress::Finished(None),
            };
        }
        self.touch(Key::Task(task));
    }

    fn decide_task(&self, index: u64) -> Option<TaskDecided> {
        let task = self.tasks.get(&index)?;
        let plans: Vec<PlanBallot> = task
            .plans
            .iter()
            .map(|plan| PlanBallot {
                answer: match plan.progress {
                    PlanProgress::Finished(answer) => answer,
                    PlanProgress::Ready | PlanProgress::Open => None,
                },
                weight: normalised(plan.weight_sum / f64::from(plan.steps)),
            })
            .collect();
        let winner = plan_vote(&plans).map(|tally| Winner {
            answer: tally.answer,
            weight: tally.weight,
        });
        Some(TaskDecided {
            task: index,
            winner,
        })
    }

    pub(super) fn apply_task_decided(&mut self, found: &TaskDecided) -> Result<(), Breach> {
        let Some(expected) = self.decide_task(found.task) else {
            return Err(Breach::new(
                Rule::NotOpen,
                "an open task",
                format_args!("task {}", found.task),
            ));
        };
        require_equal(
            Rule::TaskDecision,
            "winner",
            &expected.winner,
            &found.winner,
        )?;
        self.tasks.remove(&found.task);
        self.counters.tasks_decided += 1;
        self.touch(Key::Task(found.task));
        self.touch(Key::Counters);
        self.duty = if self.resuming {
            self.next_resuming_duty()
        } else {
            None
        };
        Ok(())
    }
}

/// Whether a settled selection counts for the prior: it won, or it was to answer alone, gave a valid answer, and no checker found
/// that wrong. Spec: SETTLE-25.
fn succeeded(step: &OpenStep, selection: &PendingSelection, outcome: &Outcome) -> bool {
    match outcome.class {
        OutcomeClass::Won => true,
        OutcomeClass::Valid => step.is_alone() && selection.checker != CheckerVerdict::Failed,
        OutcomeClass::Invalid | OutcomeClass::Timeout | OutcomeClass::Void => false,
    }
}

/// The answer of a ballot that was revealed and is valid.
fn revealed(selection: &PendingSelection) -> Option<Digest> {
    match selection.progress {
        Progress::Revealed(answer) => answer,
        _ => None,
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

pub(super) fn selection(pick: &Pick) -> Selection {
    Selection {
        bid: pick.bid_index,
        features: pick.features,
        estimate: pick.estimate,
        width: pick.width,
        propensity: pick.propensity,
    }
}
