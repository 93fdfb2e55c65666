//! The delayed reward of a selection: what the policy learns when the vote is over.
//!
//! The paper's reward (validity, winner's bonus, latency penalty) as one number, rescaled to [0, 1] by bounds that follow
//! from the policy entry alone: LinUCB's confidence bound assumes bounded rewards, and the paper's code left the interval.
//!
//! Spec: SETTLE-1 to SETTLE-4.

use crate::number::{normalised, ratio_ppm, unit};

/// What a policy entry fixes about rewards. Terms are in parts per million of the term for a valid answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RewardParameters {
    /// Added for an answer that won with quorum; usually 500 000.
    pub winner_bonus_ppm: u32,
    /// Taken off at the latency scale and beyond; usually 200 000.
    pub latency_penalty_ppm: u32,
    /// The latency at which the penalty is whole, in milliseconds. 0: any latency above 0 is penalised in full.
    pub latency_scale_ms: u64,
    /// Added for an answer that a checker found correct; 0: no checker.
    pub checker_ppm: u32,
    /// Taken off for the highest price; 0: price does not matter.
    pub price_ppm: u32,
}

/// Whether the answer won.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vote {
    /// Equal to the winning answer, which had a quorum.
    Won,
    /// Another answer, or no quorum.
    NotWon,
}

/// What a checker found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// No checker looked.
    Unchecked,
    /// The answer is correct.
    Correct,
    /// The answer is wrong.
    Wrong,
}

/// What came of a selection, as far as it has a reward. A void settlement has none and is not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A valid answer, revealed in time.
    Valid(Answered),
    /// An answer that does not parse under the answer form, or was withheld or not opened.
    Invalid,
    /// No receipt within the deadline.
    TimedOut,
}

/// A valid answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Whether it won.
    pub vote: Vote,
    /// Time of the receipt's entry less time of the assignment's entry, in milliseconds.
    pub latency_ms: u64,
    /// What a checker found.
    pub checked: Checked,
    /// The bid's price over the highest price that the beacon allows, in parts per million.
    pub price_share_ppm: u32,
}

/// The ends of the interval that raw rewards are rescaled from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// The raw reward that becomes 0.
    pub low: f64,
    /// The raw reward that becomes 1.
    pub high: f64,
}

impl RewardParameters {
    /// The paper's: ½ for winning, 0.2 for latency over a scale of 2 seconds, no checker, no price.
    pub const PAPER: Self = Self {
        winner_bonus_ppm: 500_000,
        latency_penalty_ppm: 200_000,
        latency_scale_ms: 2_000,
        checker_ppm: 0,
        price_ppm: 0,
    };

    /// The raw reward: `1 + bonus·[won] − penalty·√min(1, latency/scale) + checker·[correct] − price·share`, from left to
    /// right; 0 for an invalid answer and for a time-out.
    ///
    /// Spec: SETTLE-1.
    pub fn raw(&self, outcome: &Outcome) -> f64 {
        let Outcome::Valid(answered) = outcome else {
            return 0.0;
        };
        let won = match answered.vote {
            Vote::Won => ratio_ppm(self.winner_bonus_ppm.into()),
            Vote::NotWon => 0.0,
        };
        let correct = match answered.checked {
            Checked::Correct => ratio_ppm(self.checker_ppm.into()),
            Checked::Wrong | Checked::Unchecked => 0.0,
        };
        let slowness = ratio_ppm(self.latency_penalty_ppm.into())
            * self.latency_share(answered.latency_ms).sqrt();
        let price =
            ratio_ppm(self.price_ppm.into()) * unit(ratio_ppm(answered.price_share_ppm.into()));
        normalised(1.0 + won - slowness + correct - price)
    }

    /// `low = 0`, what a time-out gets; `high = (1 + bonus) + checker`, what a free, instant, correct winner gets.
    ///
    /// Spec: SETTLE-2.
    pub fn bounds(&self) -> Bounds {
        let bonus = ratio_ppm(self.winner_bonus_ppm.into());
        Bounds {
            low: 0.0,
            high: 1.0 + bonus + ratio_ppm(self.checker_ppm.into()),
        }
    }

    /// The reward in [0, 1]: `(raw − low) / (high − low)`, clipped. Exactly 0 for an invalid answer and for a time-out.
    ///
    /// Spec: SETTLE-3.
    pub fn reward(&self, outcome: &Outcome) -> f64 {
        let bounds = self.bounds();
        unit((self.raw(outcome) - bounds.low) / (bounds.high - bounds.low))
    }

