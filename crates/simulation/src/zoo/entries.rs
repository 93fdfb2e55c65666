//! What each cheat makes of an entry of the peer inside.

use std::collections::{BTreeMap, BTreeSet};

use symphony_protocol::{
    records::{
        Body, Entry, Issued, MeasuresImported, Opening, Origin, Received, Revocation, RootRecorded,
        Settlement,
    },
    state::{Duty, Progress},
};
use symphony_transparency::Digest;

use super::{
    cheat::Cheat,
    doctor::{Change, Doctor, flipped},
};

/// What a cheat remembers.
#[derive(Default)]
pub(super) struct Memory {
    /// A settlement that stands in the log.
    pub(super) settled: Option<Settlement>,
    /// An opening that stands in the log.
    pub(super) opening: Option<Received<Opening>>,
    /// Entries that do not hold what was said of their place.
    pub(super) hidden: BTreeSet<u64>,
    /// Number of the newest own capability.
    pub(super) capability: Option<u64>,
    pub(super) revoked: bool,
    /// Digest of the newest own capability, and of the one that is shown in its place.
    pub(super) shown_capability: BTreeMap<Digest, Digest>,
    /// Assignments for which a reveal came that does not open its ballot.
    pub(super) unopened: BTreeSet<Digest>,
}

impl Doctor {
    /// What is shown in place of the next entry of the peer inside.
    pub(super) fn change(&mut self, entry: &Entry) -> Change {
        self.remember(&entry.body);
        match (self.cheat, &entry.body) {
            (Cheat::RootLeftOut, Body::RootRecorded(_)) => self.instead(entry, Self::filler(entry)),
            (Cheat::WrongRecordedRoot, Body::RootRecorded(recorded)) => {
                let state_root = flipped(&recorded.state_root);
                self.instead(entry, |_| Body::RootRecorded(RootRecorded { state_root }))
            }
            // The root of what is shown, if it is due there.
            (_, Body::RootRecorded(_)) => self.shown_root(entry),
            (Cheat::WrongMatch | Cheat::NonOpeningReveal | Cheat::OutOfPlace, _)
            | (Cheat::ExpiredReliance | Cheat::AssignmentAgainst | Cheat::BeaconTerms, _)
            | (Cheat::WrongCall | Cheat::NonOpeningNonce, _) => self.change_statement(entry),
            (
                Cheat::WrongSeed | Cheat::WrongSecret | Cheat::WrongPropensity | Cheat::WrongDraw,
                Body::Draw(draw),
            ) => self.change_draw(entry, draw),
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
                | Cheat::OpeningTwice
                | Cheat::RevokedReliance
                | Cheat::WrongImport
                | Cheat::Malformed
                | Cheat::TimeBackwards
                | Cheat::ForkEqual
                | Cheat::ForkLeaf,
                Body::AcknowledgementReceived(_),
            ) => self.in_place_of_nothing(entry),
            _ => Change::Keep,
        }
    }

    fn shown_root(&mut self, entry: &Entry) -> Change {
        let Some(outside) = &mut self.outside else {
            return Change::Keep;
        };
        let due = outside.state().duty() == Some(Duty::Record);
        let root = due.then(|| outside.state_mut().decide(Duty::Record));
        let body = root.unwrap_or_else(|| Some(Self::filler(entry)(self)));
        body.map_or(Change::Keep, |body| {
            Change::Entry(Entry {
                body,
                ..entry.clone()
            })
        })
    }

    fn remember(&mut self, body: &Body) {
        match body {
            Body::Settlement(settlement) if self.memory.settled.is_none() => {
                self.memory.settled = Some(settlement.clone());
            }
            Body::OpeningReceived(received) if self.memory.opening.is_none() => {
                self.memory.opening = Some(received.clone());
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
    pub(super) fn dares(&mut self) -> bool {
        if self.patience > 0 {
            self.patience -= 1;
            return false;
        }
        self.begun = true;
        true
    }

    pub(super) fn instead(
        &mut self,
        entry: &Entry,
        body: impl FnOnce(&mut Self) -> Body,
    ) -> Change {
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
        let once = !matches!(
            self.cheat,
            Cheat::SettledTwice | Cheat::OpeningTwice | Cheat::RevokedReliance | Cheat::WrongImport
        );
        if once && (self.begun || !self.dares()) {
            return Change::Keep;
        }
        match self.cheat {
            Cheat::SettledTwice => match self.memory.settled.clone() {
                Some(settlement) => self.instead(entry, |_| Body::Settlement(settlement)),
                None => Change::Keep,
            },
            Cheat::OpeningTwice => match self.memory.opening.clone() {
                Some(opening) => self.instead(entry, |_| Body::OpeningReceived(opening)),
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
            Cheat::WrongImport => match self.own_measures() {
                Some(import) => self.instead(entry, |_| Body::MeasuresImported(import)),
                None => Change::Keep,
            },
            Cheat::Malformed => Change::Bytes(entry.clone(), vec![0]),
            Cheat::TimeBackwards => Change::Entry(Entry {
                time_ms: self.inside.state().time_ms().saturating_sub(1),
                ..entry.clone()
            }),
            // The same at another time: both histories keep every rule, so that nothing but the fork convicts. A root that is due next
            // would bear the time of this entry.
            _ => {
                let time_ms = self.inside.state().time_ms();
                let mut after = self.inside.clone();
                let is_quiet =
                    after.push(&entry.encode()).is_ok() && after.state().duty().is_none();
                if time_ms == entry.time_ms || !is_quiet {
                    self.begun = false;
                    return Change::Keep;
                }
                Change::Fork(Entry {
                    time_ms,
                    ..entry.clone()
                })
            }
        }
    }

    /// What this log measured, as another peer would take it in; nothing before anybody was measured.
    fn own_measures(&self) -> Option<MeasuresImported> {
        let mut own = self.inside.clone();
        let checkpoint = own.checkpoint().sign(&self.secret);
        let author = own.author();
        let imports = own
            .state_mut()
            .imports_for(&author, &checkpoint, 1_000_000, 8);
        imports.ok()?.into_iter().next()
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
