//! Votes as they are settled, put back into the order in which they were picked, for an estimate that needs them so.

use std::collections::BTreeMap;

use symphony_protocol::policy::{Context, DIMENSION, LinUcb, PolicyKind, PolicyParameters};

use crate::estimate::{Estimate, OffPolicy};
use crate::vote::{Refusal, WeighedVote};

/// The model of a vote's reward: a small ridge, since votes are few.
const PREDICTOR: PolicyParameters = PolicyParameters {
    lambda_ppm: 50_000,
    ..PolicyParameters::SHARED
};

/// An estimate over the votes of a log, with the model of rewards that it uses.
#[derive(Clone, Debug)]
pub(crate) struct OrderedVotes {
    estimate: OffPolicy,
    refusal: Option<Refusal>,
    /// Number of the next vote that is picked.
    begun: u64,
    /// Number of the next vote that the estimate takes.
    next: u64,
    /// Votes that were settled before an earlier one was: at most as many as the log has open steps. Void ones are nothing.
    waiting: BTreeMap<u64, Option<WeighedVote>>,
    predictor: LinUcb<DIMENSION>,
}

impl OrderedVotes {
    pub(crate) fn new() -> Self {
        Self {
            estimate: OffPolicy::new(),
            refusal: None,
            begun: 0,
            next: 0,
            waiting: BTreeMap::new(),
            predictor: LinUcb::new(&PREDICTOR),
        }
    }

    /// The kind of policy whose contexts the model of rewards sees.
    pub(crate) const CONTEXTS: PolicyKind = PREDICTOR.kind;

    /// The number of a vote whose first picks are made now.
    pub(crate) fn begin(&mut self) -> u64 {
        self.begun += 1;
        self.begun - 1
    }

    /// The reward of a whole vote, in [0, 1], that is expected where somebody with this context is picked.
    pub(crate) fn predict(&self, context: &Context) -> f64 {
        self.predictor
            .assess(&[*context])
            .first()
            .map_or(0.5, |bound| bound.estimate.clamp(0.0, 1.0))
    }

    /// The log says nothing on any target, for this reason; the first reason stays.
    pub(crate) fn refuse(&mut self, refusal: Refusal) {
        self.refusal.get_or_insert(refusal);
    }

    /// A vote is settled; nothing if it is void. `contexts` are those of its picks.
    pub(crate) fn settle(&mut self, number: u64, vote: Option<WeighedVote>, contexts: &[Context]) {
        if let Some(vote) = &vote {
            for context in contexts {
                self.predictor.observe(context, vote.reward);
            }
        }
        self.waiting.insert(number, vote);
        while let Some(vote) = self.waiting.remove(&self.next) {
            self.next += 1;
            if self.refusal.is_none()
                && let Some(vote) = vote
            {
                self.refusal = self.estimate.observe(&vote).err();
            }
        }
    }

    /// The estimate over the votes before the first that is open.
    pub(crate) fn estimate(&self, alpha: f64) -> Result<Estimate, Refusal> {
        match &self.refusal {
            Some(refusal) => Err(refusal.clone()),
            None => self.estimate.estimate(alpha),
        }
    }
}
