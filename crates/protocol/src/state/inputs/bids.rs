//! Bids that arrive. Spec: BEACON-7 to BEACON-10, BEACON-13.

use crate::{
    fault::{Breach, Fault, Rule},
    matching::{Fit, Profile},
    records::{Beacon, Bid, Capability, Entry, Reach, Received},
    state::{Duty, Key, State, StepBid, alone::check_nonce, own::check_match},
};

impl State {
    pub(in crate::state) fn apply_bid_received(
        &mut self,
        entry: &Entry,
        received: &Received<Bid>,
        findings: &mut Vec<Fault>,
    ) -> Result<(), Breach> {
        let peer = *received.statement.author();
        let bid = &received.record;
        if bid.coordinator != self.author {
            return Err(Breach::new(
                Rule::BidUnexpected,
                "a bid to the author",
                format_args!("one to {}", bid.coordinator),
            ));
        }
        let open = self
            .names
            .get(&bid.beacon)
            .and_then(|name| Some((name.beacon, self.steps.get(&name.beacon)?)))
            .filter(|(_, step)| step.statement == bid.beacon && !step.closed);
        let Some((index, step)) = open else {
            return Err(Breach::new(
                Rule::BidUnexpected,
                "a bid on an open beacon",
                format_args!("one on {}", bid.beacon),
            ));
        };
        if step.beacon.reach == Reach::Directed && step.beacon.asked.binary_search(&peer).is_err() {
            return Err(Breach::new(
                Rule::BidUnexpected,
                "a bid of a peer that was asked",
                format_args!("one of {peer}"),
            ));
        }
        self.weight.add_step(index, step);
        if let Some(first) = step.bids.iter().find(|other| other.peer == peer) {
            if first.statement == received.digest() {
                return Err(Breach::new(
                    Rule::BidUnexpected,
                    "each bid once",
                    format_args!("the bid of entry {} again", first.entry),
                ));
            }
            let breach = Breach::new(
                Rule::BidTwice,
                format_args!("one bid (entry {})", first.entry),
                format_args!("another, {}", received.digest()),
            );
            findings.push(breach.at(peer, entry.index));
            return Ok(());
        }
        check_nonce(bid, &step.beacon)?;
        let known = self.relied_on(&peer, &bid.capability, entry.time_ms)?;
        let fit = matched(&known.capability, &step.beacon);
        let checked = check_match(
            fit.match_ppm,
            bid.match_ppm,
            self.params.match_threshold_ppm(),
        );
        let (size, bucket) = (known.size, step.bucket);
        let taken = StepBid {
            entry: entry.index,
            peer,
            statement: received.digest(),
            similarity: fit.similarity,
            load_ppm: bid.load_ppm,
            price_share_ppm: step.policy.price_share_ppm(bid.price_microunits),
            eligible: checked.is_ok(),
            nonce_commitment: bid.nonce_commitment,
            nonce: None,
            standing: self.standing(&step.bucket, &peer),
        };
        if let Err(breach) = checked {
            findings.push(breach.at(peer, entry.index));
        }
        self.weight.add(size);
        self.charge_imports(&bucket, &peer);
        let author = self.author;
        if let Some(step) = self.steps.get_mut(&index) {
            step.bids.push(taken);
            let foreign = step.bids.iter().filter(|bid| bid.peer != author).count();
            if foreign >= step.beacon.close_bids as usize {
                self.duty = Some(Duty::Close(index));
            }
        }
        self.touch(Key::Beacon(index));
        Ok(())
    }
}

/// How a capability fits a beacon.
pub(super) fn matched(capability: &Capability, beacon: &Beacon) -> Fit {
    Fit::of(
        &Profile {
            tags: &capability.tags,
            embedding: &capability.embedding,
        },
        &Profile {
            tags: &beacon.tags,
            embedding: &beacon.embedding,
        },
    )
}
