//! Evidence in a running node: what it keeps, what it passes on, and what it verifies for whom.
//!
//! | event | rule |
//! |---|---|
//! | the auditor finds a fault that the author's signature covers | a file is made, kept and gossiped (NET-37) |
//! | a file by gossip | size, whether it is known, the forwarder's budget; then it is verified; only what proves a fault is passed on |
//! | a session begins | the other's list is asked for, and what is unknown is fetched and verified (NET-29) |
//! | a file that proves a fault | kept; its peer is exposed: no work, no gossip of it |
//! | a file about a peer of which no log is held | kept while there is room, and not passed on |

mod budget;
mod fetch;
mod store;

pub(super) use budget::Budget;
pub(super) use fetch::fetch;
pub use store::EvidenceStore;
pub(super) use store::{Inserted, Insertion};
