//! Claims about estimates, checked where the truth is known.

mod coverage;
mod refusals;
mod world;
