//! Stage 1: every bid gets a composite score, and the best L go on to the policy.
//!
//! A score is made of what the coordinator's own log measured and what the statements fix; load alone is the bidder's claim,
//! and weighs little. A bounded share of places goes to newcomers, since a peer that is never tried can never be known.
//!
//! Spec: SELECT-9 to SELECT-11.

use std::cmp::Ordering;

use symphony_transparency::PublicKey;

use crate::number::{ratio_ppm, unit};

/// One bid, as screening and selection see it. Every number is in [0, 1]; what lies outside is taken as the nearer end, and
/// NaN as 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// The bidder's log key.
    pub peer: PublicKey,
    /// Index of the bid's entry in the coordinator's log.
    pub bid_index: u64,
    /// Likeness of the bidder's capability to the requirement.
    pub similarity: f64,
    /// Expected success in this requirement bucket.
    pub prior: f64,
    /// Share of the bidder's places that are taken (its claim).
    pub load: f64,
    /// Measured moving average of its latency over the latency scale.
    pub latency: f64,
    /// One less the measured moving average of its time-outs and errors.
    pub availability: f64,
    /// Measured moving average of its success over all buckets.
    pub reputation: f64,
    /// Whether the coordinator's log holds too few settlements of this bidder to know it.
    pub newcomer: bool,
    /// Closes of the coordinator's log when it settled this bidder's newest selection in this requirement bucket; 0 if it never did.
    pub settled_at_close: u64,
    /// Whether the operator named this peer for this kind of step (`static` asks for it, and nothing else does).
    pub named: bool,
}

/// Weights of the composite score, in parts per million; usually 500 000, 350 000 and 150 000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weights {
    /// Weight of the likeness.
    pub similarity_ppm: u32,
    /// Weight of the prior.
    pub prior_ppm: u32,
    /// Weight of the stability.
    pub stability_ppm: u32,
}

/// For whom this selection keeps a place, so that nobody stays unknown for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exploration {
    /// For nobody: all compete.
    #[default]
    Off,
    /// For a newcomer, if one bid. So it mostly is where one executor is asked for: whoever is tried then answers alone.
    Newcomers,
    /// For a newcomer, if one bid, and otherwise for who is [`neglected`]; the log has this many closes, this one included.
    Everybody(u64),
    /// All places: the log has this many closes, and is warmed up by trying everybody in turn. Spec: SELECT-28.
    InTurn(u64),
}

/// A place in the ranking.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranked {
    /// Position in the list of candidates that was ranked, from 0.
    pub position: usize,
    /// The candidate's bid.
    pub bid_index: u64,
    /// Its composite score, in [0, 1].
    pub score: f64,
}

/// Short-term reliability in [0, 1]: `(0.4·(1 − load) + 0.4·(1 − latency)) + 0.2·availability`.
///
/// Spec: SELECT-9.
pub fn stability(load: f64, latency: f64, availability: f64) -> f64 {
    let idle = 0.4 * (1.0 - unit(load));
    let quick = 0.4 * (1.0 - unit(latency));
    let there = 0.2 * unit(availability);
    unit(idle + quick + there)
}

/// The composite score in [0, 1]: `(similarity·w₁ + prior·w₂) + stability·w₃`, clipped.
///
/// Spec: SELECT-10.
pub fn composite(candidate: &Candidate, weights: &Weights) -> f64 {
    let stability = stability(candidate.load, candidate.latency, candidate.availability);
    let similarity = ratio_ppm(weights.similarity_ppm.into()) * unit(candidate.similarity);
    let prior = ratio_ppm(weights.prior_ppm.into()) * unit(candidate.prior);
    unit(similarity + prior + ratio_ppm(weights.stability_ppm.into()) * stability)
}

/// The best `shortlist` candidates, best first; equal scores by raw key bytes, then by bid index.
///
/// With [`Exploration::Newcomers`], the last place goes to the best newcomer if none is among the best and one bid at all. With
/// [`Exploration::Everybody`] it goes to the one who is [`neglected`] if no newcomer bid, and that one is not among the best. With
/// [`Exploration::InTurn`] the order is that of SELECT-28, and scores are only told.
///
/// Spec: SELECT-11, SELECT-28.
pub fn rank(
    candidates: &[Candidate],
    weights: &Weights,
    shortlist: usize,
    exploration: Exploration,
) -> Vec<Ranked> {
    let mut ranked: Vec<Ranked> = candidates
        .iter()
        .enumerate()
        .map(|(position, candidate)| Ranked {
            position,
            bid_index: candidate.bid_index,
            score: composite(candidate, weights),
        })
        .collect();
    if let Exploration::InTurn(closes) = exploration {
        in_turn(candidates, &mut ranked, closes);
        ranked.truncate(shortlist);
        return ranked;
    }
    ranked.sort_by(|left, right| best_first(candidates, left, right));
    let is_newcomer = |place: &Ranked| candidates[place.position].newcomer;
    let kept = match exploration {
        Exploration::Off | Exploration::InTurn(_) => None,
        Exploration::Newcomers => ranked.iter().position(is_newcomer),
        Exploration::Everybody(closes) => ranked.iter().position(is_newcomer).or_else(|| {
            let ordered = ranked.iter().map(|place| &candidates[place.position]);
            neglected(ordered, closes)
        }),
    };
    if let Some(kept) = kept
        && shortlist > 0
        && kept >= shortlist
    {
        ranked.swap(shortlist - 1, kept);
    }
    ranked.truncate(shortlist);
    ranked
}

