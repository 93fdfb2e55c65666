//! Own bids that may still be called or taken up. All that is remembered of them stands in the own log, so a restart forgets none.

use std::collections::BTreeMap;

use symphony_protocol::records::{AnswerForm, Beacon, Body, Entry, Origin, Received};
use symphony_transparency::{Digest, PublicKey};

use crate::plan::HAND_OVER_TAG;

/// Beacons that a peer remembers having bid on; the oldest deadlines are forgotten first.
const BIDS_MAX: usize = 4_096;
/// How long after its deadline a beacon that was bid on is remembered, in milliseconds: assignments follow the close.
const BID_MEMORY_MS: u64 = 60_000;

/// A beacon that this peer bid on.
#[derive(Clone, Debug)]
pub(crate) struct OpenBid {
    pub(super) form: AnswerForm,
    /// Where the beacon stands in its author's log.
    pub(super) place: Origin,
    /// Whether the order is a chain.
    pub(super) handed_over: bool,
    /// The beacon's times for execution and reveal, in milliseconds.
    pub(super) times: (u32, u32),
    until_ms: u64,
}

impl OpenBid {
    pub(super) fn on(beacon: &Beacon) -> Self {
        let close_ms = beacon.close_deadline_ms;
        let opened_ms = close_ms.saturating_add(beacon.reveal_ms.into());
        Self {
            form: beacon.form,
            place: beacon.origin,
            handed_over: beacon.tags.iter().any(|tag| tag == HAND_OVER_TAG),
            times: (beacon.execute_ms, beacon.reveal_ms),
            until_ms: opened_ms.saturating_add(BID_MEMORY_MS),
        }
    }
}

/// The bids of a peer that are open, by author and digest of the beacon (a copy that another peer signed has the same digest).
///
/// Whoever folds the own log again, at a start, shows each entry to [`OpenBids::note`] and hands what comes of it to
/// [`crate::Peer::with_bids`].
#[derive(Clone, Debug, Default)]
pub struct OpenBids(BTreeMap<(PublicKey, Digest), OpenBid>);

impl OpenBids {
    /// Takes the next entry of the own log.
    pub fn note(&mut self, entry: &Entry) {
        match &entry.body {
            Body::BidIssued(_, beacon) => {
                self.add(name_of(beacon), OpenBid::on(&beacon.record), entry.time_ms);
            }
            Body::AssignmentReceived(received) => {
                self.take_up(received.statement.author(), &received.record.beacon);
            }
            _ => {}
        }
    }

    pub(super) fn add(&mut self, beacon: (PublicKey, Digest), bid: OpenBid, now_ms: u64) {
        self.0.retain(|_, known| known.until_ms > now_ms);
        if self.0.len() >= BIDS_MAX
            && let Some(oldest) = self
                .0
                .iter()
                .min_by_key(|(_, known)| known.until_ms)
                .map(|(beacon, _)| *beacon)
        {
            self.0.remove(&oldest);
        }
        self.0.insert(beacon, bid);
    }

    pub(super) fn get(&self, coordinator: &PublicKey, beacon: &Digest) -> Option<&OpenBid> {
        self.0.get(&(*coordinator, *beacon))
    }

    /// A bid is taken up once: the same order, delivered again when all else about it is forgotten, finds no bid.
    pub(super) fn take_up(&mut self, coordinator: &PublicKey, beacon: &Digest) {
        self.0.remove(&(*coordinator, *beacon));
    }
}

/// By what a beacon is known.
pub(super) fn name_of(beacon: &Received<Beacon>) -> (PublicKey, Digest) {
    (*beacon.statement.author(), beacon.digest())
}
