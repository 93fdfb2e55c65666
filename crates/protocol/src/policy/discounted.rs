//! LinUCB that forgets: what is long ago weighs less (D-LinUCB; Russac, Vernade and Cappé 2019).
//!
//! An age is a number of choices. V weighs a choice of age a with γᵃ and Ṽ with γ²ᵃ; both keep the whole ridge. A reward that
//! comes late enters Z and b with the weight that its choice has in V by then, so that θ is always the weighted ridge regression of
//! what is known: delay costs nothing but the wait.

use super::matrix::{Factor, Symmetric, dot};
use crate::number::{normalised, ratio_ppm};
use crate::policy::{Bound, LinearError, Parts, PolicyParameters};

/// The state of a linear model of `D` numbers under a discount. Solved by Cholesky whenever it is asked.
///
/// Spec: SELECT-21.
#[derive(Clone, Debug, PartialEq)]
pub struct Discounted<const D: usize> {
    parameters: PolicyParameters,
    /// V, of all choices.
    design: Symmetric<D>,
    /// Z: the same of those whose reward is known.
    settled: Symmetric<D>,
    /// Ṽ.
    squared: Symmetric<D>,
    b: [f64; D],
    /// Σ γ²ᵃ: how many choices Ṽ is worth.
    weight: f64,
    observations: u64,
    /// Number of the choice up to which everything is discounted.
    until: u64,
}

impl<const D: usize> Discounted<D> {
    /// The model that has seen nothing: V = Z = Ṽ = λ·I, b = 0.
    ///
    /// Spec: SELECT-21.
    pub fn new(parameters: &PolicyParameters) -> Self {
        let ridge = Symmetric::scaled_identity(parameters.lambda());
        Self {
            parameters: *parameters,
            squared: ridge.clone(),
            settled: ridge.clone(),
            design: ridge,
            b: [0.0; D],
            weight: 0.0,
            observations: 0,
            until: 0,
        }
    }

    /// Puts a model together from what [`Discounted::parts`] gave.
    ///
    /// # Errors
    /// [`LinearError`], if some number is not finite, a diagonal is not positive, or a length is another.
    pub fn from_parts(parameters: &PolicyParameters, parts: &Parts) -> Result<Self, LinearError> {
        let weight = parts.weight.as_slice();
        let [weight] = LinearError::row("weight", weight)?;
        LinearError::row::<0>("cross", &parts.cross)?;
        Ok(Self {
            parameters: *parameters,
            design: LinearError::matrix("design", &parts.matrix)?,
            settled: LinearError::matrix("settled", &parts.settled)?,
            squared: LinearError::matrix("squared", &parts.squared)?,
            b: LinearError::row("b", &parts.b)?,
            weight,
            observations: parts.observations,
            until: parts.until,
        })
    }

    /// All its numbers: what state and reports hold.
    pub fn parts(&self) -> Parts {
        Parts {
            observations: self.observations,
            until: self.until,
            weight: Some(self.weight),
            matrix: self.design.triangle(),
            settled: self.settled.triangle(),
            squared: self.squared.triangle(),
            cross: Vec::new(),
            b: self.b.to_vec(),
        }
    }

    /// Choices counted and not taken back.
    pub fn observations(&self) -> u64 {
        self.observations
    }

    /// b.
    pub fn b(&self) -> [f64; D] {
        self.b
    }

    /// The upper triangle of V, row by row from the diagonal.
    pub fn triangle(&self) -> Vec<f64> {
        self.design.triangle()
    }

    /// θ = Z⁻¹·b after the choice with the number `now`.
    ///
    /// Spec: SELECT-22.
    pub fn theta(&self, now: u64) -> [f64; D] {
        let aged = self.aged(now);
        aged.settled.factor().solve(&aged.b)
    }

