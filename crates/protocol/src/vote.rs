//! The vote: which answer wins, and whether two peers stand behind it.
//!
//! Ballots arrive here revealed, opened against their commitments and valid under the answer form. The coordinator's own
//! ballot may fill a silence but never weighs anything: otherwise a coordinator could answer its own question and learn that
//! it was right.
//!
//! Spec: VOTE-1 to VOTE-9.

mod reliability;

pub use reliability::{Answers, Belief, RELIABILITY_START, log_odds, probabilities};

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use symphony_transparency::{Digest, PublicKey};

use crate::number::normalised;

/// How many different peers other than the coordinator must agree before an answer counts as won.
pub const QUORUM: u32 = 2;

/// Whose ballot it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voter {
    /// A peer other than the coordinator.
    Peer,
    /// The coordinator itself.
    Coordinator,
}

/// A revealed ballot that opens its commitment and is valid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ballot {
    /// The executor.
    pub peer: PublicKey,
    /// Whether that is the coordinator.
    pub voter: Voter,
    /// Keyed digest of the answer in its answer form: equal answers, equal digests.
    pub answer: Digest,
    /// The executor's stated confidence, in parts per million.
    pub confidence_ppm: u32,
    /// What [`VoteRule::weight`] gave; what is not finite or below 0 counts as 0.
    pub weight: f64,
}

/// What a ballot weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoteRule {
    /// The log-odds of the peer's measured reliability (default).
    Reliability,
    /// The peer's composite score in screening (as in the paper).
    Screening,
    /// One.
    Majority,
}

/// What the coordinator's log says of a voter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// Measured reliability in [0, 1].
    pub reliability: f64,
    /// Composite score of its bid in [0, 1].
    pub screening: f64,
}

impl VoteRule {
    /// What a ballot of a peer with this standing weighs.
    ///
    /// Spec: VOTE-2.
    pub fn weight(self, standing: &Standing) -> f64 {
        match self {
            Self::Reliability => log_odds(standing.reliability),
            Self::Screening => standing.screening,
            Self::Majority => 1.0,
        }
    }
}

/// The outcome of a vote.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tally {
    /// The winning answer.
    pub answer: Digest,
    /// Sum of the weights behind it.
    pub weight: f64,
    /// Sum of all weights.
    pub total_weight: f64,
    /// Different peers behind it, the coordinator not counted.
    pub supporters: u32,
    /// Whether at least [`QUORUM`] peers agree: only then has anybody won.
    pub quorum: bool,
}

/// Counts a vote. `None` without ballots.
///
/// The highest sum of weights wins, ties by the highest sum of confidences, then by the smallest answer bytes. The
/// coordinator's ballot counts only when there is no other, and then weighs 0. Of several ballots of one peer the first
/// counts.
///
/// Spec: VOTE-3, VOTE-4, VOTE-5.
pub fn tally(ballots: &[Ballot]) -> Option<Tally> {
    let counted = counted(ballots);
    let mut total_weight = 0.0;
    let mut groups: BTreeMap<Digest, Group> = BTreeMap::new();
    for ballot in counted {
        let weight = weight_of(ballot);
        total_weight += weight;
        groups.entry(ballot.answer).or_default().add(ballot, weight);
    }
    let (answer, group) = groups.iter().reduce(|best, next| {
        // The map goes from small to large bytes, so a tie stays with the smaller.
        if next.1.compare(best.1) == Ordering::Greater {
            next
        } else {
            best
        }
    })?;
    Some(Tally {
        answer: *answer,
        weight: group.weight,
        total_weight,
        supporters: group.supporters,
        quorum: group.supporters >= QUORUM,
    })
}

