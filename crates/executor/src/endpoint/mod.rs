//! Any server that speaks the OpenAI chat interface.

mod client;
mod config;
mod key;
mod wire;

pub use client::OpenAiEndpoint;
pub use config::{Logprobs, OpenAiEndpointConfig};
