//! Opening the network.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, Swarm, SwarmBuilder, noise, tcp, yamux};
use tokio::sync::mpsc;

use crate::behaviour::Behaviour;
use crate::config::{ConfigError, NetworkConfig};
use crate::driver::Driver;
use crate::event::Events;
use crate::handle::{Handle, Shared};
use crate::identity::TransportSecret;
use crate::limits::{COMMANDS_MAX, EVENTS_MAX};
use crate::message::Hello;
use crate::metrics::Metrics;
use crate::names::NetworkNames;
use crate::wire::{self, WireError};

/// How long all listeners together may take to report their addresses; binding a socket takes microseconds.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(10);

/// Streams that one TCP connection may have open at once, over all protocols.
const YAMUX_STREAMS_MAX: usize = 512;

/// Bytes in flight on one QUIC stream: the largest response.
const QUIC_STREAM_DATA_MAX: u32 = 2 * 1024 * 1024;

/// Bytes in flight on one QUIC connection.
const QUIC_CONNECTION_DATA_MAX: u32 = 8 * 1024 * 1024;

/// The way into the network: see [`Network::start`].
#[derive(Debug)]
pub struct Network;

/// Why the network did not start. Nothing is left open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A setting cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The node's own hello is outside the limits of the protocol.
    #[error("the hello does not fit the protocol: {0}")]
    Hello(#[source] WireError),
    /// Another process, or another node of this one, has the port.
    #[error("{address} is in use by another process")]
    AddressInUse {
        /// The configured address.
        address: Multiaddr,
    },
    /// The system refuses to listen there.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The configured address.
        address: Multiaddr,
        /// What the system reports.
        reason: String,
    },
    /// Some listener reported no address in time.
    #[error("no address of {address} came up within {timeout:?}")]
    ListenTimeout {
        /// The configured address.
        address: Multiaddr,
        /// How long was waited.
        timeout: Duration,
    },
    /// A part of the network could not be set up: the cryptography, the resolver of names, or mDNS.
    #[error("cannot set up {part}: {reason}")]
    Setup {
        /// Which part.
        part: &'static str,
        /// What it reports.
        reason: String,
    },
}

impl Network {
    /// Opens the network: checks the settings, listens, and starts the owner task on the current tokio runtime. When it
    /// returns, every listener stands, and bootstrap peers are being dialled.
    ///
    /// `hello` is what the node says about itself; its network id names the network. The network shuts down when
    /// [`Handle::shutdown`] is called, when every handle is dropped, or when the events are.
    ///
    /// # Errors
    /// [`StartError`].
    ///
    /// # Panics
    /// Outside a tokio runtime with time and I/O.
    ///
    /// Spec: NET-1 to NET-6.
    pub async fn start(
        config: NetworkConfig,
        secret: &TransportSecret,
        hello: Hello,
    ) -> Result<(Handle, Events), StartError> {
        config.validate()?;
        let hello = wire::check_hello(hello).map_err(StartError::Hello)?;
        for address in &config.listen_addresses {
            refuse_port_in_use(address)?;
        }
        let names = NetworkNames::new(&hello.network_id);
        let keypair = secret.keypair();
        let swarm = build_swarm(keypair, &config, &names)?;
        let shared = Arc::new(Shared {
            local_peer_id: *swarm.local_peer_id(),
            names,
            request_timeout: config.limits.request_timeout,
            metrics: Metrics::default(),
        });
        let (commands, command_receiver) = mpsc::channel(COMMANDS_MAX);
        let (event_sender, receiver) = mpsc::channel(EVENTS_MAX);
        let addresses = config.listen_addresses.clone();
        let mut driver = Driver::new(
            swarm,
            command_receiver,
            event_sender,
            Arc::clone(&shared),
            config,
            hello,
        );
        driver.listen(addresses, LISTEN_TIMEOUT).await?;
        tokio::spawn(driver.run());
        Ok((Handle { commands, shared }, Events { receiver }))
    }
}

fn build_swarm(
    keypair: Keypair,
    config: &NetworkConfig,
    names: &NetworkNames,
) -> Result<Swarm<Behaviour>, StartError> {
    let setup = |part| {
        move |error: &dyn std::fmt::Display| StartError::Setup {
            part,
            reason: error.to_string(),
        }
    };
    let yamux_config = || {
        let mut config = yamux::Config::default();
        config.set_max_num_streams(YAMUX_STREAMS_MAX);
        config
    };
    let idle_timeout = config.limits.idle_connection_timeout;
    Ok(SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux_config)
        .map_err(|error| setup("TCP with Noise")(&error))?
        .with_quic_config(|mut quic| {
            quic.max_stream_data = QUIC_STREAM_DATA_MAX;
            quic.max_connection_data = QUIC_CONNECTION_DATA_MAX;
            quic
        })
        .with_dns()
        .map_err(|error| setup("the resolver of names")(&error))?
        .with_behaviour(|keypair| Behaviour::new(keypair, config, names))
        .map_err(|error| setup("the protocols")(&error))?
        .with_swarm_config(|swarm| swarm.with_idle_connection_timeout(idle_timeout))
        .build())
}

/// Refuses an address whose port another socket has.
///
/// libp2p binds TCP listeners with `SO_REUSEPORT`, so a second node of the same user would be given the same port without
/// an error, and the system would deal connections out between the two. A plain bind does notice.
///
/// Spec: NET-4.
fn refuse_port_in_use(address: &Multiaddr) -> Result<(), StartError> {
    let Some((socket, transport)) = socket_of(address) else {
        return Ok(());
    };
    if socket.port() == 0 {
        return Ok(());
    }
    let bound = match transport {
        Transport::Tcp => TcpListener::bind(socket).map(drop),
        Transport::Quic => UdpSocket::bind(socket).map(drop),
    };
    bound.map_err(|error| listen_error(address.clone(), &error))
}

/// The error for a listener that the system refuses.
pub(crate) fn listen_error(address: Multiaddr, error: &io::Error) -> StartError {
    if error.kind() == io::ErrorKind::AddrInUse {
        return StartError::AddressInUse { address };
    }
    StartError::Listen {
        address,
        reason: error.to_string(),
    }
}

/// What carries connections.
pub(crate) enum Transport {
    Tcp,
    Quic,
}

/// The socket that an address without a name to resolve stands for.
pub(crate) fn socket_of(address: &Multiaddr) -> Option<(SocketAddr, Transport)> {
    let mut parts = address.iter();
    let host = match parts.next()? {
        Protocol::Ip4(host) => IpAddr::V4(host),
        Protocol::Ip6(host) => IpAddr::V6(host),
        _ => return None,
    };
    match parts.next()? {
        Protocol::Tcp(port) => Some((SocketAddr::new(host, port), Transport::Tcp)),
        Protocol::Udp(port) => Some((SocketAddr::new(host, port), Transport::Quic)),
        _ => None,
    }
}
