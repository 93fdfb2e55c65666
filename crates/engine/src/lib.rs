//! The model engine: one model on mistral.rs, in a process of its own, answering one peer over a Unix socket.
//!
//! It loads a local folder, a GGUF file or (only when asked by name) a hub model, computes greedily in F32, and tells
//! how sure the model was. It never samples, never logs a prompt or an answer, and never reaches the network unless a
//! hub model was asked for. A peer supervises it from the outside (`symphony-executor`): a crash ends the process with a
//! non-zero status, and a hang is ended by the supervisor.
//!
//! Spec: `spec/` chapter "Execution and receipts"; the interface is `proto/symphony/engine/v1/engine.proto`.

pub mod arguments;
pub mod description;
pub mod device;
pub mod digest;
pub mod generation;
pub mod model;
pub mod process;
pub mod queue;
pub mod service;
pub mod socket;
pub mod source;
pub mod surprisal;
#[cfg(test)]
#[path = "../tests/engine/temporary.rs"]
mod temporary;

/// Generated messages and gRPC code of `symphony.engine.v1`.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    reason = "generated code; the documentation is in the schema"
)]
pub mod proto {
    tonic::include_proto!("symphony.engine.v1");
}

/// Version that [`proto::DescribeResponse::engine_version`] reports: this program's and the model library's.
pub const ENGINE_VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "+mistralrs-0.8.1");
