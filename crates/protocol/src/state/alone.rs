//! What an entry shows by itself, whatever stands before it: these breaches need no state to be proved.
//!
//! Spec: KEYS-15, BEACON-11, EXEC-4, REPLAY-22, REPLAY-23, EVIDENCE-7.

use symphony_transparency::PublicKey;

use super::State;
use crate::{
    fault::{Breach, Rule, require_equal},
    records::{Beacon, Bid, Body, Call, Entry, Issued, Opening, Origin, Reach, Received},
};

impl State {
    /// The part of [`State::apply`] that depends on log, author and parameters alone.
    pub(crate) fn check_alone(&self, entry: &Entry) -> Result<(), Breach> {
        match &entry.body {
            Body::Genesis(_) => Err(Breach::new(
                Rule::Genesis,
                "a genesis only as entry 0",
                "another one",
            )),
            Body::CapabilityIssued(issued) => self.check_origin(entry, issued.record.origin),
            Body::RevocationIssued(issued) => self.check_origin(entry, issued.record.origin),
            Body::BeaconIssued(issued) => self.check_origin(entry, issued.record.origin),
            Body::AssignmentIssued(issued) => self.check_origin(entry, issued.record.origin),
            Body::ReceiptIssued(issued) => self.check_origin(entry, issued.record.origin),
            Body::RevealIssued(issued) => self.check_origin(entry, issued.record.origin),
            Body::CallIssued(issued) => self.check_origin(entry, issued.record.origin),
            Body::OpeningIssued(issued, call) => {
                self.check_origin(entry, issued.record.origin)?;
                self.check_called(issued, call)
            }
            Body::BidIssued(issued, beacon) => {
                self.check_origin(entry, issued.record.origin)?;
                self.check_own_bid(entry, issued, beacon)
            }
            Body::CapabilityReceived(received) => self.check_foreign(received.statement.author()),
            Body::RevocationReceived(received) => self.check_foreign(received.statement.author()),
            Body::BidReceived(received) => self.check_foreign(received.statement.author()),
            Body::ReceiptReceived(received) => self.check_foreign(received.statement.author()),
            Body::RevealReceived(received, ..) => self.check_foreign(received.statement.author()),
            Body::OpeningReceived(received) => self.check_foreign(received.statement.author()),
            Body::AssignmentReceived(received) => {
                self.check_foreign(received.statement.author())?;
                let executor = received.record.executor;
                if executor == self.author {
                    return Ok(());
                }
                Err(Breach::new(
                    Rule::Assignment,
                    "an assignment to the author",
                    format_args!("one to {executor}"),
                ))
            }
            Body::MeasuresImported(import) => self.check_import(import),
            Body::PolicySet(..)
            | Body::TaskOpened(_)
            | Body::AcknowledgementReceived(_)
            | Body::Timeout(_)
            | Body::Resumed
            | Body::Close(_)
            | Body::Replacement(_)
            | Body::Settlement(_)
            | Body::TaskDecided(_)
            | Body::Draw(_)
            | Body::RootRecorded(_) => Ok(()),
        }
    }

    /// A statement of the author names the log and entry where it stands. Spec: KEYS-15.
    fn check_origin(&self, entry: &Entry, origin: Origin) -> Result<(), Breach> {
        require_equal(
            Rule::Origin,
            "origin",
            &Origin {
                log: self.log,
                index: entry.index,
            },
            &origin,
        )
    }

    fn check_foreign(&self, peer: &PublicKey) -> Result<(), Breach> {
        if *peer == self.author {
            return Err(Breach::new(
                Rule::Origin,
                "own statements as issued",
                "an own statement as received",
            ));
        }
        Ok(())
    }

    /// An own opening answers the call beside it. Spec: CHANCE-4.
    fn check_called(&self, issued: &Issued<Opening>, call: &Received<Call>) -> Result<(), Breach> {
        let opening = &issued.record;
        require_equal(
            Rule::Opening,
            "beacon of the call",
            &call.record.beacon,
            &opening.beacon,
        )?;
        require_equal(
            Rule::Opening,
            "author of the call",
            call.statement.author(),
            &opening.coordinator,
        )
    }

    /// An own bid answers the beacon beside it. Spec: BEACON-11.
    fn check_own_bid(
        &self,
        entry: &Entry,
        issued: &Issued<Bid>,
        beacon: &Received<Beacon>,
    ) -> Result<(), Breach> {
        let (bid, announced) = (&issued.record, &beacon.record);
        if bid.beacon != beacon.digest() {
            return Err(Breach::new(
                Rule::BidUnexpected,
                format_args!("a bid on beacon {}", beacon.digest()),
                bid.beacon,
            ));
        }
        let coordinator = *beacon.statement.author();
        if bid.coordinator != coordinator {
            return Err(Breach::new(
                Rule::BidUnexpected,
                format_args!("a bid to {coordinator}"),
                bid.coordinator,
            ));
        }
        if coordinator == self.author {
            return Err(Breach::new(
                Rule::BidUnexpected,
                "the own bid inside the beacon",
                "a bid on an own beacon",
            ));
        }
        if announced.reach == Reach::Directed
            && announced.asked.binary_search(&self.author).is_err()
        {
            return Err(Breach::new(
                Rule::BidUnexpected,
                "a bid only where asked",
                "a bid on a beacon that asks others",
            ));
        }
        check_nonce(bid, announced)?;
        if entry.time_ms >= announced.close_deadline_ms {
            return Err(Breach::new(
                Rule::BidUnexpected,
                format_args!("a bid before {} ms", announced.close_deadline_ms),
                format_args!("{} ms", entry.time_ms),
            ));
        }
        Ok(())
    }
}

/// A bid commits to a nonce exactly where the beacon commits to a secret. Spec: CHANCE-4.
pub(super) fn check_nonce(bid: &Bid, beacon: &Beacon) -> Result<(), Breach> {
    match (beacon.secret_commitment, bid.nonce_commitment) {
        (Some(_), Some(_)) | (None, None) => Ok(()),
        (Some(_), None) => Err(Breach::new(
            Rule::BidUnexpected,
            "a bid with a commitment to a nonce",
            "one without",
        )),
        (None, Some(_)) => Err(Breach::new(
            Rule::BidUnexpected,
            "a bid without a commitment to a nonce",
            "one with",
        )),
    }
}
