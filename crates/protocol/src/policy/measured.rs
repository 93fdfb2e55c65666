//! Policies that learn nothing of their own: they go by what the log measured, or by what the operator said.

use super::{Bound, Choice, Context, Rule};
use crate::screening::Candidate;

/// `strongest`, `screening` and `static`. The estimate is the prior; there is no width.
///
/// Spec: SELECT-25.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured;

impl Rule for Measured {
    fn assess(&self, candidates: &[&Candidate], _: &[Context], _: u64) -> Vec<Bound> {
        candidates
            .iter()
            .map(|candidate| Bound::new(crate::number::unit(candidate.prior), 0.0, 0.0))
            .collect()
    }

    fn count(&mut self, _: &Choice) {}

    fn learn(&mut self, _: &Choice, _: f64) {}
}
