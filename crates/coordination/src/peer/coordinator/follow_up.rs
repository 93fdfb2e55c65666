//! What follows a decision: the client is told, and the plan goes on. Spec: SETTLE-5, VOTE-9.

use symphony_protocol::{
    records::{Body, Phase, Selection},
    state::{Due, Duty, OpenStep},
};

use super::{Purpose, ReadyStep};
use crate::{event::TaskEvent, peer::Peer};

impl Peer {
    /// What a duty is about, before the decision removes it from the state.
    pub(crate) fn step_of(&self, duty: Duty) -> Option<OpenStep> {
        match duty {
            Duty::Settle(beacon) | Duty::Void(beacon) | Duty::Close(beacon) => {
                self.state().step(beacon).cloned()
            }
            Duty::Assign(..)
            | Duty::Replace(..)
            | Duty::Decide(_)
            | Duty::Call(_)
            | Duty::Draw(_)
            | Duty::Record => None,
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
                self.report_selections(index, &step, &close.selections);
            }
            (Body::Draw(draw), Some(step)) => {
                self.report_selections(index, &step, &draw.selections);
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
                let Some(task) = self.tasks.remove(&decided.task) else {
                    return;
                };
                let winner = match task.purpose {
                    Purpose::Planning { asked, key, plans } if !task.stopped => {
                        if let Some(request) = task.request {
                            self.planned((request, task.due_ms), index, *asked, key, &plans);
                        }
                        return;
                    }
                    Purpose::Link(link) => {
                        let answer = decided
                            .winner
                            .and_then(|winner| task.answers.get(&winner.answer).cloned());
                        self.link_came_back(*link, answer);
                        return;
                    }
                    // Of a task that is given up while it is planned, plans are no answer.
                    Purpose::Planning { .. } => None,
                    Purpose::Answer => decided.winner,
                };
                let answer = winner.and_then(|winner| task.answers.get(&winner.answer).cloned());
                let weight = winner.map_or(0.0, |winner| winner.weight);
                if let Some(request) = task.request {
                    self.report(request, index, TaskEvent::Decided { answer, weight });
                }
            }
            _ => {}
        }
    }

    fn report_selections(&mut self, index: u64, step: &OpenStep, selections: &[Selection]) {
        let Some(request) = self.request_of(step.beacon.task) else {
            return;
        };
        for (slot, selection) in (0..).zip(selections) {
            let peer = step
                .bids
                .iter()
                .find(|known| known.entry == selection.bid)
                .map(|known| known.peer);
            if let Some(peer) = peer {
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
        self.collect_plans(step);
        if let Some(request) = request {
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
        }
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
}
