//! Settings of the HTTP server.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// Serving logs over HTTP.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct TilesSettings {
    /// Serves the own log and the followed ones as tlog-tiles here, such as `"127.0.0.1:4793"`; off if absent. All of it is
    /// public; put a caching proxy with TLS before an address that the world reaches.
    pub listen: Option<SocketAddr>,
    /// Connections at the same time, 1 to 4096; more wait to be accepted.
    pub connections_max: u32,
    /// Whether the server answers requests for cosignatures (`POST /add-checkpoint`) of logs that the node stores.
    pub witness: bool,
}

impl Default for TilesSettings {
    fn default() -> Self {
        Self {
            listen: None,
            connections_max: 64,
            witness: true,
        }
    }
}
