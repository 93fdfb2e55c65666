//! How peers are found: bootstrap addresses, identify, Kademlia, mDNS.

use libp2p::multiaddr::Protocol;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError};
use libp2p::{Multiaddr, PeerId, identify, kad, mdns};

use super::Driver;
use crate::limits::{ADDRESSES_PER_PEER_MAX, DISCOVERY_PEERS_TARGET};

/// Most records of one mDNS answer that are looked at.
const MDNS_RECORDS_MAX: usize = 64;

/// A configured address that is dialled until it is connected, and again when it no longer is.
pub(super) struct Bootstrap {
    address: Multiaddr,
    /// The peer there: named in the address, or found by dialling.
    peer: Option<PeerId>,
    dialling: Option<ConnectionId>,
    /// The address turned out to be our own.
    is_self: bool,
}

impl Bootstrap {
    pub(super) fn list(addresses: &[Multiaddr]) -> Vec<Self> {
        addresses
            .iter()
            .map(|address| Self {
                address: address.clone(),
                peer: peer_of(address),
                dialling: None,
                is_self: false,
            })
            .collect()
    }
}

impl Driver {
    /// Dials every bootstrap address whose peer is not connected and that is not being dialled. Spec: NET-5.
    pub(super) fn dial_bootstrap_peers(&mut self) {
        for bootstrap in &mut self.bootstrap {
            let is_connected = bootstrap
                .peer
                .is_some_and(|peer| self.sessions.contains_key(&peer));
            if bootstrap.is_self || is_connected || bootstrap.dialling.is_some() {
                continue;
            }
            let options = match bootstrap.peer {
                Some(peer) => DialOpts::peer_id(peer)
                    .condition(PeerCondition::DisconnectedAndNotDialing)
                    .addresses(vec![bootstrap.address.clone()])
                    .build(),
                None => DialOpts::from(bootstrap.address.clone()),
            };
            let connection = options.connection_id();
            match self.swarm.dial(options) {
                Ok(()) => bootstrap.dialling = Some(connection),
                Err(error) => {
                    tracing::debug!(address = %bootstrap.address, %error, "not dialling a bootstrap peer");
                }
            }
        }
    }

    pub(super) fn note_bootstrap_connection(&mut self, connection: ConnectionId, peer: PeerId) {
        for bootstrap in &mut self.bootstrap {
            if bootstrap.dialling == Some(connection) {
                bootstrap.dialling = None;
                bootstrap.peer = Some(peer);
            }
        }
    }

    pub(super) fn note_bootstrap_failure(&mut self, connection: ConnectionId, error: &DialError) {
        for bootstrap in &mut self.bootstrap {
            if bootstrap.dialling != Some(connection) {
                continue;
            }
            bootstrap.dialling = None;
            match error {
                DialError::LocalPeerId { .. } => bootstrap.is_self = true,
                // Someone else listens there now; the next dial takes whoever answers, unless the address names a peer.
                DialError::WrongPeerId { obtained, .. } => {
                    tracing::warn!(address = %bootstrap.address, %obtained, "another peer answers at a bootstrap address");
                    bootstrap.peer = peer_of(&bootstrap.address);
                }
                error => {
                    tracing::debug!(address = %bootstrap.address, %error, "cannot reach a bootstrap peer");
                }
            }
        }
    }

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
