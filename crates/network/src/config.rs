//! What an operator may choose.

use std::time::Duration;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

use crate::limits::{CONFIGURED_ADDRESSES_MAX, Limits, REQUEST_SIZE_MAX};

/// Local settings of the network. Two peers of one network may differ in all of them.
///
/// [`NetworkConfig::default`] suits a laptop: any free port on every interface, mDNS on, no bootstrap peers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkConfig {
    /// Where to listen, for example `/ip4/0.0.0.0/udp/4791/quic-v1` or `/ip4/127.0.0.1/tcp/0` (port 0: any free one).
    /// QUIC and TCP, IPv4 and IPv6. Empty: only dial out. At most [`CONFIGURED_ADDRESSES_MAX`]. Spec: NET-4.
    pub listen_addresses: Vec<Multiaddr>,
    /// Addresses under which other peers reach this node from outside, when the operator knows them (port forwarding,
    /// a public server). At most [`CONFIGURED_ADDRESSES_MAX`].
    pub external_addresses: Vec<Multiaddr>,
    /// Peers to dial at the start and whenever their connection is lost. With `/p2p/<peer id>` at the end the peer's
    /// identity is checked. At most [`CONFIGURED_ADDRESSES_MAX`].
    pub bootstrap_addresses: Vec<Multiaddr>,
    /// Whether peers on the local network are found by multicast DNS.
    pub mdns: MdnsMode,
    /// Whether and how the node takes part in the distributed table of peers.
    pub kademlia: KademliaMode,
    /// Longest wait before a bootstrap peer that is not connected is dialled again; the first wait is
    /// [`crate::limits::REDIAL_WAIT_MIN`]. Default 5 s, at least 100 ms.
    pub redial_interval: Duration,
    /// How often each connection is pinged, which measures its round-trip time. Default 15 s, at least 100 ms.
    pub ping_interval: Duration,
    /// Bounds on what peers may use.
    pub limits: Limits,
}

/// Whether peers on the local network are found by multicast DNS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MdnsMode {
    /// Peers announce themselves and are dialled when found.
    #[default]
    On,
    /// Nothing is announced and nothing is looked for.
    Off,
}

/// Whether and how the node takes part in Kademlia, the distributed table of peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KademliaMode {
    /// Server when the node has a configured external address or listens on a public one, client otherwise.
    #[default]
    Automatic,
    /// Answers the look-ups of others, also on a private network or on loopback.
    Server,
    /// Only looks up.
    Client,
    /// Takes no part.
    Off,
}

/// A setting that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A list of addresses is too long.
    #[error("{setting} has {actual} addresses, at most {limit} are allowed")]
    TooManyAddresses {
        /// The setting's name.
        setting: &'static str,
        /// Most addresses allowed.
        limit: usize,
        /// Addresses given.
        actual: usize,
    },
    /// An address that is neither QUIC nor TCP.
    #[error("{setting}: {address} is neither QUIC (/udp/PORT/quic-v1) nor TCP (/tcp/PORT)")]
    UnsupportedAddress {
        /// The setting's name.
        setting: &'static str,
        /// The address.
        address: Multiaddr,
    },
    /// A number outside its range.
    #[error("{setting} is {actual}, expected {expected}")]
    OutOfRange {
        /// The setting's name.
        setting: &'static str,
        /// The range, in words.
        expected: &'static str,
        /// The value given, in the setting's unit.
        actual: String,
    },
}

impl Default for NetworkConfig {
    fn default() -> Self {
        let any_port = |text: &str| text.parse().expect("a well-formed address");
        Self {
            listen_addresses: vec![
                any_port("/ip4/0.0.0.0/udp/0/quic-v1"),
                any_port("/ip4/0.0.0.0/tcp/0"),
            ],
            external_addresses: Vec::new(),
            bootstrap_addresses: Vec::new(),
            mdns: MdnsMode::default(),
            kademlia: KademliaMode::default(),
            redial_interval: Duration::from_secs(5),
            ping_interval: Duration::from_secs(15),
            limits: Limits::default(),
        }
    }
}

impl NetworkConfig {
    /// Settings for peers on one machine: any free QUIC and TCP port on 127.0.0.1, no mDNS, and the table of peers
    /// works although no address is public.
    pub fn loopback() -> Self {
        let any_port = |text: &str| text.parse().expect("a well-formed address");
        Self {
            listen_addresses: vec![
                any_port("/ip4/127.0.0.1/udp/0/quic-v1"),
                any_port("/ip4/127.0.0.1/tcp/0"),
            ],
            mdns: MdnsMode::Off,
            kademlia: KademliaMode::Server,
            ..Self::default()
        }
    }

    /// Refuses settings that cannot work, before anything is opened.
    ///
    /// # Errors
    /// The first [`ConfigError`] found, with the setting's name.
    pub fn validate(&self) -> Result<(), ConfigError> {
        for (setting, addresses) in [
            ("listen_addresses", &self.listen_addresses),
            ("external_addresses", &self.external_addresses),
            ("bootstrap_addresses", &self.bootstrap_addresses),
        ] {
            validate_addresses(setting, addresses)?;
        }
        let interval_min = Duration::from_millis(100);
        for (setting, interval) in [
            ("redial_interval", self.redial_interval),
            ("ping_interval", self.ping_interval),
        ] {
            if interval < interval_min {
                return Err(out_of_range(
                    setting,
                    "at least 100ms",
                    format!("{interval:?}"),
                ));
            }
        }
        validate_limits(&self.limits)
    }
}

