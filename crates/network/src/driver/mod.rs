//! The owner task: it alone holds the swarm and every table.

mod bootstrap;
mod commands;
mod discovery;
mod exchange;
mod gossip;
mod listeners;
mod session;
mod sessions;

use std::collections::{BTreeMap, VecDeque};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use libp2p::request_response::OutboundRequestId;
use libp2p::swarm::{ConnectionId, SwarmEvent};
use libp2p::{PeerId, Swarm};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior};

use self::bootstrap::Bootstrap;
use self::exchange::{PendingReply, PendingRequest};
use self::gossip::PendingValidation;
use self::listeners::Listener;
use self::session::Session;
use crate::behaviour::{Behaviour, BehaviourEvent};
use crate::blocklist::Blocklist;
use crate::command::Command;
use crate::config::NetworkConfig;
use crate::event::NetworkEvent;
use crate::handle::{DialError, Shared};
use crate::limits::{OUTBOX_DROPPABLE_MAX, OUTBOX_MAX};
use crate::message::Hello;
use crate::pending::Pending;
use crate::queue::RequestQueue;

/// How often blocks are lifted and requests that nobody waits for are dropped.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(1);

/// How long connections may take to end at shutdown; the other side then notices by itself.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// How often it is looked whether a QUIC port is free at shutdown.
const PORT_CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// The owner of the swarm.
pub(crate) struct Driver {
    swarm: Swarm<Behaviour>,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<NetworkEvent>,
    outbox: VecDeque<NetworkEvent>,
    shared: Arc<Shared>,
    config: NetworkConfig,
    hello: Hello,
    started: Instant,
    listeners: Vec<Listener>,
    sessions: BTreeMap<PeerId, Session>,
    dials: BTreeMap<ConnectionId, Dial>,
    bootstrap: Vec<Bootstrap>,
    is_bootstrap_tried: bool,
    blocklist: Blocklist,
    queue: RequestQueue,
    requests: BTreeMap<OutboundRequestId, PendingRequest>,
    replies: Pending<PendingReply>,
    validations: Pending<PendingValidation>,
}

/// A dial that a handle waits for.
struct Dial {
    address: libp2p::Multiaddr,
    answer: oneshot::Sender<Result<PeerId, DialError>>,
}

impl Driver {
    pub(crate) fn new(
        swarm: Swarm<Behaviour>,
        commands: mpsc::Receiver<Command>,
        events: mpsc::Sender<NetworkEvent>,
        shared: Arc<Shared>,
        config: NetworkConfig,
        hello: Hello,
    ) -> Self {
        let limits = &config.limits;
        Self {
            swarm,
            commands,
            events,
            outbox: VecDeque::new(),
            shared,
            hello,
            started: Instant::now(),
            listeners: Vec::new(),
            sessions: BTreeMap::new(),
            dials: BTreeMap::new(),
            bootstrap: Bootstrap::list(&config.bootstrap_addresses),
            is_bootstrap_tried: false,
            blocklist: Blocklist::default(),
            queue: RequestQueue::new(
                limits.requests_queued_max,
                limits.requests_queued_per_peer_max,
            ),
            requests: BTreeMap::new(),
            replies: Pending::new(limits.reply_timeout, limits.replies_pending_max),
            validations: Pending::new(limits.validation_timeout, limits.validations_pending_max),
            config,
        }
    }

    /// Runs until a handle asks for the end, or no handle, or no reader of events, is left.
    pub(crate) async fn run(mut self) {
        let mut upkeep = tokio::time::interval(UPKEEP_INTERVAL);
        upkeep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.dial_bootstrap_peers();
        // A permit borrows the sender, so it comes from a sender beside the driver.
        let events = self.events.clone();
        let done = loop {
            let deadline = self.next_deadline();
            tokio::select! {
                command = self.commands.recv() => match command {
                    None => break None,
                    Some(Command::Shutdown { answer }) => break Some(answer),
                    Some(command) => self.on_command(command),
                },
                event = self.swarm.select_next_some(), if self.outbox.len() < OUTBOX_MAX => {
                    self.on_swarm_event(event);
                }
                permit = events.reserve(), if !self.outbox.is_empty() => match permit {
                    Err(_) => break None,
                    Ok(permit) => {
                        let event = self.outbox.pop_front().expect("the outbox was not empty");
                        permit.send(event);
                    }
                },
                () = tokio::time::sleep_until(deadline) => self.expire(),
                _ = upkeep.tick() => self.upkeep(),
            }
        };
        let sockets = self.quic_sockets();
        self.close().await;
        drop(self);
        until_free(&sockets).await;
        // Only now: the end of the event stream says that everything is closed.
        drop(events);
        if let Some(answer) = done {
            // The handle may have given up waiting; the network is down all the same.
            let _ = answer.send(());
        }
    }

