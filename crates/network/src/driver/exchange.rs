//! Requests, in both directions.

use libp2p::PeerId;
use libp2p::request_response::{
    Event, Message, OutboundFailure, OutboundRequestId, ResponseChannel,
};
use tokio::sync::OwnedSemaphorePermit;

use super::Driver;
use super::sessions::HelloHeard;
use crate::command::ResponseSender;
use crate::event::{NetworkEvent, ReplyToken};
use crate::handle::{ReplyError, RequestError};
use crate::message::{Refusal, RefusalCode, Request};
use crate::queue::{QueueFull, QueuedRequest};
use crate::wire::{self, Inbound, RequestFrame, ResponseFrame, WireError};

/// A request of a peer that waits for the node's reply.
pub(super) struct PendingReply {
    pub(super) peer: PeerId,
    channel: ResponseChannel<ResponseFrame>,
    /// Released when the request is answered, so that unanswered requests cannot fill the memory.
    _memory: Option<OwnedSemaphorePermit>,
}

/// A request of ours that waits for its response.
pub(super) enum PendingRequest {
    /// Our hello.
    Hello { peer: PeerId },
    /// The node's request.
    Node {
        peer: PeerId,
        answer: ResponseSender,
    },
}

impl Driver {
    pub(super) fn on_exchange_event(&mut self, event: Event<RequestFrame, ResponseFrame>) {
        match event {
            Event::Message { peer, message, .. } => match message {
                Message::Request {
                    request, channel, ..
                } => self.on_request(peer, request, channel),
                Message::Response {
                    request_id,
                    response,
                } => self.on_response(request_id, response.bytes),
            },
            Event::OutboundFailure {
                request_id, error, ..
            } => self.on_request_failed(request_id, error),
            Event::InboundFailure { .. } | Event::ResponseSent { .. } => {}
        }
    }

    // Inbound.

    /// Spec: NET-14 to NET-16, NET-19.
    fn on_request(
        &mut self,
        peer: PeerId,
        frame: RequestFrame,
        channel: ResponseChannel<ResponseFrame>,
    ) {
        match self.judge_request(peer, frame.bytes) {
            Ok(Inbound::Request(request)) => self.hand_out(peer, request, frame.memory, channel),
            Ok(Inbound::Hello(hello)) => match self.on_hello(peer, hello) {
                HelloHeard::Answer(bytes) => self.respond(channel, bytes),
                HelloHeard::OtherNetwork => {
                    self.refuse(channel, RefusalCode::OtherNetwork, "not of this network");
                    self.leave_other_network(peer);
                }
                HelloHeard::SessionOver => {}
            },
            Err(refusal) => self.refuse(channel, refusal.code, refusal.message()),
        }
    }

    /// Reads a request if its sender may ask at all.
    fn judge_request(
        &mut self,
        peer: PeerId,
        bytes: Result<Vec<u8>, WireError>,
    ) -> Result<Inbound, Refusal> {
        let now = self.now();
        let over_quota = || Refusal::new(RefusalCode::RateLimited, "asked too often, wait");
        let Some(session) = self.sessions.get_mut(&peer) else {
            return Err(Refusal::new(RefusalCode::Busy, "the session has ended"));
        };
        // Before decoding, which is what the quota is to protect.
        session
            .request_bucket
            .take(1, now)
            .map_err(|_| over_quota())?;
        let inbound = match bytes.and_then(|bytes| wire::decode_request(&bytes)) {
            Ok(inbound) => inbound,
            Err(error) => {
                self.note_fault(peer, "a request that is not well formed");
                return Err(Refusal::new(RefusalCode::Malformed, error.to_string()));
            }
        };
        if let Inbound::Request(request) = &inbound {
            if !session.is_known() {
                return Err(Refusal::new(RefusalCode::HelloRequired, "say hello first"));
            }
            session
                .request_bucket
                .take(request.cost() - 1, now)
                .map_err(|_| over_quota())?;
        }
        Ok(inbound)
    }

    /// Hands a request to the node if there is room for it.
    fn hand_out(
        &mut self,
        peer: PeerId,
        request: Request,
        memory: Option<OwnedSemaphorePermit>,
        channel: ResponseChannel<ResponseFrame>,
    ) {
        let now = self.now();
        let per_peer_max = self.config.limits.replies_pending_per_peer_max;
        let has_room = self.has_room_for_droppable_events();
        let Some(session) = self.sessions.get_mut(&peer) else {
            return;
        };
        if !has_room || session.replies_pending >= per_peer_max {
            self.refuse(channel, RefusalCode::Busy, "too many requests wait");
            return;
        }
        let pending = PendingReply {
            peer,
            channel,
            _memory: memory,
        };
        match self.replies.insert(pending, now) {
            Ok(number) => {
                session.replies_pending += 1;
                self.shared.metrics.count_request(request.name());
                self.emit(NetworkEvent::Request {
                    peer,
                    request,
                    reply: ReplyToken(number),
                });
            }
            Err(pending) => {
                self.refuse(pending.channel, RefusalCode::Busy, "too many requests wait");
            }
        }
    }

    /// Sends the node's reply. Spec: NET-19.
    pub(super) fn reply(&mut self, token: &ReplyToken, bytes: Vec<u8>) -> Result<(), ReplyError> {
        let pending = self.replies.take(token.0).ok_or(ReplyError::Expired)?;
        self.release_reply(&pending.peer);
        self.swarm
            .behaviour_mut()
            .exchange
            .send_response(pending.channel, ResponseFrame { bytes })
            .map_err(|_| ReplyError::Expired)
    }

