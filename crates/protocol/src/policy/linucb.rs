//! LinUCB: ridge regression with an upper confidence bound, its inverse kept by rank-one updates.

use nalgebra::{SMatrix, SVector};

use crate::number::normalised;
use crate::policy::{Context, DIMENSION, PolicyKind, PolicyParameters};

/// How many numbers an upper triangle has, diagonal included.
pub const TRIANGLE_LENGTH: usize = DIMENSION * (DIMENSION + 1) / 2;

/// A downdate whose denominator is not above this is refused: the matrix never held that choice.
const DENOMINATOR_MIN: f64 = 1e-12;

/// The state of the learning rule: A⁻¹, b and the count of choices in A.
///
/// A⁻¹ is symmetric to the bit: only its upper triangle is computed, and mirrored. nalgebra holds the numbers; every sum is
/// a loop here, since its products choose an order of their own.
///
/// Spec: SELECT-12.
#[derive(Clone, Debug, PartialEq)]
pub struct LinUcb {
    parameters: PolicyParameters,
    inverse: SMatrix<f64, DIMENSION, DIMENSION>,
    b: SVector<f64, DIMENSION>,
    observations: u64,
}

/// What the model says of one candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// Expected reward, xᵀθ.
    pub estimate: f64,
    /// Confidence width, ≥ 0.
    pub width: f64,
    /// `estimate + width`.
    pub score: f64,
}

/// Whether a choice could be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Downdate {
    /// The model is as if the choice had not been counted.
    Done,
    /// The model never counted this choice; it is unchanged.
    Refused,
}

/// Numbers that are no state of LinUCB.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LinUcbError {
    /// A number is NaN or infinite.
    #[error("{part} holds a number that is not finite at index {index}")]
    NotFinite {
        /// `triangle` or `b`.
        part: &'static str,
        /// Index within it, from 0.
        index: usize,
    },
    /// A variance on the diagonal of the inverse is not positive.
    #[error("diagonal element {index} of the inverse is {actual}, not above 0")]
    DiagonalNotPositive {
        /// Row, from 0.
        index: usize,
        /// The number that was given.
        actual: f64,
    },
}

impl LinUcb {
    /// The model that has seen nothing: A⁻¹ = (1/λ)·I, b = 0.
    ///
    /// The parameters are those of a validated policy ([`PolicyParameters::validate`]).
    ///
    /// Spec: SELECT-12.
    pub fn new(parameters: &PolicyParameters) -> Self {
        let mut inverse = SMatrix::zeros();
        for row in 0..DIMENSION {
            inverse[(row, row)] = 1.0 / parameters.lambda();
        }
        Self {
            parameters: *parameters,
            inverse,
            b: SVector::zeros(),
            observations: 0,
        }
    }

    /// Puts a model together from what [`LinUcb::triangle`], [`LinUcb::b`] and [`LinUcb::observations`] gave.
    ///
    /// # Errors
    /// [`LinUcbError`], if some number is not finite or a variance is not positive.
    pub fn from_parts(
        parameters: &PolicyParameters,
        triangle: &[f64; TRIANGLE_LENGTH],
        b: &Context,
        observations: u64,
    ) -> Result<Self, LinUcbError> {
        first_not_finite("triangle", triangle)?;
        first_not_finite("b", b)?;
        let mut model = Self::new(parameters);
        let mut numbers = triangle.iter();
        for row in 0..DIMENSION {
            for column in row..DIMENSION {
                let number = *numbers
                    .next()
                    .expect("the loops run over exactly one triangle");
                model.set_symmetric(row, column, number);
            }
            let actual = model.inverse[(row, row)];
            if actual <= 0.0 {
                return Err(LinUcbError::DiagonalNotPositive { index: row, actual });
            }
        }
        model.b = SVector::from(b.map(normalised));
        model.observations = observations;
        Ok(model)
    }

