//! The policy that is asked instead: a model of its own, begun with nothing, that sees only what it may learn from.

use symphony_protocol::{
    chance::Stream,
    policy::{Choice, Model, PickRules, PolicyKind, PolicyParameters, eligible_for},
    screening::Candidate,
};

/// How likely a policy picks each of those who are eligible.
pub(crate) struct Distribution {
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) probabilities: Vec<f64>,
}

impl Distribution {
    /// Of a model, for the next pick after those that were made. `chance` is read as by the pick itself.
    pub(crate) fn of(
        model: &Model,
        shortlist: &[Candidate],
        picked: &[Candidate],
        rules: &PickRules,
        chance: &mut Stream,
    ) -> Self {
        let candidates: Vec<Candidate> = eligible_for(shortlist, picked, rules)
            .into_iter()
            .map(|position| shortlist[position])
            .collect();
        let asked: Vec<&Candidate> = candidates.iter().collect();
        let probabilities = model.probabilities(&asked, &model.assess(&asked), chance);
        Self {
            candidates,
            probabilities,
        }
    }

    /// How likely the candidate with this bid is.
    pub(crate) fn of_bid(&self, bid: u64) -> f64 {
        self.candidates
            .iter()
            .zip(&self.probabilities)
            .find(|(candidate, _)| candidate.bid_index == bid)
            .map_or(0.0, |(_, probability)| *probability)
    }

    /// The most likely one, and how likely it is; of equals the first.
    pub(crate) fn likeliest(&self) -> Option<(Candidate, f64)> {
        let pairs = self.candidates.iter().zip(&self.probabilities);
        pairs
            .map(|(candidate, probability)| (*candidate, *probability))
            .reduce(|best, next| if next.1 > best.1 { next } else { best })
    }
}

/// A policy under other parameters, and what it has learned.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    model: Model,
}

impl Target {
    pub(crate) fn new(parameters: &PolicyParameters) -> Self {
        Self {
            model: Model::new(parameters),
        }
    }

    pub(crate) fn kind(&self) -> PolicyKind {
        self.model.kind()
    }

    pub(crate) fn model(&self) -> &Model {
        &self.model
    }

    /// Takes note of a choice, as a policy does when it is made.
    pub(crate) fn choose(&mut self, candidate: &Candidate) -> Choice {
        let context = self.model.context(candidate);
        Choice {
            peer: candidate.peer,
            context,
            number: self.model.choose(candidate.peer, context),
        }
    }

    /// Learns the reward of such a choice; without one, takes it back: it will never be known.
    pub(crate) fn settle(&mut self, choice: &Choice, reward: Option<f64>) {
        match reward {
            Some(reward) => self.model.settle(choice, reward),
            None => self.model.void(choice),
        }
    }
}
