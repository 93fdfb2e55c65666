//! A coordinator's report as a message for its client.
//!
//! The report says what happened and names the entry that holds it; the rest of a message comes from that entry in the
//! durable log.

mod bidding;
mod execution;

use std::collections::BTreeMap;

use symphony_admin::v1::{self, task_event::Kind};
use symphony_coordination::{PlanRequest, PlannedBy, StoppedBy, TaskEvent};
use symphony_ledger::LogReader;
use symphony_protocol::records::{AnswerForm, Body, Entry};
use symphony_transparency::{Digest, PublicKey};

use self::execution::Choice;
use super::names::Names;
use crate::runtime::{NodeHandle, Report};

/// Longest answer and reason in a message, in bytes.
const TEXT_SIZE_MAX: usize = 1024;

/// Which step of which plan.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    plan: u32,
    step: u32,
}

/// Turns reports into messages. What it remembers is bounded by the steps and executors of one task.
pub(super) struct Translator {
    node: NodeHandle,
    log: Option<LogReader>,
    network: Digest,
    own: PublicKey,
    names: Names,
    beacons: BTreeMap<u64, Place>,
    statements: BTreeMap<Digest, Place>,
}

impl Translator {
    /// A translator for one task of a node.
    pub(super) fn new(node: &NodeHandle) -> Self {
        let about = node.about();
        Self {
            log: node.ledger().own(),
            network: about.network,
            own: about.key,
            names: Names::of(node),
            beacons: BTreeMap::new(),
            statements: BTreeMap::new(),
            node: node.clone(),
        }
    }

    /// Whether the node shuts down.
    pub(super) fn node_stops(&self) -> bool {
        *self.node.readiness().borrow() == symphony_admin::Readiness::Stopping
    }

    fn entry(&self, index: u64) -> Option<Entry> {
        let bytes = self.log.as_ref()?.entry(index).ok()??;
        Entry::parse(&bytes, Some(&self.network)).ok()
    }

