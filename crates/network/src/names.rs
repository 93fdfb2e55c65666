//! Names that carry the network id, so that peers of different networks have no protocol in common.

use data_encoding::HEXLOWER;
use libp2p::StreamProtocol;
use libp2p::gossipsub::{IdentTopic, TopicHash};
use symphony_transparency::Digest;

/// What a gossip message is about; each has a topic of its own.
///
/// Spec: NET-31.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Capability statements and their revocations.
    Capability,
    /// Beacons: announcements of steps that look for bidders.
    Beacon,
    /// Checkpoints of logs.
    Checkpoint,
    /// Evidence files.
    Evidence,
}

impl Topic {
    /// Every topic, in the order of their names.
    pub const ALL: [Self; 4] = [
        Self::Beacon,
        Self::Capability,
        Self::Checkpoint,
        Self::Evidence,
    ];

    /// The last part of the topic's name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Capability => "capability",
            Self::Beacon => "beacon",
            Self::Checkpoint => "checkpoint",
            Self::Evidence => "evidence",
        }
    }
}

/// Protocol and topic names of one network.
///
/// Spec: NET-3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkNames {
    prefix: String,
}

impl NetworkNames {
    /// How many hexadecimal digits of the network id stand in a name. 64 bits keep networks apart by accident; the full
    /// id is compared in every hello and every statement.
    pub const DIGITS: usize = 16;

    /// The names of the network with this id.
    pub fn new(network_id: &Digest) -> Self {
        let mut prefix = HEXLOWER.encode(network_id.as_bytes());
        prefix.truncate(Self::DIGITS);
        Self { prefix }
    }

    /// The request-response protocol: `/symphony/<digits>/exchange/1`.
    pub fn exchange_protocol(&self) -> StreamProtocol {
        self.protocol("exchange/1")
    }

    /// The Kademlia protocol: `/symphony/<digits>/kademlia/1`.
    pub fn kademlia_protocol(&self) -> StreamProtocol {
        self.protocol("kademlia/1")
    }

    /// What identify reports as the protocol family: `/symphony/<digits>/1`.
    pub fn protocol_family(&self) -> String {
        format!("/symphony/{}/1", self.prefix)
    }

    /// The name of a topic: `symphony/<digits>/<topic>`.
    pub fn topic(&self, topic: Topic) -> String {
        format!("symphony/{}/{}", self.prefix, topic.name())
    }

    pub(crate) fn gossip_topic(&self, topic: Topic) -> IdentTopic {
        IdentTopic::new(self.topic(topic))
    }

    /// The topic with this name, if it is one of this network's.
    pub(crate) fn topic_of(&self, hash: &TopicHash) -> Option<Topic> {
        Topic::ALL
            .into_iter()
            .find(|topic| self.topic(*topic) == hash.as_str())
    }

    fn protocol(&self, name: &str) -> StreamProtocol {
        StreamProtocol::try_from_owned(format!("/symphony/{}/{name}", self.prefix))
            .expect("the name begins with a slash")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn net_3_names_carry_sixteen_digits_of_the_network_id() {
        let names = NetworkNames::new(&Digest::from_bytes([0xAB; 32]));
        assert_eq!(
            names.exchange_protocol().as_ref(),
            "/symphony/abababababababab/exchange/1"
        );
        assert_eq!(
            names.topic(Topic::Beacon),
            "symphony/abababababababab/beacon"
        );
        assert_eq!(names.protocol_family(), "/symphony/abababababababab/1");
    }

    #[test]
    fn net_31_a_topic_of_another_network_is_no_topic() {
        let ours = NetworkNames::new(&Digest::from_bytes([1; 32]));
        let theirs = NetworkNames::new(&Digest::from_bytes([2; 32]));
        for topic in Topic::ALL {
            let hash = theirs.gossip_topic(topic).hash();
            assert_eq!(ours.topic_of(&hash), None);
            assert_eq!(theirs.topic_of(&hash), Some(topic));
        }
    }
}
