//! Evidence: every fault is proved by a file, and no file convicts an honest peer. Spec: chapter 16.
#![allow(clippy::unwrap_used, reason = "tests")]

mod challenge;
mod honest;
#[path = "../kit/mod.rs"]
mod kit;
mod made;
mod rules;
mod sizes;
mod wandering;
mod wire;
