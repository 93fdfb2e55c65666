//! A step at the moment of a selection, with every number that a reader needs.

use symphony_admin::v1;
use symphony_evaluation::{flips, picked, runner_up, shares};
use symphony_protocol::{
    policy::{Model, NewcomerRule, PickRules, eligible_for},
    records::Selection,
    screening::{Candidate, Exploration, Weights, composite, stability},
    state::{OpenStep, State},
};

use crate::backend::{names::peer_name, policy::feature_names};

/// What kind of entry selects.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// The ranking is not in the state yet.
    Close,
    /// The ranking is, and those who did not open take no part.
    Draw,
    /// The ranking is, and some of it was selected.
    Replacement,
}

/// Bids that the policy may pick, best first.
fn ranking(state: &State, step: &OpenStep, moment: Moment) -> Vec<u64> {
    if moment == Moment::Close {
        let shortlist = State::shortlist(step.policy.parameters.kind, &step.beacon);
        let ranked = state.ranking(step, shortlist);
        return ranked.iter().map(|ranked| ranked.bid_index).collect();
    }
    let opened = |bid: u64| {
        step.bids
            .iter()
            .any(|known| known.entry == bid && known.opened())
    };
    step.ranking
        .iter()
        .map(|ranked| ranked.bid)
        .filter(|bid| opened(*bid))
        .collect()
}

/// A step at the moment of a selection.
pub(super) struct Scene<'a> {
    state: &'a State,
    step: &'a OpenStep,
    moment: Moment,
    /// What the entry selects, up to the selection that is explained.
    made: &'a [Selection],
    /// Number of the first of them.
    first: u32,
    ranking: Vec<u64>,
}

