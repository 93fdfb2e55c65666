//! Bidding on a beacon, or keeping silent. Spec: BEACON-7 to BEACON-11.

use symphony_protocol::{
    chance::nonce_commitment,
    matching::{Profile as MatchProfile, match_ppm},
    records::{Beacon, Bid, Body, Issued, Reach, Received},
};
use symphony_transparency::VerifiedStatement;

use super::open_bids::{OpenBid, name_of};
use crate::{
    peer::{Peer, ProposeError, Taken},
    plan::offers_roles,
};

impl Peer {
    /// Bids on a beacon if this peer may and can.
    pub(crate) fn beacon_heard(
        &mut self,
        statement: VerifiedStatement,
    ) -> Result<Result<Taken, String>, ProposeError> {
        let beacon = match Received::<Beacon>::from_statement(statement) {
            Ok(beacon) => beacon,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let Some(bid) = self.bid_for(&beacon) else {
            return Ok(Ok(Taken::Noted));
        };
        let issued = Issued::new(bid);
        let to = *beacon.statement.author();
        let (name, open) = (name_of(&beacon), OpenBid::on(&beacon.record));
        let bytes = self.sign(&issued).into_bytes();
        let place = (self.replay.size(), issued.digest);
        // The beacon is another peer's, so the rules may refuse a bid on it without a defect here.
        if let Err(reason) = self.log_received(Body::BidIssued(issued, beacon)) {
            return Ok(Err(reason));
        }
        self.bids.add(name, open, self.now_ms);
        self.send_awaited(to, place, bytes, Vec::new());
        Ok(Ok(Taken::Noted))
    }

    /// The bid on a beacon, or silence: not asked, too late, too far ahead, already bid, busy, or a match below the threshold.
    fn bid_for(&self, beacon: &Received<Beacon>) -> Option<Bid> {
        let record = &beacon.record;
        let profile = self.config.profile.as_ref()?;
        let known = self
            .state()
            .capabilities()
            .get(&self.author())
            .filter(|known| !known.revoked)?;
        let now_ms = self.now_ms.max(self.state().time_ms());
        let asked =
            record.reach == Reach::Gossip || record.asked.binary_search(&self.author()).is_ok();
        let busy = self.load() >= profile.parallel_max.saturating_add(self.config.queue_max);
        if !asked
            || !offers_roles(&known.capability, &record.tags)
            || busy
            || now_ms >= record.close_deadline_ms
            || record.close_deadline_ms > self.state().params().bid_deadline_max(now_ms)
            || self
                .state()
                .has_bid(beacon.statement.author(), &beacon.digest())
            || !known.capability.valid_at(now_ms)
        {
            return None;
        }
        let match_ppm = match_ppm(
            &MatchProfile {
                tags: &known.capability.tags,
                embedding: &known.capability.embedding,
            },
            &MatchProfile {
                tags: &record.tags,
                embedding: &record.embedding,
            },
        );
        (match_ppm >= self.state().params().match_threshold_ppm()).then(|| Bid {
            origin: self.next_origin(),
            beacon: beacon.digest(),
            capability: known.statement,
            match_ppm,
            load_ppm: self.load_ppm(),
            queue: self.queue(),
            price_microunits: known.capability.price_microunits,
            coordinator: *beacon.statement.author(),
            nonce_commitment: record.secret_commitment.map(|_| {
                let (author, digest) = (beacon.statement.author(), beacon.digest());
                let nonce = self.own_nonce(author, &digest);
                nonce_commitment(&digest, &self.author(), &nonce)
            }),
        })
    }
}
