//! Who answers: everything behind which a model can stand, under one trait.
//!
//! An [`Executor`] takes one [`Request`] and gives one [`Outcome`] before the request's deadline, or says why not.
//! Three kinds exist:
//!
//! - [`EngineProcess`]: mistral.rs in the supervised process `symphony-engine`, on a local folder, a GGUF file or a hub id;
//! - [`OpenAiEndpoint`]: any server that speaks the OpenAI chat interface (vLLM, llama.cpp, Ollama, a paid service);
//! - [`ExternalCommand`]: any program that reads and writes one JSON object a line.
//!
//! The crate never decides what an answer is worth, never extracts it from the text, and never logs a prompt or an answer.
//! Waiting is bounded in number and in time everywhere; a program that crashes or hangs is started anew with growing pauses.
//!
//! Spec: chapter "Execution and receipts".
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use symphony_executor::{ExecutorConfig, Message, Request, Role, Stage};
//!
//! let config: ExecutorConfig = serde_json::from_str(
//!     r#"{ "kind": "open_ai", "base_url": "http://localhost:11434/v1", "model": "qwen3:0.6b" }"#,
//! )?;
//! let executor = config.build()?;
//! let question = Message { role: Role::User, content: "not True and False is".to_owned() };
//! let request = Request {
//!     id: "1".to_owned(),
//!     stage: Stage::Execute,
//!     messages: vec![question],
//!     max_tokens: 256,
//!     deadline: Duration::from_secs(30),
//! };
//! let outcome = executor.execute(request).await?;
//! println!("{} tokens in {} ms", outcome.output_tokens, outcome.duration_ms);
//! # Ok(())
//! # }
//! ```

mod backoff;
mod command;
mod config;
mod description;
mod endpoint;
mod engine;
mod error;
mod executor;
mod limits;
mod lines;
mod outcome;
mod request;
mod stage;
mod supervisor;

pub use command::{ExternalCommand, ExternalCommandConfig};
pub use config::{BuildError, ExecutorConfig};
pub use description::{
    Description, DigestBasis, ExecutorKind, MODEL_CLAIM_CONTEXT, ModelDigest, ParseModelDigestError,
};
pub use endpoint::{Logprobs, OpenAiEndpoint, OpenAiEndpointConfig};
pub use engine::{EngineDevice, EngineModel, EngineProcess, EngineProcessConfig};
pub use error::ExecuteError;
pub use executor::{Executor, Health};
pub use outcome::{CONFIDENCE_UNKNOWN_PPM, Finish, Outcome};
pub use request::{Message, Request, Role};
pub use stage::Stage;
pub use supervisor::SupervisionConfig;

/// Generated messages and client of `symphony.engine.v1`; never part of a public signature.
#[allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::all,
    reason = "generated code; the documentation is in the schema"
)]
mod proto {
    include!(concat!(env!("OUT_DIR"), "/client/symphony.engine.v1.rs"));
}
