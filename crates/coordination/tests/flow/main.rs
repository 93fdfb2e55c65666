//! From a task to its answer among peers that are busy, fail, plan, are given up or run out of time.
#![allow(clippy::unwrap_used, reason = "tests")]

mod chain;
mod doubles;
mod offers;
mod planning;
mod redispatch;
mod sources;
mod stopping;
mod world;
