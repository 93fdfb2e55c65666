//! What each cheat makes of an entry of the peer inside.

use std::collections::{BTreeMap, BTreeSet};

use symphony_protocol::{
    records::{
        Assignment, Beacon, Bid, Body, Capability, Entry, Issued, Origin, OutcomeClass, Phase,
        Receipt, Received, Reveal, Revocation, Settlement, Timeout,
    },
    state::{Duty, Progress},
};
use symphony_transparency::{Digest, VerifiedStatement};

use crate::audit::word;

use super::{
    cheat::Cheat,
    doctor::{Change, Doctor, flipped},
};

/// How long a capability of a cheat holds, in milliseconds.
const SHORT_VALIDITY_MS: u64 = 3_000;

/// What a cheat remembers.
#[derive(Default)]
pub(super) struct Memory {
    /// A settlement that stands in the log.
    settled: Option<Settlement>,
    /// Entries that do not hold what was said of their place.
    pub(super) hidden: BTreeSet<u64>,
    /// Number of the newest own capability.
    capability: Option<u64>,
    revoked: bool,
    /// Digest of the newest own capability, and of the one that is shown in its place.
    shown_capability: BTreeMap<Digest, Digest>,
    /// Assignments for which a reveal came that does not open its ballot.
    unopened: BTreeSet<Digest>,
}

impl Doctor {
    /// What is shown in place of the next entry of the peer inside.
    pub(super) fn change(&mut self, entry: &Entry) -> Change {
        self.remember(&entry.body);
        match (self.cheat, &entry.body) {
            (Cheat::WrongMatch | Cheat::NonOpeningReveal | Cheat::OutOfPlace, _)
            | (Cheat::ExpiredReliance | Cheat::AssignmentAgainst | Cheat::BeaconTerms, _) => {
                self.change_statement(entry)
            }
            (Cheat::NamedChanged, Body::BidIssued(issued, _)) => {
                let statement = self.sign(issued);
                let change = self.instead(entry, Self::filler(entry));
                if !matches!(change, Change::Keep) {
                    self.note(entry.index, 0, statement.bytes());
                    self.memory.hidden.insert(entry.index);
                }
                change
            }
            (Cheat::ReceiptWithoutAssignment, Body::AssignmentReceived(_)) => {
                self.instead(entry, Self::filler(entry))
            }
            (Cheat::WrongRanking | Cheat::CandidateLeftOut | Cheat::WrongSelection, _) => {
                self.change_close(entry)
            }
            (Cheat::EarlyClose, Body::BidReceived(received)) => {
                match self.early_timeout(entry, &received.record.beacon) {
                    Some(timeout) => self.instead(entry, |_| Body::Timeout(timeout)),
                    None => Change::Keep,
                }
            }
            (Cheat::DueNotSettled, Body::Settlement(_))
                if matches!(self.inside.state().duty(), Some(Duty::Settle(_))) =>
            {
                self.instead(entry, Self::filler(entry))
            }
            (
                Cheat::WrongTally
                | Cheat::WrongReward
                | Cheat::WrongEntryRoot
                | Cheat::NonOpeningCounted,
                Body::Settlement(settlement),
            ) => self.change_settlement(entry, settlement),
            (Cheat::DeadlinePassedOver, Body::Timeout(_)) => {
                self.instead(entry, Self::filler(entry))
            }
            (Cheat::WrongAnswer, Body::TaskDecided(decided)) => {
                let mut decided = *decided;
                match &mut decided.winner {
                    Some(winner) => {
                        winner.answer = flipped(&winner.answer);
                        self.instead(entry, |_| Body::TaskDecided(decided))
                    }
                    None => Change::Keep,
                }
            }
            (
                Cheat::SettledTwice
                | Cheat::RevokedReliance
                | Cheat::Malformed
                | Cheat::TimeBackwards
                | Cheat::ForkEqual
                | Cheat::ForkLeaf,
                Body::AcknowledgementReceived(_),
            ) => self.in_place_of_nothing(entry),
            _ => Change::Keep,
        }
    }

