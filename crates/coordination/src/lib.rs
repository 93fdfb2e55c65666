//! The live side of a peer: (event, now) → entries and effects.
//!
//! A [`Peer`] holds its own log's replay and proposes the next entries by the same [`symphony_protocol::state::State`]
//! that an auditor folds: an entry is applied first, then handed out to be appended, and only when it is durable may the
//! effects that came with it be carried out. This crate never does I/O, reads a clock or draws entropy. It runs under a
//! simulator as under tokio.
//!
//! Roles: the *coordinator* opens a task, announces steps in beacons, takes bids, closes, assigns, counts and settles
//! (`peer/coordinator/`); the *executor* bids, executes and opens its ballot (`peer/executor/`).
//!
//! Properties: every statement that leaves stands in the own log first; every foreign statement that counts is logged and
//! acknowledged with its index; an answered assignment is never executed or signed twice.
//!
//! Spec: chapters 06, 08, 10 and 18.

pub mod answer;
mod event;
mod peer;
pub mod plan;
mod relays;

pub use event::{
    Chaining, Completion, Effect, Event, Execution, ExecutionOutcome, Output, PlanRequest,
    PlannedBy, Refusal, StepRequest, StoppedBy, TaskEvent, TaskRequest, TaskSettings,
};
pub use peer::{OpenBids, Peer, PeerConfig, Profile, ProposeError};
pub use relays::{Hearing, Relays};
