//! How far a peer is to be believed: measured without knowing any right answer.
//!
//! Nobody tells a coordinator which answers are right, so a peer's reliability has to come out of the ballots themselves. The
//! model is that of Dawid and Skene (1979) with one number a peer, the chance that a ballot of it is right, whatever others
//! say. Given these chances, Bayes' rule gives the probability of each answer; given these probabilities, a peer was right as
//! often as its answers were probable. The two are computed in turn, one vote after another (an online EM, Cappé and
//! Moulines 2009): so the weights of the next vote follow from how probable a peer's answers were in those before.
//!
//! Counting how often a peer was with the winner does not do this. Whoever is often outvoted by two weak peers looks weak
//! itself, and the peers that outvote it look reliable.
//!
//! Spec: VOTE-2, VOTE-7.

use std::collections::BTreeMap;

use symphony_transparency::Digest;

use crate::number::ln;

/// The reliability of a peer that was never heard: a little better than a coin, so that a vote of strangers is a majority.
pub const RELIABILITY_START: f64 = 0.6;
/// Nobody is believed less than this: an answer is no evidence against itself, however often its author was wrong.
const RELIABILITY_MIN: f64 = 0.51;
/// Nobody is believed more than this: two peers at the upper end cannot be outvoted by one, nor by any number of strangers
/// that is small.
const RELIABILITY_MAX: f64 = 0.99;

/// How many different answers a question can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// Two, such as yes and no: there is no third.
    Two,
    /// More.
    Many,
}

/// One counted ballot of a peer other than the coordinator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Belief {
    /// Keyed digest of the answer.
    pub answer: Digest,
    /// The peer's reliability before this vote, held within [0.51, 0.99] here.
    pub reliability: f64,
}

/// What a ballot of a peer with this reliability weighs: `ln(p / (1 − p))` with p held within [0.51, 0.99].
///
/// The answer with the highest sum of these is the most probable one (Nitzan and Paroush 1982).
///
/// Spec: VOTE-2.
pub fn log_odds(reliability: f64) -> f64 {
    let believed = held(reliability);
    ln(believed / (1.0 - believed))
}

/// The probability that each answer given is right, by the reliabilities of those who gave an answer.
///
/// A hypothesis is one of the answers given, or *another answer*, of which there is none when there are two and both were
/// given. Its likelihood is the product, in the order of ballots and beginning with 1, of p for each ballot that gave it and
/// `1 − p` for each that did not; its probability is that divided by the sum of all, in the order of the answers' bytes, the
/// other answer last.
///
/// Spec: VOTE-7.
pub fn probabilities(beliefs: &[Belief], answers: Answers) -> BTreeMap<Digest, f64> {
    let mut likelihoods: BTreeMap<Digest, f64> = beliefs
        .iter()
        .map(|belief| (belief.answer, likelihood(beliefs, Some(&belief.answer))))
        .collect();
    let mut total = 0.0;
    for likelihood in likelihoods.values() {
        total += likelihood;
    }
    if answers == Answers::Many || likelihoods.len() < 2 {
        total += likelihood(beliefs, None);
    }
    for likelihood in likelihoods.values_mut() {
        *likelihood /= total;
    }
    likelihoods
}

fn likelihood(beliefs: &[Belief], answer: Option<&Digest>) -> f64 {
    let mut product = 1.0;
    for belief in beliefs {
        let believed = held(belief.reliability);
        product *= if Some(&belief.answer) == answer {
            believed
        } else {
            1.0 - believed
        };
    }
    product
}

