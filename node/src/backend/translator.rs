//! A coordinator's report as a message for its client.
//!
//! The report says what happened and names the entry that holds it; the rest of a message comes from that entry in the
//! durable log.

use std::collections::BTreeMap;

use symphony_admin::v1::{self, task_event::Kind};
use symphony_coordination::TaskEvent;
use symphony_ledger::LogReader;
use symphony_protocol::records::{
    AnswerCheck, Body, Device, Entry, OutcomeClass, Reach, Receipt, ResultClass, Reveal, Selection,
};
use symphony_transparency::{Digest, PublicKey};

use super::names::Names;
use crate::runtime::{NodeHandle, Report};

/// Entries behind a decision among which its assignments stand: at most one for each executor.
const ASSIGNMENTS_MAX: u64 = 32;
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

    fn beacon(&mut self, body: Option<&Body>, place: Place, asked: u32) -> Kind {
        let Some(Body::BeaconIssued(issued)) = body else {
            return Kind::Beacon(v1::BeaconIssued {
                asked,
                ..v1::BeaconIssued::default()
            });
        };
        self.statements.insert(issued.digest, place);
        let beacon = &issued.record;
        Kind::Beacon(v1::BeaconIssued {
            tags: beacon.tags.clone(),
            reach: match beacon.reach {
                Reach::Directed => v1::Reach::Directed,
                Reach::Gossip => v1::Reach::Gossip,
            }
            .into(),
            asked: u32::try_from(beacon.asked.len()).unwrap_or(u32::MAX),
            close_bids: beacon.close_bids,
            close_deadline_ms: beacon.close_deadline_ms,
        })
    }

    fn bid(&mut self, body: Option<&Body>, peer: &PublicKey, match_ppm: u32) -> (Kind, Place) {
        let mut message = v1::BidAccepted {
            match_ppm,
            ..v1::BidAccepted::default()
        };
        let mut place = Place::default();
        if let Some(Body::BidReceived(received)) = body {
            let bid = &received.record;
            self.names.learn(*peer, bid.origin.log);
            place = self.place_of_statement(&bid.beacon);
            message.load_ppm = bid.load_ppm;
            message.queue = bid.queue;
            message.price_microunits = bid.price_microunits;
        }
        message.peer = Some(self.names.name(peer));
        (Kind::Bid(message), place)
    }

    fn closed(&self, body: Option<&Body>, ranking: &[(PublicKey, f64)]) -> Kind {
        let selections = match body {
            Some(Body::Close(close)) => close
                .selections
                .iter()
                .zip(0..)
                .map(|(selection, slot)| self.pick(selection, slot))
                .collect(),
            _ => Vec::new(),
        };
        Kind::Closed(v1::BeaconClosed {
            ranking: ranking
                .iter()
                .map(|(peer, score)| v1::RankedCandidate {
                    peer: Some(self.names.name(peer)),
                    score: *score,
                })
                .collect(),
            selections,
        })
    }

    fn pick(&self, selection: &Selection, slot: u32) -> v1::Pick {
        let peer = match self.entry(selection.bid).map(|entry| entry.body) {
            Some(Body::BidReceived(received)) => Some(*received.statement.author()),
            Some(Body::BeaconIssued(_)) => Some(self.own),
            _ => None,
        };
        v1::Pick {
            slot,
            peer: peer.map(|peer| self.names.name(&peer)),
            estimate: selection.estimate,
            width: selection.width,
            score: selection.estimate + selection.width,
        }
    }

    /// The report names the close or replacement; the assignments follow it at once.
    fn assigned(
        &mut self,
        index: u64,
        time_ms: u64,
        body: Option<&Body>,
        choice: Choice,
    ) -> Vec<v1::TaskEvent> {
        let Choice {
            slot,
            peer,
            estimate,
            width,
        } = choice;
        let beacon = match body {
            Some(Body::Close(close)) => Some(close.beacon),
            Some(Body::Replacement(replacement)) => Some(replacement.beacon),
            _ => None,
        };
        let place = beacon.map_or_else(Place::default, |beacon| self.place_of_beacon(beacon));
        let mut events = Vec::new();
        let mut push = |entry, time_ms, kind| {
            events.push(v1::TaskEvent {
                entry: Some(entry),
                time_ms,
                plan: place.plan,
                step: place.step,
                kind: Some(kind),
            });
        };
        if let Some(Body::Replacement(replacement)) = body {
            let pick = v1::Pick {
                slot,
                peer: Some(self.names.name(&peer)),
                estimate,
                width,
                score: estimate + width,
            };
            let kind = Kind::Replacement(v1::ExecutorReplaced {
                slot: replacement.slot,
                selection: Some(pick),
            });
            push(index, time_ms, kind);
        }
        let behind = index.saturating_add(1)..index.saturating_add(1 + ASSIGNMENTS_MAX);
        let order = behind
            .map_while(|index| self.entry(index))
            .find_map(|entry| match entry.body {
                Body::AssignmentIssued(issued)
                    if issued.record.slot == slot && issued.record.executor == peer =>
                {
                    Some((entry.index, entry.time_ms, issued))
                }
                _ => None,
            });
        let due_ms = order.as_ref().map_or(0, |(_, time_ms, issued)| {
            time_ms.saturating_add(issued.record.execute_ms.into())
        });
        let kind = Kind::Assigned(v1::AssignmentSent {
            slot,
            peer: Some(self.names.name(&peer)),
            due_ms,
        });
        match order {
            Some((entry, time_ms, issued)) => {
                self.statements.insert(issued.digest, place);
                push(entry, time_ms, kind);
            }
            None => push(index, time_ms, kind),
        }
        events
    }

    fn receipt(
        &self,
        body: Option<&Body>,
        slot: u32,
        peer: &PublicKey,
        latency_ms: u64,
    ) -> (Kind, Place) {
        let receipt: Option<&Receipt> = match body {
            Some(Body::ReceiptReceived(received)) => Some(&received.record),
            Some(Body::ReceiptIssued(issued)) => Some(&issued.record),
            _ => None,
        };
        let mut message = v1::ReceiptAccepted {
            slot,
            peer: Some(self.names.name(peer)),
            latency_ms,
            ..v1::ReceiptAccepted::default()
        };
        let Some(receipt) = receipt else {
            return (Kind::Receipt(message), Place::default());
        };
        message.class = match receipt.class {
            ResultClass::Answered => v1::ResultClass::Answered,
            ResultClass::Unparsable => v1::ResultClass::Unparsable,
            ResultClass::Failed => v1::ResultClass::Failed,
            ResultClass::Abstained => v1::ResultClass::Abstained,
        }
        .into();
        message.duration_ms = receipt.duration_ms;
        message.model = receipt.model.to_string();
        message.device = match receipt.device {
            Device::Cpu => v1::Device::Cpu,
            Device::Cuda => v1::Device::Cuda,
            Device::Metal => v1::Device::Metal,
            Device::Remote => v1::Device::Remote,
        }
        .into();
        message.output_tokens = receipt.output_tokens;
        let place = self.place_of_statement(&receipt.assignment);
        (Kind::Receipt(message), place)
    }

    fn reveal(
        &self,
        body: Option<&Body>,
        slot: u32,
        peer: &PublicKey,
        answer: String,
    ) -> (Kind, Place) {
        let (reveal, check): (Option<&Reveal>, AnswerCheck) = match body {
            Some(Body::RevealReceived(received, check, _)) => (Some(&received.record), *check),
            // The own answer was parsed before it was committed to.
            Some(Body::RevealIssued(issued)) => (Some(&issued.record), AnswerCheck::Parses),
            _ => (None, AnswerCheck::Withheld),
        };
        let message = v1::RevealAccepted {
            slot,
            peer: Some(self.names.name(peer)),
            confidence_ppm: reveal.map_or(0, |reveal| reveal.confidence_ppm),
            check: match check {
                AnswerCheck::Parses => v1::AnswerCheck::Parses,
                AnswerCheck::Unparsable => v1::AnswerCheck::Unparsable,
                AnswerCheck::Withheld => v1::AnswerCheck::Withheld,
            }
            .into(),
            answer: match check {
                AnswerCheck::Parses => cut(answer),
                AnswerCheck::Unparsable | AnswerCheck::Withheld => String::new(),
            },
        };
        let place = reveal.map_or_else(Place::default, |reveal| {
            self.place_of_statement(&reveal.assignment)
        });
        (Kind::Reveal(message), place)
    }

    fn settled(
        &self,
        body: Option<&Body>,
        answer: Option<String>,
        weight: f64,
        outcomes: &[(PublicKey, OutcomeClass, u64, f64)],
    ) -> Kind {
        let supporters = match body {
            Some(Body::Settlement(settlement)) => settlement.supporters,
            _ => 0,
        };
        Kind::Settled(v1::StepSettled {
            answer: cut(answer.unwrap_or_default()),
            weight,
            supporters,
            outcomes: outcomes
                .iter()
                .zip(0..)
                .map(
                    |((peer, class, latency_ms, reward), slot)| v1::SelectionOutcome {
                        slot,
                        peer: Some(self.names.name(peer)),
                        class: outcome_class(*class).into(),
                        latency_ms: *latency_ms,
                        reward: *reward,
                    },
                )
                .collect(),
        })
    }

    fn place_of_beacon(&self, beacon: u64) -> Place {
        self.beacons.get(&beacon).copied().unwrap_or_default()
    }

    fn place_of_statement(&self, statement: &Digest) -> Place {
        self.statements.get(statement).copied().unwrap_or_default()
    }
}

/// A selection that was assigned.
struct Choice {
    slot: u32,
    peer: PublicKey,
    estimate: f64,
    width: f64,
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

fn outcome_class(class: OutcomeClass) -> v1::OutcomeClass {
    match class {
        OutcomeClass::Won => v1::OutcomeClass::Won,
        OutcomeClass::Valid => v1::OutcomeClass::Valid,
        OutcomeClass::Invalid => v1::OutcomeClass::Invalid,
        OutcomeClass::Timeout => v1::OutcomeClass::Timeout,
        OutcomeClass::Void => v1::OutcomeClass::Void,
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
