//! The soak: nothing that was acknowledged is lost, whatever happens to the process and to its files.
//!
//! Roles: the *writer* is a process that appends as a node does and says what was acknowledged; the *killer* keeps these words
//! in a file of its own, kills the writer (at a random moment, at a boundary of its work, or while it opens), and compares.
//! Rounds of damage change files of a copy; rounds of scarcity take away room on the device, or the right to write.
//!
//! Properties, after every round:
//! - A ledger that opens as good holds every acknowledged entry, bit for bit, or names the one that it cannot read.
//! - A ledger that lost an entry does not open as good: it refuses, or says that it is behind what was signed.
//! - `fsck` finds what was damaged wherever a byte that counts was changed, and the entries that a peer holds heal the log up to
//!   everything that was signed.
//!
//! What this does not show: a device that says that it has synced and has not. A killed process takes nothing with it that it
//! handed to the system; only what a torn or lost write leaves behind is imitated, on the files of a copy.
//!
//! Spec: STORE-8, STORE-10, STORE-11, STORE-12, STORE-14.

mod acknowledged;
mod boundary;
mod counts;
mod damage;
mod healing;
mod inspect;
mod killer;
mod node;
mod numbers;
mod process;
mod scarcity;
mod writer;

pub use boundary::Boundary;
pub use counts::{Counts, Standing};
pub use damage::Damage;
pub use killer::{Soak, SoakSettings};
pub use node::{NodeCounts, kill_nodes};
pub use scarcity::Scarcity;
pub use writer::write_until_killed;