    fn remember(&mut self, body: &Body) {
        match body {
            Body::Settlement(settlement) if self.memory.settled.is_none() => {
                self.memory.settled = Some(settlement.clone());
            }
            Body::CapabilityIssued(issued) => {
                self.memory.capability = Some(issued.record.sequence);
                self.memory.revoked = false;
            }
            Body::RevealReceived(received, ..) => {
                let assignment = received.record.assignment;
                let state = self.inside.state();
                let progress = state
                    .pending_assignment(&assignment)
                    .and_then(|(beacon, slot)| state.step(beacon)?.selections.get(slot as usize))
                    .map(|selection| selection.progress);
                let commitment = received.record.commitment(received.statement.author());
                if matches!(progress, Some(Progress::Answered(ballot)) if ballot != commitment) {
                    self.memory.unopened.insert(assignment);
                }
            }
            _ => {}
        }
    }

    /// Takes the chance, unless it is let pass.
    fn dares(&mut self) -> bool {
        if self.patience > 0 {
            self.patience -= 1;
            return false;
        }
        self.begun = true;
        true
    }

    fn instead(&mut self, entry: &Entry, body: impl FnOnce(&mut Self) -> Body) -> Change {
        if !self.dares() {
            return Change::Keep;
        }
        let body = body(self);
        Change::Entry(Entry {
            body,
            ..entry.clone()
        })
    }

    /// An entry that changes nothing: the withdrawal of a capability that never was.
    fn filler(entry: &Entry) -> impl FnOnce(&mut Self) -> Body + use<> {
        let index = entry.index;
        move |doctor| doctor.revocation(index, u64::MAX)
    }

    fn revocation(&self, index: u64, sequence: u64) -> Body {
        Body::RevocationIssued(Issued::new(Revocation {
            origin: Origin {
                log: self.log,
                index,
            },
            sequence,
        }))
    }

    /// Cheats in place of an acknowledgement, which no state rests on.
    fn in_place_of_nothing(&mut self, entry: &Entry) -> Change {
        let index = entry.index;
        let once = !matches!(self.cheat, Cheat::SettledTwice | Cheat::RevokedReliance);
        if once && (self.begun || !self.dares()) {
            return Change::Keep;
        }
        match self.cheat {
            Cheat::SettledTwice => match self.memory.settled.clone() {
                Some(settlement) => self.instead(entry, |_| Body::Settlement(settlement)),
                None => Change::Keep,
            },
            Cheat::RevokedReliance => match self.memory.capability {
                Some(sequence) if !self.memory.revoked => {
                    let change = self.instead(entry, |doctor| doctor.revocation(index, sequence));
                    self.memory.revoked = !matches!(change, Change::Keep);
                    change
                }
                _ => Change::Keep,
            },
            Cheat::Malformed => Change::Bytes(entry.clone(), vec![0]),
            Cheat::TimeBackwards => Change::Entry(Entry {
                time_ms: self.inside.state().time_ms().saturating_sub(1),
                ..entry.clone()
            }),
            _ => {
                let body = self.revocation(index, u64::MAX);
                Change::Fork(Entry {
                    body,
                    ..entry.clone()
                })
            }
        }
    }

    fn change_close(&mut self, entry: &Entry) -> Change {
        let Body::Close(close) = &entry.body else {
            return Change::Keep;
        };
        let mut close = close.clone();
        let possible = match self.cheat {
            Cheat::WrongRanking => {
                let possible = close.ranking.len() >= 2;
                if possible {
                    close.ranking.swap(0, 1);
                }
                possible
            }
            Cheat::CandidateLeftOut => {
                let left_out = close.ranking.len() >= 2;
                close.ranking.pop();
                left_out
            }
            _ => {
                let possible = close.selections.len() >= 2;
                if possible {
                    close.selections.swap(0, 1);
                }
                possible
            }
        };
        if possible {
            self.instead(entry, |_| Body::Close(close))
        } else {
            Change::Keep
        }
    }

