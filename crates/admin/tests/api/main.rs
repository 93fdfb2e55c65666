//! The admin API over real sockets, with a backend of the tests' own.
#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod backend;
mod calls;
mod ends;
mod harness;
mod limits;
mod probes;
mod roles;
mod socket;
mod strangers;