    /// Which learning rule this is.
    pub fn kind(&self) -> PolicyKind {
        self.parameters.kind
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
    pub fn b(&self) -> Context {
        self.b.into()
    }

    /// The upper triangle of A⁻¹, row by row from the diagonal: what state and reports hold.
    ///
    /// Spec: SELECT-12.
    pub fn triangle(&self) -> [f64; TRIANGLE_LENGTH] {
        let mut triangle = [0.0; TRIANGLE_LENGTH];
        let mut places = triangle.iter_mut();
        for row in 0..DIMENSION {
            for column in row..DIMENSION {
                let place = places
                    .next()
                    .expect("the loops run over exactly one triangle");
                *place = self.inverse[(row, column)];
            }
        }
        triangle
    }

    /// θ = A⁻¹·b, the learned weights.
    ///
    /// Spec: SELECT-15.
    pub fn theta(&self) -> Context {
        self.times(&self.b())
    }

    /// xᵀθ, the expected reward.
    ///
    /// Spec: SELECT-16.
    pub fn estimate(&self, x: &Context) -> f64 {
        dot(x, &self.theta())
    }

    /// exploration·β_t·√(xᵀA⁻¹x), how far the truth may lie from the estimate.
    ///
    /// Spec: SELECT-16.
    pub fn width(&self, x: &Context) -> f64 {
        self.parameters.width_scale(self.observations) * self.deviation(x)
    }

    /// Estimates every context with the same θ and β_t; the order of the result is that of the contexts.
    ///
    /// Spec: SELECT-16.
    pub fn assess(&self, contexts: &[Context]) -> Vec<Choice> {
        let theta = self.theta();
        let scale = self.parameters.width_scale(self.observations);
        contexts
            .iter()
            .map(|x| {
                let estimate = dot(x, &theta);
                let width = scale * self.deviation(x);
                let score = normalised(estimate + width);
                Choice {
                    estimate,
                    width,
                    score,
                }
            })
            .collect()
    }

    /// Counts a choice: `A ← A + x·xᵀ`, `t ← t + 1`.
    ///
    /// Under [`PolicyKind::Shared`] at selection; under [`PolicyKind::Paper`] it is part of [`LinUcb::observe`].
    ///
    /// Spec: SELECT-17.
    pub fn observe_choice(&mut self, x: &Context) {
        let u = self.times(x);
        let denominator = 1.0 + dot(x, &u);
        self.change(&u, |held, product| held - product / denominator);
        self.observations = self.observations.saturating_add(1);
    }

    /// Takes a counted choice back: `A ← A − x·xᵀ`, `t ← t − 1`. What a void settlement does under [`PolicyKind::Shared`].
    ///
    /// Spec: SELECT-18.
    pub fn forget_choice(&mut self, x: &Context) -> Downdate {
        let u = self.times(x);
        let denominator = 1.0 - dot(x, &u);
        if denominator <= DENOMINATOR_MIN || self.observations == 0 {
            return Downdate::Refused;
        }
        self.change(&u, |held, product| held + product / denominator);
        self.observations -= 1;
        Downdate::Done
    }

    /// Learns the reward of a counted choice: `b ← b + r·x`. `reward` is in [0, 1].
    ///
    /// Spec: SELECT-19.
    pub fn observe_reward(&mut self, x: &Context, reward: f64) {
        for (held, feature) in self.b.iter_mut().zip(x) {
            *held = normalised(*held + reward * feature);
        }
    }

    /// A choice and its reward together: what a settlement does under [`PolicyKind::Paper`].
    ///
    /// Spec: SELECT-19.
    pub fn observe(&mut self, x: &Context, reward: f64) {
        self.observe_choice(x);
        self.observe_reward(x, reward);
    }

    /// √(xᵀA⁻¹x); a negative square, which only rounding can make, counts as 0.
    fn deviation(&self, x: &Context) -> f64 {
        let square = dot(x, &self.times(x));
        if square > 0.0 { square.sqrt() } else { 0.0 }
    }

    /// A⁻¹·x, each row from column 0 upwards.
    fn times(&self, x: &Context) -> Context {
        let mut result = [0.0; DIMENSION];
        for (row, sum) in result.iter_mut().enumerate() {
            for (column, number) in x.iter().enumerate() {
                *sum += self.inverse[(row, column)] * number;
            }
            *sum = normalised(*sum);
        }
        result
    }

    /// Replaces each element of the upper triangle by `rule(held, u_row·u_column)` and mirrors it.
    fn change(&mut self, u: &Context, rule: impl Fn(f64, f64) -> f64) {
        for row in 0..DIMENSION {
            for column in row..DIMENSION {
                let changed = rule(self.inverse[(row, column)], u[row] * u[column]);
                self.set_symmetric(row, column, changed);
            }
        }
    }

    fn set_symmetric(&mut self, row: usize, column: usize, number: f64) {
        let number = normalised(number);
        self.inverse[(row, column)] = number;
        self.inverse[(column, row)] = number;
    }
}

fn dot(left: &Context, right: &Context) -> f64 {
    normalised(crate::number::dot(left, right))
}

fn first_not_finite(part: &'static str, numbers: &[f64]) -> Result<(), LinUcbError> {
    match numbers.iter().position(|number| !number.is_finite()) {
        Some(index) => Err(LinUcbError::NotFinite { part, index }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
