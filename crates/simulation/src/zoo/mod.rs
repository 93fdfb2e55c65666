//! The attack zoo: peers that cheat and peers that frame, for tests.
//!
//! A cheat wraps a real peer of the simulation: entries and statements are changed on their way out, chained, signed and
//! checkpointed again with the cheat's own keys. Nothing here is part of a node.

mod cheat;
mod decisions;
mod doctor;
mod entries;
mod framer;
mod statements;
mod table;
mod trial;

pub use self::{
    cheat::{Cheat, Side},
    table::{Outcome, Table, Trial},
    trial::{cheat_scenario, honest_scenario},
};
pub(crate) use self::{
    doctor::{Doctor, Heard, Offence},
    framer::{Framer, Mischief},
};
