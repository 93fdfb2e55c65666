//! A linear model for each peer.

use std::collections::BTreeMap;

use symphony_transparency::PublicKey;

use super::{Bound, Choice, Context, DIMENSION, PolicyParameters, Ridge, Rule};
use crate::screening::Candidate;

/// `disjoint`: Algorithm 1 of Li, Chu, Langford and Schapire (2010). Nothing that is learned of one peer says anything of
/// another.
///
/// Spec: SELECT-23.
#[derive(Clone, Debug, PartialEq)]
pub struct Disjoint {
    parameters: PolicyParameters,
    /// The models of the peers at hand; another peer has the one that has seen nothing.
    pub peers: BTreeMap<PublicKey, Ridge<DIMENSION>>,
}

impl Disjoint {
    /// The policy that has seen nothing.
    pub fn new(parameters: &PolicyParameters) -> Self {
        Self {
            parameters: *parameters,
            peers: BTreeMap::new(),
        }
    }

    fn of(&mut self, peer: &PublicKey) -> &mut Ridge<DIMENSION> {
        self.peers
            .entry(*peer)
            .or_insert_with(|| Ridge::new(&self.parameters))
    }
}

impl Rule for Disjoint {
    fn assess(&self, candidates: &[&Candidate], contexts: &[Context], now: u64) -> Vec<Bound> {
        let fresh = Ridge::new(&self.parameters);
        candidates
            .iter()
            .zip(contexts)
            .flat_map(|(candidate, context)| {
                let ridge = self.peers.get(&candidate.peer).unwrap_or(&fresh);
                ridge.assess(&[*context], now)
            })
            .collect()
    }

    fn count(&mut self, choice: &Choice) {
        self.of(&choice.peer)
            .observe_choice(&choice.context, choice.number);
    }

    fn take_back(&mut self, choice: &Choice) {
        self.of(&choice.peer)
            .forget_choice(&choice.context, choice.number);
    }

    fn learn(&mut self, choice: &Choice, reward: f64) {
        self.of(&choice.peer)
            .observe_reward(&choice.context, choice.number, reward);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::{
        policy::{Choice, Context, Disjoint, PolicyKind, PolicyParameters, Rule, Shared},
        screening::tests::{candidate, key},
    };

    fn context() -> impl Strategy<Value = Context> {
        proptest::array::uniform6(0.0f64..1.0)
            .prop_map(|x| x.map(|feature| feature / 6.0f64.sqrt()))
    }

    proptest! {
        /// With one peer there is nothing to tell apart: the same bits as one model for all.
        #[test]
        fn select_23_with_one_peer_it_is_shared(
            stream in proptest::collection::vec((context(), 0.0f64..1.0), 0..30), x in context(), discounted: bool,
        ) {
            let parameters = PolicyParameters {
                kind: PolicyKind::Disjoint,
                discount_ppm: if discounted { 980_000 } else { 1_000_000 },
                ..PolicyParameters::SHARED
            };
            let (mut one, mut all) = (Disjoint::new(&parameters), Shared::new(&parameters));
            for (number, (context, reward)) in (1..).zip(&stream) {
                let choice = Choice { peer: key(1), context: *context, number };
                one.count(&choice);
                all.count(&choice);
                one.learn(&choice, *reward);
                all.learn(&choice, *reward);
            }
            let (now, asked) = (stream.len() as u64, candidate(1, 0.5));
            prop_assert_eq!(one.assess(&[&asked], &[x], now), all.assess(&[&asked], &[x], now));
        }

        #[test]
        fn select_23_what_one_peer_does_says_nothing_of_another(stream in proptest::collection::vec((context(), 0.0f64..1.0), 0..30), x in context()) {
            let parameters = PolicyParameters { kind: PolicyKind::Disjoint, ..PolicyParameters::SHARED };
            let mut policy = Disjoint::new(&parameters);
            for (number, (context, reward)) in (1..).zip(&stream) {
                let choice = Choice { peer: key(1), context: *context, number };
                policy.count(&choice);
                policy.learn(&choice, *reward);
            }
            let other = candidate(2, 0.5);
            let now = stream.len() as u64;
            prop_assert_eq!(policy.assess(&[&other], &[x], now), Disjoint::new(&parameters).assess(&[&other], &[x], now));
        }
    }
}
