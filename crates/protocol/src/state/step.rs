//! An open step: its bids, ranking and pending selections.

use std::sync::Arc;

use symphony_transparency::{Digest, PublicKey};

use crate::{
    chance::ENTROPY_SIZE,
    policy::DIMENSION,
    records::{Beacon, CheckerVerdict, Policy, Ranked},
};

/// A step between its beacon and its settlement.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenStep {
    /// Digest of the beacon's statement.
    pub statement: Digest,
    /// The beacon.
    pub beacon: Beacon,
    /// Bytes of its payload.
    pub size: u64,
    /// Requirement bucket.
    pub bucket: Digest,
    /// The bids, in the order of their entries; those of the ranking alone after the close.
    pub bids: Vec<StepBid>,
    /// Whether the beacon is closed.
    pub closed: bool,
    /// The ranking, best first; empty before the close.
    pub ranking: Vec<Ranked>,
    /// The selections, in slot order; empty before the close.
    pub selections: Vec<PendingSelection>,
    /// When reveals are due; nothing while receipts are outstanding.
    pub reveal_due_ms: Option<u64>,
    /// The policy that the beacon names: its terms hold for this step to the end.
    pub policy: Policy,
    /// Its canonical bytes.
    pub(super) policy_bytes: Arc<[u8]>,
    /// Index of the entry with which the learning of that policy began.
    pub since: u64,
    /// When openings are due; nothing before the call, and when the draw is due or done.
    pub openings_due_ms: Option<u64>,
    /// The seed; nothing before the draw, and under a policy without chance.
    pub seed: Option<Digest>,
}

/// What a statement of an open step is: its beacon, or the assignment of the selection in this slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) beacon: u64,
    pub(super) slot: Option<u32>,
}

/// A bid on an open step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepBid {
    /// Index of its entry; the beacon's own index stands for the coordinator's own bid.
    pub entry: u64,
    /// The bidder.
    pub peer: PublicKey,
    /// Digest of the bid's statement (of the beacon's for the own bid).
    pub statement: Digest,
    /// Similarity of capability and beacon, in 0 to 1.
    pub similarity: f64,
    /// Claimed load, in parts per million.
    pub load_ppm: u32,
    /// Its price over the price scale of the policy, in parts per million; 0 for the own bid. Spec: SETTLE-24.
    pub price_share_ppm: u32,
    /// Whether the bid takes part.
    pub eligible: bool,
    /// Commitment to the bidder's nonce, where the beacon asks for one; none for the own bid.
    pub nonce_commitment: Option<Digest>,
    /// The opened nonce.
    pub nonce: Option<[u8; ENTROPY_SIZE]>,
    /// What the log had measured of the bidder when the bid was logged.
    pub standing: Standing,
}

impl StepBid {
    /// Whether chance may pick this bid: its nonce is opened, or it is the own one, which has none.
    pub fn opened(&self) -> bool {
        self.nonce.is_some() || self.nonce_commitment.is_none()
    }
}

/// What a log has measured of a bidder: so far as screening and selection use it, fixed with the bid. A close and whoever
/// checks it read the step alone. Spec: SETTLE-16.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// Expected success in the beacon's bucket.
    pub prior: f64,
    /// Mean latency over the scale.
    pub latency: f64,
    /// One less the mean of failures.
    pub availability: f64,
    /// Reputation in the beacon's bucket.
    pub reputation: f64,
    /// Whether the log holds too few settlements of it in the bucket.
    pub newcomer: bool,
    /// Closes of the log when its newest selection in the bucket was settled; 0 if none was.
    pub settled_at_close: u64,
}

/// How far a selection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Picked, not yet assigned.
    Picked,
    /// Assigned, the receipt is outstanding.
    Assigned,
    /// A receipt with an answer came; the ballot is committed.
    Answered(Digest),
    /// The ballot is open: a valid answer, or none.
    Revealed(Option<Digest>),
    /// A receipt without an answer came.
    Failed,
    /// No receipt in time.
    TimedOut,
}

/// A selection whose reward is not fixed yet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PendingSelection {
    /// Index of the bid's entry.
    pub bid: u64,
    /// The executor.
    pub executor: PublicKey,
    /// The context at the time of choice.
    pub features: [f64; DIMENSION],
    /// Digest of the assignment's statement, once issued.
    pub assignment: Option<Digest>,
    /// Time of the assignment's entry, in milliseconds since 1970.
    pub assigned_ms: u64,
    /// Digest of the receipt's statement, once it came.
    pub receipt: Option<Digest>,
    /// Receipt entry time minus assignment entry time, in milliseconds.
    pub latency_ms: u64,
    /// How far it is.
    pub progress: Progress,
    /// Revealed confidence, in parts per million.
    pub confidence_ppm: u32,
    /// What the checker said.
    pub checker: CheckerVerdict,
    /// Whether another selection took its place.
    pub replaced: bool,
    /// Number of the choice, by which the policy tells its age.
    pub number: u64,
}

impl OpenStep {
    /// The screening score of a bid that made the shortlist.
    pub fn score(&self, bid: u64) -> Option<f64> {
        self.ranking
            .iter()
            .find(|ranked| ranked.bid == bid)
            .map(|ranked| ranked.score)
    }

    /// The price of a bid over the price scale, in parts per million.
    pub fn price_share_ppm(&self, entry: u64) -> u32 {
        self.bid(entry).map_or(0, |bid| bid.price_share_ppm)
    }

    /// The bid of this entry.
    pub fn bid(&self, entry: u64) -> Option<&StepBid> {
        self.bids.iter().find(|bid| bid.entry == entry)
    }

    /// The ranked bids that no selection took yet, best first.
    pub fn remaining(&self) -> impl Iterator<Item = &Ranked> {
        self.ranking.iter().filter(|ranked| {
            self.selections
                .iter()
                .all(|selection| selection.bid != ranked.bid)
        })
    }

    /// Whether nobody is selected yet: the beacon is open for bids, or the draw is to come. Spec: CAP-4.
    pub fn awaits_selection(&self) -> bool {
        !self.closed || self.policy.parameters.kind.uses_chance() && self.seed.is_none()
    }

    /// Whether one executor was asked for: nobody can agree with it, so whoever answers is judged by that alone. Spec: SETTLE-25.
    pub fn is_alone(&self) -> bool {
        self.beacon.executors == 1
    }

    /// Whether every selection has a receipt or failed.
    pub fn executed(&self) -> bool {
        self.selections
            .iter()
            .all(|selection| !matches!(selection.progress, Progress::Picked | Progress::Assigned))
    }

    /// The bids of the ranking, in the order of their entries.
    pub fn ranked(&self) -> impl Iterator<Item = &StepBid> {
        self.bids
            .iter()
            .filter(|bid| self.ranking.iter().any(|ranked| ranked.bid == bid.entry))
    }

    /// Whether a nonce of the ranking is still closed.
    pub fn awaits_openings(&self) -> bool {
        self.ranked().any(|bid| !bid.opened())
    }

    /// Whether a ballot is still closed.
    pub fn awaits_reveals(&self) -> bool {
        self.selections
            .iter()
            .any(|selection| matches!(selection.progress, Progress::Answered(_)))
    }
}
