//! The node as a library: wiring, configuration, command line and demo. The binary `symphony` only calls [`cli::main`].
//!
//! The library exists so that tests can build peers that misbehave from the node's own code ([`runtime::Hooks`]); the
//! release binary has no such switch.

pub mod audit;
pub mod backend;
pub mod cli;
pub mod config;
pub mod demo;
pub mod entropy;
pub mod evidence;
pub mod home;
pub mod render;
pub mod retirement;
pub mod runtime;
pub mod tiles;