    /// `min(1, latency/scale)`.
    ///
    /// Spec: SETTLE-4.
    pub fn latency_share(&self, latency_ms: u64) -> f64 {
        if latency_ms >= self.latency_scale_ms {
            return if latency_ms == 0 { 0.0 } else { 1.0 };
        }
        unit(latency_ms as f64 / self.latency_scale_ms as f64)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Answered, Bounds, Checked, Outcome, RewardParameters, Vote};

    const CHECKED: RewardParameters = RewardParameters {
        checker_ppm: 500_000,
        price_ppm: 100_000,
        ..RewardParameters::PAPER
    };

    fn answered(vote: Vote, latency_ms: u64) -> Answered {
        Answered {
            vote,
            latency_ms,
            checked: Checked::Unchecked,
            price_share_ppm: 0,
        }
    }

    #[test]
    fn settle_1_the_paper_s_terms() {
        let paper = RewardParameters::PAPER;
        assert_eq!(paper.raw(&Outcome::Valid(answered(Vote::Won, 0))), 1.5);
        assert_eq!(
            paper.raw(&Outcome::Valid(answered(Vote::NotWon, 500))),
            1.0 - 0.2 * 0.5
        );
        assert_eq!(
            paper.raw(&Outcome::Valid(answered(Vote::NotWon, 60_000))),
            0.8
        );
    }

    #[test]
    fn settle_1_checker_and_price() {
        let best = Answered {
            checked: Checked::Correct,
            ..answered(Vote::Won, 0)
        };
        assert_eq!(CHECKED.raw(&Outcome::Valid(best)), 2.0);
        assert_eq!(CHECKED.reward(&Outcome::Valid(best)), 1.0);
        let dear = Answered {
            price_share_ppm: 1_000_000,
            ..best
        };
        assert_eq!(CHECKED.raw(&Outcome::Valid(dear)), 1.9);
        let wrong = Answered {
            checked: Checked::Wrong,
            ..best
        };
        assert_eq!(CHECKED.raw(&Outcome::Valid(wrong)), 1.5);
    }

    #[test]
    fn settle_2_bounds_follow_from_the_policy() {
        assert_eq!(
            RewardParameters::PAPER.bounds(),
            Bounds {
                low: 0.0,
                high: 1.5
            }
        );
        assert_eq!(
            CHECKED.bounds(),
            Bounds {
                low: 0.0,
                high: 2.0
            }
        );
    }

    #[test]
    fn settle_3_invalid_and_time_out_are_exactly_zero() {
        for outcome in [Outcome::Invalid, Outcome::TimedOut] {
            assert_eq!(RewardParameters::PAPER.reward(&outcome).to_bits(), 0);
        }
    }

    #[test]
    fn settle_3_winning_pays_more_than_not_winning() {
        let paper = RewardParameters::PAPER;
        let won = paper.reward(&Outcome::Valid(answered(Vote::Won, 700)));
        let lost = paper.reward(&Outcome::Valid(answered(Vote::NotWon, 700)));
        assert!(won > lost);
    }

    #[test]
    fn settle_4_a_scale_of_nothing_is_defined() {
        let sharp = RewardParameters {
            latency_scale_ms: 0,
            ..RewardParameters::PAPER
        };
        assert_eq!(sharp.latency_share(0), 0.0);
        assert_eq!(sharp.latency_share(1), 1.0);
    }

    proptest! {
        #[test]
        fn settle_3_every_reward_is_in_the_unit(
            bonus: u32, penalty: u32, scale: u64, checker: u32, price: u32, latency_ms: u64, price_share_ppm: u32, won: bool,
        ) {
            let parameters = RewardParameters {
                winner_bonus_ppm: bonus,
                latency_penalty_ppm: penalty,
                latency_scale_ms: scale,
                checker_ppm: checker,
                price_ppm: price,
            };
            let vote = if won { Vote::Won } else { Vote::NotWon };
            let outcome = Outcome::Valid(Answered { price_share_ppm, ..answered(vote, latency_ms) });
            prop_assert!((0.0..=1.0).contains(&parameters.reward(&outcome)));
        }

        #[test]
        fn settle_4_slower_is_never_better(left in 0u64..10_000, right in 0u64..10_000) {
            let paper = RewardParameters::PAPER;
            let reward = |latency_ms| paper.reward(&Outcome::Valid(answered(Vote::Won, latency_ms)));
            prop_assert!(reward(left.min(right)) >= reward(left.max(right)));
        }
    }
}
