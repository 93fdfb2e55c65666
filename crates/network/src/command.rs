//! What handles ask of the owner task. Every command that can fail carries the channel of its answer.

use libp2p::{Multiaddr, PeerId};
use tokio::sync::oneshot::Sender;

use crate::acceptance::Acceptance;
use crate::event::{GossipToken, ReplyToken};
use crate::handle::{
    BlockError, DialError, HelloError, PeerStatus, PublishError, ReplyError, ReportError,
    RequestError,
};
use crate::message::Hello;
use crate::names::Topic;

pub(crate) type ResponseSender = Sender<Result<Vec<u8>, RequestError>>;

/// One command. Bytes are encoded and decoded by the caller's task, not by the owner.
#[derive(Debug)]
pub(crate) enum Command {
    ListenAddresses {
        answer: Sender<Vec<Multiaddr>>,
    },
    Peers {
        answer: Sender<Vec<PeerStatus>>,
    },
    Dial {
        address: Multiaddr,
        answer: Sender<Result<PeerId, DialError>>,
    },
    AddAddress {
        peer: PeerId,
        address: Multiaddr,
    },
    Request {
        peer: PeerId,
        bytes: Vec<u8>,
        answer: ResponseSender,
    },
    Reply {
        token: ReplyToken,
        bytes: Vec<u8>,
        answer: Sender<Result<(), ReplyError>>,
    },
    Report {
        token: GossipToken,
        acceptance: Acceptance,
        answer: Sender<Result<(), ReportError>>,
    },
    Publish {
        topic: Topic,
        data: Vec<u8>,
        answer: Sender<Result<(), PublishError>>,
    },
    Block {
        peer: PeerId,
        answer: Sender<Result<(), BlockError>>,
    },
    Unblock {
        peer: PeerId,
    },
    Disconnect {
        peer: PeerId,
    },
    SetScore {
        peer: PeerId,
        score: f64,
    },
    SetHello {
        hello: Hello,
        answer: Sender<Result<(), HelloError>>,
    },
    Shutdown {
        answer: Sender<()>,
    },
}
