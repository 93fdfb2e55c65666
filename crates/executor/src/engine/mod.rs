//! mistral.rs in the supervised process `symphony-engine`.

mod config;
mod launch;
mod process;
mod session;

pub use config::{EngineDevice, EngineModel, EngineProcessConfig};
pub use process::EngineProcess;
