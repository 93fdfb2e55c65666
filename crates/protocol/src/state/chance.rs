//! The draw: computed here, and compared with what an entry claims. Spec: CHANCE-5, CHANCE-6.

use symphony_transparency::{Digest, PublicKey};

use super::{Duty, Key, OpenStep, State, decisions::selection};
use crate::{
    chance::{ENTROPY_SIZE, Stream, secret_commitment, seed},
    fault::{Breach, Rule, require_equal},
    policy::{NewcomerRule, PickRules, Picked, pick},
    records::{Body, Draw, Selection},
    screening::{Candidate, Exploration},
};

impl State {
    /// The draw that is due, computed from this state and the coordinator's secret.
    ///
    /// `None` if there is no open step at this index, or no policy.
    pub fn decide_draw(&mut self, beacon: u64, secret: &[u8; ENTROPY_SIZE]) -> Option<Body> {
        let state_root = self.root();
        let seed = seed_of(self.steps.get(&beacon)?, secret);
        let (selections, _) = self.drawn(beacon, &seed)?;
        Some(Body::Draw(Draw {
            beacon,
            secret: *secret,
            seed,
            selections,
            state_root,
        }))
    }

    /// The selections that a seed gives, of those in the ranking whose nonces are open.
    fn drawn(&self, beacon: u64, seed: &Digest) -> Option<(Vec<Selection>, Picked)> {
        let step = self.steps.get(&beacon)?;
        let candidates = self.candidates(step);
        let shortlist: Vec<Candidate> = step
            .ranking
            .iter()
            .filter(|ranked| opened(step, ranked.bid))
            .filter_map(|ranked| {
                candidates
                    .iter()
                    .find(|candidate| candidate.bid_index == ranked.bid)
                    .copied()
            })
            .collect();
        // Chance explores by itself; the newcomer's place in the ranking of an exploring close stays.
        let rules = PickRules {
            executors: step.beacon.executors as usize,
            newcomers: NewcomerRule::AtMostOne,
            exploration: Exploration::Off,
        };
        let model = self.selector_for(step, shortlist.iter().map(|candidate| candidate.peer))?;
        let picked = pick(model, &shortlist, &rules, Some(&mut Stream::new(seed, 0)));
        Some((picked.picks.iter().map(selection).collect(), picked))
    }

    pub(super) fn apply_draw(&mut self, found: &Draw) -> Result<(), Breach> {
        let beacon = found.beacon;
        // First: if it is wrong, nothing else that this entry looks up has to be shown.
        self.check_state_root(&found.state_root)?;
        let Some(step) = self.steps.get(&beacon) else {
            return Err(Breach::new(
                Rule::NotOpen,
                "an open step",
                format_args!("beacon {beacon}"),
            ));
        };
        require_equal(
            Rule::Seed,
            "commitment to the secret",
            &step.beacon.secret_commitment,
            &Some(secret_commitment(&self.log, beacon, &found.secret)),
        )?;
        let seed = seed_of(step, &found.secret);
        require_equal(Rule::Seed, "seed", &seed, &found.seed)?;
        let Some((expected, picked)) = self.drawn(beacon, &seed) else {
            return Err(Breach::new(Rule::NotOpen, "a policy", "none"));
        };
        require_drawn(&expected, &found.selections)?;
        self.begin_weight();
        let asked = self.opened_peers(beacon);
        self.charge_choice(beacon, asked);
        self.exclude_closed(beacon);
        self.counters.draws += 1;
        self.touch(Key::Counters);
        if let Some(step) = self.steps.get_mut(&beacon) {
            step.seed = Some(seed);
        }
        self.touch(Key::Beacon(beacon));
        self.bidding = self.bidding.saturating_sub(1);
        for (selection, pick) in expected.iter().zip(&picked.picks) {
            self.add_selection(beacon, selection, pick.number);
        }
        self.adopt_in(beacon, picked);
        self.duty = Some(if expected.is_empty() {
            Duty::Settle(beacon)
        } else {
            Duty::Assign(beacon, 0)
        });
        Ok(())
    }

    /// Who is in the ranking and may be drawn.
    fn opened_peers(&self, beacon: u64) -> Vec<PublicKey> {
        let Some(step) = self.steps.get(&beacon) else {
            return Vec::new();
        };
        let opened = step.ranked().filter(|bid| bid.opened());
        opened.map(|bid| bid.peer).collect()
    }

    /// Who did not open its nonce leaves the ranking, and has failed once more. Spec: CHANCE-5.
    fn exclude_closed(&mut self, beacon: u64) {
        let Some(step) = self.steps.get_mut(&beacon) else {
            return;
        };
        let closed: Vec<(u64, PublicKey)> = step
            .ranked()
            .filter(|bid| !bid.opened())
            .map(|bid| (bid.entry, bid.peer))
            .collect();
        step.ranking
            .retain(|ranked| closed.iter().all(|(bid, _)| *bid != ranked.bid));
        self.charge_keys(closed.len());
        for (_, peer) in closed {
            let mut measures = self.measures(&peer);
            measures.observe_failure(&self.params, 1.0);
            measures.timeouts += 1;
            self.peers.insert(peer, measures);
            self.touch(Key::Peer(peer));
            self.counters.openings_missed += 1;
        }
    }
}

fn opened(step: &OpenStep, bid: u64) -> bool {
    step.bids
        .iter()
        .any(|known| known.entry == bid && known.opened())
}

/// The seed that the opened nonces of the ranking give with this secret. Spec: CHANCE-6.
fn seed_of(step: &OpenStep, secret: &[u8; ENTROPY_SIZE]) -> Digest {
    let opened = step
        .ranked()
        .filter_map(|bid| Some((&bid.peer, bid.nonce.as_ref()?)));
    seed(&step.statement, secret, opened)
}

/// Compares selections, and tells a wrong pick from a wrong propensity.
pub(super) fn require_drawn(expected: &[Selection], found: &[Selection]) -> Result<(), Breach> {
    let picks = |selections: &[Selection]| -> Vec<Selection> {
        selections
            .iter()
            .map(|selection| Selection {
                propensity: None,
                ..*selection
            })
            .collect()
    };
    let propensities = |selections: &[Selection]| -> Vec<Option<f64>> {
        selections
            .iter()
            .map(|selection| selection.propensity)
            .collect()
    };
    require_equal(
        Rule::Selection,
        "selections",
        &picks(expected),
        &picks(found),
    )?;
    require_equal(
        Rule::Propensity,
        "propensities",
        &propensities(expected),
        &propensities(found),
    )
}
