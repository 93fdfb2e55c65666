//! One linear model for all peers.

use super::{Bound, Choice, Context, DIMENSION, PolicyParameters, Ridge, Rule};
use crate::screening::Candidate;

/// `shared` and `paper`: peers differ in their contexts alone. Reference: Symphony-Coord (arXiv 2602.00966), stage 2.
///
/// Spec: SELECT-12.
#[derive(Clone, Debug, PartialEq)]
pub struct Shared {
    /// The model.
    pub ridge: Ridge<DIMENSION>,
}

impl Shared {
    /// The policy that has seen nothing.
    pub fn new(parameters: &PolicyParameters) -> Self {
        Self {
            ridge: Ridge::new(parameters),
        }
    }
}

impl Rule for Shared {
    fn assess(&self, _: &[&Candidate], contexts: &[Context], now: u64) -> Vec<Bound> {
        self.ridge.assess(contexts, now)
    }

    fn count(&mut self, choice: &Choice) {
        self.ridge.observe_choice(&choice.context, choice.number);
    }

    fn take_back(&mut self, choice: &Choice) {
        self.ridge.forget_choice(&choice.context, choice.number);
    }

    fn learn(&mut self, choice: &Choice, reward: f64) {
        self.ridge
            .observe_reward(&choice.context, choice.number, reward);
    }
}