    fn early_timeout(&self, entry: &Entry, beacon: &Digest) -> Option<Timeout> {
        let state = self.inside.state();
        let index = state.open_steps().find(|index| {
            state
                .step(*index)
                .is_some_and(|step| step.statement == *beacon)
        })?;
        let due_ms = state.step(index)?.beacon.close_deadline_ms;
        (entry.time_ms < due_ms).then_some(Timeout {
            beacon: index,
            phase: Phase::Bids,
        })
    }

    fn change_settlement(&mut self, entry: &Entry, settlement: &Settlement) -> Change {
        let mut changed = settlement.clone();
        let possible = match self.cheat {
            Cheat::WrongTally => {
                changed.supporters += 1;
                changed.winner.is_some()
            }
            Cheat::WrongReward => match changed.outcomes.first_mut() {
                Some(outcome) => {
                    outcome.reward = 1.0;
                    outcome.class != OutcomeClass::Void
                }
                None => false,
            },
            Cheat::WrongEntryRoot => {
                changed.state_root = flipped(&changed.state_root);
                true
            }
            _ => self.count_unopened(&mut changed),
        };
        if possible {
            self.instead(entry, |_| Body::Settlement(changed))
        } else {
            Change::Keep
        }
    }

    /// Counts a ballot whose reveal does not open it as a valid one.
    fn count_unopened(&self, settlement: &mut Settlement) -> bool {
        let Some(step) = self.inside.state().step(settlement.beacon) else {
            return false;
        };
        let mut counted = false;
        for (selection, outcome) in step.selections.iter().zip(&mut settlement.outcomes) {
            let unopened = selection
                .assignment
                .is_some_and(|assignment| self.memory.unopened.contains(&assignment));
            if unopened && outcome.class == OutcomeClass::Invalid {
                outcome.class = OutcomeClass::Valid;
                outcome.reward = 0.5;
                counted = true;
            }
        }
        counted
    }

    /// Cheats that change a statement, and the entry where it stands with it.
    fn change_statement(&mut self, entry: &Entry) -> Change {
        let changed = match (self.cheat, &entry.body) {
            (Cheat::WrongMatch, Body::BidIssued(issued, beacon)) => {
                let mut bid = issued.record;
                bid.match_ppm = if bid.match_ppm > 900_000 {
                    bid.match_ppm - 1
                } else {
                    bid.match_ppm + 50_000
                };
                self.reissue_bid(issued, bid, beacon)
            }
            (Cheat::OutOfPlace, Body::BidIssued(issued, beacon)) => {
                let mut bid = issued.record;
                bid.origin.index += 1;
                self.reissue_bid(issued, bid, beacon)
            }
            (Cheat::ExpiredReliance, Body::CapabilityIssued(issued)) => {
                let mut capability: Capability = issued.record.clone();
                capability.valid_until_ms =
                    capability.valid_from_ms.saturating_add(SHORT_VALIDITY_MS);
                let again = Issued::new(capability);
                self.memory
                    .shown_capability
                    .insert(issued.digest, again.digest);
                self.rename(issued.digest, &again);
                Some(Body::CapabilityIssued(again))
            }
            (Cheat::ExpiredReliance, Body::BidIssued(issued, beacon)) => {
                let mut bid = issued.record;
                if let Some(shown) = self.memory.shown_capability.get(&bid.capability) {
                    bid.capability = *shown;
                }
                self.reissue_bid(issued, bid, beacon)
            }
            (Cheat::NonOpeningReveal, Body::RevealIssued(issued)) => {
                let mut reveal: Reveal = issued.record;
                reveal.salt[0] ^= 1;
                self.dares().then(|| {
                    let again = Issued::new(reveal);
                    self.rename(issued.digest, &again);
                    Body::RevealIssued(again)
                })
            }
            (Cheat::AssignmentAgainst, Body::AssignmentIssued(issued)) => {
                self.other_executor(issued)
            }
            (Cheat::BeaconTerms, Body::BeaconIssued(issued)) => self.dares().then(|| {
                let mut beacon: Beacon = issued.record.clone();
                beacon.policy = flipped(&beacon.policy);
                let again = Issued::new(beacon);
                self.rename(issued.digest, &again);
                Body::BeaconIssued(again)
            }),
            _ => None,
        };
        match changed {
            Some(body) => Change::Entry(Entry {
                body,
                ..entry.clone()
            }),
            None => Change::Keep,
        }
    }

