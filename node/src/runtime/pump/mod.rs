//! The pump: reads the network's events and hands each to the one that it concerns.

mod capabilities;
pub(super) mod challenge;
mod judge;
mod relaying;
mod requests;
mod serve;

use std::{collections::BTreeMap, sync::Arc};

use symphony_coordination::{Event, Relays};
use symphony_ledger::Ledger;
use symphony_network::{Events, Hello, NetworkEvent, PeerId, Topic, peer_id_of_transport_key};
use symphony_protocol::{
    records::{Body, Entry, Params},
    replay::Replay,
};
use symphony_transparency::{Digest, PublicKey};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

pub(super) use self::{capabilities::Newest, relaying::Relaying};
use super::{
    auditor::AuditorCommand,
    core::CoreCommand,
    directory::Directory,
    evidence::{Budget, EvidenceStore, fetch},
    gathering::Gathering,
    view::PeerView,
};

/// Who a connected peer is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Met {
    /// Log key.
    pub(super) key: PublicKey,
    /// Log id.
    pub(super) log: Digest,
    /// Witness key, which entry 0 of the log binds.
    pub(super) witness: PublicKey,
}

pub(super) struct Pump {
    pub(super) events: Events,
    pub(super) network: symphony_network::Handle,
    pub(super) ledger: Ledger,
    pub(super) network_id: Digest,
    pub(super) params: Params,
    pub(super) own_key: PublicKey,
    pub(super) directory: Directory,
    pub(super) core: mpsc::Sender<CoreCommand>,
    pub(super) auditor: mpsc::Sender<AuditorCommand>,
    /// Who is connected: log key and log id by peer id. Bounded by the network's limit of connections.
    pub(super) connected: BTreeMap<PeerId, Met>,
    /// Whose logs are followed.
    pub(super) peers: watch::Receiver<Arc<Vec<PeerView>>>,
    /// Capabilities that were heard by gossip.
    pub(super) newest: Newest,
    /// Gossiped beacons that were heard.
    pub(super) relays: Relays,
    /// Evidence that this node keeps.
    pub(super) evidence: EvidenceStore,
    /// How much verifying each peer may still cause.
    pub(super) budget: Budget,
    /// Which challenges were passed on.
    pub(super) relaying: Arc<Relaying>,
    /// Since when times are counted.
    pub(super) began: Instant,
    /// Who has come since the start, until that is enough.
    pub(super) gathering: Option<Gathering>,
    /// When it is enough in any case.
    pub(super) gathering_until: Instant,
}

impl Pump {
    /// Runs until the network shuts down or the core is gone.
    pub(super) async fn run(mut self) {
        loop {
            let goes_on = tokio::select! {
                event = self.events.next() => match event {
                    Some(event) => self.take(event).await && self.gather(false).await,
                    None => false,
                },
                () = tokio::time::sleep_until(self.gathering_until), if self.gathering.is_some() => {
                    self.gather(true).await
                }
            };
            if !goes_on {
                break;
            }
        }
    }

    /// Lets waiting tasks begin once enough peers are there, or the time for that is over.
    async fn gather(&mut self, time_is_over: bool) -> bool {
        let enough = self
            .gathering
            .as_ref()
            .is_some_and(|gathering| time_is_over || gathering.is_complete());
        if !enough {
            return true;
        }
        self.gathering = None;
        tracing::debug!(time_is_over, "peers have gathered");
        self.core.send(CoreCommand::Gathered).await.is_ok()
    }

