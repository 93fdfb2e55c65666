//! Inputs: what arrived, and what the author said. Each handler checks before it changes anything.
//!
//! What an entry shows by itself was checked before ([`State::check_alone`](super::State::check_alone)).

mod announcement;
mod bids;
mod capabilities;
mod deadlines;
mod execution;
mod openings;
mod reveals;

pub use announcement::OPEN_TASKS_MAX;
