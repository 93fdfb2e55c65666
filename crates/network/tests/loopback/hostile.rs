//! A peer that speaks libp2p and not our rules: it writes frames of its own making.

use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use libp2p::request_response::{
    self, Codec, Event, Message, OutboundFailure, ProtocolSupport, ResponseChannel,
};
use libp2p::swarm::SwarmEvent;
use libp2p::{StreamProtocol, Swarm, SwarmBuilder};
use prost::Message as _;
use symphony_network::{NetworkEvent, NetworkNames, PeerId, RefusalCode, Request, RequestError};
use symphony_proto::exchange::v1 as proto;
use symphony_proto::exchange::v1::request::Body;
use symphony_transparency::Digest;

use crate::support::{NETWORK, Node, bounded, hello, quic, start, start_in, submission};

/// Sends and receives whatever bytes it is given.
#[derive(Debug, Clone, Default)]
struct Bytes;

impl Codec for Bytes {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Vec<u8>> {
        read(io).await
    }

    async fn read_response<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Vec<u8>> {
        read(io).await
    }

    async fn write_request<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()> {
        io.write_all(&bytes).await
    }

    async fn write_response<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()> {
        io.write_all(&bytes).await
    }
}

async fn read<T: AsyncRead + Unpin + Send>(io: &mut T) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io.read_to_end(&mut bytes).await?;
    Ok(bytes)
}

struct Hostile {
    swarm: Swarm<request_response::Behaviour<Bytes>>,
    victim: PeerId,
    /// Requests of the victim, which wait for ever.
    unanswered: Vec<ResponseChannel<Vec<u8>>>,
}

/// What a hostile peer sees.
#[derive(Debug)]
enum Seen {
    Response(Vec<u8>),
    Failure(#[expect(dead_code, reason = "shown when a test fails")] OutboundFailure),
    Disconnected,
}

impl Hostile {
    async fn connected_to(victim: &Node) -> Self {
        let protocol = NetworkNames::new(&NETWORK).exchange_protocol();
        let mut swarm = SwarmBuilder::with_new_identity()
            .with_tokio()
            .with_quic()
            .with_behaviour(|_| {
                request_response::Behaviour::<Bytes>::new(
                    [(protocol, ProtocolSupport::Full)],
                    request_response::Config::default(),
                )
            })
            .unwrap()
            .build();
        swarm.dial(victim.address().await).unwrap();
        bounded("a connection", async {
            while !matches!(
                swarm.select_next_some().await,
                SwarmEvent::ConnectionEstablished { .. }
            ) {}
        })
        .await;
        Self {
            swarm,
            victim: victim.peer(),
            unanswered: Vec::new(),
        }
    }

    /// Sends raw bytes as a request; gives what comes of it. Requests of the victim get no answer.
    async fn send(&mut self, bytes: Vec<u8>) -> Seen {
        let id = self.swarm.behaviour_mut().send_request(&self.victim, bytes);
        bounded("an answer", async {
            loop {
                match self.swarm.select_next_some().await {
                    SwarmEvent::Behaviour(Event::Message {
                        message:
                            Message::Response {
                                request_id,
                                response,
                            },
                        ..
                    }) if request_id == id => return Seen::Response(response),
                    SwarmEvent::Behaviour(Event::OutboundFailure {
                        request_id, error, ..
                    }) if request_id == id => return Seen::Failure(error),
                    SwarmEvent::Behaviour(Event::Message {
                        message: Message::Request { channel, .. },
                        ..
                    }) => self.unanswered.push(channel),
                    SwarmEvent::ConnectionClosed {
                        num_established: 0, ..
                    } => return Seen::Disconnected,
                    _ => {}
                }
            }
        })
        .await
    }
}

fn frame(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u32).to_be_bytes(), message].concat()
}

fn log_status() -> Vec<u8> {
    let body = Body::LogStatus(proto::LogStatusRequest {
        log_id: vec![0; 32],
    });
    proto::Request { body: Some(body) }.encode_to_vec()
}

fn refusal_code(seen: &Seen) -> Option<proto::RefusalCode> {
    let Seen::Response(bytes) = seen else {
        return None;
    };
    let response = proto::Response::decode(&bytes[4..]).unwrap();
    match response.body.unwrap() {
        proto::response::Body::Refused(refused) => Some(refused.code()),
        _ => None,
    }
}

#[tokio::test]
async fn net_14_a_peer_that_has_not_said_hello_is_served_nothing() {
    let victim = start(1, quic()).await;
    let mut hostile = Hostile::connected_to(&victim).await;
    let seen = hostile.send(frame(&log_status())).await;
    assert_eq!(
        refusal_code(&seen),
        Some(proto::RefusalCode::HelloRequired),
        "{seen:?}"
    );
}

