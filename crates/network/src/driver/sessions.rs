//! Connections, hellos, and blocks.

use std::time::Duration;

use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError as SwarmDialError};
use libp2p::{Multiaddr, PeerId, ping};

use super::Driver;
use super::exchange::PendingRequest;
use super::session::Session;
use crate::event::NetworkEvent;
use crate::handle::{DialError, RequestError};
use crate::limits::{FAULTS_PER_SESSION_MAX, FAULTY_PEER_BLOCK, OTHER_NETWORK_BLOCK};
use crate::message::{Hello, Response};
use crate::wire::{self, Answer, RequestFrame};

/// How often a hello is sent on one session before the peer is given up: a connection may end under it when two were
/// made at once.
const HELLO_ATTEMPTS_MAX: u32 = 3;

/// Pings in a row that may fail before a connection is closed.
const PINGS_FAILED_MAX: u32 = 3;

/// What follows from a hello.
pub(super) enum HelloHeard {
    /// These bytes are the answer.
    Answer(Vec<u8>),
    /// The peer belongs elsewhere.
    OtherNetwork,
    /// Nothing: the session has ended, and with it the stream.
    SessionOver,
}

impl Driver {
    pub(super) fn on_connection_established(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        address: Multiaddr,
    ) {
        self.note_bootstrap_connection(connection, peer);
        if let Some(dial) = self.dials.remove(&connection) {
            // The handle may have given up waiting.
            let _ = dial.answer.send(Ok(peer));
        }
        let now = self.now();
        let is_new = !self.sessions.contains_key(&peer);
        self.sessions
            .entry(peer)
            .or_insert_with(|| Session::new(&self.config.limits, now))
            .connections
            .insert(connection, address.clone());
        if is_new {
            tracing::debug!(%peer, %address, "connected");
            self.emit(NetworkEvent::PeerConnected { peer, address });
            self.count_peers();
            self.say_hello(peer);
        }
    }

    pub(super) fn on_connection_closed(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        connections_left: u32,
    ) {
        if connections_left > 0 {
            if let Some(session) = self.sessions.get_mut(&peer) {
                session.connections.remove(&connection);
            }
            return;
        }
        let Some(session) = self.sessions.remove(&peer) else {
            return;
        };
        tracing::debug!(%peer, "disconnected");
        self.replies.retain(|reply| reply.peer != peer);
        self.fail_queued_requests(&peer, "the connection ended before the hellos");
        self.emit(NetworkEvent::PeerDisconnected { peer });
        self.count_peers();
        self.note_bootstrap_loss(peer);
        if session.was_restarted
            && let Err(error) = self.dial_peer(peer)
        {
            tracing::debug!(%peer, %error, "not dialling a peer that was restarted");
        }
    }

    pub(super) fn on_dial_failed(
        &mut self,
        connection: ConnectionId,
        peer: Option<PeerId>,
        error: &SwarmDialError,
    ) {
        self.shared.metrics.count_failed_dial();
        self.note_bootstrap_failure(connection, error);
        let reason = error.to_string();
        if let Some(dial) = self.dials.remove(&connection) {
            let address = dial.address;
            let failure = DialError::Failed {
                address,
                reason: reason.clone(),
            };
            // The handle may have given up waiting.
            let _ = dial.answer.send(Err(failure));
        }
        if let Some(peer) = peer.filter(|peer| !self.sessions.contains_key(peer)) {
            self.fail_queued_requests(&peer, &reason);
        }
    }

    pub(super) fn on_ping_event(&mut self, event: ping::Event) {
        let Some(session) = self.sessions.get_mut(&event.peer) else {
            return;
        };
        match event.result {
            Ok(round_trip) => {
                session.round_trip = Some(round_trip);
                session.pings_failed = 0;
            }
            // A peer need not answer pings; it may still answer requests.
            Err(ping::Failure::Unsupported) => {}
            Err(_) => {
                session.pings_failed += 1;
                if session.pings_failed >= PINGS_FAILED_MAX {
                    session.pings_failed = 0;
                    self.swarm.close_connection(event.connection);
                }
            }
        }
    }

    /// Dials a peer at the addresses that are known of it, unless that is going on already.
    pub(super) fn dial_peer(&mut self, peer: PeerId) -> Result<(), SwarmDialError> {
        let options = DialOpts::peer_id(peer)
            .condition(PeerCondition::DisconnectedAndNotDialing)
            .build();
        match self.swarm.dial(options) {
            Err(SwarmDialError::DialPeerConditionFalse(_)) => Ok(()),
            result => result,
        }
    }

    /// Says hello to a connected peer. Spec: NET-12.
    pub(super) fn say_hello(&mut self, peer: PeerId) {
        let Some(session) = self.sessions.get_mut(&peer) else {
            return;
        };
        session.hello_attempts += 1;
        session.hello_pending = true;
        let frame = RequestFrame::new(wire::encode_hello_request(&self.hello));
        let id = self
            .swarm
            .behaviour_mut()
            .exchange
            .send_request(&peer, frame);
        self.requests.insert(id, PendingRequest::Hello { peer });
    }

