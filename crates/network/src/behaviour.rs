//! The protocols that a connection carries.

use std::num::NonZeroUsize;

use libp2p::allow_block_list::{self, BlockedPeers};
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::identity::Keypair;
use libp2p::kad::{self, store::MemoryStore};
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::NetworkBehaviour;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::{identify, mdns, ping};

use crate::config::{KademliaMode, MdnsMode, NetworkConfig};
use crate::gossip::{self, Gossip};
use crate::names::NetworkNames;
use crate::wire::ExchangeCodec;

/// Streams of one connection on which requests go either way at once: our own and the other side's pending requests,
/// and as many again that the other side was told to send later.
const EXCHANGE_STREAMS_MAX: usize = 128;

/// Peers whose addresses identify remembers.
const IDENTIFY_CACHE_SIZE: usize = 256;

/// Everything that runs over a connection. The first two refuse connections before the others see them.
#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    limits: connection_limits::Behaviour,
    pub(crate) blocked: allow_block_list::Behaviour<BlockedPeers>,
    ping: ping::Behaviour,
    identify: identify::Behaviour,
    pub(crate) gossip: Gossip,
    pub(crate) exchange: request_response::Behaviour<ExchangeCodec>,
    pub(crate) kademlia: Toggle<kad::Behaviour<MemoryStore>>,
    mdns: Toggle<mdns::tokio::Behaviour>,
}

impl Behaviour {
    /// Sets every protocol up for one network.
    ///
    /// # Errors
    /// When gossip refuses its settings, or mDNS cannot open its socket.
    pub(crate) fn new(
        keypair: &Keypair,
        config: &NetworkConfig,
        names: &NetworkNames,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let local_peer_id = keypair.public().to_peer_id();
        let limits = &config.limits;
        let mdns = match config.mdns {
            MdnsMode::Off => None,
            MdnsMode::On => Some(mdns::tokio::Behaviour::new(
                mdns::Config::default(),
                local_peer_id,
            )?),
        };
        Ok(Self {
            limits: connection_limits::Behaviour::new(
                ConnectionLimits::default()
                    .with_max_established(Some(limits.connections_max))
                    .with_max_established_incoming(Some(limits.connections_incoming_max))
                    .with_max_established_per_peer(Some(limits.connections_per_peer_max))
                    .with_max_pending_incoming(Some(limits.connections_pending_max))
                    .with_max_pending_outgoing(Some(limits.connections_pending_max)),
            ),
            blocked: allow_block_list::Behaviour::default(),
            ping: ping::Behaviour::new(ping::Config::new().with_interval(config.ping_interval)),
            identify: identify::Behaviour::new(
                identify::Config::new(names.protocol_family(), keypair.public())
                    .with_agent_version(concat!("symphony/", env!("CARGO_PKG_VERSION")).to_owned())
                    .with_push_listen_addr_updates(true)
                    .with_cache_size(IDENTIFY_CACHE_SIZE),
            ),
            gossip: gossip::build(names)?,
            exchange: request_response::Behaviour::with_codec(
                ExchangeCodec::new(limits.inbound_memory_max),
                [(names.exchange_protocol(), ProtocolSupport::Full)],
                request_response::Config::default()
                    .with_request_timeout(limits.request_timeout)
                    .with_max_concurrent_streams(EXCHANGE_STREAMS_MAX),
            ),
            kademlia: kademlia(local_peer_id, config.kademlia, names).into(),
            mdns: mdns.into(),
        })
    }
}

fn kademlia(
    local_peer_id: libp2p::PeerId,
    mode: KademliaMode,
    names: &NetworkNames,
) -> Option<kad::Behaviour<MemoryStore>> {
    let mode = match mode {
        KademliaMode::Off => return None,
        // Kademlia becomes a server by itself once the node has an external address.
        KademliaMode::Automatic => None,
        KademliaMode::Server => Some(kad::Mode::Server),
        KademliaMode::Client => Some(kad::Mode::Client),
    };
    let mut config = kad::Config::new(names.kademlia_protocol());
    // Only the table of peers is used: whatever a stranger asks us to store is dropped.
    config.set_record_filtering(kad::StoreInserts::FilterBoth);
    config.set_kbucket_size(NonZeroUsize::new(20).expect("20 is not zero"));
    let store = MemoryStore::new(local_peer_id);
    let mut kademlia = kad::Behaviour::with_config(local_peer_id, store, config);
    kademlia.set_mode(mode);
    Some(kademlia)
}
