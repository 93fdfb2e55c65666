//! How the node drives the network.

use std::sync::Arc;
use std::time::Duration;

use libp2p::{Multiaddr, PeerId};
use tokio::sync::{mpsc, oneshot};

use crate::acceptance::Acceptance;
use crate::command::Command;
use crate::event::{GossipToken, ReplyToken};
use crate::limits::GOSSIP_SIZE_MAX;
use crate::message::{Hello, Request, Response};
use crate::metrics::Metrics;
use crate::names::{NetworkNames, Topic};
use crate::wire;

/// A cheap, cloneable way to the task that owns the network. When the last one is dropped, the network shuts down.
///
/// Every method is cancellation safe in this sense: a dropped future leaves nothing half done in the network, but what
/// was already asked for (a dial, a request) may still happen.
#[derive(Debug, Clone)]
pub struct Handle {
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) shared: Arc<Shared>,
}

/// What never changes while the network runs.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) local_peer_id: PeerId,
    pub(crate) names: NetworkNames,
    pub(crate) request_timeout: Duration,
    pub(crate) metrics: Metrics,
}

/// The network has shut down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the network has shut down")]
pub struct Closed;

/// What is known of a connected peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerStatus {
    /// The peer.
    pub peer: PeerId,
    /// The peer's end of each connection, at most [`crate::Limits::connections_per_peer_max`].
    pub addresses: Vec<Multiaddr>,
    /// Round-trip time of the newest ping, or `None` before the first.
    pub round_trip: Option<Duration>,
    /// What the peer said about itself, or `None` before its hello.
    pub hello: Option<Hello>,
    /// Requests to it that wait for their response.
    pub requests_pending: usize,
    /// Requests to it that wait to be sent.
    pub requests_queued: usize,
}