    /// Tells every peer whose request the node did not answer in time. Spec: NET-19.
    pub(super) fn expire_replies(&mut self) {
        while let Some(pending) = self.replies.pop_expired(self.now()) {
            self.release_reply(&pending.peer);
            self.refuse(pending.channel, RefusalCode::Busy, "no answer in time");
        }
    }

    fn release_reply(&mut self, peer: &PeerId) {
        if let Some(session) = self.sessions.get_mut(peer) {
            session.replies_pending = session.replies_pending.saturating_sub(1);
        }
    }

    fn refuse(
        &mut self,
        channel: ResponseChannel<ResponseFrame>,
        code: RefusalCode,
        message: &str,
    ) {
        self.shared.metrics.count_refusal(code);
        let bytes = wire::encode_refusal(&Refusal::new(code, message));
        self.respond(channel, bytes);
    }

    fn respond(&mut self, channel: ResponseChannel<ResponseFrame>, bytes: Vec<u8>) {
        // The peer may have gone away in the meantime.
        let _ = self
            .swarm
            .behaviour_mut()
            .exchange
            .send_response(channel, ResponseFrame { bytes });
    }

    // Outbound.

    /// Queues a request of the node, and sends it as soon as both hellos are through.
    pub(super) fn request(&mut self, peer: PeerId, bytes: Vec<u8>, answer: ResponseSender) {
        if self.blocklist.contains(&peer) {
            fail(answer, RequestError::Blocked);
            return;
        }
        if peer == self.shared.local_peer_id {
            let reason = "it is this node itself".to_owned();
            fail(answer, RequestError::Unreachable { reason });
            return;
        }
        if let Err(full) = self.queue.push(peer, QueuedRequest { bytes, answer }) {
            let QueueFull {
                request,
                limit,
                actual,
            } = full;
            fail(request.answer, RequestError::QueueFull { limit, actual });
            return;
        }
        if self.sessions.contains_key(&peer) {
            self.send_queued_requests(&peer);
        } else if let Err(error) = self.dial_peer(peer) {
            self.fail_queued_requests(&peer, &error.to_string());
        }
    }

    /// Sends what waits for a peer, as far as the limits on requests under way allow.
    pub(super) fn send_queued_requests(&mut self, peer: &PeerId) {
        let limits = &self.config.limits;
        while let Some(session) = self.sessions.get_mut(peer) {
            let may_send = session.hello.is_some()
                && session.requests_pending < limits.requests_pending_per_peer_max
                && self.requests.len() < limits.requests_pending_max;
            if !may_send {
                return;
            }
            let Some(request) = self.queue.pop(peer) else {
                return;
            };
            session.requests_pending += 1;
            let frame = RequestFrame::new(request.bytes);
            let id = self
                .swarm
                .behaviour_mut()
                .exchange
                .send_request(peer, frame);
            let pending = PendingRequest::Node {
                peer: *peer,
                answer: request.answer,
            };
            self.requests.insert(id, pending);
        }
    }

    /// Ends every request that waits for a peer that cannot be reached.
    pub(super) fn fail_queued_requests(&mut self, peer: &PeerId, reason: &str) {
        for request in self.queue.take_all(peer) {
            self.shared.metrics.count_outcome("unreachable");
            let reason = reason.to_owned();
            fail(request.answer, RequestError::Unreachable { reason });
        }
    }

    fn on_response(&mut self, id: OutboundRequestId, bytes: Vec<u8>) {
        match self.requests.remove(&id) {
            Some(PendingRequest::Hello { peer }) => self.on_hello_answered(peer, &bytes),
            Some(PendingRequest::Node { peer, answer }) => {
                self.shared.metrics.count_outcome("answered");
                // The handle may have given up waiting.
                let _ = answer.send(Ok(bytes));
                self.on_request_ended(&peer);
            }
            None => {}
        }
    }

    fn on_request_failed(&mut self, id: OutboundRequestId, error: OutboundFailure) {
        match self.requests.remove(&id) {
            Some(PendingRequest::Hello { peer }) => match error {
                OutboundFailure::UnsupportedProtocols => self.leave_other_network(peer),
                error => self.on_hello_failed(peer, &error.to_string()),
            },
            Some(PendingRequest::Node { peer, answer }) => {
                let (outcome, error) = self.request_error(error);
                self.shared.metrics.count_outcome(outcome);
                fail(answer, error);
                self.on_request_ended(&peer);
            }
            None => {}
        }
    }

    fn request_error(&self, error: OutboundFailure) -> (&'static str, RequestError) {
        match error {
            OutboundFailure::DialFailure => {
                let reason = error.to_string();
                ("unreachable", RequestError::Unreachable { reason })
            }
            OutboundFailure::Timeout => {
                let timeout = self.config.limits.request_timeout;
                ("timeout", RequestError::Timeout(timeout))
            }
            OutboundFailure::UnsupportedProtocols => {
                ("other_protocol", RequestError::OtherProtocol)
            }
            OutboundFailure::ConnectionClosed | OutboundFailure::Io(_) => {
                let reason = error.to_string();
                ("interrupted", RequestError::Interrupted { reason })
            }
        }
    }

    /// Makes use of the room that a request left: for its peer first, then for all others if all were held up.
    fn on_request_ended(&mut self, peer: &PeerId) {
        if let Some(session) = self.sessions.get_mut(peer) {
            session.requests_pending = session.requests_pending.saturating_sub(1);
        }
        self.send_queued_requests(peer);
        if self.requests.len() < self.config.limits.requests_pending_max {
            for waiting in self.queue.peers() {
                self.send_queued_requests(&waiting);
            }
        }
    }
}

fn fail(answer: ResponseSender, error: RequestError) {
    // The handle may have given up waiting.
    let _ = answer.send(Err(error));
}
