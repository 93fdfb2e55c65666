//! The context vector.

use crate::number::{dot, unit};
use crate::policy::{OWN_DIMENSION, PolicyKind};
use crate::screening::Candidate;

/// How many numbers a context has.
pub const DIMENSION: usize = 6;

/// What the policy sees of a candidate.
pub type Context = [f64; DIMENSION];

/// The context of a candidate: `[1, similarity, load, latency, reputation, availability]`, each in [0, 1], scaled into the
/// unit ball.
///
/// `Paper`: each number over the length ‖x‖ if that exceeds 1. `Hybrid`: each over √8, so that the context and its first two
/// numbers, which a peer's own part sees again, lie in the unit ball together. Every other kind: each over √6.
///
/// Spec: SELECT-13.
pub fn features(kind: PolicyKind, candidate: &Candidate) -> Context {
    let raw = [
        1.0,
        unit(candidate.similarity),
        unit(candidate.load),
        unit(candidate.latency),
        unit(candidate.reputation),
        unit(candidate.availability),
    ];
    let divisor = match kind {
        PolicyKind::Paper => longer_than_one(dot(&raw, &raw).sqrt()),
        PolicyKind::Hybrid => ((DIMENSION + OWN_DIMENSION) as f64).sqrt(),
        PolicyKind::Shared
        | PolicyKind::Disjoint
        | PolicyKind::Strongest
        | PolicyKind::Screening
        | PolicyKind::Static
        | PolicyKind::Random
        | PolicyKind::RandomTop
        | PolicyKind::EpsilonGreedy
        | PolicyKind::Thompson => (DIMENSION as f64).sqrt(),
    };
    raw.map(|feature| feature / divisor)
}

fn longer_than_one(length: f64) -> f64 {
    if length > 1.0 { length } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::features;
    use crate::number::dot;
    use crate::policy::PolicyKind;
    use crate::screening::Candidate;
    use crate::screening::tests::candidate;

    #[test]
    fn select_13_shared_keeps_the_ratio_of_features_and_paper_rescales() {
        let one = candidate(1, 0.5);
        let shared = features(PolicyKind::Shared, &one);
        assert_eq!(shared[0], 1.0 / 6.0f64.sqrt());
        let paper = features(PolicyKind::Paper, &one);
        assert!((dot(&paper, &paper) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn select_13_a_bare_intercept_is_not_rescaled_in_paper() {
        let bare = Candidate {
            latency: 0.0,
            availability: 0.0,
            reputation: 0.0,
            ..candidate(1, 0.0)
        };
        assert_eq!(
            features(PolicyKind::Paper, &bare),
            [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]
        );
    }

    proptest! {
        #[test]
        fn select_13_lies_in_the_unit_ball(similarity: f64, load: f64, latency: f64, reputation: f64, availability: f64) {
            let wild = Candidate { load, latency, reputation, availability, ..candidate(1, similarity) };
            for kind in PolicyKind::ALL {
                let x = features(kind, &wild);
                prop_assert!(dot(&x, &x) <= 1.0 + 1e-12);
            }
        }
    }
}
