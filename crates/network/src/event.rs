//! What the network tells the node.

use libp2p::{Multiaddr, PeerId};
use tokio::sync::mpsc;

use crate::message::{Hello, Request};
use crate::names::Topic;

/// One thing that happened. Events of one peer come in the order in which they happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum NetworkEvent {
    /// The node can be reached at this address.
    ListeningOn {
        /// The address, with the port that the system chose.
        address: Multiaddr,
    },
    /// The node can no longer be reached at this address.
    ListeningEnded {
        /// The address.
        address: Multiaddr,
    },
    /// A dial of every bootstrap address has ended, either way; at once when there is none. Comes once.
    BootstrapTried,
    /// The first connection with a peer was made. It has not said hello yet and may turn out to be of another network.
    PeerConnected {
        /// The peer.
        peer: PeerId,
        /// The peer's end of the connection.
        address: Multiaddr,
    },
    /// The last connection with a peer ended.
    PeerDisconnected {
        /// The peer.
        peer: PeerId,
    },
    /// Both sides have said hello: requests can go both ways. Comes once in each session, and again when the peer's
    /// hello changes. The node checks that the log is the peer's own, and blocks the peer if it is not.
    PeerHello {
        /// The peer.
        peer: PeerId,
        /// What the peer says about itself; its network is ours.
        hello: Hello,
    },
    /// A peer now listens to a topic, so that publishing there reaches it.
    PeerSubscribed {
        /// The peer.
        peer: PeerId,
        /// The topic.
        topic: Topic,
    },
    /// A gossip message. It goes no further until the node judges it with [`crate::Handle::report`].
    Gossip {
        /// Its topic.
        topic: Topic,
        /// The peer that forwarded it, not its author: the author signed the statement inside.
        source: PeerId,
        /// The bytes: 1 to [`crate::limits::GOSSIP_SIZE_MAX`].
        data: Vec<u8>,
        /// Names the message in the report.
        token: GossipToken,
    },
    /// A peer that has said hello asks something. Answer with [`crate::Handle::reply`].
    Request {
        /// The peer that asks.
        peer: PeerId,
        /// What it asks.
        request: Request,
        /// Names the request in the reply.
        reply: ReplyToken,
    },
}

/// Names a gossip message that waits for a judgement. Dropped unused, the message is ignored after
/// [`crate::Limits::validation_timeout`].
#[derive(Debug, PartialEq, Eq)]
pub struct GossipToken(pub(crate) u64);

/// Names a request that waits for a reply. Dropped unused, the peer is told after [`crate::Limits::reply_timeout`] that
/// this node is busy.
#[derive(Debug, PartialEq, Eq)]
pub struct ReplyToken(pub(crate) u64);

/// The events of one network, in order. The network slows down, and then sheds gossip and requests, when nobody reads
/// them.
#[derive(Debug)]
pub struct Events {
    pub(crate) receiver: mpsc::Receiver<NetworkEvent>,
}

impl Events {
    /// The next event, or `None` when the network has shut down.
    ///
    /// Cancellation safe: no event is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<NetworkEvent> {
        self.receiver.recv().await
    }
}
