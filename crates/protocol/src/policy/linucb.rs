//! LinUCB: ridge regression with an upper confidence bound, its inverse kept by rank-one updates.

use super::matrix::{Symmetric, dot};
use crate::number::normalised;
use crate::policy::{Bound, LinearError, Parts, PolicyParameters};

/// A downdate whose denominator is not above this is refused: the matrix never held that choice.
const DENOMINATOR_MIN: f64 = 1e-12;

/// The state of a linear model of `D` numbers that forgets nothing: A⁻¹ of all choices, S⁻¹ and b of those whose reward is known,
/// and the count of choices in A. What is pending narrows the width, and has no say in the estimate.
///
/// Every sum is a loop in a written order; nothing here depends on `D` but the lengths.
///
/// Spec: SELECT-12.
#[derive(Clone, Debug, PartialEq)]
pub struct LinUcb<const D: usize> {
    parameters: PolicyParameters,
    inverse: Symmetric<D>,
    settled: Symmetric<D>,
    b: [f64; D],
    observations: u64,
}

/// Whether a choice could be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Downdate {
    /// The model is as if the choice had not been counted.
    Done,
    /// The model never counted this choice; it is unchanged.
    Refused,
}

impl<const D: usize> LinUcb<D> {
    /// The model that has seen nothing: A⁻¹ = S⁻¹ = (1/λ)·I, b = 0.
    ///
    /// The parameters are those of a validated policy ([`PolicyParameters::validate`]).
    ///
    /// Spec: SELECT-12.
    pub fn new(parameters: &PolicyParameters) -> Self {
        let ridge = Symmetric::scaled_identity(1.0 / parameters.lambda());
        Self {
            parameters: *parameters,
            settled: ridge.clone(),
            inverse: ridge,
            b: [0.0; D],
            observations: 0,
        }
    }

    /// Puts a model together from what [`LinUcb::parts`] gave.
    ///
    /// # Errors
    /// [`LinearError`], if some number is not finite, a variance is not positive, or a length is another.
    pub fn from_parts(parameters: &PolicyParameters, parts: &Parts) -> Result<Self, LinearError> {
        LinearError::refuse_further(parts.weight.is_some(), parts)?;
        Ok(Self {
            parameters: *parameters,
            inverse: LinearError::matrix("inverse", &parts.matrix)?,
            settled: LinearError::matrix("settled", &parts.settled)?,
            b: LinearError::row("b", &parts.b)?,
            observations: parts.observations,
        })
    }

    /// All its numbers: what state and reports hold.
    ///
    /// Spec: SELECT-12.
    pub fn parts(&self) -> Parts {
        Parts {
            observations: self.observations,
            matrix: self.triangle(),
            settled: self.settled.triangle(),
            b: self.b.to_vec(),
            ..Parts::default()
        }
    }

    /// The parameters it was made with.
    pub fn parameters(&self) -> &PolicyParameters {
        &self.parameters
    }

    /// t: how many choices A holds.
    pub fn observations(&self) -> u64 {
        self.observations
    }

    /// b = Σ r·x.
    pub fn b(&self) -> [f64; D] {
        self.b
    }

    /// The upper triangle of A⁻¹, row by row from the diagonal.
    ///
    /// Spec: SELECT-12.
    pub fn triangle(&self) -> Vec<f64> {
        self.inverse.triangle()
    }

    /// θ = S⁻¹·b, the learned weights.
    ///
    /// Spec: SELECT-15.
    pub fn theta(&self) -> [f64; D] {
        self.settled.times(&self.b)
    }

    /// What the width of every candidate is multiplied with: exploration·β_t.
    ///
    /// Spec: SELECT-15, SELECT-16.
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts are far below 2^53; the cast rounds to nearest everywhere"
    )]
    pub fn width_scale(&self) -> f64 {
        self.parameters.width_scale(D, self.observations as f64)
    }

    /// Estimates every context with the same θ and β_t; the order of the result is that of the contexts.
    ///
    /// Spec: SELECT-16.
    pub fn assess(&self, contexts: &[[f64; D]]) -> Vec<Bound> {
        let theta = self.theta();
        let scale = self.width_scale();
        contexts
            .iter()
            .map(|x| {
                let square = dot(x, &self.inverse.times(x));
                Bound::new(dot(x, &theta), scale, square)
            })
            .collect()
    }

    /// Counts a choice: `A ← A + x·xᵀ`, `t ← t + 1`.
    ///
    /// Spec: SELECT-17.
    pub fn observe_choice(&mut self, x: &[f64; D]) {
        update(&mut self.inverse, x);
        self.observations = self.observations.saturating_add(1);
    }

    /// Takes a counted choice back: `A ← A − x·xᵀ`, `t ← t − 1`.
    ///
    /// Spec: SELECT-18.
    pub fn forget_choice(&mut self, x: &[f64; D]) -> Downdate {
        let u = self.inverse.times(x);
        let denominator = 1.0 - dot(x, &u);
        if denominator <= DENOMINATOR_MIN || self.observations == 0 {
            return Downdate::Refused;
        }
        self.inverse
            .change(|row, column, held| held + u[row] * u[column] / denominator);
        self.observations -= 1;
        Downdate::Done
    }

    /// Learns the reward of a counted choice: `S ← S + x·xᵀ`, `b ← b + r·x`. `reward` is in [0, 1].
    ///
    /// Spec: SELECT-19.
    pub fn observe_reward(&mut self, x: &[f64; D], reward: f64) {
        update(&mut self.settled, x);
        for (held, feature) in self.b.iter_mut().zip(x) {
            *held = normalised(*held + reward * feature);
        }
    }

    /// A choice and its reward together.
    ///
    /// Spec: SELECT-19.
    pub fn observe(&mut self, x: &[f64; D], reward: f64) {
        self.observe_choice(x);
        self.observe_reward(x, reward);
    }

    #[cfg(test)]
    fn rows(&self) -> &[[f64; D]; D] {
        self.inverse.rows()
    }
}

/// The inverse of `A + x·xᵀ`, from that of A (Sherman and Morrison).
fn update<const D: usize>(inverse: &mut Symmetric<D>, x: &[f64; D]) {
    let u = inverse.times(x);
    let denominator = 1.0 + dot(x, &u);
    inverse.change(|row, column, held| held - u[row] * u[column] / denominator);
}

#[cfg(test)]
mod tests;