    fn reissue_bid(
        &mut self,
        issued: &Issued<Bid>,
        bid: Bid,
        beacon: &Received<Beacon>,
    ) -> Option<Body> {
        self.dares().then(|| {
            let again = Issued::new(bid);
            self.rename(issued.digest, &again);
            Body::BidIssued(again, beacon.clone())
        })
    }

    /// The assignment, to a peer that was asked and not selected.
    fn other_executor(&mut self, issued: &Issued<Assignment>) -> Option<Body> {
        let state = self.inside.state();
        let Some(Duty::Assign(beacon, _)) = state.duty() else {
            return None;
        };
        let mut order = issued.record;
        let step = state.step(beacon)?;
        let other = step.bids.iter().find(|bid| {
            bid.peer != state.author()
                && step
                    .selections
                    .iter()
                    .all(|selection| selection.executor != bid.peer)
        })?;
        order.executor = other.peer;
        self.dares().then(|| {
            let again = Issued::new(order);
            self.rename(issued.digest, &again);
            Body::AssignmentIssued(again)
        })
    }

    fn rename<R: symphony_protocol::records::StatementRecord>(
        &mut self,
        before: Digest,
        again: &Issued<R>,
    ) {
        let statement = self.sign(again);
        if let (Cheat::WrongMatch | Cheat::NonOpeningReveal, Some(index)) =
            (self.cheat, word(&statement).map(|word| word.place.index))
        {
            self.note(index, 0, statement.bytes());
        }
        self.changed.insert(before, statement);
    }

    /// A second statement beside one that the peer inside sends, and the entry that both name.
    pub(super) fn second_statement(
        &mut self,
        statement: &VerifiedStatement,
    ) -> Option<(u64, VerifiedStatement)> {
        let payload = statement.payload();
        let (entry, second) = match self.cheat {
            Cheat::TwoCapabilities => {
                let mut record = Capability::parse(payload).ok()?;
                record.price_microunits += 1;
                (record.origin.index, self.sign(&Issued::new(record)))
            }
            Cheat::TwoBids => {
                let mut record = Bid::parse(payload).ok()?;
                record.price_microunits += 1;
                (record.origin.index, self.sign(&Issued::new(record)))
            }
            Cheat::TwoReceipts => {
                let mut record = Receipt::parse(payload).ok()?;
                record.duration_ms += 1;
                (record.origin.index, self.sign(&Issued::new(record)))
            }
            _ => return None,
        };
        self.dares().then_some((entry, second))
    }

    /// Notes the bytes of an entry, where they show the cheat.
    pub(super) fn note_entry(&mut self, inside: &Entry, first: &[u8], second: Option<&[u8]>) {
        if let Some(second) = second {
            self.note(inside.index, 0, first);
            self.note(inside.index, 1, second);
        }
        if self.memory.hidden.contains(&inside.index) {
            self.note(inside.index, 1, first);
        }
        let fault = self
            .outside
            .as_mut()
            .is_some_and(|outside| outside.push(first).is_err());
        if fault {
            self.outside = None;
            self.note(inside.index, 0, first);
        }
    }
}