/// The ballots that count: the first of each peer, in order; the coordinator's only if there is no other.
fn counted(ballots: &[Ballot]) -> Vec<&Ballot> {
    let mut seen = BTreeSet::new();
    let first: Vec<&Ballot> = ballots
        .iter()
        .filter(|ballot| seen.insert(ballot.peer))
        .collect();
    let peers: Vec<&Ballot> = first
        .iter()
        .copied()
        .filter(|ballot| ballot.voter == Voter::Peer)
        .collect();
    if peers.is_empty() { first } else { peers }
}

fn weight_of(ballot: &Ballot) -> f64 {
    match ballot.voter {
        Voter::Peer => finite_or_zero(ballot.weight),
        Voter::Coordinator => 0.0,
    }
}

fn finite_or_zero(weight: f64) -> f64 {
    if weight.is_finite() && weight > 0.0 {
        weight
    } else {
        0.0
    }
}

/// All ballots for one answer.
#[derive(Default)]
struct Group {
    weight: f64,
    confidence_ppm: u64,
    supporters: u32,
}

impl Group {
    fn add(&mut self, ballot: &Ballot, weight: f64) {
        self.weight += weight;
        self.confidence_ppm = self
            .confidence_ppm
            .saturating_add(ballot.confidence_ppm.into());
        if ballot.voter == Voter::Peer {
            self.supporters = self.supporters.saturating_add(1);
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        self.weight
            .total_cmp(&other.weight)
            .then(self.confidence_ppm.cmp(&other.confidence_ppm))
    }
}

/// One plan's voice in the vote of plans.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlanBallot {
    /// The answer of the plan's last step; `None` if it has none.
    pub answer: Option<Digest>,
    /// Mean weight of the plan's executors; what is not finite or below 0 counts as 0.
    pub weight: f64,
}

/// The outcome of a vote of plans.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlanTally {
    /// The winning answer.
    pub answer: Digest,
    /// Sum of the weights of the plans that gave it.
    pub weight: f64,
}

