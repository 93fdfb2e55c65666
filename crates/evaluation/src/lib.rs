//! What a replayed log says about choices that were not made.
//!
//! Whoever holds a log holds, for every selection, all candidates with their contexts, what was picked with which probability,
//! and what came of it. So a stranger can ask three things: what another policy would have picked, what that would have been
//! worth, with an interval that holds, and what would have flipped a choice.
//!
//! This crate computes; it decides nothing, and no rule of the protocol depends on it. It never reads a file, a clock or
//! entropy. Method and meaning of every number: `docs/evaluation.md`.

mod agreement;
mod counterfactual;
mod estimate;
mod explain;
mod number;
mod ordered;
mod sequence;
mod target;
mod vote;

pub use agreement::{Agreement, Compared, Picks};
pub use counterfactual::{Counterfactual, Learning};
pub use estimate::{Estimate, LEAST_NEGATIVE, OffPolicy};
pub use explain::{Feature, Flip, Shares, flips, picked, runner_up, shares};
pub use sequence::{ConfidenceSequence, Interval, LowerBound};
pub use vote::{Refusal, Support, WeighedPick, WeighedVote};