    async fn take(&mut self, event: NetworkEvent) -> bool {
        match event {
            // The network has told it.
            NetworkEvent::ListeningOn { .. } => true,
            NetworkEvent::BootstrapTried => {
                if let Some(gathering) = &mut self.gathering {
                    gathering.bootstrap_tried();
                }
                true
            }
            NetworkEvent::PeerConnected { peer, .. } => {
                if let Some(gathering) = &mut self.gathering {
                    gathering.connected(peer);
                }
                true
            }
            NetworkEvent::PeerHello { peer, hello } => self.hello(peer, &hello).await,
            NetworkEvent::PeerDisconnected { peer } => self.gone(peer).await,
            NetworkEvent::PeerSubscribed { peer, topic } => self.subscribed(peer, topic).await,
            NetworkEvent::Gossip {
                topic: Topic::Evidence,
                source,
                data,
                token,
            } => {
                self.judge_evidence(source, data, token);
                true
            }
            NetworkEvent::Gossip {
                topic,
                source,
                data,
                token,
            } => {
                let acceptance = match topic {
                    Topic::Beacon => self.judge_beacon(source, &data),
                    topic => self.judge(topic, &data).await,
                };
                let network = self.network.clone();
                tokio::spawn(async move {
                    let _ = network.report(token, acceptance).await;
                });
                true
            }
            NetworkEvent::Request {
                peer,
                request,
                reply,
            } => self.request(peer, request, reply),
            _ => true,
        }
    }

    /// A peer listens to a topic: open beacons that nobody could hear are said again.
    async fn subscribed(&mut self, peer: PeerId, topic: Topic) -> bool {
        if topic != Topic::Beacon {
            return true;
        }
        if let Some(gathering) = &mut self.gathering {
            gathering.listens(peer);
        }
        self.core.send(CoreCommand::Heard).await.is_ok()
    }

    /// A peer said who it is: its log begins with a genesis that binds its log key to the transport key of this connection.
    async fn hello(&mut self, peer: PeerId, hello: &Hello) -> bool {
        let (replay, witness) = match verify_hello(peer, hello, &self.network_id) {
            Ok(verified) => verified,
            Err(reason) => {
                tracing::warn!(%peer, reason, "blocked: hello refused");
                let _ = self.network.block(peer).await;
                return true;
            }
        };
        let (key, log) = (hello.log_public_key, hello.log_id);
        if key == self.own_key {
            return true;
        }
        self.connected.insert(peer, Met { key, log, witness });
        self.directory.arrived(key, peer);
        if let Some(gathering) = &mut self.gathering {
            gathering.introduced(peer);
        }
        let known = self
            .auditor
            .send(AuditorCommand::Hello {
                peer,
                replay: Box::new(replay),
                genesis: hello.genesis_entry.clone(),
            })
            .await;
        let reachable = self
            .core
            .send(CoreCommand::Event(Event::Reachable {
                peer: key,
                reachable: true,
            }))
            .await;
        let introduced = self.core.send(CoreCommand::Introduce { to: key }).await;
        tokio::spawn(fetch(
            self.network.clone(),
            peer,
            self.evidence.clone(),
            self.network_id,
            self.auditor.clone(),
        ));
        known.is_ok() && reachable.is_ok() && introduced.is_ok()
    }

    async fn gone(&mut self, peer: PeerId) -> bool {
        if let Some(gathering) = &mut self.gathering {
            gathering.gone(&peer);
        }
        let Some(Met { key, log, .. }) = self.connected.remove(&peer) else {
            return true;
        };
        self.directory.left(&key);
        let told = self.auditor.send(AuditorCommand::Gone { peer, log }).await;
        told.is_ok()
            && self
                .core
                .send(CoreCommand::Event(Event::Reachable {
                    peer: key,
                    reachable: false,
                }))
                .await
                .is_ok()
    }
}

/// The replay that begins with a peer's entry 0, and the witness key that it binds; or why the hello is refused.
fn verify_hello(
    peer: PeerId,
    hello: &Hello,
    network: &Digest,
) -> Result<(Replay, PublicKey), String> {
    let replay =
        Replay::begin(&hello.genesis_entry, Some(network)).map_err(|error| error.to_string())?;
    let entry = Entry::parse(&hello.genesis_entry, None).map_err(|error| error.to_string())?;
    let Body::Genesis(genesis) = entry.body else {
        return Err("entry 0 is no genesis".to_owned());
    };
    if replay.state().log() != hello.log_id || replay.author() != hello.log_public_key {
        return Err("log id or key is not that of entry 0".to_owned());
    }
    if peer_id_of_transport_key(genesis.keys.transport.as_bytes()) != Some(peer) {
        return Err("entry 0 binds another transport key".to_owned());
    }
    Ok((replay, genesis.keys.witness))
}