    /// exploration·β after the choice with the number `now`.
    ///
    /// Spec: SELECT-22.
    pub fn width_scale(&self, now: u64) -> f64 {
        let weight = self.aged(now).weight;
        self.parameters.width_scale(D, weight)
    }

    /// Estimates every context as the model stands after the choice with the number `now`.
    ///
    /// Spec: SELECT-22.
    pub fn assess(&self, contexts: &[[f64; D]], now: u64) -> Vec<Bound> {
        let aged = self.aged(now);
        let factor: Factor<D> = aged.design.factor();
        let theta = aged.settled.factor().solve(&aged.b);
        let scale = self.parameters.width_scale(D, aged.weight);
        contexts
            .iter()
            .map(|x| {
                let u = factor.solve(x);
                let square = dot(&u, &aged.squared.times(&u));
                Bound::new(dot(x, &theta), scale, square)
            })
            .collect()
    }

    /// Counts the choice with this number; everything before it ages first.
    ///
    /// Spec: SELECT-21.
    pub fn observe_choice(&mut self, x: &[f64; D], number: u64) {
        self.age(number);
        self.design
            .change(|row, column, held| held + x[row] * x[column]);
        self.squared
            .change(|row, column, held| held + x[row] * x[column]);
        self.weight = normalised(self.weight + 1.0);
        self.observations = self.observations.saturating_add(1);
    }

    /// Takes back the choice with this number, with the weight that it has now. Nothing, if no choice is counted.
    ///
    /// Spec: SELECT-21.
    pub fn forget_choice(&mut self, x: &[f64; D], number: u64) {
        if self.observations == 0 {
            return;
        }
        let share = self.discount(self.until.saturating_sub(number));
        let square = share * share;
        self.design
            .change(|row, column, held| held - share * (x[row] * x[column]));
        self.squared
            .change(|row, column, held| held - square * (x[row] * x[column]));
        self.weight = normalised(self.weight - square);
        self.observations -= 1;
    }

    /// Learns the reward of the choice with this number, with the weight that it has now.
    ///
    /// Spec: SELECT-21.
    pub fn observe_reward(&mut self, x: &[f64; D], number: u64, reward: f64) {
        let share = self.discount(self.until.saturating_sub(number));
        self.settled
            .change(|row, column, held| held + share * (x[row] * x[column]));
        for (held, feature) in self.b.iter_mut().zip(x) {
            *held = normalised(*held + share * reward * feature);
        }
    }

    fn aged(&self, now: u64) -> Self {
        let mut aged = self.clone();
        aged.age(now);
        aged
    }

    /// Lets all that is known age up to the choice with this number.
    fn age(&mut self, now: u64) {
        let steps = now.saturating_sub(self.until);
        if steps == 0 {
            return;
        }
        let lambda = self.parameters.lambda();
        let share = self.discount(steps);
        let square = share * share;
        let aged = |share: f64| {
            move |row: usize, column: usize, held: f64| {
                let ridge = if row == column {
                    (1.0 - share) * lambda
                } else {
                    0.0
                };
                share * held + ridge
            }
        };
        self.design.change(aged(share));
        self.settled.change(aged(share));
        self.squared.change(aged(square));
        self.b = self.b.map(|held| normalised(share * held));
        self.weight = normalised(square * self.weight);
        self.until = now;
    }

    /// γ to the power of an age.
    fn discount(&self, steps: u64) -> f64 {
        power(ratio_ppm(self.parameters.discount_ppm.into()), steps)
    }
}

/// `base` to the power of `exponent`: the squares of the base whose bits are set, multiplied from the lowest bit upwards.
///
/// Spec: SELECT-21.
pub(super) fn power(base: f64, exponent: u64) -> f64 {
    let (mut result, mut square, mut rest) = (1.0, base, exponent);
    while rest > 0 {
        if rest & 1 == 1 {
            result *= square;
        }
        square *= square;
        rest >>= 1;
    }
    result
}

#[cfg(test)]
mod tests;
