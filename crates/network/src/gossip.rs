//! How gossip is set up: names of messages, sizes, the mesh, and the score of a peer.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use libp2p::gossipsub::{
    Behaviour, Config, ConfigBuilder, Message, MessageAuthenticity, MessageId, PeerScoreParams,
    PeerScoreThresholds, TopicScoreParams, ValidationMode, WhitelistSubscriptionFilter,
    score_parameter_decay,
};
use sha2::{Digest as _, Sha256};

use crate::limits::GOSSIP_SIZE_MAX;
use crate::names::{NetworkNames, Topic};

/// Gossip that takes part in this network's topics only.
pub(crate) type Gossip =
    Behaviour<libp2p::gossipsub::IdentityTransform, WhitelistSubscriptionFilter>;

/// First bytes of what the id of a message is the hash of. Spec: NET-33.
const MESSAGE_ID_CONTEXT: &[u8] = b"symphony/v1/gossip\0";

/// Room for the topic and the framing around the largest message.
const FRAMING_SIZE_MAX: usize = 1024;

/// How long a message is remembered, so that it is not handled twice; above the longest validity of a beacon on its way.
const DUPLICATE_CACHE_TIME: Duration = Duration::from_secs(120);

/// Heartbeats (of one second) for which a message can still be forwarded: above the longest `validation_timeout`.
const HISTORY_LENGTH: usize = 12;

/// Builds the gossip behaviour and subscribes it to every topic of the network.
///
/// # Errors
/// A text when libp2p refuses the settings, which are constants: it happens for no input.
pub(crate) fn build(names: &NetworkNames) -> Result<Gossip, String> {
    let topics: HashSet<_> = Topic::ALL
        .map(|topic| names.gossip_topic(topic).hash())
        .into();
    // No libp2p signature: the statement inside is signed by its author's log key, and a second signature would make
    // two messages of one statement, or one statement invalid through no fault of its own (NET-33).
    let mut gossip = Behaviour::new_with_subscription_filter(
        MessageAuthenticity::Anonymous,
        config().map_err(|error| error.to_string())?,
        WhitelistSubscriptionFilter(topics),
    )
    .map_err(ToOwned::to_owned)?;
    gossip.with_peer_score(score_params(names), score_thresholds())?;
    for topic in Topic::ALL {
        gossip
            .subscribe(&names.gossip_topic(topic))
            .map_err(|error| error.to_string())?;
    }
    Ok(gossip)
}

fn config() -> Result<Config, libp2p::gossipsub::ConfigBuilderError> {
    ConfigBuilder::default()
        .validation_mode(ValidationMode::Anonymous)
        .validate_messages()
        .message_id_fn(message_id)
        .max_transmit_size(GOSSIP_SIZE_MAX + FRAMING_SIZE_MAX)
        .heartbeat_initial_delay(Duration::from_secs(1))
        .heartbeat_interval(Duration::from_secs(1))
        .history_length(HISTORY_LENGTH)
        .history_gossip(3)
        .duplicate_cache_time(DUPLICATE_CACHE_TIME)
        .flood_publish(true)
        .build()
}

/// SHA-256 of a context, the topic with its length, and the message: every peer gives the same bytes the same name, so
/// each travels once whoever published it. Spec: NET-33.
fn message_id(message: &Message) -> MessageId {
    let topic = message.topic.as_str().as_bytes();
    let mut hasher = Sha256::new();
    hasher.update(MESSAGE_ID_CONTEXT);
    hasher.update((topic.len() as u64).to_be_bytes());
    hasher.update(topic);
    hasher.update(&message.data);
    MessageId::from(hasher.finalize().to_vec())
}

/// Where a score makes a difference. One rejected message costs 10, two 40, three 90 (the square counts), and none of
/// what an honest peer earns is large enough to hide that. Spec: NET-34.
fn score_thresholds() -> PeerScoreThresholds {
    PeerScoreThresholds {
        gossip_threshold: -40.0,
        publish_threshold: -80.0,
        graylist_threshold: -150.0,
        accept_px_threshold: 100.0,
        opportunistic_graft_threshold: 2.0,
    }
}

fn score_params(names: &NetworkNames) -> PeerScoreParams {
    PeerScoreParams {
        topics: Topic::ALL
            .map(|topic| (names.gossip_topic(topic).hash(), topic_score_params()))
            .into(),
        // Below one rejected message: nobody can earn the right to send garbage.
        topic_score_cap: 9.0,
        app_specific_weight: 1.0,
        ip_colocation_factor_weight: -20.0,
        ip_colocation_factor_threshold: 8.0,
        // Many peers on one machine are a test or a demonstration, not an attack from many addresses.
        ip_colocation_factor_whitelist: HashSet::from([
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::LOCALHOST),
        ]),
        behaviour_penalty_weight: -10.0,
        behaviour_penalty_threshold: 6.0,
        behaviour_penalty_decay: score_parameter_decay(Duration::from_secs(600)),
        decay_interval: Duration::from_secs(1),
        decay_to_zero: 0.01,
        retain_score: Duration::from_secs(3600),
        slow_peer_weight: -0.2,
        slow_peer_threshold: 10.0,
        slow_peer_decay: score_parameter_decay(Duration::from_secs(60)),
    }
}

fn topic_score_params() -> TopicScoreParams {
    TopicScoreParams {
        topic_weight: 1.0,
        time_in_mesh_weight: 0.01,
        time_in_mesh_quantum: Duration::from_secs(1),
        time_in_mesh_cap: 100.0,
        first_message_deliveries_weight: 0.1,
        first_message_deliveries_decay: score_parameter_decay(Duration::from_secs(600)),
        first_message_deliveries_cap: 20.0,
        // A topic may be silent for hours, so too few deliveries prove nothing: both penalties are off.
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        invalid_message_deliveries_weight: -10.0,
        invalid_message_deliveries_decay: score_parameter_decay(Duration::from_secs(3600)),
        ..TopicScoreParams::default()
    }
}

#[cfg(test)]
mod tests {
    use libp2p::gossipsub::TopicHash;
    use symphony_transparency::Digest;

    use super::*;

    #[test]
    fn net_34_the_score_settings_are_valid() {
        let names = NetworkNames::new(&Digest::ZERO);
        score_params(&names).validate().unwrap();
        score_thresholds().validate().unwrap();
        assert!(build(&names).is_ok());
    }

    #[test]
    fn net_34_nobody_earns_enough_to_hide_one_rejected_message() {
        let params = score_params(&NetworkNames::new(&Digest::ZERO));
        for topic in params.topics.values() {
            assert!(params.topic_score_cap + topic.invalid_message_deliveries_weight < 0.0);
        }
    }

    #[test]
    fn net_33_the_id_of_a_message_is_a_hash_of_topic_and_bytes() {
        let message = |source, topic: &str, data: &[u8]| Message {
            source,
            data: data.to_vec(),
            sequence_number: None,
            topic: TopicHash::from_raw(topic),
        };
        let id = message_id(&message(None, "a", b"bc"));
        assert_eq!(id.0.len(), 32);
        assert_eq!(
            id,
            message_id(&message(Some(libp2p::PeerId::random()), "a", b"bc"))
        );
        assert_ne!(id, message_id(&message(None, "ab", b"c")));
        assert_ne!(id, message_id(&message(None, "a", b"bd")));
    }
}
