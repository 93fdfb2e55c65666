//! Stage 2: the policy picks the executors, and learns from what came of it.
//!
//! LinUCB: one linear model, shared by all peers, from a context of six numbers to the expected reward, with an upper
//! confidence bound on what it does not know yet. Reference: Symphony-Coord (arXiv 2602.00966), stage 2.
//!
//! Two kinds differ in the context's scale and in when the model counts a choice:
//! - [`PolicyKind::Shared`]: `x/√6`; a choice widens the design matrix A at once, its reward enters b at settlement. So
//!   choices whose outcome is still open are not made again and again on the same stale bound.
//! - [`PolicyKind::Paper`]: `x/‖x‖` above length 1 (with an intercept: always); A and b both at settlement.
//!
//! Spec: SELECT-12 to SELECT-20.

mod chance;
mod draw;
mod features;
mod linucb;
mod parameters;
mod pick;

pub use draw::pick_by_chance;
pub use features::{Context, DIMENSION, features};
pub use linucb::{Choice, Downdate, LinUcb, LinUcbError, TRIANGLE_LENGTH};
pub use parameters::{PolicyKind, PolicyParameterError, PolicyParameters};
pub use pick::{NewcomerRule, Pick, PickRules, Picked, pick, pick_next, select};
