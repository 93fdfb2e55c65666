//! Bootstrap peers: configured addresses that are dialled until they are connected, and again when they no longer are.
//!
//! After a failure the address is dialled again after 100 ms, then after twice as long each time, up to the configured
//! interval; a lost connection begins anew with a dial at once. So peers that start together meet in a moment, and a peer
//! that stays away costs one dial an interval. Spec: NET-5.

use std::time::Duration;

use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError};
use libp2p::{Multiaddr, PeerId};

use super::Driver;
use super::discovery::peer_of;
use crate::event::NetworkEvent;
use crate::limits::REDIAL_WAIT_MIN;

/// A configured address.
pub(super) struct Bootstrap {
    address: Multiaddr,
    /// The peer there: named in the address, or found by dialling.
    peer: Option<PeerId>,
    dialling: Option<ConnectionId>,
    /// The address turned out to be our own.
    is_self: bool,
    /// Whether a dial has ended, either way.
    was_tried: bool,
    /// When it may be dialled.
    due: Duration,
    /// Wait after the next failure.
    wait: Duration,
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
                was_tried: false,
                due: Duration::ZERO,
                wait: REDIAL_WAIT_MIN,
            })
            .collect()
    }

    fn succeed(&mut self) {
        self.was_tried = true;
        self.wait = REDIAL_WAIT_MIN;
    }

    fn fail(&mut self, now: Duration, wait_max: Duration) {
        self.was_tried = true;
        self.due = now + self.wait;
        self.wait = (self.wait * 2).min(wait_max);
    }
}

impl Driver {
    /// When the next bootstrap peer is to be dialled, if one is.
    pub(super) fn next_redial(&self) -> Option<Duration> {
        self.bootstrap
            .iter()
            .filter(|bootstrap| self.is_wanted(bootstrap))
            .map(|bootstrap| bootstrap.due)
            .min()
    }

    fn is_wanted(&self, bootstrap: &Bootstrap) -> bool {
        let is_connected = bootstrap
            .peer
            .is_some_and(|peer| self.sessions.contains_key(&peer));
        !bootstrap.is_self && !is_connected && bootstrap.dialling.is_none()
    }

    /// Dials every bootstrap address that is due. Spec: NET-5.
    pub(super) fn dial_bootstrap_peers(&mut self) {
        let (now, wait_max) = (self.now(), self.config.redial_interval);
        for index in 0..self.bootstrap.len() {
            let bootstrap = &self.bootstrap[index];
            if !self.is_wanted(bootstrap) || bootstrap.due > now {
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
            let dialled = self.swarm.dial(options);
            let bootstrap = &mut self.bootstrap[index];
            match dialled {
                Ok(()) => bootstrap.dialling = Some(connection),
                Err(error) => {
                    tracing::debug!(address = %bootstrap.address, %error, "not dialling a bootstrap peer");
                    bootstrap.fail(now, wait_max);
                }
            }
        }
        self.note_bootstrap_tried();
    }

    pub(super) fn note_bootstrap_connection(&mut self, connection: ConnectionId, peer: PeerId) {
        for bootstrap in &mut self.bootstrap {
            if bootstrap.dialling == Some(connection) {
                bootstrap.dialling = None;
                bootstrap.peer = Some(peer);
            }
            if bootstrap.peer == Some(peer) {
                bootstrap.succeed();
            }
        }
        self.note_bootstrap_tried();
    }

    /// The last connection with a peer ended: a bootstrap peer is dialled at once.
    pub(super) fn note_bootstrap_loss(&mut self, peer: PeerId) {
        let now = self.now();
        for bootstrap in &mut self.bootstrap {
            if bootstrap.peer == Some(peer) {
                bootstrap.due = now;
            }
        }
    }

    pub(super) fn note_bootstrap_failure(&mut self, connection: ConnectionId, error: &DialError) {
        let (now, wait_max) = (self.now(), self.config.redial_interval);
        for bootstrap in &mut self.bootstrap {
            if bootstrap.dialling != Some(connection) {
                continue;
            }
            bootstrap.dialling = None;
            bootstrap.fail(now, wait_max);
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
        self.note_bootstrap_tried();
    }

    /// Tells the node, once, that a dial of every bootstrap address has ended.
    fn note_bootstrap_tried(&mut self) {
        if self.is_bootstrap_tried || !self.bootstrap.iter().all(|bootstrap| bootstrap.was_tried) {
            return;
        }
        self.is_bootstrap_tried = true;
        self.emit(NetworkEvent::BootstrapTried);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn net_5_the_wait_doubles_up_to_the_interval_and_begins_anew_after_a_connection() {
        let address: Multiaddr = "/ip4/127.0.0.1/tcp/1".parse().unwrap();
        let mut bootstrap = Bootstrap::list(&[address]).remove(0);
        let wait_max = Duration::from_millis(500);
        let waits: Vec<u128> = (0..5)
            .map(|_| {
                bootstrap.fail(Duration::ZERO, wait_max);
                bootstrap.due.as_millis()
            })
            .collect();
        assert_eq!(waits, [100, 200, 400, 500, 500]);
        bootstrap.succeed();
        bootstrap.fail(Duration::ZERO, wait_max);
        assert_eq!(bootstrap.due, REDIAL_WAIT_MIN);
    }
}
