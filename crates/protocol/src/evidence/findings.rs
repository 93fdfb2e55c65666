//! Evidence against a peer whose statements stand in another peer's log. Spec: REPLAY-9, EVIDENCE-13.

use super::{
    Evidence, ProveError,
    prove::{LogSource, ReadLog},
};
use crate::{
    fault::{Fault, Rule},
    records::{Bid, Body},
};

impl<L: LogSource + ?Sized> ReadLog<'_, L> {
    /// Evidence against a peer whose statements this log holds.
    pub(super) fn finding(&self, fault: &Fault) -> Result<Evidence, ProveError> {
        let entry = self
            .parsed(fault.entry)
            .ok_or(ProveError::EntryMissing { index: fault.entry })?;
        match &entry.body {
            Body::CapabilityReceived(second) => {
                let first = self.before(fault.entry, |body| match body {
                    Body::CapabilityReceived(first) => (first.statement.author()
                        == second.statement.author()
                        && first.record.sequence == second.record.sequence
                        && first.digest() != second.digest())
                    .then(|| first.statement.bytes().to_vec()),
                    _ => None,
                });
                let first = first.ok_or(ProveError::OtherProof(fault.rule))?;
                let second = second.statement.bytes();
                Ok(Evidence::two_capabilities(&first, second)
                    .or_else(|error| Evidence::two_logs(&first, second).map_err(|_| error))?)
            }
            Body::BidReceived(second) if fault.rule == Rule::BidTwice => {
                let first = self.before(fault.entry, |body| match body {
                    Body::BidReceived(first) => (first.statement.author()
                        == second.statement.author()
                        && first.record.beacon == second.record.beacon
                        && first.digest() != second.digest())
                    .then(|| first.statement.bytes().to_vec()),
                    _ => None,
                });
                let first = first.ok_or(ProveError::OtherProof(fault.rule))?;
                let second = second.statement.bytes();
                Ok(Evidence::two_bids(&first, second)
                    .or_else(|error| Evidence::two_logs(&first, second).map_err(|_| error))?)
            }
            Body::BidReceived(bid) => self.bid_match(fault, &bid.record, bid.statement.bytes()),
            Body::ReceiptReceived(second) => {
                let first = self.before(fault.entry, |body| match body {
                    Body::ReceiptReceived(first) => (first.record.assignment
                        == second.record.assignment
                        && first.statement.author() == second.statement.author()
                        && first.digest() != second.digest())
                    .then(|| first.statement.bytes().to_vec()),
                    _ => None,
                });
                let first = first.ok_or(ProveError::OtherProof(fault.rule))?;
                let second = second.statement.bytes();
                Ok(Evidence::two_receipts(&first, second)
                    .or_else(|error| Evidence::two_logs(&first, second).map_err(|_| error))?)
            }
            Body::RevealReceived(reveal, ..) => {
                let receipt = self.before(fault.entry, |body| match body {
                    Body::ReceiptReceived(receipt) => (receipt.record.assignment
                        == reveal.record.assignment
                        && receipt.statement.author() == reveal.statement.author())
                    .then(|| receipt.statement.bytes().to_vec()),
                    _ => None,
                });
                Ok(Evidence::closed_ballot(
                    &receipt.ok_or(ProveError::OtherProof(fault.rule))?,
                    reveal.statement.bytes(),
                )?)
            }
            _ => Err(ProveError::OtherProof(fault.rule)),
        }
    }

    fn bid_match(
        &self,
        fault: &Fault,
        bid: &Bid,
        statement: &[u8],
    ) -> Result<Evidence, ProveError> {
        let capability = self.before(fault.entry, |body| match body {
            Body::CapabilityReceived(received) => {
                (received.digest() == bid.capability).then(|| received.record.encode())
            }
            _ => None,
        });
        let beacon = self.before(fault.entry, |body| match body {
            Body::BeaconIssued(issued) => {
                (issued.digest == bid.beacon).then(|| issued.payload.clone())
            }
            _ => None,
        });
        let missing = ProveError::OtherProof(fault.rule);
        let (Some(capability), Some(beacon)) = (capability, beacon) else {
            return Err(missing);
        };
        let params = self.begun.state().params().to_bytes();
        Ok(Evidence::bid_match(
            statement,
            &capability,
            &beacon,
            &params,
        )?)
    }

    /// What the nearest entry before `index` gives.
    fn before<T>(&self, index: u64, find: impl Fn(&Body) -> Option<T>) -> Option<T> {
        (0..index)
            .rev()
            .find_map(|index| find(&self.parsed(index)?.body))
    }
}
