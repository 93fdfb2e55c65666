//! The admin API of a node: gRPC services over a Unix socket (and TCP with bearer tokens), their client, health, reflection,
//! and metrics over HTTP.
//!
//! The crate decides who may call what ([`Role`]), checks every request against the limits that the schema states, and maps
//! failures to gRPC statuses. It never decides anything about logs, peers or tasks: that is the [`Backend`]'s, which the node
//! implements. It logs neither questions nor answers nor tokens.
//!
//! - [`Listeners`] are bound first, so that a port or socket in use is known before the node starts;
//! - [`AdminServer::serve`] serves a [`Backend`] on them until its shutdown token is cancelled, streams included;
//! - [`AdminClient`] is what the command line uses; any stock gRPC client can do the same (docs/admin-api.md);
//! - [`MetricsServer`] answers `/metrics`, `/livez` and `/readyz`.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use symphony_admin::{AdminClient, LogName};
//!
//! let client = AdminClient::connect_unix("/run/symphony/admin.sock").await?;
//! println!("{} entries", client.log_status(LogName::Own).await?.size);
//! let mut peers = client.peers().await?;
//! while let Some(peer) = peers.message().await? {
//!     println!("{} lags {} entries", peer.transport_id, peer.lag_entries);
//! }
//! # Ok(())
//! # }
//! ```

mod backend;
mod client;
mod error;
mod guard;
mod limits;
mod listen;
mod log_name;
mod metrics;
mod metrics_server;
mod readiness;
mod request;
mod role;
mod server;
mod services;
mod task;
mod token;
pub mod v1;

pub use self::backend::{
    Answer, Backend, ConsistencyQuery, EntryRange, Events, ImportQuery, InclusionQuery,
    SelectionQuery,
};
pub use self::client::{AdminClient, AdminStream, ClientError};
pub use self::error::{BackendError, ErrorKind};
pub use self::limits::{EXPORT_CHUNK_SIZE_MAX, REQUEST_SIZE_MAX, RESPONSE_SIZE_MAX};
pub use self::listen::{ListenError, ListenSettings, Listeners, Reachability, TcpSettings};
pub use self::log_name::LogName;
pub use self::metrics::Metrics;
pub use self::metrics_server::MetricsServer;
pub use self::readiness::{Readiness, ReadinessReceiver};
pub use self::request::RequestError;
pub use self::role::Role;
pub use self::server::{AdminServer, ServeError};
pub use self::task::{Plan, Settings, Step, Task};
pub use self::token::{BearerToken, TokenError, Tokens};
/// What [`Metrics`] are added to and [`MetricsServer`] writes.
pub use prometheus_client::registry::Registry;

/// Compiles the examples of the page for people.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/admin-api.md")]
struct AdminApiPage;
