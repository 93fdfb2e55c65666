//! Messages on a step's beginning and end: beacon, bids, close, settlement.

use symphony_admin::v1::{self, task_event::Kind};
use symphony_protocol::records::{Body, OutcomeClass, Reach, Selection};
use symphony_transparency::PublicKey;

use super::{Place, Translator, cut};

impl Translator {
    pub(super) fn beacon(&mut self, body: Option<&Body>, place: Place, asked: u32) -> Kind {
        let Some(Body::BeaconIssued(issued)) = body else {
            return Kind::Beacon(v1::BeaconIssued {
                asked,
                ..v1::BeaconIssued::default()
            });
        };
        self.statements.insert(issued.digest, place);
        let beacon = &issued.record;
        Kind::Beacon(v1::BeaconIssued {
            tags: beacon.tags.clone(),
            reach: match beacon.reach {
                Reach::Directed => v1::Reach::Directed,
                Reach::Gossip => v1::Reach::Gossip,
            }
            .into(),
            asked: u32::try_from(beacon.asked.len()).unwrap_or(u32::MAX),
            close_bids: beacon.close_bids,
            close_deadline_ms: beacon.close_deadline_ms,
        })
    }

    pub(super) fn bid(
        &mut self,
        body: Option<&Body>,
        peer: &PublicKey,
        match_ppm: u32,
    ) -> (Kind, Place) {
        let mut message = v1::BidAccepted {
            match_ppm,
            ..v1::BidAccepted::default()
        };
        let mut place = Place::default();
        if let Some(Body::BidReceived(received)) = body {
            let bid = &received.record;
            self.names.learn(*peer, bid.origin.log);
            place = self.place_of_statement(&bid.beacon);
            message.load_ppm = bid.load_ppm;
            message.queue = bid.queue;
            message.price_microunits = bid.price_microunits;
        }
        message.peer = Some(self.names.name(peer));
        (Kind::Bid(message), place)
    }

    pub(super) fn closed(&self, body: Option<&Body>, ranking: &[(PublicKey, f64)]) -> Kind {
        let selections = match body {
            Some(Body::Close(close)) => close
                .selections
                .iter()
                .zip(0..)
                .map(|(selection, slot)| self.pick(selection, slot))
                .collect(),
            _ => Vec::new(),
        };
        Kind::Closed(v1::BeaconClosed {
            ranking: ranking
                .iter()
                .map(|(peer, score)| v1::RankedCandidate {
                    peer: Some(self.names.name(peer)),
                    score: *score,
                })
                .collect(),
            selections,
        })
    }

    fn pick(&self, selection: &Selection, slot: u32) -> v1::Pick {
        let peer = match self.entry(selection.bid).map(|entry| entry.body) {
            Some(Body::BidReceived(received)) => Some(*received.statement.author()),
            Some(Body::BeaconIssued(_)) => Some(self.own),
            _ => None,
        };
        v1::Pick {
            slot,
            peer: peer.map(|peer| self.names.name(&peer)),
            estimate: selection.estimate,
            width: selection.width,
            score: selection.estimate + selection.width,
        }
    }

    pub(super) fn settled(
        &self,
        body: Option<&Body>,
        answer: Option<String>,
        weight: f64,
        outcomes: &[(PublicKey, OutcomeClass, u64, f64)],
    ) -> Kind {
        let supporters = match body {
            Some(Body::Settlement(settlement)) => settlement.supporters,
            _ => 0,
        };
        Kind::Settled(v1::StepSettled {
            answer: cut(answer.unwrap_or_default()),
            weight,
            supporters,
            outcomes: outcomes
                .iter()
                .zip(0..)
                .map(
                    |((peer, class, latency_ms, reward), slot)| v1::SelectionOutcome {
                        slot,
                        peer: Some(self.names.name(peer)),
                        class: outcome_class(*class).into(),
                        latency_ms: *latency_ms,
                        reward: *reward,
                    },
                )
                .collect(),
        })
    }
}

fn outcome_class(class: OutcomeClass) -> v1::OutcomeClass {
    match class {
        OutcomeClass::Won => v1::OutcomeClass::Won,
        OutcomeClass::Valid => v1::OutcomeClass::Valid,
        OutcomeClass::Invalid => v1::OutcomeClass::Invalid,
        OutcomeClass::Timeout => v1::OutcomeClass::Timeout,
        OutcomeClass::Void => v1::OutcomeClass::Void,
    }
}