/// Whom the log has not settled for longest comes first. Of equals, which all are while nothing is settled, another one with each close: the
/// order of their keys, turned round by the number of closes.
fn in_turn(candidates: &[Candidate], ranked: &mut [Ranked], closes: u64) {
    ranked.sort_by(|left, right| {
        let [left, right] = [left, right].map(|place| &candidates[place.position]);
        left.settled_at_close
            .cmp(&right.settled_at_close)
            .then_with(|| left.peer.cmp(&right.peer))
            .then_with(|| left.bid_index.cmp(&right.bid_index))
    });
    for equals in ranked.chunk_by_mut(|left, right| {
        candidates[left.position].settled_at_close == candidates[right.position].settled_at_close
    }) {
        let turn = closes % equals.len() as u64;
        equals.rotate_left(usize::try_from(turn).unwrap_or(0));
    }
}

/// The position of the candidate with the largest product of its prior and the closes since its newest settlement, in a log with this
/// many closes; the first of equals. Whoever fails whenever it is tried waits longer each time, and is never left out for good.
///
/// Spec: SELECT-11.
pub fn neglected<'a>(
    candidates: impl Iterator<Item = &'a Candidate>,
    closes: u64,
) -> Option<usize> {
    let neglect = |candidate: &Candidate| {
        let since = closes.saturating_sub(candidate.settled_at_close);
        since as f64 * unit(candidate.prior)
    };
    let mut most: Option<(usize, f64)> = None;
    for (position, candidate) in candidates.enumerate() {
        let neglect = neglect(candidate);
        if most.is_none_or(|(_, so_far)| neglect > so_far) {
            most = Some((position, neglect));
        }
    }
    most.map(|(position, _)| position)
}