impl<'a> Scene<'a> {
    /// `made` is what the entry selects, up to the selection that is explained; `first` is the number of the first of them.
    pub(super) fn new(
        state: &'a State,
        step: &'a OpenStep,
        moment: Moment,
        (first, made): (u32, &'a [Selection]),
    ) -> Self {
        Self {
            state,
            step,
            moment,
            made,
            first,
            ranking: ranking(state, step, moment),
        }
    }

    pub(super) fn explanation(&self, entry: u64, beacon: u64, slot: u32) -> v1::Explanation {
        let weights = self.state.weights();
        let model = self.model();
        let all = self.state.candidates(self.step);
        let eligible = self.eligible(&all);
        let mut candidates: Vec<v1::Candidate> = all
            .iter()
            .map(|candidate| v1::Candidate {
                eligible: eligible
                    .iter()
                    .any(|one| one.bid_index == candidate.bid_index),
                ..self.candidate(candidate, &weights, model.as_ref(), beacon)
            })
            .collect();
        candidates.sort_by(|left, right| {
            let ranks = left
                .rank
                .unwrap_or(u32::MAX)
                .cmp(&right.rank.unwrap_or(u32::MAX));
            ranks.then_with(|| right.composite.total_cmp(&left.composite))
        });
        let observations = model.as_ref().map_or(0, Model::observations);
        let (runner_up, flips) = model
            .as_ref()
            .map_or((None, Vec::new()), |model| alternatives(model, &eligible));
        v1::Explanation {
            log: Some(peer_name(&self.state.author(), Some(&self.state.log()))),
            beacon,
            entry,
            slot,
            shortlist: self.step.beacon.shortlist,
            newcomer_place: self.moment == Moment::Close
                && self.state.exploration(self.step) != Exploration::Off,
            similarity_weight_ppm: weights.similarity_ppm,
            prior_weight_ppm: weights.prior_ppm,
            stability_weight_ppm: weights.stability_ppm,
            features: feature_names(),
            theta: model.as_ref().map(Model::theta).unwrap_or_default(),
            observations,
            beta: model.as_ref().map_or(0.0, Model::width_scale),
            candidates,
            propensity: self.made.last().and_then(|made| made.propensity),
            runner_up,
            flips,
        }
    }

    /// What selects, before the selection: it has noted the picks of this entry that came earlier.
    fn model(&self) -> Option<Model> {
        let bidders = self.step.bids.iter().map(|bid| bid.peer);
        let mut model = self.state.selector_for(self.step, bidders)?;
        for selection in self.earlier() {
            if let Some(bid) = self.step.bids.iter().find(|bid| bid.entry == selection.bid) {
                model.choose(bid.peer, selection.features);
            }
        }
        Some(model)
    }

    /// What the entry selected before.
    fn earlier(&self) -> &[Selection] {
        &self.made[..self.made.len().saturating_sub(1)]
    }

    /// Those whom the policy could pick, in the order of the ranking.
    fn eligible(&self, all: &[Candidate]) -> Vec<Candidate> {
        let listed = |bids: &mut dyn Iterator<Item = u64>| -> Vec<Candidate> {
            bids.filter_map(|bid| all.iter().find(|candidate| candidate.bid_index == bid))
                .copied()
                .collect()
        };
        let shortlist = listed(&mut self.ranking.iter().copied());
        let before = self.step.selections.iter().map(|selection| selection.bid);
        let here = self.earlier().iter().map(|selection| selection.bid);
        let picked = listed(&mut before.chain(here));
        let rules = PickRules {
            executors: self.step.beacon.executors as usize,
            newcomers: NewcomerRule::AtMostOne,
            exploration: if self.moment == Moment::Close {
                self.state.exploration(self.step)
            } else {
                Exploration::Off
            },
        };
        eligible_for(&shortlist, &picked, &rules)
            .into_iter()
            .map(|position| shortlist[position])
            .collect()
    }

    fn candidate(
        &self,
        candidate: &Candidate,
        weights: &Weights,
        model: Option<&Model>,
        beacon: u64,
    ) -> v1::Candidate {
        let rank = self.rank_of(candidate.bid_index);
        let assessed = model
            .filter(|_| rank.is_some())
            .and_then(|model| model.assess(&[candidate]).into_iter().next());
        let (x, choice) =
            assessed.map_or((Vec::new(), None), |(x, choice)| (x.to_vec(), Some(choice)));
        let shares = model
            .filter(|_| rank.is_some())
            .and_then(|model| shares(model, candidate));
        let log = self
            .state
            .capabilities()
            .get(&candidate.peer)
            .map(|known| known.capability.origin.log);
        v1::Candidate {
            peer: Some(peer_name(&candidate.peer, log.as_ref())),
            bid: candidate.bid_index,
            own: candidate.bid_index == beacon,
            newcomer: candidate.newcomer,
            similarity: candidate.similarity,
            prior: candidate.prior,
            load: candidate.load,
            latency: candidate.latency,
            availability: candidate.availability,
            reputation: candidate.reputation,
            stability: stability(candidate.load, candidate.latency, candidate.availability),
            composite: composite(candidate, weights),
            rank,
            x,
            estimate: choice.map_or(0.0, |choice| choice.estimate),
            width: choice.map_or(0.0, |choice| choice.width),
            score: choice.map_or(0.0, |choice| choice.score),
            picked_slot: self.slot_of(candidate.bid_index),
            eligible: false,
            estimate_shares: shares.map_or_else(Vec::new, |shares| shares.estimate.to_vec()),
            width_shares: shares.map_or_else(Vec::new, |shares| shares.width.to_vec()),
        }
    }

    fn rank_of(&self, bid: u64) -> Option<u32> {
        let place = self.ranking.iter().position(|ranked| *ranked == bid);
        place.and_then(|place| u32::try_from(place).ok())
    }

    fn slot_of(&self, bid: u64) -> Option<u32> {
        let earlier = self.step.selections.iter().map(|selection| selection.bid);
        let here = self.made.iter().map(|selection| selection.bid);
        if let Some(place) = here.clone().position(|made| made == bid) {
            return u32::try_from(place).ok().map(|place| self.first + place);
        }
        earlier
            .clone()
            .position(|made| made == bid)
            .and_then(|place| u32::try_from(place).ok())
    }
}

/// The bid that would have been picked in place of the pick, and what would have led to another pick.
fn alternatives(model: &Model, eligible: &[Candidate]) -> (Option<u64>, Vec<v1::Flip>) {
    let eligible: Vec<&Candidate> = eligible.iter().collect();
    let bid = |place: usize| eligible[place].bid_index;
    let second = picked(model, &eligible).and_then(|chosen| runner_up(model, &eligible, chosen));
    let flips = flips(model, &eligible)
        .iter()
        .map(|flip| v1::Flip {
            bid: bid(flip.candidate),
            feature: flip.feature.name().to_owned(),
            from: flip.from,
            to: flip.to,
            picked: bid(flip.picked),
        })
        .collect();
    (second.map(bid), flips)
}
