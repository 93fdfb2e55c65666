//! How one candidate is taken from those that were assessed.

use symphony_transparency::PublicKey;

use super::{
    Bound, Context, Learned, Model, PolicyKind, Ridge,
    chance::{Drawn, Posterior, by_votes, evenly, greedy_or_any},
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
            PolicyKind::Shared
            | PolicyKind::Paper
            | PolicyKind::Disjoint
            | PolicyKind::Hybrid
            | PolicyKind::Strongest => best(candidates, assessed)?,
            PolicyKind::Screening => first(candidates)?,
            PolicyKind::Static => candidates
                .iter()
                .position(|candidate| candidate.named)
                .or_else(|| first(candidates))?,
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
                let contexts: Vec<(PublicKey, Context)> = candidates
                    .iter()
                    .zip(assessed)
                    .map(|(candidate, (context, _))| (candidate.peer, *context))
                    .collect();
                return by_votes(&self.posterior()?, &contexts, chance?).map(Chosen::from);
            }
        };
        Some(Chosen {
            index,
            propensity: None,
        })
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