fn best_first(candidates: &[Candidate], left: &Ranked, right: &Ranked) -> Ordering {
    // Scores are never NaN nor −0, so the total order is the numeric one.
    right
        .score
        .total_cmp(&left.score)
        .then_with(|| {
            candidates[left.position]
                .peer
                .cmp(&candidates[right.position].peer)
        })
        .then_with(|| left.bid_index.cmp(&right.bid_index))
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use symphony_transparency::{PublicKey, SecretKey};

    use super::{Candidate, Exploration, Weights, composite, rank, stability};

    const WEIGHTS: Weights = Weights {
        similarity_ppm: 500_000,
        prior_ppm: 350_000,
        stability_ppm: 150_000,
    };

    pub(crate) fn key(seed: u8) -> PublicKey {
        SecretKey::from_bytes([seed; 32]).public()
    }

    pub(crate) fn candidate(seed: u8, similarity: f64) -> Candidate {
        Candidate {
            peer: key(seed),
            bid_index: u64::from(seed),
            similarity,
            prior: 0.4,
            load: 0.0,
            latency: 0.25,
            availability: 1.0,
            reputation: 0.5,
            newcomer: false,
            settled_at_close: u64::from(seed),
            named: false,
        }
    }

    pub(crate) fn newcomer(seed: u8, similarity: f64) -> Candidate {
        Candidate {
            newcomer: true,
            ..candidate(seed, similarity)
        }
    }

    #[test]
    fn select_9_stability_spans_the_unit() {
        assert_eq!(stability(0.0, 0.0, 1.0), 1.0);
        assert_eq!(stability(1.0, 1.0, 0.0), 0.0);
        assert_eq!(stability(f64::NAN, 7.0, 1.0), 0.4 + 0.2);
    }

    #[test]
    fn select_10_the_neutral_candidate() {
        let neutral = Candidate {
            prior: 0.5,
            latency: 0.0,
            ..candidate(1, 0.5)
        };
        assert_eq!(composite(&neutral, &WEIGHTS), 0.575);
    }

    #[test]
    fn select_10_heavy_weights_are_clipped() {
        let heavy = Weights {
            similarity_ppm: 4_000_000,
            ..WEIGHTS
        };
        assert_eq!(composite(&candidate(1, 1.0), &heavy), 1.0);
    }

    #[test]
    fn select_11_equal_scores_stand_by_key_bytes() {
        let candidates: Vec<Candidate> = (1..=9).map(|seed| candidate(seed, 0.5)).collect();
        let ranked = rank(&candidates, &WEIGHTS, 9, Exploration::Off);
        let keys: Vec<PublicKey> = ranked
            .iter()
            .map(|place| candidates[place.position].peer)
            .collect();
        assert!(keys.is_sorted());
        assert_eq!(
            ranked[0].bid_index,
            candidates[ranked[0].position].bid_index
        );
    }

    #[test]
    fn select_11_keeps_the_last_place_for_a_newcomer() {
        let candidates = [
            candidate(1, 0.9),
            candidate(2, 0.8),
            candidate(3, 0.7),
            newcomer(4, 0.1),
            newcomer(5, 0.2),
        ];
        let without = rank(&candidates, &WEIGHTS, 3, Exploration::Off);
        assert_eq!(
            without
                .iter()
                .map(|place| place.position)
                .collect::<Vec<_>>(),
            [0, 1, 2]
        );
        let with = rank(&candidates, &WEIGHTS, 3, Exploration::Newcomers);
        assert_eq!(
            with.iter().map(|place| place.position).collect::<Vec<_>>(),
            [0, 1, 4]
        );
    }

    #[test]
    fn select_11_needs_no_kept_place_when_a_newcomer_is_good() {
        let candidates = [
            candidate(1, 0.9),
            newcomer(2, 0.8),
            candidate(3, 0.7),
            newcomer(4, 0.1),
        ];
        let ranked = rank(&candidates, &WEIGHTS, 2, Exploration::Newcomers);
        assert_eq!(
            ranked
                .iter()
                .map(|place| place.position)
                .collect::<Vec<_>>(),
            [0, 1]
        );
    }

    #[test]
    fn select_11_keeps_the_last_place_for_whom_nobody_settled_for_long() {
        let settled = |seed, similarity, settled_at_close| Candidate {
            settled_at_close,
            ..candidate(seed, similarity)
        };
        let mut candidates = vec![
            settled(1, 0.9, 70),
            settled(2, 0.8, 71),
            settled(3, 0.7, 40),
            settled(4, 0.6, 12),
            settled(5, 0.5, 12),
        ];
        let places = |candidates: &[Candidate], shortlist, exploration| -> Vec<usize> {
            rank(candidates, &WEIGHTS, shortlist, exploration)
                .iter()
                .map(|place| place.position)
                .collect()
        };
        let everybody = Exploration::Everybody(72);
        // The first of the two that were settled at the same close.
        assert_eq!(places(&candidates, 3, everybody), [0, 1, 3]);
        assert_eq!(places(&candidates, 3, Exploration::Newcomers), [0, 1, 2]);
        // It is among the best already.
        assert_eq!(places(&candidates, 4, everybody), [0, 1, 2, 3]);
        // 60 closes are long for whom half is expected of, and not for whom little is.
        candidates[3].prior = 0.2;
        assert_eq!(places(&candidates, 3, everybody), [0, 1, 4]);
        candidates[4].prior = 0.2;
        assert_eq!(places(&candidates, 3, everybody), [0, 1, 2]);
        candidates[2].settled_at_close = 71;
        assert_eq!(places(&candidates, 3, everybody), [0, 1, 3]);
        // A newcomer goes before it.
        candidates.push(newcomer(6, 0.1));
        assert_eq!(places(&candidates, 3, everybody), [0, 1, 5]);
    }

    #[test]
    fn select_11_an_empty_shortlist_is_empty() {
        assert!(rank(&[newcomer(1, 0.5)], &WEIGHTS, 0, Exploration::Newcomers).is_empty());
        assert!(rank(&[], &WEIGHTS, 5, Exploration::Newcomers).is_empty());
    }

    proptest! {
        #[test]
        fn select_11_ranking_does_not_depend_on_the_order_of_bids(
            likeness in proptest::collection::vec((0u8..4, any::<bool>()), 0..12),
            shortlist in 0usize..8,
            explore in 0usize..3,
        ) {
            let explore = [Exploration::Off, Exploration::Newcomers, Exploration::Everybody(9)][explore];
            let candidates: Vec<Candidate> = (0u8..)
                .zip(&likeness)
                .map(|(seed, (likeness, newcomer))| Candidate {
                    newcomer: *newcomer,
                    ..candidate(seed, f64::from(*likeness) / 4.0)
                })
                .collect();
            let mut reversed = candidates.clone();
            reversed.reverse();
            let bids = |candidates: &[Candidate]| -> Vec<(u64, u64)> {
                rank(candidates, &WEIGHTS, shortlist, explore)
                    .iter()
                    .map(|place| (place.bid_index, place.score.to_bits()))
                    .collect()
            };
            prop_assert_eq!(bids(&candidates), bids(&reversed));
        }

        #[test]
        fn select_10_is_in_the_unit_for_any_numbers(similarity: f64, load: f64, latency: f64, weight: u32) {
            let wild = Candidate { load, latency, ..candidate(1, similarity) };
            let score = composite(&wild, &Weights { prior_ppm: weight, ..WEIGHTS });
            prop_assert!((0.0..=1.0).contains(&score));
        }
    }
}
