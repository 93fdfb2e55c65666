//! What a target would have earned in the votes of somebody's log.
//!
//! **The value.** At each vote the target is asked at the log's own picks, with the log's own candidates: its value there is the
//! reward it would expect of that one vote, had it made all of its picks. What is estimated is the mean of that over the votes.
//! Contexts are those that the log's policy brought about: a target that would have kept other peers busy is not followed there.
//!
//! **The weight** of a vote is the product over its ordered picks of `target / logged`. Picks are not taken apart: a tally
//! couples their rewards, so that the slate as a whole is what was tried.
//!
//! **Estimators.** Inverse propensity scoring (IPS): mean of weight × reward, without bias. Self-normalised (SNIPS): divided by
//! the mean weight instead of 1; biased, by little where votes are many, and steadier. Doubly robust: a model's prediction, and
//! IPS on what it missed, pick by pick from the last to the first; without bias whatever the model is.
//!
//! Reference: Swaminathan, Joachims, "The self-normalized estimator for counterfactual learning" (2015); Dudík, Langford, Li,
//! "Doubly robust policy evaluation and learning" (2011); Jiang, Li, "Doubly robust off-policy value evaluation for
//! reinforcement learning" (2016), for the ordered picks.

use crate::sequence::{ConfidenceSequence, Interval};
use crate::vote::{Refusal, WeighedPick, WeighedVote};

/// How far below 0 a doubly robust observation may lie. Predictions are clipped so that none lies lower, whatever its weight:
/// more room keeps better predictions, and costs a term of this over the number of votes.
pub const LEAST_NEGATIVE: f64 = 4.0;

/// An estimate in the making.
#[derive(Clone, Debug)]
pub struct OffPolicy {
    votes: u64,
    weights: f64,
    weights_squared: f64,
    weights_max: f64,
    weighted_rewards: f64,
    doubly_robust: f64,
    logged_rewards: f64,
    by_weight: ConfidenceSequence,
    by_model: ConfidenceSequence,
}

/// What a log says about a target's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Votes that it rests on.
    pub votes: u64,
    /// Mean reward of the log's own policy in these votes.
    pub logged: f64,
    /// Inverse propensity scoring; may leave [0, 1].
    pub ips: f64,
    /// Self-normalised inverse propensity scoring; absent if no vote has a weight.
    pub snips: Option<f64>,
    /// Doubly robust; may leave [0, 1].
    pub doubly_robust: f64,
    /// Interval for the value from weights alone.
    pub ips_interval: Interval,
    /// Interval for the value with the model.
    pub doubly_robust_interval: Interval,
    /// Votes of one policy that would say as much: (Σ weight)² / Σ weight².
    pub effective_votes: f64,
    /// The largest weight of a vote.
    pub weight_max: f64,
}

impl Default for OffPolicy {
    fn default() -> Self {
        Self::new()
    }
}

impl OffPolicy {
    /// Before the first vote.
    pub fn new() -> Self {
        Self {
            votes: 0,
            weights: 0.0,
            weights_squared: 0.0,
            weights_max: 0.0,
            weighted_rewards: 0.0,
            doubly_robust: 0.0,
            logged_rewards: 0.0,
            by_weight: ConfidenceSequence::new(0.0),
            by_model: ConfidenceSequence::new(LEAST_NEGATIVE),
        }
    }

    /// Takes the next vote, in the order in which the votes were closed.
    ///
    /// # Errors
    /// [`Refusal`], and the estimate is as before. A refusal of one vote is one of the whole log: leaving such votes out would
    /// estimate something else.
    pub fn observe(&mut self, vote: &WeighedVote) -> Result<(), Refusal> {
        vote.validate(self.votes)?;
        let weight = vote.picks.iter().map(WeighedPick::ratio).product::<f64>();
        let (reward, loss) = (vote.reward, 1.0 - vote.reward);
        self.votes += 1;
        self.weights += weight;
        self.weights_squared += weight * weight;
        self.weights_max = self.weights_max.max(weight);
        self.weighted_rewards += weight * reward;
        self.logged_rewards += reward;
        self.doubly_robust += corrected(vote, reward, f64::INFINITY, |predicted| predicted);
        self.by_weight.observe(weight * reward, weight * loss);
        self.by_model.observe(
            corrected(vote, reward, LEAST_NEGATIVE, |predicted| predicted),
            corrected(vote, loss, LEAST_NEGATIVE, |predicted| 1.0 - predicted),
        );
        Ok(())
    }

