//! The network of a Symphony peer: libp2p under a small interface that carries bytes.
//!
//! **What it decides:** who may connect, how much a peer may send and ask, and which bytes are well framed and canonical.
//! **What it never does:** read a statement, judge a log, or choose what to say; that is the node's part, through
//! [`Handle`] and [`Events`].
//!
//! # Roles
//!
//! - One *owner task* holds the swarm and every table. It talks to the node over two bounded channels.
//! - A [`Handle`] sends commands to it. It can be cloned; each method waits for its own answer.
//! - [`Events`] gives what happened, in order.
//!
//! # Rules per event
//!
//! | event | rule |
//! |---|---|
//! | a connection is made | both sides send a [`Hello`]; one of another network ends the connection (NET-12, NET-13) |
//! | a request before the sender's hello | refused, `hello_required` (NET-14) |
//! | a request over the sender's quota | refused, `rate_limited` (NET-16) |
//! | a request that is not canonical or breaks a limit | refused, `malformed`; eight of them block the peer (NET-15) |
//! | a request | handed to the node as [`NetworkEvent::Request`]; unanswered, it is refused as `busy` (NET-19) |
//! | a gossip message | handed to the node as [`NetworkEvent::Gossip`] and forwarded only when accepted ([`acceptance`]) |
//!
//! # Properties, and why they hold
//!
//! - *Memory is bounded.* Every queue and table has a limit in [`limits`]; inbound requests share one memory budget that
//!   grows only with bytes that arrived; when the node reads no events, gossip is ignored, then requests are refused, then
//!   nothing more is read from the network.
//! - *Networks do not mix.* Every protocol name and topic carries the network id ([`NetworkNames`]), and the hello repeats
//!   it in full.
//! - *A forwarder is punished only for what it could have known.* See [`acceptance`].
//!
//! Spec: chapter 14 (`spec/14-network.md`).
//!
//! ```no_run
//! use symphony_network::{Acceptance, Hello, Network, NetworkConfig, NetworkEvent, Refusal, RefusalCode, Response, TransportSecret};
//!
//! # async fn example(hello: Hello) -> Result<(), Box<dyn std::error::Error>> {
//! let secret = TransportSecret::from_bytes([7; 32]); // a real peer takes them from its key file
//! let (handle, mut events) = Network::start(NetworkConfig::default(), &secret, hello).await?;
//! while let Some(event) = events.next().await {
//!     match event {
//!         NetworkEvent::Gossip { token, .. } => handle.report(token, Acceptance::Accept).await?,
//!         NetworkEvent::Request { reply, .. } => {
//!             let refusal = Refusal::new(RefusalCode::NotOffered, "this example serves nothing");
//!             handle.reply(reply, Response::Refused(refusal)).await?;
//!         }
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```

pub mod acceptance;
mod behaviour;
mod blocklist;
mod command;
mod config;
mod driver;
mod event;
pub mod follow;
mod gossip;
mod handle;
mod identity;
pub mod limits;
mod message;
mod metrics;
mod names;
mod pending;
mod queue;
mod quota;
mod start;
mod wire;

pub use acceptance::{Acceptance, IgnoreReason, RejectReason};
pub use config::{ConfigError, KademliaMode, MdnsMode, NetworkConfig};
pub use event::{Events, GossipToken, NetworkEvent, ReplyToken};
pub use handle::{
    BlockError, Closed, DialError, Handle, HelloError, PeerStatus, PublishError, ReplyError,
    ReportError, RequestError,
};
pub use identity::{TransportSecret, peer_id_of_transport_key, transport_key_of_peer_id};
pub use libp2p::{Multiaddr, PeerId};
pub use limits::{Limits, Quota};
pub use message::{
    AnsweredEntry, Hello, LogRange, PrivatePayload, Refusal, RefusalCode, Request, Response,
    SubmitStatement,
};
pub use metrics::Metrics;
pub use names::{NetworkNames, Topic};
pub use start::{Network, StartError};
pub use wire::WireError;
