//! What is known of one connected peer.

use std::collections::BTreeMap;
use std::time::Duration;

use libp2p::Multiaddr;
use libp2p::swarm::ConnectionId;

use crate::limits::Limits;
use crate::message::Hello;
use crate::quota::TokenBucket;

/// One peer from its first connection to its last.
pub(super) struct Session {
    /// The peer's end of each connection; at most `connections_per_peer_max`.
    pub(super) connections: BTreeMap<ConnectionId, Multiaddr>,
    /// Whether the peer has said hello to us.
    pub(super) has_said_hello: bool,
    /// The peer's hello, once it has answered ours: then it serves our requests.
    pub(super) hello: Option<Hello>,
    /// How often our hello was sent without an answer.
    pub(super) hello_attempts: u32,
    /// Whether an answer to our hello is on its way.
    pub(super) hello_pending: bool,
    /// Whether the peer turned out to be another process than the one that the session began with.
    pub(super) was_restarted: bool,
    /// Whether the peer was asked who else is there.
    pub(super) has_been_asked_for_peers: bool,
    /// What the peer may still ask.
    pub(super) request_bucket: TokenBucket,
    /// What the peer may still forward.
    pub(super) gossip_bucket: TokenBucket,
    /// Requests of the peer that broke the protocol.
    pub(super) faults: u32,
    /// Pings in a row that failed.
    pub(super) pings_failed: u32,
    /// Round-trip time of the newest ping.
    pub(super) round_trip: Option<Duration>,
    /// Requests of the peer that wait for our reply.
    pub(super) replies_pending: usize,
    /// Our requests that wait for the peer's response.
    pub(super) requests_pending: usize,
}

impl Session {
    pub(super) fn new(limits: &Limits, now: Duration) -> Self {
        Self {
            connections: BTreeMap::new(),
            has_said_hello: false,
            hello: None,
            hello_attempts: 0,
            hello_pending: false,
            was_restarted: false,
            has_been_asked_for_peers: false,
            request_bucket: TokenBucket::new(limits.request_quota, now),
            gossip_bucket: TokenBucket::new(limits.gossip_quota, now),
            faults: 0,
            pings_failed: 0,
            round_trip: None,
            replies_pending: 0,
            requests_pending: 0,
        }
    }

    /// Whether the peer's hello is known: it said it, or answered ours with it. The second way matters to a peer that was
    /// restarted, because the other side may still be in the session before and not say hello again.
    pub(super) fn is_known(&self) -> bool {
        self.has_said_hello || self.hello.is_some()
    }
}
