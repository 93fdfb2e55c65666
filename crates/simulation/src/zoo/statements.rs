//! Cheats that change a statement, or send a second one beside it.

use symphony_protocol::{
    records::{
        Assignment, Beacon, Bid, Body, Call, Capability, Entry, Issued, Opening, Receipt, Received,
        Reveal,
    },
    state::Duty,
};
use symphony_transparency::{Digest, VerifiedStatement};

use crate::audit::word;

use super::{
    cheat::Cheat,
    doctor::{Change, Doctor, flipped},
};

/// How long a capability of a cheat holds, in milliseconds.
const SHORT_VALIDITY_MS: u64 = 3_000;

impl Doctor {
    /// Cheats that change a statement, and the entry where it stands with it.
    pub(super) fn change_statement(&mut self, entry: &Entry) -> Change {
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
            (Cheat::WrongCall, Body::CallIssued(issued)) => {
                let mut call: Call = issued.record;
                call.close = flipped(&call.close);
                self.dares().then(|| {
                    let again = Issued::new(call);
                    self.rename(issued.digest, &again);
                    Body::CallIssued(again)
                })
            }
            (Cheat::NonOpeningNonce, Body::OpeningIssued(issued, call)) => {
                let mut opening: Opening = issued.record;
                opening.nonce[0] ^= 1;
                self.dares().then(|| {
                    let again = Issued::new(opening);
                    self.rename(issued.digest, &again);
                    Body::OpeningIssued(again, call.clone())
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
            Cheat::TwoLogs => {
                let mut record = Bid::parse(payload).ok()?;
                record.origin.log = flipped(&record.origin.log);
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
}
