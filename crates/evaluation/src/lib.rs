//! What a replayed log says about a policy that was not in force: its value, with an interval that holds.
//!
//! Whoever holds the log of a policy with chance holds, for every selection, what was picked with which probability, and what
//! came of it. So a stranger can estimate what another policy would have earned in the same votes.
//!
//! This crate computes; it decides nothing, and no rule of the protocol depends on it. It never reads a file, a clock or
//! entropy. Method and meaning of every number: `docs/evaluation.md`.

mod estimate;
mod number;
mod sequence;
mod vote;

pub use estimate::{Estimate, LEAST_NEGATIVE, OffPolicy};
pub use sequence::{ConfidenceSequence, Interval, LowerBound};
pub use vote::{Refusal, Support, WeighedPick, WeighedVote};
