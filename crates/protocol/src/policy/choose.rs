//! How one candidate is taken from those that were assessed.

use symphony_transparency::PublicKey;

use super::{
    Bound, Context, Learned, Model, PolicyKind, Ridge,
    chance::{
        Drawn, Posterior, by_votes, even_shares, evenly, greedy_or_any, greedy_shares, vote_shares,
    },
};
use crate::{chance::Stream, number::ratio_ppm, screening::Candidate};

/// Which candidate is chosen, and how likely that was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chosen {
    /// Its index among the candidates that were given.
    pub index: usize,
    /// The probability of this choice before chance was drawn; nothing where the policy uses none.
    pub propensity: Option<f64>,
}

impl From<Drawn> for Chosen {
    fn from(drawn: Drawn) -> Self {
        Self {
            index: drawn.index,
            propensity: Some(drawn.propensity),
        }
    }
}

impl Model {
    /// One of the candidates that are eligible, in the order of the ranking, with the context of each and what the policy says
    /// of it. Nothing if there is none, or if the policy uses chance and `chance` is none.
    ///
    /// Spec: SELECT-16, SELECT-25, CHANCE-10 to CHANCE-12.
    pub fn choose_from(
        &self,
        candidates: &[&Candidate],
        assessed: &[(Context, Bound)],
        chance: Option<&mut Stream>,
    ) -> Option<Chosen> {
        let index = match self.kind() {
            PolicyKind::Random | PolicyKind::RandomTop => {
                return evenly(candidates.len(), chance?).map(Chosen::from);
            }
            PolicyKind::EpsilonGreedy => {
                let greedy = best(candidates, assessed)?;
                let epsilon_ppm = self.parameters().epsilon_ppm;
                let drawn = greedy_or_any(greedy, candidates.len(), epsilon_ppm, chance?);
                return Some(drawn.into());
            }
            PolicyKind::Thompson => {
                let contexts = contexts(candidates, assessed);
                return by_votes(&self.posterior()?, &contexts, chance?).map(Chosen::from);
            }
            _ => self.certain(candidates, assessed)?,
        };
        Some(Chosen {
            index,
            propensity: None,
        })
    }

    /// How likely each candidate of [`Model::choose_from`] is, in their order: what that choice draws from. Under `thompson` given the
    /// samples that `chance` gives, as the logged propensity is; no other kind takes anything from it. Empty if there is nobody.
    ///
    /// Spec: CHANCE-8.
    pub fn probabilities(
        &self,
        candidates: &[&Candidate],
        assessed: &[(Context, Bound)],
        chance: &mut Stream,
    ) -> Vec<f64> {
        let count = candidates.len();
        match self.kind() {
            PolicyKind::Random | PolicyKind::RandomTop => even_shares(count),
            PolicyKind::EpsilonGreedy => best(candidates, assessed)
                .map_or_else(Vec::new, |greedy| {
                    greedy_shares(greedy, count, self.parameters().epsilon_ppm)
                }),
            PolicyKind::Thompson => self.posterior().map_or_else(Vec::new, |posterior| {
                vote_shares(&posterior, &contexts(candidates, assessed), chance)
            }),
            _ => self
                .certain(candidates, assessed)
                .map_or_else(Vec::new, |chosen| greedy_shares(chosen, count, 0)),
        }
    }

    /// The choice of a policy without chance; of one with it, what it would choose without.
    fn certain(&self, candidates: &[&Candidate], assessed: &[(Context, Bound)]) -> Option<usize> {
        match self.kind() {
            PolicyKind::Screening => first(candidates),
            PolicyKind::Static => candidates
                .iter()
                .position(|candidate| candidate.named)
                .or_else(|| first(candidates)),
            PolicyKind::Shared
            | PolicyKind::Paper
            | PolicyKind::Disjoint
            | PolicyKind::Hybrid
            | PolicyKind::Strongest
            | PolicyKind::Random
            | PolicyKind::RandomTop
            | PolicyKind::EpsilonGreedy
            | PolicyKind::Thompson => best(candidates, assessed),
        }
    }

    /// What the weights may be: of a model that forgets nothing, which is all that draws.
    fn posterior(&self) -> Option<Posterior> {
        let Learned::Shared(shared) = self.learned() else {
            return None;
        };
        let Ridge::Lasting(model) = &shared.ridge else {
            return None;
        };
        let parameters = self.parameters();
        let scale =
            ratio_ppm(parameters.exploration_ppm.into()) * ratio_ppm(parameters.noise_ppm.into());
        Some(Posterior::new(model.theta(), &model.triangle(), scale))
    }
}

fn contexts(candidates: &[&Candidate], assessed: &[(Context, Bound)]) -> Vec<(PublicKey, Context)> {
    candidates
        .iter()
        .zip(assessed)
        .map(|(candidate, (context, _))| (candidate.peer, *context))
        .collect()
}

fn first(candidates: &[&Candidate]) -> Option<usize> {
    (!candidates.is_empty()).then_some(0)
}

/// The highest score; equal scores by raw key bytes, smallest first, then by index.
fn best(candidates: &[&Candidate], assessed: &[(Context, Bound)]) -> Option<usize> {
    candidates
        .iter()
        .zip(assessed)
        .enumerate()
        .max_by(|(left, (one, (_, a))), (right, (other, (_, b)))| {
            a.score
                .total_cmp(&b.score)
                .then_with(|| other.peer.cmp(&one.peer))
                .then_with(|| right.cmp(left))
        })
        .map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use symphony_transparency::Digest;

    use crate::chance::Stream;
    use crate::policy::{Model, PolicyKind, PolicyParameters};
    use crate::screening::Candidate;
    use crate::screening::tests::candidate;

    #[test]
    fn chance_8_a_propensity_is_the_probability_of_what_is_chosen() {
        let five: Vec<Candidate> = (1..=5)
            .map(|seed| candidate(seed, f64::from(seed) / 5.0))
            .collect();
        let asked: Vec<&Candidate> = five.iter().collect();
        for kind in PolicyKind::ALL {
            let epsilon_ppm = u32::from(kind == PolicyKind::EpsilonGreedy) * 300_000;
            let model = Model::new(&PolicyParameters {
                kind,
                epsilon_ppm,
                ..PolicyParameters::SHARED
            });
            let assessed = model.assess(&asked);
            for slot in 0..20 {
                let stream = Stream::new(&Digest::ZERO, slot);
                let chosen = model
                    .choose_from(&asked, &assessed, Some(&mut stream.clone()))
                    .expect("somebody");
                let probabilities = model.probabilities(&asked, &assessed, &mut stream.clone());
                let name = kind.name();
                assert_eq!(
                    probabilities[chosen.index],
                    chosen.propensity.unwrap_or(1.0),
                    "{name}"
                );
                let sum: f64 = probabilities.iter().sum();
                assert!((sum - 1.0).abs() < 1e-12, "{name}");
            }
            let nobody = model.probabilities(&[], &[], &mut Stream::new(&Digest::ZERO, 0));
            assert!(nobody.is_empty());
        }
    }
}
