//! Home folders, processes, ports, questions and exports: what the tests over real processes share.

mod ask;
mod export;
mod network;
mod peer;
mod ports;
mod programs;
mod stranger;
mod wait;

pub(crate) use ask::{ask, ask_step, ask_within, sum_question, sum_step};
pub(crate) use export::{audit, audit_with, entries, read_export, write_export};
pub(crate) use network::{Network, Role};
pub(crate) use peer::Peer;
pub(crate) use ports::free_port;
pub(crate) use programs::{Program, engine, models, scripted, symphony};
pub(crate) use stranger::Stranger;
pub(crate) use wait::{TIME_MAX, until};
