//! What a log measured of peers, and what it counted. Spec: SETTLE-12, SETTLE-13, SETTLE-14, SETTLE-15, SETTLE-22, SETTLE-23.

use crate::{
    number::{normalised, ratio_ppm},
    records::{Params, Policy},
    state::change::{Change, Shown},
    vote::RELIABILITY_START,
};

/// Counts over the whole log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Closes.
    pub closes: u64,
    /// Selections, replacements included.
    pub selections: u64,
    /// Settled selections that taught something.
    pub settlements: u64,
    /// Void settlements.
    pub void_settlements: u64,
    /// Time-outs of receipts.
    pub timeouts: u64,
    /// Selections of the author itself.
    pub self_selections: u64,
    /// Tasks opened.
    pub tasks: u64,
    /// Tasks decided.
    pub tasks_decided: u64,
    /// Draws.
    pub draws: u64,
    /// Openings that were called for and did not come before the draw. Spec: CHANCE-5.
    pub openings_missed: u64,
    /// Sources whose measures are taken in now. Spec: IMPORT-4.
    pub sources: u64,
}

/// What a log measured of one peer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PeerMeasures {
    /// Mean latency, in milliseconds.
    pub latency_ms: f64,
    /// Mean of recent failures, in 0 to 1.
    pub failure: f64,
    /// Selections.
    pub selections: u64,
    /// Settled selections.
    pub settlements: u64,
    /// Time-outs.
    pub timeouts: u64,
}

impl PeerMeasures {
    pub(super) fn start(params: &Params) -> Self {
        Self {
            latency_ms: f64::from(params.latency_start_ms()),
            failure: 0.0,
            selections: 0,
            settlements: 0,
            timeouts: 0,
        }
    }

    pub(super) fn observe_latency(&mut self, params: &Params, latency_ms: u64) {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a latency is far below 2^53 milliseconds; the cast rounds to nearest everywhere"
        )]
        let sample = latency_ms as f64;
        self.latency_ms = moving_mean(self.latency_ms, sample, params.latency_weight_ppm());
    }

    pub(super) fn observe_failure(&mut self, params: &Params, sample: f64) {
        self.failure = moving_mean(self.failure, sample, params.failure_weight_ppm());
    }
}

/// What a log measured of one peer at one kind of step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BucketMeasures {
    /// Settled selections.
    pub settlements: u64,
    /// Settled selections that won.
    pub wins: u64,
    /// Mean of rewards, in 0 to 1; starts at the mean of the Beta prior, which counts as one reward, and becomes a moving
    /// mean once the newest reward would weigh less than the agreed weight.
    pub reputation: f64,
    /// What the test for a change holds; nothing before it ran, and where it does not. Spec: SETTLE-22.
    pub change: Option<Change>,
    /// How probable its answers were, in 0 to 1: what its ballots weigh (VOTE-7).
    pub reliability: f64,
    /// Closes of the log when its newest selection was settled; 0 before that. Spec: SETTLE-14.
    pub settled_at_close: u64,
}

impl BucketMeasures {
    /// A peer that was never settled here: no better than an average one. Spec: SETTLE-14.
    pub fn start(params: &Params) -> Self {
        let success = f64::from(params.prior_success_milli());
        let failure = f64::from(params.prior_failure_milli());
        Self {
            settlements: 0,
            wins: 0,
            reputation: success / (success + failure),
            change: None,
            reliability: RELIABILITY_START,
            settled_at_close: 0,
        }
    }

    /// Expected success: the mean of the Beta posterior, `(1000·wins + s) / (1000·settlements + s + f)`. Spec: SETTLE-14.
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts are far below 2^53; the cast rounds to nearest everywhere"
    )]
    pub fn prior(&self, params: &Params) -> f64 {
        let success = f64::from(params.prior_success_milli());
        let failure = f64::from(params.prior_failure_milli());
        (1000.0 * self.wins as f64 + success)
            / (1000.0 * self.settlements as f64 + (success + failure))
    }

    /// Learns from a settled selection: whether it won, its reward, and the probability of its answer if it gave one.
    /// Returns whether the peer is measured anew. Spec: SETTLE-14, SETTLE-22, SETTLE-23.
    pub(super) fn observe(
        &mut self,
        params: &Params,
        policy: &Policy,
        won: u64,
        reward: f64,
        right: Option<f64>,
    ) -> Shown {
        let mut shown = Shown::Same;
        let mut change = (policy.change_threshold_ppm > 0).then(|| self.change.unwrap_or_default());
        if let Some(change) = &mut change {
            shown = change.observe(policy, reward);
            if shown == Shown::Changed {
                *self = Self::start(params);
            }
        }
        self.change = change;
        self.settlements += 1;
        self.wins += won;
        let weight =
            early_weight(self.settlements).max(ratio_ppm(params.reputation_weight_ppm().into()));
        self.reputation = weighted_mean(self.reputation, reward, weight);
        if let Some(right) = right {
            self.reliability = weighted_mean(self.reliability, right, weight);
        }
        shown
    }
}

/// `1 / (settlements + 1)`: the weight of the newest of so many samples in their plain mean with the start. With the agreed
/// weight alone, a good peer that came later needs tens of settlements to catch up with a mediocre one that came first.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts are far below 2^53; the cast rounds to nearest everywhere"
)]
fn early_weight(settlements: u64) -> f64 {
    1.0 / (settlements as f64 + 1.0)
}

/// `(1 − w)·mean + w·sample`.
fn moving_mean(mean: f64, sample: f64, weight_ppm: u32) -> f64 {
    weighted_mean(mean, sample, ratio_ppm(weight_ppm.into()))
}

fn weighted_mean(mean: f64, sample: f64, weight: f64) -> f64 {
    normalised((1.0 - weight) * mean + weight * sample)
}
