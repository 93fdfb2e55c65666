//! Witnessing (C2SP tlog-witness): how a log asks for a cosignature, and what a witness decides.
//!
//! The witness keeps one thing for each log: size and root of the newest checkpoint that it cosigned. [`decide`] is its whole
//! judgement of a request, as a function of what it keeps. Between reading what is kept and storing the new head another
//! request may have come through, so the store step is a compare-and-set: [`Advance::against`] says, given what is kept *at
//! that moment*, what to store, or refuses. Only then may [`Advance::cosign_stored`] be called. Two requests that overlap can
//! thus never roll a witness back, and so make it cosign a fork.
//!
//! A witness checks consistency and nothing else; see [`Cosigner`](crate::Cosigner).
//!
//! Spec: WITNESS-4 to WITNESS-7.

mod decision;
mod head;
mod refusal;
mod request;

pub use decision::{Advance, WitnessView, decide};
pub use head::{HEAD_RECORD_SIZE, HeadRecordError, head_from_record, head_to_record};
pub use refusal::{Malformed, Refusal, SIZE_CONTENT_TYPE, TEXT_CONTENT_TYPE};
pub use request::{ADD_CHECKPOINT_SIZE_MAX, AddCheckpoint};
