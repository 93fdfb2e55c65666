//! Every bound of the network crate that a peer could otherwise push against, each with its reason.

use std::time::Duration;

/// Largest gossip message in bytes: the largest statement. Bodies are pulled, not gossiped. Spec: NET-32.
pub const GOSSIP_SIZE_MAX: usize = 64 * 1024;

/// Wait before a bootstrap address is dialled again for the first time; it doubles up to
/// [`crate::NetworkConfig::redial_interval`]. Spec: NET-5.
pub const REDIAL_WAIT_MIN: Duration = Duration::from_millis(100);

/// Gossip score that the application gives an exposed peer: below the threshold at which a peer's messages are not even
/// read, and nothing that a peer can earn makes up for it. Spec: NET-36.
pub const EXPOSED_SCORE: f64 = -1_000.0;

/// Largest evidence file in bytes that the exchange carries, as in gossip; which files are evidence is for the node to say.
/// Spec: NET-29.
pub const EVIDENCE_SIZE_MAX: usize = GOSSIP_SIZE_MAX;

/// Most evidence files that one answer lists: a few hundred liars in a network are no longer a network. Spec: NET-29.
pub const EVIDENCE_LIST_MAX: usize = 1024;

/// Largest request in bytes, frame header excluded: one statement, one private payload and their protobuf framing.
/// Spec: NET-20.
pub const REQUEST_SIZE_MAX: usize = 256 * 1024;

/// Largest response in bytes, frame header excluded: a useful range of log entries without holding a stream for long.
/// Spec: NET-21.
pub const RESPONSE_SIZE_MAX: usize = 1024 * 1024;

/// Largest private payload of a submitted statement in bytes; with the largest statement it stays below
/// [`REQUEST_SIZE_MAX`]. Spec: NET-22.
pub const PRIVATE_PAYLOAD_SIZE_MAX: usize = 160 * 1024;

/// Largest entry 0 in a hello, in bytes: three keys, two signatures and a proof of work are well below 1 KiB.
/// Spec: NET-12.
pub const GENESIS_ENTRY_SIZE_MAX: usize = 4 * 1024;

/// Longest name of a software version in bytes. Spec: NET-12.
pub const SOFTWARE_VERSION_SIZE_MAX: usize = 128;

/// Longest checkpoint note in bytes: what a reader of checkpoints takes.
/// Spec: NET-23.
pub const CHECKPOINT_SIZE_MAX: usize = symphony_transparency::CHECKPOINT_SIZE_MAX;

/// Most entries that one response carries, whatever their size: bounds the allocations of a decoder. Spec: NET-24.
pub const RANGE_COUNT_MAX: u32 = 4096;

/// Most bytes of entries that one response carries: [`RESPONSE_SIZE_MAX`] less room for framing. Spec: NET-24.
pub const RANGE_SIZE_MAX: u32 = 960 * 1024;

/// Largest challenge in bytes: a statement with a bare checkpoint in it. Spec: NET-38.
pub const CHALLENGE_SIZE_MAX: usize = 2 * 1024;

/// Most entries that one challenge asks for. Spec: EVIDENCE-14, NET-38.
pub const ANSWERED_ENTRIES_MAX: usize = 32;

/// Most nodes of a Merkle proof: two paths of a tree with 2^64 leaves. Spec: NET-26.
pub const PROOF_NODES_MAX: usize = 128;

/// Longest text of a refusal in bytes. Spec: NET-27.
pub const REFUSAL_MESSAGE_SIZE_MAX: usize = 256;

/// Most addresses that are remembered or dialled for one peer: a peer may claim any number. Spec: NET-5.
pub const ADDRESSES_PER_PEER_MAX: usize = 8;

/// Most bootstrap, listen and external addresses in a configuration: more is a mistake, not a network.
pub const CONFIGURED_ADDRESSES_MAX: usize = 64;

/// Most peers that are blocked at once. A node that blocks more is under an attack that blocking does not stop.
pub const BLOCKED_PEERS_MAX: usize = 4096;

/// Commands that wait for the owner task; a sender then waits, which is the back-pressure on our own node.
pub(crate) const COMMANDS_MAX: usize = 256;

/// Events that wait between the owner task and the node.
pub(crate) const EVENTS_MAX: usize = 64;

/// Events that may wait inside the owner task before gossip is ignored and requests are refused as busy.
pub(crate) const OUTBOX_DROPPABLE_MAX: usize = 512;

/// Events that may wait inside the owner task before it stops reading from the network at all.
pub(crate) const OUTBOX_MAX: usize = 1024;