fn validate_addresses(setting: &'static str, addresses: &[Multiaddr]) -> Result<(), ConfigError> {
    if addresses.len() > CONFIGURED_ADDRESSES_MAX {
        return Err(ConfigError::TooManyAddresses {
            setting,
            limit: CONFIGURED_ADDRESSES_MAX,
            actual: addresses.len(),
        });
    }
    match addresses.iter().find(|address| !is_supported(address)) {
        Some(address) => Err(ConfigError::UnsupportedAddress {
            setting,
            address: address.clone(),
        }),
        None => Ok(()),
    }
}

fn is_supported(address: &Multiaddr) -> bool {
    let mut parts = address.iter();
    let host = matches!(
        parts.next(),
        Some(
            Protocol::Ip4(_)
                | Protocol::Ip6(_)
                | Protocol::Dns(_)
                | Protocol::Dns4(_)
                | Protocol::Dns6(_)
        )
    );
    let transport = match parts.next() {
        Some(Protocol::Tcp(_)) => true,
        Some(Protocol::Udp(_)) => matches!(parts.next(), Some(Protocol::QuicV1)),
        _ => false,
    };
    let end = match parts.next() {
        None => true,
        Some(Protocol::P2p(_)) => parts.next().is_none(),
        Some(_) => false,
    };
    host && transport && end
}

fn validate_limits(limits: &Limits) -> Result<(), ConfigError> {
    let counts = [
        ("connections_max", u64::from(limits.connections_max)),
        (
            "connections_incoming_max",
            u64::from(limits.connections_incoming_max),
        ),
        (
            "connections_per_peer_max",
            u64::from(limits.connections_per_peer_max),
        ),
        (
            "connections_pending_max",
            u64::from(limits.connections_pending_max),
        ),
        (
            "validations_pending_max",
            limits.validations_pending_max as u64,
        ),
        ("replies_pending_max", limits.replies_pending_max as u64),
        (
            "replies_pending_per_peer_max",
            limits.replies_pending_per_peer_max as u64,
        ),
        ("requests_pending_max", limits.requests_pending_max as u64),
        (
            "requests_pending_per_peer_max",
            limits.requests_pending_per_peer_max as u64,
        ),
        ("requests_queued_max", limits.requests_queued_max as u64),
        (
            "requests_queued_per_peer_max",
            limits.requests_queued_per_peer_max as u64,
        ),
        ("request_quota.burst", u64::from(limits.request_quota.burst)),
        (
            "request_quota.per_second",
            u64::from(limits.request_quota.per_second),
        ),
        ("gossip_quota.burst", u64::from(limits.gossip_quota.burst)),
        (
            "gossip_quota.per_second",
            u64::from(limits.gossip_quota.per_second),
        ),
    ];
    for (setting, value) in counts {
        if value == 0 || value > u64::from(u16::MAX) {
            return Err(out_of_range(setting, "1 to 65535", value.to_string()));
        }
    }
    let durations = [
        (
            "idle_connection_timeout",
            limits.idle_connection_timeout,
            Duration::from_secs(86_400),
        ),
        (
            "request_timeout",
            limits.request_timeout,
            Duration::from_secs(300),
        ),
        (
            "reply_timeout",
            limits.reply_timeout,
            limits.request_timeout,
        ),
        (
            "validation_timeout",
            limits.validation_timeout,
            Duration::from_secs(8),
        ),
    ];
    for (setting, value, longest) in durations {
        if value.is_zero() || value > longest {
            return Err(out_of_range(
                setting,
                "more than zero and at most its documented maximum",
                format!("{value:?}"),
            ));
        }
    }
    if limits.inbound_memory_max < REQUEST_SIZE_MAX || limits.inbound_memory_max > 1 << 40 {
        return Err(out_of_range(
            "inbound_memory_max",
            "at least 262144 bytes and at most 1 TiB",
            limits.inbound_memory_max.to_string(),
        ));
    }
    Ok(())
}

fn out_of_range(setting: &'static str, expected: &'static str, actual: String) -> ConfigError {
    ConfigError::OutOfRange {
        setting,
        expected,
        actual,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(NetworkConfig::default().validate(), Ok(()));
        assert_eq!(NetworkConfig::loopback().validate(), Ok(()));
    }

    #[test]
    fn net_4_only_quic_and_tcp_addresses_are_taken() {
        let peer = libp2p::PeerId::random();
        for (text, expected) in [
            ("/ip4/1.2.3.4/tcp/1".to_owned(), true),
            ("/ip6/::1/udp/1/quic-v1".to_owned(), true),
            (format!("/dns4/example.org/tcp/1/p2p/{peer}"), true),
            ("/ip4/1.2.3.4/udp/1".to_owned(), false),
            ("/ip4/1.2.3.4/tcp/1/ws".to_owned(), false),
            ("/ip4/1.2.3.4".to_owned(), false),
            ("/memory/1".to_owned(), false),
        ] {
            let address: Multiaddr = text.parse().unwrap();
            assert_eq!(is_supported(&address), expected, "{text}");
        }
    }

    #[test]
    fn a_limit_of_zero_is_refused_by_name() {
        let mut config = NetworkConfig::default();
        config.limits.replies_pending_max = 0;
        let error = config.validate().unwrap_err();
        assert!(error.to_string().contains("replies_pending_max"), "{error}");
    }

    #[test]
    fn too_many_addresses_are_refused() {
        let config = NetworkConfig {
            bootstrap_addresses: vec![
                "/ip4/1.2.3.4/tcp/1".parse().unwrap();
                CONFIGURED_ADDRESSES_MAX + 1
            ],
            ..NetworkConfig::default()
        };
        assert!(matches!(
            config.validate(),
            Err(ConfigError::TooManyAddresses { .. })
        ));
    }
}
