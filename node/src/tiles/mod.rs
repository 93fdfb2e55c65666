//! Logs for standard tools: as static files for any web server, and over HTTP from a running node.
//!
//! - [`publish`] writes an exported log as the files of C2SP tlog-tiles;
//! - [`cosign`] asks witnesses to cosign what was published;
//! - [`TileServer`] serves the node's own log and those that it follows, and answers requests for cosignatures.
//!
//! Nothing here judges a log: a reader checks what it is given against the author's signature. Spec: TILE-1 to TILE-7.

mod cosign;
mod folder;
mod publish;
mod server;
mod settings;

pub use cosign::{AskError, Asked, CosignError, cosign};
pub use publish::{Phase, PublishError, Published, publish};
pub use server::{BindError, Served, TileServer};
pub use settings::TilesSettings;