/// Dials that a node waits for at once.
pub(crate) const DIALS_MAX: usize = 64;

/// Faulty requests on one session after which the peer is blocked for [`FAULTY_PEER_BLOCK`]: version skew makes one or
/// two, an attack makes many.
pub(crate) const FAULTS_PER_SESSION_MAX: u32 = 8;

/// How long a peer that sent too many faulty requests is blocked.
pub(crate) const FAULTY_PEER_BLOCK: Duration = Duration::from_secs(600);

/// How long a peer of another network is not dialled again: it may come back on ours after a restart.
pub(crate) const OTHER_NETWORK_BLOCK: Duration = Duration::from_secs(60);

/// Below this number of connected peers, peers found by mDNS and Kademlia are dialled.
pub(crate) const DISCOVERY_PEERS_TARGET: usize = 24;

/// Piece in which a message is read, so that memory follows the bytes that arrived, not the length that was claimed.
pub(crate) const READ_PIECE_SIZE: usize = 16 * 1024;

/// The limits that an operator may set. The defaults suit a laptop with a few dozen peers; nothing here can change a
/// verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once, in both directions. Default 128.
    pub connections_max: u32,
    /// Inbound connections at once; below `connections_max`, so that strangers cannot use up what we need to dial out.
    /// Default 96.
    pub connections_incoming_max: u32,
    /// Connections with one peer at once. Two peers that dial each other at the same moment over two transports make
    /// up to four. Default 4.
    pub connections_per_peer_max: u32,
    /// Connections that are being set up, in each direction. Default 32.
    pub connections_pending_max: u32,
    /// How long a connection without any open stream is kept. Default 5 minutes.
    pub idle_connection_timeout: Duration,
    /// How long a request may take from its first byte to the last byte of its response, on both sides; also the
    /// longest timeout of [`crate::Handle::request`]. Default 30 s.
    pub request_timeout: Duration,
    /// How long the node may take to answer a request before the peer is told that it is busy; at most
    /// `request_timeout`. Default 10 s.
    pub reply_timeout: Duration,
    /// How long the node may take to judge a gossip message before it is ignored. At most 8 s, because messages leave
    /// the cache from which they would be forwarded soon after. Default 5 s.
    pub validation_timeout: Duration,
    /// Gossip messages that wait for a judgement at once. Default 1,024.
    pub validations_pending_max: usize,
    /// Inbound requests that wait for a reply at once, from all peers. Default 512.
    pub replies_pending_max: usize,
    /// Inbound requests that wait for a reply at once, from one peer. Default 32.
    pub replies_pending_per_peer_max: usize,
    /// Outbound requests that wait for a response at once, to all peers. Default 256.
    pub requests_pending_max: usize,
    /// Outbound requests that wait for a response at once, to one peer. At most the other side's
    /// `replies_pending_per_peer_max`, or it refuses some. Default 32.
    pub requests_pending_per_peer_max: usize,
    /// Outbound requests that wait to be sent, to all peers. Default 2,048.
    pub requests_queued_max: usize,
    /// Outbound requests that wait to be sent, to one peer. Default 256.
    pub requests_queued_per_peer_max: usize,
    /// What one peer may ask. Default: 100 a second, bursts of 400; a range of log entries counts as four.
    pub request_quota: Quota,
    /// What one peer may forward in gossip. Default: 100 a second, bursts of 1,000.
    pub gossip_quota: Quota,
    /// Memory that requests from all peers may hold until they are answered, in bytes. Default 64 MiB.
    pub inbound_memory_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 128,
            connections_incoming_max: 96,
            connections_per_peer_max: 4,
            connections_pending_max: 32,
            idle_connection_timeout: Duration::from_secs(300),
            request_timeout: Duration::from_secs(30),
            reply_timeout: Duration::from_secs(10),
            validation_timeout: Duration::from_secs(5),
            validations_pending_max: 1024,
            replies_pending_max: 512,
            replies_pending_per_peer_max: 32,
            requests_pending_max: 256,
            requests_pending_per_peer_max: 32,
            requests_queued_max: 2048,
            requests_queued_per_peer_max: 256,
            request_quota: Quota {
                burst: 400,
                per_second: 100,
            },
            gossip_quota: Quota {
                burst: 1000,
                per_second: 100,
            },
            inbound_memory_max: 64 * 1024 * 1024,
        }
    }
}

/// How much a peer may do: a bucket of `burst` tokens that fills by `per_second`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Tokens that a full bucket holds; at least 1.
    pub burst: u32,
    /// Tokens that return each second; at least 1.
    pub per_second: u32,
}
