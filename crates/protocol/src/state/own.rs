//! The executor's side: own bids, orders taken, receipts and reveals given. Spec: BEACON-11, EXEC-4, EXEC-8,
//! EXEC-9.

use symphony_transparency::{Digest, PublicKey};

use super::{Key, State};
use crate::{
    fault::{Breach, Rule},
    matching::{Profile, match_ppm},
    records::{Assignment, Beacon, Bid, Entry, Issued, Receipt, Received, ResultClass, Reveal},
};

/// Executions that may follow each other in one step: a reveal can be asked for after all of them. Spec: EXEC-9.
const EXECUTIONS_MAX: u64 = 32;

/// Rows that one new row makes room for: more than one, so that the queue becomes shorter while its oldest rows are over. Spec: BEACON-11,
/// EXEC-9.
const FORGOTTEN_MAX: usize = 2;

/// A bid of the author that may not be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OwnBid {
    pub(super) entry: u64,
    /// The beacon's deadline, or the end of the time for an opening; afterwards neither may be made anyway.
    pub(super) until_ms: u64,
    /// The commitment to its nonce, until that is opened.
    pub(super) nonce_commitment: Option<Digest>,
}

/// An order that the author took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OwnAssignment {
    pub(super) entry: u64,
    pub(super) receipt_until_ms: u64,
    pub(super) reveal_until_ms: u64,
    pub(super) receipt: OwnReceipt,
}

/// Whether a receipt was given, and with which ballot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OwnReceipt {
    None,
    WithBallot(Digest),
    WithoutAnswer,
}

impl State {
    /// Whether the author bid on this beacon (by its author and the digest of its statement).
    pub fn has_bid(&self, author: &PublicKey, beacon: &Digest) -> bool {
        self.own_bids.contains_key(&(*author, *beacon))
    }

    /// Whether the author took this order (by the digest of its statement) and may still have to answer for it.
    pub fn has_assignment(&self, assignment: &Digest) -> bool {
        self.remembered(assignment, self.time_ms).is_some()
    }

    /// An order whose time is not over at `time_ms`. Spec: EXEC-9.
    fn remembered(&self, assignment: &Digest, time_ms: u64) -> Option<&OwnAssignment> {
        self.own_assignments
            .get(assignment)
            .filter(|order| order.reveal_until_ms > time_ms)
    }

    pub(super) fn apply_bid_issued(
        &mut self,
        entry: &Entry,
        issued: &Issued<Bid>,
        beacon: &Received<Beacon>,
    ) -> Result<(), Breach> {
        let (bid, announced) = (&issued.record, &beacon.record);
        let row = (bid.coordinator, bid.beacon);
        if let Some(first) = self.own_bids.get(&row) {
            return Err(Breach::new(
                Rule::BidTwice,
                format_args!("one bid (entry {})", first.entry),
                "another bid on this beacon",
            ));
        }
        let author = self.author;
        let known = self.relied_on(&author, &bid.capability, entry.time_ms)?;
        let right = match_ppm(
            &Profile {
                tags: &known.capability.tags,
                embedding: &known.capability.embedding,
            },
            &Profile {
                tags: &announced.tags,
                embedding: &announced.embedding,
            },
        );
        check_match(right, bid.match_ppm, self.params.match_threshold_ppm())?;
        let opening_ms = match announced.secret_commitment {
            Some(_) => announced.reveal_ms,
            None => 0,
        };
        self.charge_capability(&author);
        self.forget_bids(entry.time_ms);
        self.own_bids.insert(
            row,
            OwnBid {
                entry: entry.index,
                until_ms: announced
                    .close_deadline_ms
                    .saturating_add(opening_ms.into()),
                nonce_commitment: bid.nonce_commitment,
            },
        );
        let number = self.own_bid_queue.push(row);
        self.touch(Key::OwnBidQueue(number));
        self.touch(Key::OwnBid(row.0, row.1));
        Ok(())
    }

    pub(super) fn apply_assignment_received(
        &mut self,
        entry: &Entry,
        received: &Received<Assignment>,
    ) -> Result<(), Breach> {
        let assignment = &received.record;
        let digest = received.digest();
        if self.remembered(&digest, entry.time_ms).is_some() {
            return Err(Breach::new(
                Rule::Assignment,
                "each assignment once",
                "the same assignment again",
            ));
        }
        let receipt_until_ms = entry.time_ms.saturating_add(assignment.execute_ms.into());
        let reveal_until_ms = entry
            .time_ms
            .saturating_add(u64::from(assignment.execute_ms) * EXECUTIONS_MAX)
            .saturating_add(assignment.reveal_ms.into());
        self.forget_assignments(entry.time_ms);
        self.own_assignments.insert(
            digest,
            OwnAssignment {
                entry: entry.index,
                receipt_until_ms,
                reveal_until_ms,
                receipt: OwnReceipt::None,
            },
        );
        let number = self.own_assignment_queue.push(digest);
        self.touch(Key::OwnAssignmentQueue(number));
        self.touch(Key::OwnAssignment(digest));
        Ok(())
    }