    /// Time since the owner task was made: the clock of every table.
    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn next_deadline(&self) -> Instant {
        /// Any time at which something happens anyway.
        const FAR: Duration = Duration::from_secs(3600);
        let next = [
            self.replies.next_deadline(),
            self.validations.next_deadline(),
            self.next_redial(),
        ];
        match next.into_iter().flatten().min() {
            Some(deadline) => self.started + deadline,
            None => Instant::now() + FAR,
        }
    }

    fn expire(&mut self) {
        self.expire_replies();
        self.expire_validations();
        self.dial_bootstrap_peers();
    }

    fn upkeep(&mut self) {
        for peer in self.blocklist.expire(self.now()) {
            self.swarm.behaviour_mut().blocked.unblock_peer(peer);
        }
        self.queue.prune();
        self.dials.retain(|_, dial| !dial.answer.is_closed());
    }

    /// Hands an event to the node that must not be lost. There is always room, because nothing more is read from the
    /// network once the outbox is full, and one thing read makes few events.
    fn emit(&mut self, event: NetworkEvent) {
        self.outbox.push_back(event);
    }

    /// Whether events that the network can do without (gossip, requests) still have room.
    fn has_room_for_droppable_events(&self) -> bool {
        self.outbox.len() < OUTBOX_DROPPABLE_MAX
    }

    fn on_swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour_event(event),
            SwarmEvent::ConnectionEstablished {
                peer_id,
                connection_id,
                endpoint,
                ..
            } => {
                let address = endpoint.get_remote_address().clone();
                self.on_connection_established(peer_id, connection_id, address);
            }
            SwarmEvent::ConnectionClosed {
                peer_id,
                connection_id,
                num_established,
                ..
            } => self.on_connection_closed(peer_id, connection_id, num_established),
            SwarmEvent::OutgoingConnectionError {
                connection_id,
                peer_id,
                error,
            } => self.on_dial_failed(connection_id, peer_id, &error),
            SwarmEvent::NewListenAddr {
                listener_id,
                address,
            } => self.on_new_listen_address(listener_id, address),
            SwarmEvent::ExpiredListenAddr {
                listener_id,
                address,
            } => self.on_expired_listen_address(listener_id, address),
            SwarmEvent::ListenerClosed {
                listener_id,
                reason,
                ..
            } => self.on_listener_closed(listener_id, reason),
            SwarmEvent::ListenerError { error, .. } => {
                tracing::warn!(%error, "a listener reports an error");
            }
            // Inbound failures are a stranger's noise; the rest concerns addresses that libp2p handles itself.
            _ => {}
        }
    }

    fn on_behaviour_event(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Exchange(event) => self.on_exchange_event(event),
            BehaviourEvent::Gossip(event) => self.on_gossip_event(event),
            BehaviourEvent::Ping(event) => self.on_ping_event(event),
            BehaviourEvent::Identify(event) => self.on_identify_event(event),
            BehaviourEvent::Kademlia(event) => self.on_kademlia_event(event),
            BehaviourEvent::Mdns(event) => self.on_mdns_event(event),
            BehaviourEvent::Limits(event) => match event {},
            BehaviourEvent::Blocked(event) => match event {},
        }
    }

    /// Ends every listener and connection, and waits for that for a while.
    async fn close(&mut self) {
        self.commands.close();
        let listeners: Vec<_> = self.listeners.iter().map(|listener| listener.id).collect();
        for id in listeners {
            self.swarm.remove_listener(id);
        }
        let peers: Vec<_> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            // It was connected a moment ago; that it no longer is serves as well.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let ended = async {
            while !self.listeners.is_empty() || self.swarm.connected_peers().next().is_some() {
                match self.swarm.select_next_some().await {
                    SwarmEvent::ListenerClosed { listener_id, .. } => {
                        self.listeners.retain(|listener| listener.id != listener_id);
                    }
                    SwarmEvent::ConnectionEstablished { peer_id, .. } => {
                        let _ = self.swarm.disconnect_peer_id(peer_id);
                    }
                    _ => {}
                }
            }
        };
        if tokio::time::timeout(SHUTDOWN_TIMEOUT, ended).await.is_err() {
            tracing::warn!("some connections did not end in time at shutdown");
        }
    }
}

/// Waits until the ports of QUIC listeners are free, for a while.
///
/// QUIC keeps its socket open after the swarm is gone, until packets of ended connections can no longer arrive; without
/// this a node could not be started again on its port right after its shutdown.
async fn until_free(sockets: &[SocketAddr]) {
    let all_free = async {
        while sockets
            .iter()
            .any(|socket| UdpSocket::bind(socket).is_err())
        {
            tokio::time::sleep(PORT_CHECK_INTERVAL).await;
        }
    };
    if tokio::time::timeout(SHUTDOWN_TIMEOUT, all_free)
        .await
        .is_err()
    {
        tracing::warn!("a QUIC port is still in use after shutdown");
    }
}
