//! Generated protobuf messages of the wire, log and state formats.
//!
//! The schema is the `.proto` files beside this crate: every field is documented there, and `xtask schema` checks
//! the rules of canonical protobuf (`spec/02-canonical-bytes.md`). Domain types are hand-written in
//! `symphony-protocol`; these stay behind `TryFrom` and `From`.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::doc_markdown,
    clippy::derive_partial_eq_without_eq,
    reason = "generated from documented .proto files"
)]

mod generated {
    include!(concat!(env!("OUT_DIR"), "/symphony.rs"));
}

pub use generated::symphony::*;
