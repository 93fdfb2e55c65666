//! Candidates of a step, as screening and selection see them. Spec: SETTLE-16.

use symphony_transparency::{Digest, PublicKey};

use super::{BucketMeasures, OpenStep, PeerMeasures, Standing, State};
use crate::{
    number::{ratio_ppm, unit},
    screening::Candidate,
};

impl State {
    /// What the log measured of a peer, or where every peer starts.
    pub fn measures(&self, peer: &PublicKey) -> PeerMeasures {
        self.peers
            .get(peer)
            .copied()
            .unwrap_or_else(|| PeerMeasures::start(&self.params))
    }

    /// What the log measured of a peer at one kind of step, or where every peer starts.
    pub fn bucket_measures(&self, bucket: &Digest, peer: &PublicKey) -> BucketMeasures {
        self.buckets
            .get(&(*bucket, *peer))
            .copied()
            .unwrap_or_else(|| BucketMeasures::start(&self.params))
    }

    /// What screening and selection will know of a peer that bids now. Spec: SETTLE-16.
    pub(super) fn standing(&self, bucket: &Digest, peer: &PublicKey) -> Standing {
        let measures = self.measures(peer);
        let own = self.bucket_measures(bucket, peer);
        let belief = self.belief(bucket, peer, &own);
        Standing {
            prior: belief.prior,
            latency: unit(measures.latency_ms / f64::from(self.params.latency_scale_ms())),
            availability: 1.0 - measures.failure,
            reputation: belief.reputation,
            newcomer: own.settlements < u64::from(self.params.newcomer_settlements()),
            settled_at_close: own.settled_at_close,
        }
    }

    /// The candidates of an open step, in the order of their bids: every term that screening and selection use.
    pub fn candidates(&self, step: &OpenStep) -> Vec<Candidate> {
        let eligible = step.bids.iter().filter(|bid| bid.eligible);
        eligible
            .map(|bid| Candidate {
                peer: bid.peer,
                bid_index: bid.entry,
                similarity: bid.similarity,
                prior: bid.standing.prior,
                load: ratio_ppm(bid.load_ppm.into()),
                latency: bid.standing.latency,
                availability: bid.standing.availability,
                reputation: bid.standing.reputation,
                newcomer: bid.standing.newcomer,
                settled_at_close: bid.standing.settled_at_close,
                named: step.policy.named.get(&step.bucket) == Some(&bid.peer),
            })
            .collect()
    }
}
