//! What handles ask for.

use libp2p::swarm::dial_opts::DialOpts;
use libp2p::{Multiaddr, PeerId};
use tokio::sync::oneshot;

use super::discovery::peer_of;
use super::{Dial, Driver};
use crate::command::Command;
use crate::handle::{BlockError, DialError, HelloError, PeerStatus};
use crate::limits::{BLOCKED_PEERS_MAX, DIALS_MAX};
use crate::message::Hello;

impl Driver {
    pub(super) fn on_command(&mut self, command: Command) {
        match command {
            Command::ListenAddresses { answer } => send(answer, self.listen_addresses()),
            Command::Peers { answer } => send(answer, self.peers()),
            Command::Dial { address, answer } => self.dial(address, answer),
            Command::AddAddress { peer, address } => self.swarm.add_peer_address(peer, address),
            Command::Request {
                peer,
                bytes,
                answer,
            } => self.request(peer, bytes, answer),
            Command::Reply {
                token,
                bytes,
                answer,
            } => send(answer, self.reply(&token, bytes)),
            Command::Report {
                token,
                acceptance,
                answer,
            } => send(answer, self.report(&token, acceptance)),
            Command::Publish {
                topic,
                data,
                answer,
            } => send(answer, self.publish(topic, data)),
            Command::Block { peer, answer } => send(answer, self.block(peer)),
            Command::Unblock { peer } => self.unblock(peer),
            Command::Disconnect { peer } => self.disconnect(peer),
            Command::SetScore { peer, score } => {
                // A peer that is not connected has no score; it is set again when the peer says hello.
                self.swarm
                    .behaviour_mut()
                    .gossip
                    .set_application_score(&peer, score);
            }
            Command::SetHello { hello, answer } => send(answer, self.set_hello(hello)),
            // The loop that reads commands ends at a shutdown and hands it to nobody.
            Command::Shutdown { answer } => send(answer, ()),
        }
    }

    fn peers(&self) -> Vec<PeerStatus> {
        self.sessions
            .iter()
            .map(|(peer, session)| PeerStatus {
                peer: *peer,
                addresses: session.connections.values().cloned().collect(),
                round_trip: session.round_trip,
                hello: session.hello.clone(),
                requests_pending: session.requests_pending,
                requests_queued: self.queue.count_for(peer),
            })
            .collect()
    }

    fn dial(&mut self, address: Multiaddr, answer: oneshot::Sender<Result<PeerId, DialError>>) {
        if let Some(peer) = peer_of(&address).filter(|peer| self.sessions.contains_key(peer)) {
            send(answer, Ok(peer));
            return;
        }
        if self.dials.len() >= DIALS_MAX {
            send(answer, Err(DialError::TooMany { limit: DIALS_MAX }));
            return;
        }
        let options = DialOpts::from(address.clone());
        let connection = options.connection_id();
        match self.swarm.dial(options) {
            Ok(()) => {
                self.dials.insert(connection, Dial { address, answer });
            }
            Err(error) => {
                let reason = error.to_string();
                send(answer, Err(DialError::Failed { address, reason }));
            }
        }
    }

    fn block(&mut self, peer: PeerId) -> Result<(), BlockError> {
        let evicted = self
            .blocklist
            .block(peer)
            .map_err(|_| BlockError::TooMany {
                limit: BLOCKED_PEERS_MAX,
            })?;
        self.apply_block(peer, evicted);
        Ok(())
    }

    fn unblock(&mut self, peer: PeerId) {
        if self.blocklist.unblock(&peer) {
            self.swarm.behaviour_mut().blocked.unblock_peer(peer);
        }
    }

    /// Spec: NET-12.
    fn set_hello(&mut self, hello: Hello) -> Result<(), HelloError> {
        if hello.network_id != self.hello.network_id {
            return Err(HelloError::OtherNetwork {
                expected: self.hello.network_id,
                actual: hello.network_id,
            });
        }
        self.hello = hello;
        let peers: Vec<PeerId> = self.sessions.keys().copied().collect();
        for peer in peers {
            self.say_hello(peer);
        }
        Ok(())
    }
}

fn send<T>(answer: oneshot::Sender<T>, value: T) {
    // The handle may have given up waiting.
    let _ = answer.send(value);
}