/// `reliability` within its bounds; what is no number counts as the lower one.
fn held(reliability: f64) -> f64 {
    if reliability >= RELIABILITY_MAX {
        RELIABILITY_MAX
    } else if reliability > RELIABILITY_MIN {
        reliability
    } else {
        RELIABILITY_MIN
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use symphony_transparency::Digest;

    use super::{Answers, Belief, RELIABILITY_START, log_odds, probabilities};

    fn answer(byte: u8) -> Digest {
        Digest::from_bytes([byte; 32])
    }

    fn beliefs(ballots: &[(u8, f64)]) -> Vec<Belief> {
        ballots
            .iter()
            .map(|(byte, reliability)| Belief {
                answer: answer(*byte),
                reliability: *reliability,
            })
            .collect()
    }

    fn close(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() < 1e-12,
            "{found} is not {expected}"
        );
    }

    #[test]
    fn vote_2_two_weak_peers_do_not_outvote_a_strong_one() {
        assert!(log_odds(0.95) > log_odds(0.7) + log_odds(0.7));
        assert!(log_odds(0.8) < log_odds(0.7) + log_odds(0.7));
    }

    #[test]
    fn vote_2_reliability_is_believed_within_bounds() {
        for low in [0.51, 0.0, -3.0, f64::NAN, f64::NEG_INFINITY] {
            assert_eq!(log_odds(low), log_odds(0.51));
        }
        for high in [0.99, 1.0, f64::INFINITY] {
            assert_eq!(log_odds(high), log_odds(0.99));
        }
        assert!(log_odds(0.51) > 0.0);
    }

    #[test]
    fn vote_7_bayes_rule_over_two_answers() {
        let found = probabilities(&beliefs(&[(1, 0.9), (2, 0.6), (2, 0.6)]), Answers::Two);
        let (one, two) = (0.9 * 0.4 * 0.4, 0.1 * 0.6 * 0.6);
        close(found[&answer(1)], one / (one + two));
        close(found[&answer(2)], two / (one + two));
    }

    #[test]
    fn vote_7_there_may_be_an_answer_that_nobody_gave() {
        let ballots = beliefs(&[(1, 0.9), (2, 0.6), (2, 0.6)]);
        let (one, two, other) = (0.9 * 0.4 * 0.4, 0.1 * 0.6 * 0.6, 0.1 * 0.4 * 0.4);
        let found = probabilities(&ballots, Answers::Many);
        close(found[&answer(1)], one / (one + two + other));
    }

    #[test]
    fn vote_7_one_ballot_alone_teaches_nothing() {
        let start = RELIABILITY_START;
        for answers in [Answers::Two, Answers::Many] {
            close(
                probabilities(&beliefs(&[(1, start)]), answers)[&answer(1)],
                start,
            );
        }
        assert!(probabilities(&[], Answers::Two).is_empty());
    }

    /// Votes of one strong and two weak peers: the strong one is told apart, although nobody says what is right, and the
    /// weights then decide better than heads do.
    #[test]
    fn vote_7_a_strong_peer_is_told_apart_without_right_answers() {
        let skill = [995, 660, 660];
        let mut reliability = [RELIABILITY_START; 3];
        let (mut chance, mut by_weight, mut by_heads) = (7_u64, 0, 0);
        for vote in 1..=600_u32 {
            let right: Vec<bool> = skill
                .iter()
                .map(|permille| {
                    chance = chance
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    (chance >> 33) % 1_000 < *permille
                })
                .collect();
            let ballots: Vec<Belief> = right
                .iter()
                .zip(reliability)
                .map(|(right, reliability)| Belief {
                    answer: answer(u8::from(*right)),
                    reliability,
                })
                .collect();
            let found = probabilities(&ballots, Answers::Two);
            if vote > 200 {
                let probability = found.get(&answer(1)).copied().unwrap_or(0.0);
                by_weight += u32::from(probability > 0.5);
                by_heads += u32::from(right.iter().filter(|right| **right).count() >= 2);
            }
            for (ballot, reliability) in ballots.iter().zip(&mut reliability) {
                let weight = f64::max(0.1, 1.0 / f64::from(vote + 1));
                *reliability += weight * (found[&ballot.answer] - *reliability);
            }
        }
        assert!(
            reliability[0] > reliability[1] && reliability[0] > reliability[2],
            "{reliability:?}"
        );
        assert!(
            by_weight >= by_heads + 10,
            "{by_weight} by weight and {by_heads} by heads, of 400"
        );
    }

    proptest! {
        #[test]
        fn vote_7_probabilities_are_a_share_of_one(
            ballots in proptest::collection::vec((0u8..4, any::<f64>()), 0..32),
            binary: bool,
        ) {
            let answers = if binary { Answers::Two } else { Answers::Many };
            let found = probabilities(&beliefs(&ballots), answers);
            let sum: f64 = found.values().sum();
            prop_assert!(found.values().all(|share| *share > 0.0 && *share <= 1.0));
            prop_assert!(sum <= 1.0 + 1e-12);
        }
    }
}