    /// A peer answered our hello. Spec: NET-13.
    pub(super) fn on_hello_answered(&mut self, peer: PeerId, bytes: &[u8]) {
        let Some(session) = self.sessions.get_mut(&peer) else {
            return;
        };
        session.hello_pending = false;
        session.hello_attempts = 0;
        match wire::decode_answer(bytes) {
            Ok(Answer::Hello(hello)) if hello.network_id == self.hello.network_id => {
                self.introduce(peer, hello);
            }
            Ok(Answer::Hello(hello)) => {
                tracing::debug!(%peer, network = %hello.network_id, "a peer of another network");
                self.leave_other_network(peer);
            }
            Ok(Answer::Response(Response::Refused(refusal))) => {
                tracing::debug!(%peer, %refusal, "a peer refused our hello");
                self.leave_other_network(peer);
            }
            Ok(Answer::Response(_)) => {
                self.note_fault(peer, "answered a hello with something else");
                self.disconnect(peer);
            }
            Err(error) => {
                tracing::debug!(%peer, %error, "a peer answered a hello wrongly");
                self.note_fault(peer, "answered a hello wrongly");
                self.disconnect(peer);
            }
        }
    }

    /// Our hello got no answer: once more over another connection, or the end of the session.
    pub(super) fn on_hello_failed(&mut self, peer: PeerId, reason: &str) {
        let Some(session) = self.sessions.get_mut(&peer) else {
            return;
        };
        session.hello_pending = false;
        if session.hello_attempts < HELLO_ATTEMPTS_MAX {
            self.say_hello(peer);
        } else {
            tracing::debug!(%peer, reason, "a peer does not answer hellos");
            self.disconnect(peer);
        }
    }

    /// A peer said hello. Spec: NET-12, NET-13, NET-14.
    pub(super) fn on_hello(&mut self, peer: PeerId, hello: Hello) -> HelloHeard {
        if hello.network_id != self.hello.network_id {
            return HelloHeard::OtherNetwork;
        }
        let Some(session) = self.sessions.get_mut(&peer) else {
            return HelloHeard::SessionOver;
        };
        let is_known = session.hello.as_ref() == Some(&hello);
        let has_rotated = session.hello.is_some() && !is_known;
        // A process says hello once: the same one again is a peer that was restarted. All that was said in this session,
        // subscriptions and capabilities included, went to a process that is gone, and libp2p says none of it again while
        // a connection is left: so the session ends, and a new one begins.
        if session.has_said_hello && is_known {
            tracing::debug!(%peer, "restarted: the session begins anew");
            session.was_restarted = true;
            self.disconnect(peer);
            return HelloHeard::SessionOver;
        }
        session.has_said_hello = true;
        if has_rotated {
            self.introduce(peer, hello);
        }
        HelloHeard::Answer(wire::encode_hello_response(&self.hello))
    }

    /// Both hellos are through: the peer serves our requests from now on.
    fn introduce(&mut self, peer: PeerId, hello: Hello) {
        let Some(session) = self.sessions.get_mut(&peer) else {
            return;
        };
        if session.hello.as_ref() != Some(&hello) {
            session.hello = Some(hello.clone());
            self.emit(NetworkEvent::PeerHello { peer, hello });
        }
        self.count_peers();
        self.send_queued_requests(&peer);
    }

    /// Ends the session with a peer of another network and does not meet it again for a while. Spec: NET-13.
    pub(super) fn leave_other_network(&mut self, peer: PeerId) {
        for request in self.queue.take_all(&peer) {
            // The handle may have given up waiting.
            let _ = request.answer.send(Err(RequestError::OtherProtocol));
        }
        self.block_for(peer, OTHER_NETWORK_BLOCK);
    }

    /// Counts a breach of the protocol against a peer, and blocks it when there were too many. Spec: NET-15.
    pub(super) fn note_fault(&mut self, peer: PeerId, what: &str) {
        let Some(session) = self.sessions.get_mut(&peer) else {
            return;
        };
        session.faults += 1;
        tracing::debug!(%peer, faults = session.faults, what, "a peer broke the protocol");
        if session.faults >= FAULTS_PER_SESSION_MAX {
            tracing::warn!(%peer, what, "blocking a peer that keeps breaking the protocol");
            self.shared.metrics.count_faulty_peer();
            self.block_for(peer, FAULTY_PEER_BLOCK);
        }
    }

    pub(super) fn disconnect(&mut self, peer: PeerId) {
        // That it is not connected serves as well.
        let _ = self.swarm.disconnect_peer_id(peer);
    }

    fn block_for(&mut self, peer: PeerId, duration: Duration) {
        let end = self.now() + duration;
        match self.blocklist.block_until(peer, end) {
            Ok(evicted) => self.apply_block(peer, evicted),
            // Full of blocks without end: then at least the connection goes.
            Err(_) => self.disconnect(peer),
        }
    }

    /// Makes the swarm refuse a peer, and accept the one that made room for it.
    pub(super) fn apply_block(&mut self, peer: PeerId, evicted: Option<PeerId>) {
        let blocked = &mut self.swarm.behaviour_mut().blocked;
        if let Some(evicted) = evicted {
            blocked.unblock_peer(evicted);
        }
        blocked.block_peer(peer);
        for request in self.queue.take_all(&peer) {
            // The handle may have given up waiting.
            let _ = request.answer.send(Err(RequestError::Blocked));
        }
    }

    fn count_peers(&self) {
        let introduced = self
            .sessions
            .values()
            .filter(|session| session.hello.is_some())
            .count();
        self.shared
            .metrics
            .set_peers(self.sessions.len(), introduced);
    }
}