#[tokio::test]
async fn net_15_requests_that_are_not_canonical_are_refused_and_end_in_a_block() {
    let mut victim = start(1, quic()).await;
    let mut hostile = Hostile::connected_to(&victim).await;
    let attacker = *hostile.swarm.local_peer_id();
    let with_unknown_field = [log_status().as_slice(), &[0xC0, 0x3E, 0x01]].concat();
    let first = hostile.send(frame(&with_unknown_field)).await;
    assert_eq!(
        refusal_code(&first),
        Some(proto::RefusalCode::Malformed),
        "{first:?}"
    );
    bounded("a block", async {
        while !matches!(
            hostile.send(frame(&with_unknown_field)).await,
            Seen::Disconnected | Seen::Failure(_)
        ) {}
    })
    .await;
    victim.until_disconnected(attacker).await;
    let result = victim.ask(attacker, submission(b"x")).await;
    assert!(matches!(result, Err(RequestError::Blocked)), "{result:?}");
}

#[tokio::test]
async fn net_18_a_frame_that_claims_too_much_is_not_read() {
    let victim = start(1, quic()).await;
    let mut hostile = Hostile::connected_to(&victim).await;
    let mut oversized = (256_u32 * 1024 + 1).to_be_bytes().to_vec();
    oversized.extend_from_slice(&[0; 100]);
    let seen = hostile.send(oversized).await;
    assert_eq!(
        refusal_code(&seen),
        Some(proto::RefusalCode::Malformed),
        "{seen:?}"
    );
    let counted = victim
        .handle
        .metrics()
        .requests_refused(RefusalCode::Malformed);
    assert_eq!(counted, 1);
}

#[tokio::test]
async fn net_13_a_hello_of_another_network_is_refused_and_the_peer_left() {
    let mut victim = start(1, quic()).await;
    let mut hostile = Hostile::connected_to(&victim).await;
    let attacker = *hostile.swarm.local_peer_id();
    let other = hello(9, Digest::from_bytes([0xEE; 32]));
    let body = Body::Hello(proto::Hello {
        network_id: other.network_id.as_bytes().to_vec(),
        params_fingerprint: other.params_fingerprint.as_bytes().to_vec(),
        log_id: other.log_id.as_bytes().to_vec(),
        log_public_key: other.log_public_key.as_bytes().to_vec(),
        genesis_entry: other.genesis_entry,
        software_version: other.software_version,
    });
    let message = proto::Request { body: Some(body) }.encode_to_vec();
    let seen = hostile.send(frame(&message)).await;
    let is_refused = refusal_code(&seen) == Some(proto::RefusalCode::OtherNetwork);
    assert!(
        is_refused || matches!(seen, Seen::Disconnected | Seen::Failure(_)),
        "{seen:?}"
    );
    victim.until_disconnected(attacker).await;
}

#[tokio::test]
async fn net_13_nodes_of_two_networks_cannot_talk() {
    let mut ours = start(1, quic()).await;
    let theirs = start_in(2, Digest::from_bytes([0xB2; 32]), quic()).await;
    let (peer, address) = (theirs.peer(), theirs.address().await);
    ours.handle.add_address(peer, address).await.unwrap();
    let request = Request::LogStatus {
        log_id: Digest::ZERO,
    };
    let result = ours.ask(peer, request).await;
    assert!(
        matches!(
            result,
            Err(RequestError::OtherProtocol | RequestError::Unreachable { .. })
        ),
        "{result:?}"
    );
    // Everything up to the end of the session: no hello among it.
    ours.until("the end of the session", |event| match event {
        NetworkEvent::PeerHello { .. } => panic!("a peer of another network was introduced"),
        NetworkEvent::PeerDisconnected { .. } => Some(()),
        _ => None,
    })
    .await;
}

#[tokio::test]
async fn net_17_a_response_that_is_no_message_is_an_error_of_its_sender() {
    // The hostile peer never answers our hello in form, so it is never introduced and gets no request.
    let mut victim = start(1, quic()).await;
    let mut hostile = Hostile::connected_to(&victim).await;
    let attacker = *hostile.swarm.local_peer_id();
    let answering = async {
        loop {
            match hostile.swarm.select_next_some().await {
                SwarmEvent::Behaviour(Event::Message {
                    message: Message::Request { channel, .. },
                    ..
                }) => {
                    let garbage = frame(&[0xFF; 10]);
                    let sent = hostile
                        .swarm
                        .behaviour_mut()
                        .send_response(channel, garbage);
                    assert!(sent.is_ok());
                }
                SwarmEvent::ConnectionClosed { .. } => return,
                _ => {}
            }
        }
    };
    tokio::join!(
        bounded("the victim to leave", answering),
        victim.until_disconnected(attacker)
    );
}
