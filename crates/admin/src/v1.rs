//! The generated messages, services and clients of `symphony.admin.v1`; every field is documented in the schema.
#![allow(
    missing_docs,
    unreachable_pub,
    rustdoc::all,
    clippy::all,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    reason = "generated from a documented .proto file"
)]

tonic::include_proto!("symphony.admin.v1");

pub use symphony_proto::log::v1::{AnswerCheck, OutcomeClass, Phase};
pub use symphony_proto::params::v1::{NamedPeer, Params, Policy, PolicyKind, VoteRule};
pub use symphony_proto::statement::v1::{AnswerForm, Device, Reach, ResultClass};

/// The encoded descriptors of the API and of everything it imports, for reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/admin.descriptors"));
