//! The running node.
//!
//! Three owners, each a task with a bounded queue:
//! - the *core* owns the [`symphony_coordination::Peer`]: events in, entries to the ledger, and only then effects out;
//! - the *auditor* owns the replays of all followed logs and the verdicts;
//! - the *pump* reads the network's events and hands each to the one that it concerns.
//!
//! The order is fixed: apply → append → sync → signing record → release. Spec: STORE-12.

mod auditor;
mod core;
mod directory;
mod evidence;
mod gathering;
mod hooks;
mod pump;
mod send;
mod settings;
mod start;
mod view;
mod witness;

pub use evidence::EvidenceStore;
pub use hooks::{Boundaries, Boundary, Faithful, Hooks, Outgoing, WrapExecutor};
pub use start::{RunError, StartError, start};
pub use view::{About, NodeHandle, PeerView, Report, Stopped, Verdict};
pub use witness::{Witness, WitnessError};
