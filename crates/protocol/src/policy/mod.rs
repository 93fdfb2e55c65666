//! Stage 2: the policy picks the executors, and learns from what came of it.
//!
//! Every policy stands behind one interface: [`Rule`] judges candidates and learns, [`Model`] holds one of the closed set of
//! rules with its counts, and [`pick`] takes executors one after another. Which rule it is, and its numbers, stand in the
//! log's policy entry ([`PolicyParameters`]).
//!
//! | kind | learns | |
//! |---|---|---|
//! | `shared` | one linear model for all peers | contexts `x/√6`; a choice counts at once, its reward at settlement |
//! | `paper` | the same | contexts `x/‖x‖` above length 1; both at settlement (arXiv 2602.00966) |
//! | `disjoint` | a model for each peer | Li et al. 2010, Algorithm 1 |
//! | `hybrid` | a shared model, and a small one for each peer | Li et al. 2010, Algorithm 2 |
//! | `strongest`, `screening`, `static` | nothing | highest prior; first of the ranking; the peer that the operator named |
//!
//! That a choice counts at once keeps choices whose outcome is open from being made again and again on the same stale bound.
//! A discount makes a linear model forget ([`Discounted`]), and a limit makes it stop learning.
//!
//! Spec: SELECT-12 to SELECT-27.

mod bound;
mod chance;
mod choose;
mod discounted;
mod disjoint;
mod features;
mod hybrid;
mod linucb;
mod matrix;
mod measured;
mod model;
mod parameters;
mod parts;
mod pick;
mod ridge;
mod rule;
mod shared;

pub use bound::{Bound, LinearError};
pub use choose::Chosen;
pub use discounted::Discounted;
pub use disjoint::Disjoint;
pub use features::{Context, DIMENSION, features};
pub use hybrid::{Hybrid, HybridPeer, OWN_DIMENSION};
pub use linucb::{Downdate, LinUcb};
pub use matrix::triangle_length;
pub use measured::Measured;
pub use model::{Learned, Model};
pub use parameters::{PolicyKind, PolicyParameterError, PolicyParameters};
pub use parts::Parts;
pub use pick::{NewcomerRule, Pick, PickRules, Picked, eligible_for, pick, pick_next};
pub use ridge::Ridge;
pub use rule::{Choice, Rule};
pub use shared::Shared;