    pub(super) fn apply_receipt_issued(
        &mut self,
        entry: &Entry,
        issued: &Issued<Receipt>,
    ) -> Result<(), Breach> {
        let receipt = &issued.record;
        if self.pending_assignment(&receipt.assignment).is_some() {
            let author = self.author;
            return match self.take_receipt(entry, author, issued.digest, receipt)? {
                None => Ok(()),
                Some(breach) => Err(breach),
            };
        }
        let Some(order) = self.own_assignments.get_mut(&receipt.assignment) else {
            return Err(Breach::new(
                Rule::ReceiptUnexpected,
                "a receipt for an assignment in this log",
                receipt.assignment,
            ));
        };
        if order.receipt != OwnReceipt::None {
            return Err(Breach::new(
                Rule::ReceiptTwice,
                format_args!("one receipt for entry {}", order.entry),
                "another",
            ));
        }
        if entry.time_ms > order.receipt_until_ms {
            return Err(Breach::new(
                Rule::ReceiptUnexpected,
                format_args!("a receipt by {} ms", order.receipt_until_ms),
                format_args!("{} ms", entry.time_ms),
            ));
        }
        order.receipt = match receipt.class {
            ResultClass::Answered => OwnReceipt::WithBallot(receipt.ballot),
            ResultClass::Unparsable | ResultClass::Failed | ResultClass::Abstained => {
                OwnReceipt::WithoutAnswer
            }
        };
        self.touch(Key::OwnAssignment(receipt.assignment));
        Ok(())
    }

    pub(super) fn apply_reveal_issued(
        &mut self,
        entry: &Entry,
        issued: &Issued<Reveal>,
    ) -> Result<(), Breach> {
        let reveal = &issued.record;
        let commitment = reveal.commitment(&self.author);
        if self.pending_assignment(&reveal.assignment).is_some() {
            return self.take_own_reveal(reveal, commitment);
        }
        let committed = self
            .remembered(&reveal.assignment, entry.time_ms)
            .map_or(OwnReceipt::None, |order| order.receipt);
        match committed {
            OwnReceipt::WithBallot(ballot) if ballot == commitment => {
                self.own_assignments.remove(&reveal.assignment);
                self.touch(Key::OwnAssignment(reveal.assignment));
                Ok(())
            }
            OwnReceipt::WithBallot(ballot) => Err(Breach::new(
                Rule::Reveal,
                format_args!("an opening of {ballot}"),
                format_args!("one of {commitment}"),
            )),
            OwnReceipt::None | OwnReceipt::WithoutAnswer => Err(Breach::new(
                Rule::Reveal,
                "a reveal of a committed ballot, once",
                "a reveal without one",
            )),
        }
    }

    /// Forgets the oldest own bids whose time is over. Spec: BEACON-11.
    fn forget_bids(&mut self, time_ms: u64) {
        for _ in 0..FORGOTTEN_MAX {
            let Some(row) = self.own_bid_queue.oldest().copied() else {
                return;
            };
            if self
                .own_bids
                .get(&row)
                .is_some_and(|bid| bid.until_ms > time_ms)
            {
                return;
            }
            self.own_bids.remove(&row);
            let number = self.own_bid_queue.pop();
            self.touch(Key::OwnBid(row.0, row.1));
            self.touch(Key::OwnBidQueue(number));
        }
    }

    /// Forgets the oldest orders whose time is over. Spec: EXEC-9.
    fn forget_assignments(&mut self, time_ms: u64) {
        for _ in 0..FORGOTTEN_MAX {
            let Some(digest) = self.own_assignment_queue.oldest().copied() else {
                return;
            };
            if self.remembered(&digest, time_ms).is_some() {
                return;
            }
            self.own_assignments.remove(&digest);
            let number = self.own_assignment_queue.pop();
            self.touch(Key::OwnAssignment(digest));
            self.touch(Key::OwnAssignmentQueue(number));
        }
    }

    /// The capability that a bid rests on, if it is the peer's newest here, holds at this time and was not revoked. Spec:
    /// CAP-9.
    pub(super) fn relied_on(
        &self,
        peer: &PublicKey,
        statement: &Digest,
        time_ms: u64,
    ) -> Result<&super::KnownCapability, Breach> {
        let known = self
            .capabilities
            .get(peer)
            .filter(|known| known.statement == *statement)
            .ok_or_else(|| {
                Breach::new(
                    Rule::Reliance,
                    "the peer's newest capability in this log",
                    format_args!("capability {statement}"),
                )
            })?;
        if known.revoked {
            return Err(Breach::new(
                Rule::Reliance,
                "a capability that holds",
                "a revoked one",
            ));
        }
        if !known.capability.valid_at(time_ms) {
            return Err(Breach::new(
                Rule::Reliance,
                format_args!("a capability valid at {time_ms} ms"),
                format_args!(
                    "one valid from {} to {} ms",
                    known.capability.valid_from_ms, known.capability.valid_until_ms
                ),
            ));
        }
        Ok(known)
    }
}

/// Refuses a match that is not φ, or lies below the threshold. Spec: BEACON-8, BEACON-9.
pub(crate) fn check_match(right: u32, claimed: u32, threshold: u32) -> Result<(), Breach> {
    if right != claimed {
        return Err(Breach::new(
            Rule::Match,
            format_args!("match {right} ppm"),
            format_args!("match {claimed} ppm"),
        ));
    }
    if right < threshold {
        return Err(Breach::new(
            Rule::BidUnexpected,
            format_args!("silence below a match of {threshold} ppm"),
            format_args!("{right} ppm"),
        ));
    }
    Ok(())
}
