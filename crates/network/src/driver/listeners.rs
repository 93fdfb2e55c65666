//! Where the node listens.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use futures::StreamExt;
use libp2p::Multiaddr;
use libp2p::TransportError;
use libp2p::core::transport::ListenerId;
use libp2p::multiaddr::Protocol;

use super::Driver;
use crate::config::KademliaMode;
use crate::event::NetworkEvent;
use crate::start::{StartError, Transport, listen_error, socket_of};

/// One configured address, and the addresses that came of it: one for each interface.
pub(super) struct Listener {
    pub(super) id: ListenerId,
    configured: Multiaddr,
    addresses: Vec<Multiaddr>,
    failure: Option<io::Error>,
}

impl Driver {
    /// Listens on every configured address and waits until each has come up.
    ///
    /// # Errors
    /// [`StartError::AddressInUse`], [`StartError::Listen`] or [`StartError::ListenTimeout`].
    pub(crate) async fn listen(
        &mut self,
        configured: Vec<Multiaddr>,
        timeout: Duration,
    ) -> Result<(), StartError> {
        for address in self.config.external_addresses.clone() {
            self.swarm.add_external_address(address);
        }
        for address in configured {
            let id = match self.swarm.listen_on(address.clone()) {
                Ok(id) => id,
                Err(TransportError::Other(error)) => return Err(listen_error(address, &error)),
                Err(TransportError::MultiaddrNotSupported(_)) => {
                    return Err(StartError::Listen {
                        address,
                        reason: "the address is not supported".to_owned(),
                    });
                }
            };
            self.listeners.push(Listener {
                id,
                configured: address,
                addresses: Vec::new(),
                failure: None,
            });
        }
        let all_up = async {
            while self.listeners.iter().any(Listener::is_starting) {
                let event = self.swarm.select_next_some().await;
                self.on_swarm_event(event);
            }
        };
        let in_time = tokio::time::timeout(timeout, all_up).await.is_ok();
        for listener in &self.listeners {
            if let Some(error) = &listener.failure {
                return Err(listen_error(listener.configured.clone(), error));
            }
            if !in_time && listener.is_starting() {
                return Err(StartError::ListenTimeout {
                    address: listener.configured.clone(),
                    timeout,
                });
            }
        }
        Ok(())
    }

    /// Every address that the node listens on, ready to be dialled.
    pub(super) fn listen_addresses(&self) -> Vec<Multiaddr> {
        let name = Protocol::P2p(self.shared.local_peer_id);
        self.listeners
            .iter()
            .flat_map(|listener| &listener.addresses)
            .map(|address| address.clone().with(name.clone()))
            .collect()
    }

    /// The UDP sockets that QUIC listens on.
    pub(super) fn quic_sockets(&self) -> Vec<SocketAddr> {
        self.listeners
            .iter()
            .flat_map(|listener| &listener.addresses)
            .filter_map(|address| match socket_of(address)? {
                (socket, Transport::Quic) => Some(socket),
                (_, Transport::Tcp) => None,
            })
            .collect()
    }

    pub(super) fn on_new_listen_address(&mut self, id: ListenerId, address: Multiaddr) {
        let Some(listener) = self.listeners.iter_mut().find(|listener| listener.id == id) else {
            return;
        };
        tracing::info!(%address, "listening");
        listener.addresses.push(address.clone());
        // A public address makes the node a server of the table of peers, unless the operator decided otherwise.
        if self.config.kademlia == KademliaMode::Automatic && is_public(&address) {
            self.swarm.add_external_address(address.clone());
        }
        self.emit(NetworkEvent::ListeningOn { address });
    }

    pub(super) fn on_expired_listen_address(&mut self, id: ListenerId, address: Multiaddr) {
        if let Some(listener) = self.listeners.iter_mut().find(|listener| listener.id == id) {
            listener.addresses.retain(|known| known != &address);
        }
        self.swarm.remove_external_address(&address);
        self.emit(NetworkEvent::ListeningEnded { address });
    }

    pub(super) fn on_listener_closed(&mut self, id: ListenerId, reason: io::Result<()>) {
        let Some(listener) = self.listeners.iter_mut().find(|listener| listener.id == id) else {
            return;
        };
        let addresses = std::mem::take(&mut listener.addresses);
        if let Err(error) = reason {
            tracing::error!(address = %listener.configured, %error, "a listener failed");
            listener.failure = Some(error);
        }
        for address in addresses {
            self.emit(NetworkEvent::ListeningEnded { address });
        }
    }
}

impl Listener {
    fn is_starting(&self) -> bool {
        self.addresses.is_empty() && self.failure.is_none()
    }
}

/// Whether a stranger on the internet could reach this address if nothing stood in between.
fn is_public(address: &Multiaddr) -> bool {
    match address.iter().next() {
        Some(Protocol::Ip4(host)) => is_public_v4(host),
        Some(Protocol::Ip6(host)) => is_public_v6(host),
        _ => false,
    }
}

fn is_public_v4(host: Ipv4Addr) -> bool {
    let carrier_grade_nat = host.octets()[0] == 100 && host.octets()[1] & 0xC0 == 64;
    !(host.is_private()
        || host.is_loopback()
        || host.is_link_local()
        || host.is_unspecified()
        || host.is_broadcast()
        || host.is_multicast()
        || host.is_documentation()
        || carrier_grade_nat)
}

fn is_public_v6(host: Ipv6Addr) -> bool {
    // 2000::/3 is all that has been given out as global unicast.
    host.segments()[0] & 0xE000 == 0x2000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn net_6_private_and_local_addresses_are_not_public() {
        for (address, expected) in [
            ("/ip4/127.0.0.1/tcp/1", false),
            ("/ip4/10.1.2.3/tcp/1", false),
            ("/ip4/100.64.0.1/tcp/1", false),
            ("/ip4/169.254.0.1/tcp/1", false),
            ("/ip4/8.8.4.4/udp/1/quic-v1", true),
            ("/ip6/::1/tcp/1", false),
            ("/ip6/fe80::1/tcp/1", false),
            ("/ip6/2a00:1450::1/tcp/1", true),
            ("/dns4/example.org/tcp/1", false),
        ] {
            assert_eq!(is_public(&address.parse().unwrap()), expected, "{address}");
        }
    }
}
