//! Gossip, in both directions.

use libp2p::PeerId;
use libp2p::gossipsub::{Event, Message, MessageId, PublishError as GossipError};

use super::Driver;
use crate::acceptance::{Acceptance, IgnoreReason, RejectReason};
use crate::event::{GossipToken, NetworkEvent};
use crate::handle::{PublishError, ReportError};
use crate::limits::GOSSIP_SIZE_MAX;
use crate::names::Topic;

/// A gossip message that waits for the node's judgement.
pub(super) struct PendingValidation {
    topic: Topic,
    id: MessageId,
    source: PeerId,
}

impl Driver {
    pub(super) fn on_gossip_event(&mut self, event: Event) {
        match event {
            Event::Message {
                propagation_source,
                message_id,
                message,
            } => self.on_gossip(propagation_source, message_id, message),
            Event::Subscribed { peer_id, topic, .. } => {
                let topic = self.shared.names.topic_of(&topic);
                // Counted as a message: subscribing again and again must not crowd out anything else.
                if let Some(topic) = topic
                    && self.has_room_for_droppable_events()
                    && self.is_within_gossip_quota(&peer_id)
                {
                    self.emit(NetworkEvent::PeerSubscribed {
                        peer: peer_id,
                        topic,
                    });
                }
            }
            Event::SlowPeer { peer_id, .. } => {
                tracing::debug!(peer = %peer_id, "a peer does not keep up with gossip");
            }
            Event::Unsubscribed { .. } | Event::GossipsubNotSupported { .. } => {}
        }
    }

    /// Spec: NET-30, NET-40, NET-49, NET-50.
    fn on_gossip(&mut self, source: PeerId, id: MessageId, message: Message) {
        let Some(topic) = self.shared.names.topic_of(&message.topic) else {
            // Only topics of this network are subscribed to, so there is no one to tell.
            return;
        };
        let validation = PendingValidation { topic, id, source };
        if message.data.is_empty() || message.data.len() > GOSSIP_SIZE_MAX {
            self.judge(&validation, Acceptance::Reject(RejectReason::Size));
            return;
        }
        if !self.is_within_gossip_quota(&source) {
            self.judge(&validation, Acceptance::Ignore(IgnoreReason::OverQuota));
            return;
        }
        if !self.has_room_for_droppable_events() {
            self.judge(&validation, Acceptance::Ignore(IgnoreReason::NotJudged));
            return;
        }
        match self.validations.insert(validation, self.now()) {
            Ok(number) => self.emit(NetworkEvent::Gossip {
                topic,
                source,
                data: message.data,
                token: GossipToken(number),
            }),
            Err(validation) => {
                self.judge(&validation, Acceptance::Ignore(IgnoreReason::NotJudged));
            }
        }
    }

    /// Takes the node's judgement.
    pub(super) fn report(
        &mut self,
        token: &GossipToken,
        acceptance: Acceptance,
    ) -> Result<(), ReportError> {
        let validation = self.validations.take(token.0).ok_or(ReportError::Expired)?;
        self.judge(&validation, acceptance);
        Ok(())
    }

    /// Ignores every message that nobody judged in time. Spec: NET-50.
    pub(super) fn expire_validations(&mut self) {
        while let Some(validation) = self.validations.pop_expired(self.now()) {
            self.judge(&validation, Acceptance::Ignore(IgnoreReason::NotJudged));
        }
    }

    pub(super) fn publish(&mut self, topic: Topic, data: Vec<u8>) -> Result<(), PublishError> {
        let name = self.shared.names.gossip_topic(topic);
        match self.swarm.behaviour_mut().gossip.publish(name, data) {
            Ok(_) => {
                self.shared.metrics.count_published(topic);
                Ok(())
            }
            Err(GossipError::NoPeersSubscribedToTopic) => Err(PublishError::NoPeers),
            Err(GossipError::Duplicate) => Err(PublishError::Duplicate),
            Err(GossipError::AllQueuesFull(peers)) => Err(PublishError::QueuesFull { peers }),
            Err(error) => Err(PublishError::Refused {
                reason: error.to_string(),
            }),
        }
    }

    fn judge(&mut self, validation: &PendingValidation, acceptance: Acceptance) {
        self.shared
            .metrics
            .count_gossip(validation.topic, acceptance);
        // That the message has left the cache only means that it is not forwarded.
        self.swarm
            .behaviour_mut()
            .gossip
            .report_message_validation_result(
                &validation.id,
                &validation.source,
                acceptance.to_gossip(),
            );
    }

    fn is_within_gossip_quota(&mut self, peer: &PeerId) -> bool {
        let now = self.now();
        self.sessions
            .get_mut(peer)
            .is_some_and(|session| session.gossip_bucket.take(1, now).is_ok())
    }
}
