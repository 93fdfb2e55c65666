//! From the node's settings to those of its parts.

use symphony_admin::{BearerToken, ListenSettings, Reachability, TcpSettings, Tokens};
use symphony_coordination::{PeerConfig, Profile};
use symphony_executor::Description;
use symphony_network::{KademliaMode, MdnsMode, Multiaddr, NetworkConfig};
use symphony_protocol::records::Model;
use symphony_transparency::Digest;

use super::start::StartError;
use crate::{
    config::{Config, KademliaChoice},
    home::Home,
};

pub(super) fn peer_config(config: &Config, description: Option<&Description>) -> PeerConfig {
    let mut tags = config.profile.tags.clone();
    tags.sort_unstable();
    tags.dedup();
    let profile = description.map(|description| Profile {
        description: config
            .profile
            .description
            .clone()
            .unwrap_or_else(|| tags.join(" ")),
        models: vec![Model {
            name: description.model_name.chars().take(64).collect(),
            digest: Digest::from_bytes(*description.model_digest.as_bytes()),
            context_tokens: description.context_length_tokens.unwrap_or(0),
        }],
        tags,
        price_microunits: config.profile.price_microunits,
        parallel_max: config.profile.parallel_max,
    });
    PeerConfig {
        profile,
        policy: config.policy(),
        capability_ms: u64::try_from(config.capability_validity.as_millis()).unwrap_or(u64::MAX),
        queue_max: config.profile.queue_max,
        tasks_max: config.tasks_max,
    }
}

pub(super) fn network_config(config: &Config) -> Result<NetworkConfig, StartError> {
    let parse = |key: &'static str, addresses: &[String]| {
        addresses
            .iter()
            .map(|address| {
                address
                    .parse::<Multiaddr>()
                    .map_err(|error| StartError::Address {
                        key,
                        address: address.clone(),
                        reason: error.to_string(),
                    })
            })
            .collect::<Result<Vec<_>, _>>()
    };
    let listen_addresses = parse("listen", &config.listen)?;
    Ok(NetworkConfig {
        // Whoever can reach a node on loopback is on the same machine: there it may serve the table of peers.
        kademlia: match config.kademlia {
            KademliaChoice::Automatic if listen_addresses.iter().all(is_loopback) => {
                KademliaMode::Server
            }
            KademliaChoice::Automatic => KademliaMode::Automatic,
            KademliaChoice::Server => KademliaMode::Server,
            KademliaChoice::Client => KademliaMode::Client,
            KademliaChoice::Off => KademliaMode::Off,
        },
        listen_addresses,
        bootstrap_addresses: parse("bootstrap", &config.bootstrap)?,
        mdns: if config.mdns {
            MdnsMode::On
        } else {
            MdnsMode::Off
        },
        ..NetworkConfig::default()
    })
}

fn is_loopback(address: &Multiaddr) -> bool {
    ["/ip4/127.", "/ip6/::1/"]
        .iter()
        .any(|host| address.to_string().starts_with(host))
}

pub(super) fn admin_settings(config: &Config, home: &Home) -> Result<ListenSettings, StartError> {
    let token = |file: Option<&std::path::Path>| file.map(BearerToken::read_file).transpose();
    let tcp = match config.admin.tcp {
        None => None,
        Some(address) => Some(TcpSettings {
            address,
            reachability: Reachability::default(),
            tokens: Tokens::new(
                token(config.admin.operator_token_file.as_deref())?.as_ref(),
                token(config.admin.auditor_token_file.as_deref())?.as_ref(),
            )?,
        }),
    };
    Ok(ListenSettings {
        socket: home.admin_socket(config),
        tcp,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn net_6_only_a_node_on_loopback_serves_the_table_of_peers_by_itself() {
        let on = |listen: &[&str]| {
            let config = Config {
                listen: listen.iter().map(|address| (*address).to_owned()).collect(),
                ..Config::default()
            };
            network_config(&config).expect("addresses").kademlia
        };
        assert_eq!(
            on(&["/ip4/127.0.0.1/tcp/0", "/ip6/::1/tcp/0"]),
            KademliaMode::Server
        );
        assert_eq!(
            on(&["/ip4/127.0.0.1/tcp/0", "/ip4/0.0.0.0/tcp/0"]),
            KademliaMode::Automatic
        );
    }
}
