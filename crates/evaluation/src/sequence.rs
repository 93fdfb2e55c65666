//! Confidence sequences: intervals for a running mean that hold at every moment at once, whatever chose what was observed.
//!
//! **What is bounded.** Observations y₁, y₂, … with conditional means μₜ = E[yₜ | what came before], each yₜ ≥ −k. The means
//! may differ and may depend on the past in any way (a logging policy that learns, a target that learns): bounded is their
//! running mean (μ₁ + … + μₜ)/t. The number of observations may depend on what was seen, so looking early is no sin.
//!
//! **Why it holds.** With ξ = y/(k + 1) and any prediction ξ̂ ≤ 1/(k + 1) made before it, ξ − ξ̂ ≥ −1, and Fan's inequality
//! gives E[exp(λ(ξ − μ) − ψ(λ)(ξ − ξ̂)²)] ≤ 1 for 0 ≤ λ < 1 and ψ(λ) = −ln(1 − λ) − λ. Products of such factors, and mixtures of
//! products over λ, are non-negative supermartingales; Ville's inequality bounds how often one ever exceeds 1/α. Solved for the
//! mean, this is a lower bound. The upper bound is one less the lower bound of 1 − reward.
//!
//! Reference: Waudby-Smith, Wu, Ramdas, Karampatziakis, Mineiro, "Anytime-valid off-policy inference for contextual bandits"
//! (arXiv 2210.10768); Karampatziakis, Mineiro, Ramdas, "Off-policy confidence sequences" (ICML 2021). There λ follows the data
//! for a mean that stays, or is mixed by a gamma density for one that moves; here it is mixed over [`RATES`] powers of one half,
//! which needs no special function.

use symphony_protocol::number::ln;

use crate::number::exp_of_negative;

/// How many rates λ = ½, ¼, … the mixture has: the last one suits a sum of squares of 10⁹.
const RATES: u32 = 16;
/// Halvings until a bound is known to 2⁻⁵⁰.
const HALVINGS: u32 = 50;

/// A lower bound of a running mean.
#[derive(Clone, Debug)]
pub struct LowerBound {
    /// k + 1.
    scale: f64,
    count: f64,
    /// Σ ξ.
    sum: f64,
    /// Σ (ξ − ξ̂)².
    squares: f64,
}

impl LowerBound {
    /// Of observations of at least `-least_negative` (k ≥ 0, finite), whose conditional means are at most 1.
    pub fn new(least_negative: f64) -> Self {
        Self {
            scale: least_negative + 1.0,
            count: 0.0,
            sum: 0.0,
            squares: 0.0,
        }
    }

    /// Takes the next observation.
    pub fn observe(&mut self, observation: f64) {
        let scaled = observation / self.scale;
        let error = scaled - self.prediction();
        self.squares += error * error;
        self.sum += scaled;
        self.count += 1.0;
    }

    /// The mean of the past, begun with one observation of ½, and never above what the mean of ξ can be.
    fn prediction(&self) -> f64 {
        let most = 1.0 / self.scale;
        let mean = (self.sum + 0.5 * most) / (self.count + 1.0);
        mean.min(most)
    }

    /// The bound, in [0, 1], that the running mean is not below with confidence `1 - alpha`. 0 before the first observation.
    pub fn at(&self, alpha: f64) -> f64 {
        if self.count == 0.0 || !self.refutes(0.0, alpha) {
            return 0.0;
        }
        let (mut refuted, mut kept) = (0.0, 1.0);
        if self.refutes(kept, alpha) {
            return kept;
        }
        for _ in 0..HALVINGS {
            let middle = 0.5 * (refuted + kept);
            if self.refutes(middle, alpha) {
                refuted = middle;
            } else {
                kept = middle;
            }
        }
        refuted
    }

    /// Whether the observations refute that the running mean is `mean` or less, at level `alpha`.
    pub fn refutes(&self, mean: f64, alpha: f64) -> bool {
        self.evidence(mean) >= -ln(alpha)
    }

    /// Logarithm of the mixture of supermartingales for this running mean.
    fn evidence(&self, mean: f64) -> f64 {
        let excess = self.sum - self.count * (mean / self.scale);
        let exponent = |rate: f64| rate * excess - (-ln(1.0 - rate) - rate) * self.squares;
        let largest = rates().map(exponent).fold(f64::NEG_INFINITY, f64::max);
        let mut sum = 0.0;
        for rate in rates() {
            sum += exp_of_negative(exponent(rate) - largest);
        }
        largest + ln(sum / f64::from(RATES))
    }
}

/// ½, ¼, ….
fn rates() -> impl Iterator<Item = f64> {
    (1..=RATES).map(|place| 1.0 / (1u64 << place) as f64)
}

/// An interval within [0, 1].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// A running mean of rewards in [0, 1], bounded from both sides.
#[derive(Clone, Debug)]
pub struct ConfidenceSequence {
    of_reward: LowerBound,
    of_loss: LowerBound,
}

impl ConfidenceSequence {
    /// As [`LowerBound::new`], for both sides.
    pub fn new(least_negative: f64) -> Self {
        Self {
            of_reward: LowerBound::new(least_negative),
            of_loss: LowerBound::new(least_negative),
        }
    }

    /// Takes the next observation: one whose conditional mean is that of the reward, one whose is that of 1 − reward.
    pub fn observe(&mut self, reward: f64, loss: f64) {
        self.of_reward.observe(reward);
        self.of_loss.observe(loss);
    }

    /// The interval that holds with confidence `1 - alpha`, half of `alpha` for each side. Empty intervals, which have a
    /// probability of at most `alpha`, become the point between.
    pub fn interval(&self, alpha: f64) -> Interval {
        let low = self.of_reward.at(0.5 * alpha);
        let high = 1.0 - self.of_loss.at(0.5 * alpha);
        if low <= high {
            return Interval { low, high };
        }
        let middle = 0.5 * (low + high);
        Interval {
            low: middle,
            high: middle,
        }
    }

    /// Whether the interval at this level leaves this running mean out.
    pub fn refutes(&self, mean: f64, alpha: f64) -> bool {
        self.of_reward.refutes(mean, 0.5 * alpha) || self.of_loss.refutes(1.0 - mean, 0.5 * alpha)
    }
}

#[cfg(test)]
mod tests {
    use super::{ConfidenceSequence, LowerBound};

    #[test]
    fn nothing_is_known_of_nothing() {
        let interval = ConfidenceSequence::new(0.0).interval(0.05);
        assert_eq!((interval.low, interval.high), (0.0, 1.0));
    }

    #[test]
    fn constant_rewards_are_closed_in_upon() {
        let mut sequence = ConfidenceSequence::new(0.0);
        for _ in 0..10_000 {
            sequence.observe(0.7, 0.3);
        }
        let interval = sequence.interval(0.05);
        assert!(interval.low > 0.695 && interval.low < 0.7, "{interval:?}");
        assert!(interval.high < 0.705 && interval.high > 0.7, "{interval:?}");
    }

    #[test]
    fn the_bound_is_where_the_refutation_ends() {
        let mut bound = LowerBound::new(1.0);
        for step in 0..500 {
            bound.observe(f64::from(step % 5) / 3.0 - 0.2);
        }
        let at = bound.at(0.05);
        assert!(bound.refutes(at, 0.05) && !bound.refutes(at + 1e-9, 0.05));
    }

    #[test]
    fn huge_observations_stay_numbers() {
        let mut bound = LowerBound::new(0.0);
        for _ in 0..100 {
            bound.observe(1e300);
            bound.observe(0.0);
        }
        assert!((0.0..=1.0).contains(&bound.at(0.05)));
    }
}