/// Counts a vote of plans: the highest sum of weights (in plan order) wins, ties by the smallest answer bytes. `None` if no
/// plan has an answer.
///
/// Spec: VOTE-6.
pub fn plan_vote(plans: &[PlanBallot]) -> Option<PlanTally> {
    let mut sums: BTreeMap<Digest, f64> = BTreeMap::new();
    for plan in plans {
        if let Some(answer) = plan.answer {
            *sums.entry(answer).or_default() += finite_or_zero(plan.weight);
        }
    }
    sums.into_iter()
        .map(|(answer, weight)| PlanTally {
            answer,
            weight: normalised(weight),
        })
        .reduce(|best, next| {
            if next.weight > best.weight {
                next
            } else {
                best
            }
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use symphony_transparency::Digest;

    use super::{Ballot, PlanBallot, Standing, Tally, VoteRule, Voter, log_odds, plan_vote, tally};
    use crate::screening::tests::key;

    fn answer(byte: u8) -> Digest {
        Digest::from_bytes([byte; 32])
    }

    fn ballot(peer: u8, byte: u8, weight: f64) -> Ballot {
        Ballot {
            peer: key(peer),
            voter: Voter::Peer,
            answer: answer(byte),
            confidence_ppm: 500_000,
            weight,
        }
    }

    fn own(byte: u8) -> Ballot {
        Ballot {
            voter: Voter::Coordinator,
            ..ballot(200, byte, 1.0)
        }
    }

    fn won(ballots: &[Ballot]) -> Tally {
        tally(ballots).expect("there are ballots")
    }

    #[test]
    fn vote_2_rules_weigh_by_standing() {
        let standing = Standing {
            reliability: 0.25,
            screening: 0.75,
        };
        assert_eq!(VoteRule::Reliability.weight(&standing), log_odds(0.25));
        assert_eq!(VoteRule::Screening.weight(&standing), 0.75);
        assert_eq!(VoteRule::Majority.weight(&standing), 1.0);
    }

    #[test]
    fn vote_3_weight_beats_heads() {
        let tally = won(&[ballot(1, 7, 0.9), ballot(2, 3, 0.4), ballot(3, 3, 0.4)]);
        assert_eq!(
            (tally.answer, tally.supporters, tally.quorum),
            (answer(7), 1, false)
        );
        assert_eq!(tally.weight, 0.9);
        assert_eq!(tally.total_weight, 0.9 + 0.4 + 0.4);
    }

    #[test]
    fn vote_3_ties_fall_by_confidence_then_bytes() {
        let sure = Ballot {
            confidence_ppm: 500_001,
            ..ballot(1, 9, 0.5)
        };
        assert_eq!(won(&[ballot(2, 1, 0.5), sure]).answer, answer(9));
        assert_eq!(
            won(&[ballot(2, 9, 0.5), ballot(1, 1, 0.5)]).answer,
            answer(1)
        );
    }

    #[test]
    fn vote_4_the_coordinator_makes_no_majority() {
        let tally = won(&[own(3), ballot(1, 3, 0.2), ballot(2, 7, 0.3)]);
        assert_eq!(
            (tally.answer, tally.supporters, tally.quorum),
            (answer(7), 1, false)
        );
        let tally = won(&[own(3), ballot(1, 3, 0.2)]);
        assert_eq!((tally.supporters, tally.quorum), (1, false));
    }

    #[test]
    fn vote_4_the_coordinator_tips_no_tie() {
        assert_eq!(
            won(&[own(9), ballot(1, 9, 0.5), ballot(2, 1, 0.5)]).answer,
            answer(1)
        );
        assert_eq!(won(&[own(1), ballot(1, 9, 0.0)]).answer, answer(9));
    }

    #[test]
    fn vote_4_the_coordinator_alone_answers_without_quorum() {
        let tally = won(&[own(3)]);
        assert_eq!(
            (tally.answer, tally.weight, tally.supporters),
            (answer(3), 0.0, 0)
        );
        assert!(!tally.quorum);
    }

    #[test]
    fn vote_5_quorum_needs_two_different_peers() {
        assert!(won(&[ballot(1, 3, 0.2), ballot(2, 3, 0.2)]).quorum);
        let twice = won(&[ballot(1, 3, 0.2), ballot(1, 3, 0.2)]);
        assert_eq!((twice.quorum, twice.weight), (false, 0.2));
    }

    #[test]
    fn vote_3_nothing_to_count() {
        assert_eq!(tally(&[]), None);
    }

    #[test]
    fn vote_6_plans_weigh_and_silence_does_not_count() {
        let plan = |answer, weight| PlanBallot { answer, weight };
        let plans = [
            plan(None, 9.0),
            plan(Some(answer(5)), 0.5),
            plan(Some(answer(2)), 0.25),
            plan(Some(answer(2)), 0.25),
        ];
        let tally = plan_vote(&plans).expect("three plans answered");
        assert_eq!((tally.answer, tally.weight), (answer(2), 0.5));
        assert_eq!(plan_vote(&[plan(None, 1.0)]), None);
    }

    proptest! {
        #[test]
        fn vote_3_holds_for_any_ballots(
            votes in proptest::collection::vec((0u8..6, 0u8..3, any::<f64>(), any::<u32>(), any::<bool>()), 0..8),
        ) {
            let ballots: Vec<Ballot> = votes
                .iter()
                .map(|(peer, byte, weight, confidence_ppm, is_own)| Ballot {
                    confidence_ppm: *confidence_ppm,
                    voter: if *is_own { Voter::Coordinator } else { Voter::Peer },
                    ..ballot(*peer, *byte, *weight)
                })
                .collect();
            let Some(tally) = tally(&ballots) else {
                prop_assert!(ballots.is_empty());
                return Ok(());
            };
            prop_assert!(tally.weight <= tally.total_weight);
            prop_assert!(ballots.iter().any(|ballot| ballot.answer == tally.answer));
            prop_assert_eq!(tally.quorum, tally.supporters >= 2);
        }
    }
}