    /// The messages for one report, in order: one, or two when an executor is replaced.
    pub(super) fn translate(&mut self, report: Report) -> Vec<v1::TaskEvent> {
        let Report {
            entry: index,
            time_ms,
            event,
        } = report;
        let entry = self.entry(index);
        let body = entry.map(|entry| entry.body);
        let message = |kind, place: Place| v1::TaskEvent {
            entry: Some(index),
            time_ms,
            plan: place.plan,
            step: place.step,
            kind: Some(kind),
        };
        match event {
            TaskEvent::Opened => vec![message(opened(index, body.as_ref()), Place::default())],
            TaskEvent::Planning => {
                let kind = Kind::Planning(v1::TaskPlanning { task: index });
                vec![message(kind, Place::default())]
            }
            TaskEvent::Planned { plans, by } => {
                let kind = Kind::Planned(v1::TaskPlanned {
                    plans: plans.iter().map(plan_message).collect(),
                    by_planners: by == PlannedBy::Planners,
                });
                vec![message(kind, Place::default())]
            }
            TaskEvent::Stopped { by } => {
                let by = match by {
                    StoppedBy::Client => v1::StoppedBy::Client,
                    StoppedBy::Deadline => v1::StoppedBy::Deadline,
                };
                let kind = Kind::Stopped(v1::TaskStopped { by: by.into() });
                vec![v1::TaskEvent {
                    entry: None,
                    ..message(kind, Place::default())
                }]
            }
            TaskEvent::Beacon { plan, step, asked } => {
                let place = Place { plan, step };
                self.beacons.insert(index, place);
                let kind = self.beacon(body.as_ref(), place, asked);
                vec![message(kind, place)]
            }
            TaskEvent::Bid { peer, match_ppm } => {
                let (kind, place) = self.bid(body.as_ref(), &peer, match_ppm);
                vec![message(kind, place)]
            }
            TaskEvent::Closed {
                plan,
                step,
                ranking,
            } => {
                let kind = self.closed(body.as_ref(), &ranking);
                vec![message(kind, Place { plan, step })]
            }
            TaskEvent::Assigned {
                slot,
                peer,
                estimate,
                width,
            } => self.assigned(
                index,
                time_ms,
                body.as_ref(),
                Choice {
                    slot,
                    peer,
                    estimate,
                    width,
                },
            ),
            TaskEvent::Receipt {
                slot,
                peer,
                latency_ms,
            } => {
                let (kind, place) = self.receipt(body.as_ref(), slot, &peer, latency_ms);
                vec![message(kind, place)]
            }
            TaskEvent::TimedOut { slot, peer } => {
                let place = match &body {
                    Some(Body::Timeout(timeout)) => self.place_of_beacon(timeout.beacon),
                    _ => Place::default(),
                };
                let kind = Kind::Timeout(v1::DeadlinePassed {
                    phase: v1::Phase::Receipt.into(),
                    slot,
                    peer: Some(self.names.name(&peer)),
                });
                vec![message(kind, place)]
            }
            TaskEvent::Revealed {
                slot, peer, answer, ..
            } => {
                let (kind, place) = self.reveal(body.as_ref(), slot, &peer, answer);
                vec![message(kind, place)]
            }
            TaskEvent::Settled {
                plan,
                step,
                answer,
                weight,
                outcomes,
            } => {
                let kind = self.settled(body.as_ref(), answer, weight, &outcomes);
                vec![message(kind, Place { plan, step })]
            }
            TaskEvent::Decided { answer, weight } => {
                let kind = Kind::Decided(v1::TaskDecided {
                    answer: cut(answer.unwrap_or_default()),
                    weight,
                });
                vec![message(kind, Place::default())]
            }
            TaskEvent::Failed { reason } => {
                let kind = Kind::Failed(v1::TaskFailed {
                    reason: cut(reason),
                });
                vec![v1::TaskEvent {
                    entry: None,
                    ..message(kind, Place::default())
                }]
            }
        }
    }

    fn place_of_beacon(&self, beacon: u64) -> Place {
        self.beacons.get(&beacon).copied().unwrap_or_default()
    }

    fn place_of_statement(&self, statement: &Digest) -> Place {
        self.statements.get(statement).copied().unwrap_or_default()
    }
}

fn opened(index: u64, body: Option<&Body>) -> Kind {
    Kind::Opened(v1::TaskOpened {
        task: index,
        plan_steps: match body {
            Some(Body::TaskOpened(task)) => task.plan_steps.clone(),
            _ => Vec::new(),
        },
    })
}

fn plan_message(plan: &PlanRequest) -> v1::Plan {
    let steps = plan.steps.iter().map(|step| v1::Step {
        text: step.text.clone(),
        tags: step.tags.clone(),
        form: form_message(step.form).into(),
    });
    v1::Plan {
        steps: steps.collect(),
    }
}

fn form_message(form: AnswerForm) -> v1::AnswerForm {
    match form {
        AnswerForm::Boolean => v1::AnswerForm::Boolean,
        AnswerForm::YesNo => v1::AnswerForm::YesNo,
        AnswerForm::Integer => v1::AnswerForm::Integer,
        AnswerForm::Choice => v1::AnswerForm::Option,
        AnswerForm::Brackets => v1::AnswerForm::Brackets,
        AnswerForm::Text => v1::AnswerForm::Text,
        AnswerForm::Plan => v1::AnswerForm::Plan,
    }
}

/// At most as many bytes as a message may hold, cut between characters.
fn cut(mut text: String) -> String {
    if text.len() > TEXT_SIZE_MAX {
        let end = (0..=TEXT_SIZE_MAX)
            .rev()
            .find(|end| text.is_char_boundary(*end))
            .unwrap_or(0);
        text.truncate(end);
    }
    text
}
