//! Whether a node that has just started can be heard.
//!
//! A task that is announced before anybody listens is decided without an answer. So the first tasks wait until
//!
//! - every configured address was dialled once, with whatever result,
//! - at least one peer is connected,
//! - and every connected peer has said hello, listens to beacons, and has handed over its capability,
//!
//! or until `gather_timeout` has passed since the start: a peer that only asks has no capability to hand over, and a node may
//! be alone. Once complete, it stays so: whoever leaves later is a matter of routing.

use std::collections::BTreeMap;

use symphony_network::PeerId;

/// What is known of the peers since the start. Bounded by the network's limit of connections.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    bootstrap_tried: bool,
    peers: BTreeMap<PeerId, Arrival>,
}

/// How far a connected peer has come.
#[derive(Debug, Default)]
struct Arrival {
    introduced: bool,
    listens: bool,
    offered: bool,
}

impl Gathering {
    /// Every configured address was dialled once.
    pub(super) fn bootstrap_tried(&mut self) {
        self.bootstrap_tried = true;
    }

    /// A connection stands.
    pub(super) fn connected(&mut self, peer: PeerId) {
        self.peers.entry(peer).or_default();
    }

    /// The last connection ended.
    pub(super) fn gone(&mut self, peer: &PeerId) {
        self.peers.remove(peer);
    }

    /// Its hello was accepted.
    pub(super) fn introduced(&mut self, peer: PeerId) {
        self.peers.entry(peer).or_default().introduced = true;
    }

    /// It listens to beacons.
    pub(super) fn listens(&mut self, peer: PeerId) {
        self.peers.entry(peer).or_default().listens = true;
    }

    /// It handed over its capability.
    pub(super) fn offered(&mut self, peer: PeerId) {
        self.peers.entry(peer).or_default().offered = true;
    }

    /// Whether a beacon would be heard by everybody who is there.
    pub(super) fn is_complete(&self) -> bool {
        self.bootstrap_tried
            && !self.peers.is_empty()
            && self
                .peers
                .values()
                .all(|peer| peer.introduced && peer.listens && peer.offered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gathering_waits_for_the_dials_and_for_each_connected_peer() {
        let (one, two) = (PeerId::random(), PeerId::random());
        let mut gathering = Gathering::default();
        gathering.connected(one);
        gathering.introduced(one);
        gathering.listens(one);
        gathering.offered(one);
        assert!(!gathering.is_complete(), "a dial is under way");
        gathering.bootstrap_tried();
        assert!(gathering.is_complete());
        gathering.connected(two);
        assert!(!gathering.is_complete(), "nobody knows the second yet");
        gathering.introduced(two);
        gathering.listens(two);
        assert!(!gathering.is_complete(), "its capability is missing");
        gathering.offered(two);
        assert!(gathering.is_complete());
    }

    #[test]
    fn gathering_is_not_complete_alone_and_forgets_who_left() {
        let mut gathering = Gathering::default();
        gathering.bootstrap_tried();
        assert!(!gathering.is_complete(), "nobody is there");
        let peer = PeerId::random();
        gathering.connected(peer);
        gathering.offered(peer);
        gathering.gone(&peer);
        assert!(!gathering.is_complete());
    }
}
