//! Counters of the network. Labels are from small fixed sets, never ids.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::acceptance::Acceptance;
use crate::message::RefusalCode;
use crate::names::Topic;

/// The counters of one network. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    peers_connected: Gauge,
    peers_introduced: Gauge,
    gossip_judged: Family<GossipLabels, Counter>,
    gossip_published: Family<TopicLabels, Counter>,
    requests_received: Family<KindLabels, Counter>,
    requests_refused: Family<ReasonLabels, Counter>,
    requests_sent: Family<OutcomeLabels, Counter>,
    faulty_peers_blocked: Counter,
    dials_failed: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GossipLabels {
    topic: &'static str,
    judgement: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TopicLabels {
    topic: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

impl Metrics {
    /// Adds every counter to a registry under the prefix `network`.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("network");
        registry.register(
            "peers_connected",
            "Peers with at least one connection",
            self.peers_connected.clone(),
        );
        registry.register(
            "peers_introduced",
            "Connected peers that have exchanged hellos with this node",
            self.peers_introduced.clone(),
        );
        registry.register(
            "gossip_judged",
            "Gossip messages received, by topic and judgement",
            self.gossip_judged.clone(),
        );
        registry.register(
            "gossip_published",
            "Gossip messages published by this node, by topic",
            self.gossip_published.clone(),
        );
        registry.register(
            "requests_received",
            "Requests received and handed to the node, by kind",
            self.requests_received.clone(),
        );
        registry.register(
            "requests_refused",
            "Requests received and refused by the network itself, by reason",
            self.requests_refused.clone(),
        );
        registry.register(
            "requests_sent",
            "Requests of this node that ended, by outcome",
            self.requests_sent.clone(),
        );
        registry.register(
            "faulty_peers_blocked",
            "Peers blocked for a time because of faulty requests",
            self.faulty_peers_blocked.clone(),
        );
        registry.register(
            "dials_failed",
            "Attempts to connect that failed",
            self.dials_failed.clone(),
        );
    }

    /// Connected peers now.
    pub fn peers_connected(&self) -> i64 {
        self.peers_connected.get()
    }

    /// Gossip messages of a topic that ended with this judgement.
    pub fn gossip_judged(&self, topic: Topic, acceptance: Acceptance) -> u64 {
        self.gossip_judged
            .get_or_create(&gossip_labels(topic, acceptance))
            .get()
    }

    /// Requests that the network refused for this reason.
    pub fn requests_refused(&self, code: RefusalCode) -> u64 {
        let labels = ReasonLabels {
            reason: code.name(),
        };
        self.requests_refused.get_or_create(&labels).get()
    }

    pub(crate) fn set_peers(&self, connected: usize, introduced: usize) {
        self.peers_connected
            .set(i64::try_from(connected).unwrap_or(i64::MAX));
        self.peers_introduced
            .set(i64::try_from(introduced).unwrap_or(i64::MAX));
    }

    pub(crate) fn count_gossip(&self, topic: Topic, acceptance: Acceptance) {
        self.gossip_judged
            .get_or_create(&gossip_labels(topic, acceptance))
            .inc();
    }

    pub(crate) fn count_published(&self, topic: Topic) {
        let labels = TopicLabels {
            topic: topic.name(),
        };
        self.gossip_published.get_or_create(&labels).inc();
    }

    pub(crate) fn count_request(&self, kind: &'static str) {
        self.requests_received
            .get_or_create(&KindLabels { kind })
            .inc();
    }

    pub(crate) fn count_refusal(&self, code: RefusalCode) {
        let labels = ReasonLabels {
            reason: code.name(),
        };
        self.requests_refused.get_or_create(&labels).inc();
    }

    pub(crate) fn count_outcome(&self, outcome: &'static str) {
        self.requests_sent
            .get_or_create(&OutcomeLabels { outcome })
            .inc();
    }

    pub(crate) fn count_faulty_peer(&self) {
        self.faulty_peers_blocked.inc();
    }

    pub(crate) fn count_failed_dial(&self) {
        self.dials_failed.inc();
    }
}

fn gossip_labels(topic: Topic, acceptance: Acceptance) -> GossipLabels {
    GossipLabels {
        topic: topic.name(),
        judgement: acceptance.name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_is_served_with_its_help() {
        let metrics = Metrics::default();
        metrics.count_gossip(Topic::Beacon, Acceptance::Accept);
        metrics.count_refusal(RefusalCode::RateLimited);
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        for expected in [
            "network_peers_connected 0",
            "network_gossip_judged_total{topic=\"beacon\",judgement=\"accepted\"} 1",
            "network_requests_refused_total{reason=\"rate_limited\"} 1",
        ] {
            assert!(text.contains(expected), "{expected} is missing in\n{text}");
        }
    }
}
