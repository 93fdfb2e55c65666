//! How peers are found: identify, Kademlia, mDNS.

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId, identify, kad, mdns};

use super::Driver;
use crate::limits::{ADDRESSES_PER_PEER_MAX, DISCOVERY_PEERS_TARGET};

/// Most records of one mDNS answer that are looked at.
const MDNS_RECORDS_MAX: usize = 64;

impl Driver {
    /// Spec: NET-5, NET-13.
    pub(super) fn on_identify_event(&mut self, event: identify::Event) {
        let identify::Event::Received { peer_id, info, .. } = event else {
            return;
        };
        if info.protocol_version != self.shared.names.protocol_family() {
            tracing::debug!(peer = %peer_id, family = %info.protocol_version, "a peer of another network");
            self.leave_other_network(peer_id);
            return;
        }
        let serves_kademlia = info
            .protocols
            .contains(&self.shared.names.kademlia_protocol());
        for address in info.listen_addrs.into_iter().take(ADDRESSES_PER_PEER_MAX) {
            if serves_kademlia && let Some(kademlia) = self.swarm.behaviour_mut().kademlia.as_mut()
            {
                kademlia.add_address(&peer_id, address.clone());
            }
            self.swarm.add_peer_address(peer_id, address);
        }
        if serves_kademlia {
            self.look_around(peer_id);
        }
    }

    /// Asks a peer that has just come, once in its session, who else is there: peers of a fresh network meet at once and not
    /// at the table's next upkeep. Spec: NET-5.
    fn look_around(&mut self, peer: PeerId) {
        let Some(session) = self.sessions.get_mut(&peer) else {
            return;
        };
        if std::mem::replace(&mut session.has_been_asked_for_peers, true)
            || self.sessions.len() >= DISCOVERY_PEERS_TARGET
        {
            return;
        }
        if let Some(kademlia) = self.swarm.behaviour_mut().kademlia.as_mut()
            && let Err(error) = kademlia.bootstrap()
        {
            tracing::debug!(%peer, %error, "no look-up of other peers");
        }
    }

    /// Dials peers that the table of peers brings up, while there are few connections.
    pub(super) fn on_kademlia_event(&mut self, event: kad::Event) {
        match event {
            kad::Event::RoutingUpdated {
                peer,
                is_new_peer: true,
                ..
            } => self.dial_discovered(peer),
            kad::Event::RoutablePeer { peer, address } => {
                self.swarm.add_peer_address(peer, address);
                self.dial_discovered(peer);
            }
            // Look-ups fill the table by themselves, and nothing is stored.
            _ => {}
        }
    }

    pub(super) fn on_mdns_event(&mut self, event: mdns::Event) {
        let mdns::Event::Discovered(records) = event else {
            return;
        };
        for (peer, address) in records.into_iter().take(MDNS_RECORDS_MAX) {
            self.swarm.add_peer_address(peer, address);
            self.dial_discovered(peer);
        }
    }

    fn dial_discovered(&mut self, peer: PeerId) {
        if self.sessions.len() >= DISCOVERY_PEERS_TARGET
            || self.sessions.contains_key(&peer)
            || self.blocklist.contains(&peer)
            || peer == self.shared.local_peer_id
        {
            return;
        }
        if let Err(error) = self.dial_peer(peer) {
            tracing::debug!(%peer, %error, "not dialling a discovered peer");
        }
    }
}

/// The peer that an address names at its end.
pub(super) fn peer_of(address: &Multiaddr) -> Option<PeerId> {
    match address.iter().last() {
        Some(Protocol::P2p(peer)) => Some(peer),
        _ => None,
    }
}
