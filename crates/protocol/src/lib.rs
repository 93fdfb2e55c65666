//! Records, params, screening, policies, vote, reward, [`state::State::apply`] and faults: all that an auditor needs.
//!
//! This crate decides and audits with the same code. It never does I/O, reads a clock or draws entropy: bytes and times are
//! arguments. Spec: chapters 05 to 13, and 16.
//!
//! Arrows between modules: `chance` ← `records` ← `screening`, `policy`, `vote`, `reward` ← `state` ← `replay`, `cross_check`, `roles` ← `evidence`.

pub mod chance;
pub mod cross_check;
pub mod embedding;
pub mod evidence;
mod fault;
pub mod map;
pub mod matching;
pub mod number;
pub mod policy;
mod prepared;
pub mod records;
pub mod replay;
pub mod reward;
pub mod roles;
pub mod screening;
pub mod state;
pub mod vote;

pub use fault::{Fault, Rule};
pub use prepared::PreparedEntry;