/// Why a request got no response.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The request is larger than the protocol allows, or a field of it is outside its limits. Nothing was sent.
    #[error("the request does not fit the protocol: {0}")]
    Unencodable(#[source] wire::WireError),
    /// Too many requests wait already. Nothing was sent; try again later.
    #[error("{actual} requests wait already, at most {limit} may")]
    QueueFull {
        /// Most requests that may wait.
        limit: usize,
        /// Requests that wait.
        actual: usize,
    },
    /// The peer is not connected and could not be dialled. Nothing was sent.
    #[error("cannot reach the peer: {reason}")]
    Unreachable {
        /// What the attempts ended with.
        reason: String,
    },
    /// The peer is blocked by this node. Nothing was sent.
    #[error("the peer is blocked")]
    Blocked,
    /// The peer belongs to another network or speaks no version of the protocol that we do. Nothing was understood.
    #[error("the peer does not speak the exchange protocol of this network")]
    OtherProtocol,
    /// No response came in time. The peer may have acted on the request.
    #[error("no response within {0:?}")]
    Timeout(Duration),
    /// The connection or the stream ended before the response was complete. The peer may have acted on the request.
    #[error("the stream ended before the response: {reason}")]
    Interrupted {
        /// What the transport reports.
        reason: String,
    },
    /// The response does not follow the protocol.
    #[error("the response does not follow the protocol: {0}")]
    Malformed(#[source] wire::WireError),
    /// The network has shut down.
    #[error(transparent)]
    Closed(#[from] Closed),
}

/// Why a reply was not sent.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// The request was answered already, took too long, or its connection ended.
    #[error("the request no longer waits for a reply")]
    Expired,
    /// The response is larger than the protocol allows, or a field of it is outside its limits. The peer was told that
    /// this node is busy.
    #[error("the response does not fit the protocol: {0}")]
    Unencodable(#[source] wire::WireError),
    /// The network has shut down.
    #[error(transparent)]
    Closed(#[from] Closed),
}

/// Why a judgement had no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The message was judged already, or ignored because nobody judged it in time.
    #[error("the message no longer waits for a judgement")]
    Expired,
    /// The network has shut down.
    #[error(transparent)]
    Closed(#[from] Closed),
}

/// Why a message was not published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The message is empty or larger than gossip allows.
    #[error("a gossip message has 1 to {limit} bytes, not {actual}")]
    Size {
        /// [`GOSSIP_SIZE_MAX`].
        limit: usize,
        /// Size of the message in bytes.
        actual: usize,
    },
    /// No connected peer listens to the topic. Publish again after the next [`crate::NetworkEvent::PeerSubscribed`].
    #[error("no connected peer listens to the topic")]
    NoPeers,
    /// The same bytes were published, or received, on this topic a short while ago.
    #[error("the message was published already")]
    Duplicate,
    /// Every peer's queue is full; try again later.
    #[error("the queues of all {peers} peers are full")]
    QueuesFull {
        /// How many peers were tried.
        peers: usize,
    },
    /// Gossip failed in a way that it does when its settings are wrong.
    #[error("gossip refused the message: {reason}")]
    Refused {
        /// What gossip reports.
        reason: String,
    },
    /// The network has shut down.
    #[error(transparent)]
    Closed(#[from] Closed),
}

/// Why an address could not be dialled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// Too many dials wait already.
    #[error("at most {limit} dials may wait")]
    TooMany {
        /// Most dials that may wait.
        limit: usize,
    },
    /// No connection came about.
    #[error("cannot connect to {address}: {reason}")]
    Failed {
        /// The address.
        address: Multiaddr,
        /// What the transport reports.
        reason: String,
    },
    /// The network has shut down.
    #[error(transparent)]
    Closed(#[from] Closed),
}

/// Why a peer could not be blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockError {
    /// Too many peers are blocked already.
    #[error("{limit} peers are blocked already")]
    TooMany {
        /// [`crate::limits::BLOCKED_PEERS_MAX`].
        limit: usize,
    },
    /// The network has shut down.
    #[error(transparent)]
    Closed(#[from] Closed),
}

impl Handle {
    /// This node's libp2p name.
    pub fn local_peer_id(&self) -> PeerId {
        self.shared.local_peer_id
    }

    /// The protocol and topic names of this network.
    pub fn names(&self) -> &NetworkNames {
        &self.shared.names
    }

    /// The counters of this network, to be registered where metrics are served.
    pub fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// The addresses that this node listens on, each with `/p2p/<own id>` at its end, ready to be dialled.
    ///
    /// # Errors
    /// [`Closed`].
    pub async fn listen_addresses(&self) -> Result<Vec<Multiaddr>, Closed> {
        self.ask(|answer| Command::ListenAddresses { answer }).await
    }

    /// Every connected peer, in the order of their names.
    ///
    /// # Errors
    /// [`Closed`].
    pub async fn peers(&self) -> Result<Vec<PeerStatus>, Closed> {
        self.ask(|answer| Command::Peers { answer }).await
    }

    /// Connects to an address and waits until the connection stands; gives the peer found there. A `/p2p/<peer id>` at
    /// the end of the address is checked.
    ///
    /// # Errors
    /// [`DialError`].
    pub async fn dial(&self, address: Multiaddr) -> Result<PeerId, DialError> {
        self.ask(|answer| Command::Dial { address, answer }).await?
    }

    /// Remembers an address at which a peer may be reached; at most [`crate::limits::ADDRESSES_PER_PEER_MAX`] are kept
    /// for one peer.
    ///
    /// # Errors
    /// [`Closed`].
    pub async fn add_address(&self, peer: PeerId, address: Multiaddr) -> Result<(), Closed> {
        self.tell(Command::AddAddress { peer, address }).await
    }

    /// Sends a request and waits for the response, for `timeout` at most (and never longer than
    /// [`crate::Limits::request_timeout`]).
    ///
    /// Dials the peer when it is not connected and an address is known. Waits for both sides' hello. A refusal is a
    /// response, not an error.
    ///
    /// # Errors
    /// [`RequestError`]. After [`RequestError::Timeout`] and [`RequestError::Interrupted`] the peer may have acted on the
    /// request all the same.
    pub async fn request(
        &self,
        peer: PeerId,
        request: Request,
        timeout: Duration,
    ) -> Result<Response, RequestError> {
        let timeout = timeout.min(self.shared.request_timeout);
        let bytes = wire::encode_request(request).map_err(RequestError::Unencodable)?;
        let exchange = async {
            let bytes = self
                .ask(|answer| Command::Request {
                    peer,
                    bytes,
                    answer,
                })
                .await??;
            wire::decode_response(&bytes).map_err(RequestError::Malformed)
        };
        match tokio::time::timeout(timeout, exchange).await {
            Ok(result) => result,
            Err(_) => Err(RequestError::Timeout(timeout)),
        }
    }

    /// Answers a request of a peer.
    ///
    /// # Errors
    /// [`ReplyError`].
    pub async fn reply(&self, token: ReplyToken, response: Response) -> Result<(), ReplyError> {
        let encoded = wire::encode_response(response);
        let (bytes, failure) = match encoded {
            Ok(bytes) => (bytes, None),
            Err(error) => (wire::encode_busy("the response was too large"), Some(error)),
        };
        self.ask(|answer| Command::Reply {
            token,
            bytes,
            answer,
        })
        .await??;
        failure.map_or(Ok(()), |error| Err(ReplyError::Unencodable(error)))
    }

    /// Judges a gossip message: only an accepted one is forwarded.
    ///
    /// # Errors
    /// [`ReportError`].
    pub async fn report(
        &self,
        token: GossipToken,
        acceptance: Acceptance,
    ) -> Result<(), ReportError> {
        self.ask(|answer| Command::Report {
            token,
            acceptance,
            answer,
        })
        .await?
    }

    /// Publishes bytes on a topic. They are not handed back to this node.
    ///
    /// # Errors
    /// [`PublishError`].
    pub async fn publish(&self, topic: Topic, data: Vec<u8>) -> Result<(), PublishError> {
        if data.is_empty() || data.len() > GOSSIP_SIZE_MAX {
            return Err(PublishError::Size {
                limit: GOSSIP_SIZE_MAX,
                actual: data.len(),
            });
        }
        self.ask(|answer| Command::Publish {
            topic,
            data,
            answer,
        })
        .await?
    }

    /// Ends every connection with a peer and makes no new one until it is unblocked. Lasts until the network shuts down.
    ///
    /// # Errors
    /// [`BlockError`].
    pub async fn block(&self, peer: PeerId) -> Result<(), BlockError> {
        self.ask(|answer| Command::Block { peer, answer }).await?
    }

    /// Allows connections with a peer again; does nothing when it is not blocked.
    ///
    /// # Errors
    /// [`Closed`].
    pub async fn unblock(&self, peer: PeerId) -> Result<(), Closed> {
        self.tell(Command::Unblock { peer }).await
    }

    /// Takes as much from the gossip score of a connected peer as [`crate::limits::EXPOSED_SCORE`]: what it publishes and
    /// forwards is no longer taken, and nothing is gossiped to it. Lasts for the session.
    ///
    /// # Errors
    /// [`Closed`].
    ///
    /// Spec: NET-36.
    pub async fn punish(&self, peer: PeerId) -> Result<(), Closed> {
        let score = crate::limits::EXPOSED_SCORE;
        self.tell(Command::SetScore { peer, score }).await
    }

    /// Ends every connection with a peer. It may connect again.
    ///
    /// # Errors
    /// [`Closed`].
    pub async fn disconnect(&self, peer: PeerId) -> Result<(), Closed> {
        self.tell(Command::Disconnect { peer }).await
    }

    /// Replaces what this node says about itself (after a rotation of its log key) and says it to every connected peer.
    /// The network id must not change.
    ///
    /// # Errors
    /// [`HelloError`].
    pub async fn set_hello(&self, hello: Hello) -> Result<(), HelloError> {
        let hello = wire::check_hello(hello).map_err(HelloError::Unencodable)?;
        self.ask(|answer| Command::SetHello { hello, answer })
            .await?
    }

    /// Closes every listener and connection and ends the owner task; waits until that is done. The event stream then
    /// ends. A second call does nothing.
    pub async fn shutdown(&self) {
        // An error says that it had shut down before.
        let _ = self.ask(|answer| Command::Shutdown { answer }).await;
    }

    async fn tell(&self, command: Command) -> Result<(), Closed> {
        self.commands.send(command).await.map_err(|_| Closed)
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, Closed> {
        let (answer, answered) = oneshot::channel();
        self.tell(command(answer)).await?;
        answered.await.map_err(|_| Closed)
    }
}

/// Why a new hello was not taken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HelloError {
    /// A field is outside its limits.
    #[error("the hello does not fit the protocol: {0}")]
    Unencodable(#[source] wire::WireError),
    /// The network id differs from the one that the network was started with.
    #[error("the network id cannot change: expected {expected}, actual {actual}")]
    OtherNetwork {
        /// The network id at the start.
        expected: symphony_transparency::Digest,
        /// The network id given.
        actual: symphony_transparency::Digest,
    },
    /// The network has shut down.
    #[error(transparent)]
    Closed(#[from] Closed),
}