    /// The estimate so far, with intervals of confidence `1 - alpha` each; they hold at every number of votes at once.
    ///
    /// # Errors
    /// [`Refusal::NoVotes`].
    pub fn estimate(&self, alpha: f64) -> Result<Estimate, Refusal> {
        if self.votes == 0 {
            return Err(Refusal::NoVotes);
        }
        let count = self.votes as f64;
        let weighed = self.weights > 0.0;
        Ok(Estimate {
            votes: self.votes,
            logged: self.logged_rewards / count,
            ips: self.weighted_rewards / count,
            snips: weighed.then(|| self.weighted_rewards / self.weights),
            doubly_robust: self.doubly_robust / count,
            ips_interval: self.by_weight.interval(alpha),
            doubly_robust_interval: self.by_model.interval(alpha),
            effective_votes: if weighed {
                self.weights * self.weights / self.weights_squared
            } else {
                0.0
            },
            weight_max: self.weights_max,
        })
    }

    /// Whether the interval from weights, and that with the model, leave this value out at this level.
    pub fn refutes(&self, value: f64, alpha: f64) -> (bool, bool) {
        (
            self.by_weight.refutes(value, alpha),
            self.by_model.refutes(value, alpha),
        )
    }
}

impl WeighedPick {
    /// Target over logged probability of the choice.
    fn ratio(&self) -> f64 {
        self.target[self.chosen] / self.logged[self.chosen]
    }
}

/// The doubly robust observation: Σ over picks of `W·(Σ π·q) − W′·q(choice)`, and `W′·reward` after the last, where W and W′ are
/// the weights before and after the pick. A prediction q counts as at most `room / (P·W′)`, which is known before the choice:
/// so no pick takes more than `room / P` away. Replacements have no room left, and go by their weight alone.
fn corrected(vote: &WeighedVote, reward: f64, room: f64, prediction: impl Fn(f64) -> f64) -> f64 {
    let share = room / vote.executors.max(1) as f64;
    let (mut weight, mut sum) = (1.0, 0.0);
    for pick in vote.picks.iter().take(vote.executors) {
        let clipped = |candidate: usize| {
            let after = weight * (pick.target[candidate] / pick.logged[candidate]);
            let predicted = prediction(pick.predicted[candidate]);
            if after > 0.0 {
                predicted.min(share / after)
            } else {
                predicted
            }
        };
        let mut expected = 0.0;
        for (candidate, probability) in pick.target.iter().enumerate() {
            if *probability > 0.0 {
                expected += probability * clipped(candidate);
            }
        }
        let after = weight * pick.ratio();
        sum += weight * expected - after * clipped(pick.chosen);
        weight = after;
    }
    for pick in vote.picks.iter().skip(vote.executors) {
        weight *= pick.ratio();
    }
    sum + weight * reward
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{LEAST_NEGATIVE, corrected};
    use crate::vote::{Support, WeighedPick, WeighedVote};

    fn shares(numbers: [f64; 3]) -> Vec<f64> {
        let sum: f64 = numbers.iter().sum();
        numbers.iter().map(|number| number / sum).collect()
    }

    fn numbers() -> impl Strategy<Value = [f64; 3]> {
        proptest::array::uniform3(0.01f64..1.0)
    }

    proptest! {
        /// Over all that chance could have picked, the doubly robust observation has the mean of the target's reward, with
        /// and without room for the predictions, however wrong they are; and it never lies below what is promised.
        #[test]
        fn the_mean_is_the_target_s_and_the_least_is_kept(
            logged in proptest::array::uniform2(numbers()),
            target in proptest::array::uniform2(numbers()),
            predicted in proptest::array::uniform2(proptest::array::uniform3(0.0f64..=1.0)),
            rewards in proptest::array::uniform9(0.0f64..=1.0),
            executors in 1usize..=2,
        ) {
            for room in [LEAST_NEGATIVE, f64::INFINITY] {
                let (mut mean, mut truth) = (0.0, 0.0);
                for (slate, reward) in rewards.iter().enumerate() {
                    let chosen = [slate / 3, slate % 3];
                    let picks: Vec<WeighedPick> = (0..2)
                        .map(|place| WeighedPick {
                            chosen: chosen[place],
                            logged: shares(logged[place]),
                            target: shares(target[place]),
                            predicted: predicted[place].to_vec(),
                        })
                        .collect();
                    let probability = |of: fn(&WeighedPick) -> &Vec<f64>| -> f64 {
                        picks.iter().map(|pick| of(pick)[pick.chosen]).product()
                    };
                    let (by_log, by_target) = (probability(|pick| &pick.logged), probability(|pick| &pick.target));
                    let vote = WeighedVote {
                        picks: picks.clone(),
                        executors,
                        support: Support::AfterAnyPicks,
                        reward: *reward,
                    };
                    let observation = corrected(&vote, vote.reward, room, |predicted| predicted);
                    prop_assert!(observation >= -room - 1e-12);
                    mean += by_log * observation;
                    truth += by_target * vote.reward;
                }
                prop_assert!((mean - truth).abs() < 1e-9, "{} beside {}", mean, truth);
            }
        }
    }
}
