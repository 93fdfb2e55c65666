//! Requests that wait to be sent: for a connection, for the hellos, or for earlier requests to end.

use std::collections::{BTreeMap, VecDeque};

use libp2p::PeerId;

use crate::command::ResponseSender;

/// One request that waits.
#[derive(Debug)]
pub(crate) struct QueuedRequest {
    pub(crate) bytes: Vec<u8>,
    pub(crate) answer: ResponseSender,
}

/// The queues of all peers, first come first served for each, bounded for each and together.
#[derive(Debug)]
pub(crate) struct RequestQueue {
    queues: BTreeMap<PeerId, VecDeque<QueuedRequest>>,
    count: usize,
    count_max: usize,
    count_per_peer_max: usize,
}

/// No room for another request.
#[derive(Debug)]
pub(crate) struct QueueFull {
    pub(crate) request: QueuedRequest,
    pub(crate) limit: usize,
    pub(crate) actual: usize,
}

impl RequestQueue {
    /// Empty queues for so many requests in all and for each peer.
    pub(crate) fn new(count_max: usize, count_per_peer_max: usize) -> Self {
        Self {
            queues: BTreeMap::new(),
            count: 0,
            count_max,
            count_per_peer_max,
        }
    }

    /// Adds a request at the end of a peer's queue.
    pub(crate) fn push(&mut self, peer: PeerId, request: QueuedRequest) -> Result<(), QueueFull> {
        for (limit, actual) in [
            (self.count_max, self.count),
            (self.count_per_peer_max, self.count_for(&peer)),
        ] {
            if actual >= limit {
                return Err(QueueFull {
                    request,
                    limit,
                    actual,
                });
            }
        }
        self.queues.entry(peer).or_default().push_back(request);
        self.count += 1;
        Ok(())
    }

    /// Takes the next request for a peer out, passing over those whose sender has given up.
    pub(crate) fn pop(&mut self, peer: &PeerId) -> Option<QueuedRequest> {
        loop {
            let queue = self.queues.get_mut(peer)?;
            let request = queue.pop_front();
            if queue.is_empty() {
                self.queues.remove(peer);
            }
            let request = request?;
            self.count -= 1;
            if !request.answer.is_closed() {
                return Some(request);
            }
        }
    }

    /// Takes a peer's whole queue out.
    pub(crate) fn take_all(&mut self, peer: &PeerId) -> VecDeque<QueuedRequest> {
        let queue = self.queues.remove(peer).unwrap_or_default();
        self.count -= queue.len();
        queue
    }

    /// Drops every request whose sender has given up.
    pub(crate) fn prune(&mut self) {
        self.queues.retain(|_, queue| {
            queue.retain(|request| !request.answer.is_closed());
            !queue.is_empty()
        });
        self.count = self.queues.values().map(VecDeque::len).sum();
    }

    /// Peers for which a request waits.
    pub(crate) fn peers(&self) -> Vec<PeerId> {
        self.queues.keys().copied().collect()
    }

    /// How many requests wait for a peer.
    pub(crate) fn count_for(&self, peer: &PeerId) -> usize {
        self.queues.get(peer).map_or(0, VecDeque::len)
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    fn request(byte: u8) -> (QueuedRequest, impl Drop) {
        let (answer, receiver) = oneshot::channel();
        let bytes = vec![byte];
        (QueuedRequest { bytes, answer }, receiver)
    }

    #[test]
    fn requests_leave_in_order_and_those_given_up_are_passed_over() {
        let peer = PeerId::random();
        let mut queue = RequestQueue::new(8, 8);
        let (first, _waiting) = request(1);
        let (second, given_up) = request(2);
        let (third, _waiting_too) = request(3);
        for request in [first, second, third] {
            queue.push(peer, request).unwrap();
        }
        drop(given_up);
        assert_eq!(queue.pop(&peer).unwrap().bytes, [1]);
        assert_eq!(queue.pop(&peer).unwrap().bytes, [3]);
        assert!(queue.pop(&peer).is_none());
        assert_eq!((queue.count, queue.peers().len()), (0, 0));
    }

    #[test]
    fn each_peer_and_all_together_are_bounded() {
        let (one, two, three) = (PeerId::random(), PeerId::random(), PeerId::random());
        let mut queue = RequestQueue::new(3, 2);
        let mut receivers = Vec::new();
        let mut push = |queue: &mut RequestQueue, peer| {
            let (request, receiver) = request(0);
            receivers.push(receiver);
            queue.push(peer, request).map_err(|full| full.limit)
        };
        assert_eq!(push(&mut queue, one), Ok(()));
        assert_eq!(push(&mut queue, one), Ok(()));
        assert_eq!(push(&mut queue, one), Err(2));
        assert_eq!(push(&mut queue, two), Ok(()));
        assert_eq!(push(&mut queue, three), Err(3));
        assert_eq!(queue.take_all(&one).len(), 2);
        assert_eq!(push(&mut queue, three), Ok(()));
    }

    #[test]
    fn pruning_makes_room() {
        let peer = PeerId::random();
        let mut queue = RequestQueue::new(1, 1);
        let (first, given_up) = request(1);
        queue.push(peer, first).unwrap();
        drop(given_up);
        let (second, _waiting) = request(2);
        let second = queue.push(peer, second).unwrap_err().request;
        queue.prune();
        assert!(queue.push(peer, second).is_ok());
    }
}
