//! Messages on what executors do: assignments, receipts, reveals.

use symphony_admin::v1::{self, task_event::Kind};
use symphony_protocol::records::{AnswerCheck, Body, Device, Receipt, ResultClass, Reveal};
use symphony_transparency::PublicKey;

use super::{Place, Translator, cut};

/// Entries behind a decision among which its assignments stand: at most one for each executor.
const ASSIGNMENTS_MAX: u64 = 32;

/// A selection that was assigned.
pub(super) struct Choice {
    pub(super) slot: u32,
    pub(super) peer: PublicKey,
    pub(super) estimate: f64,
    pub(super) width: f64,
}

impl Translator {
    /// The report names the close or replacement; the assignments follow it at once.
    pub(super) fn assigned(
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
            Some(Body::Draw(draw)) => Some(draw.beacon),
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

    pub(super) fn receipt(
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

    pub(super) fn reveal(
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
}
