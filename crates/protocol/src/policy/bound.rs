//! What a linear model says of one candidate, and what is no state of a linear model.

use super::{Parts, matrix::Symmetric};
use crate::number::normalised;

/// What a policy says of one candidate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bound {
    /// Expected reward.
    pub estimate: f64,
    /// Confidence width, ≥ 0.
    pub width: f64,
    /// `estimate + width`.
    pub score: f64,
}

impl Bound {
    /// From the estimate and `width = scale × √square`; a negative square, which only rounding can make, counts as 0, and so
    /// does what is not finite, which only a forged state can make.
    ///
    /// Spec: SELECT-16.
    pub(super) fn new(estimate: f64, scale: f64, square: f64) -> Self {
        let deviation = if square > 0.0 { square.sqrt() } else { 0.0 };
        let (estimate, width) = (finite(estimate), finite(scale * deviation));
        Self {
            estimate,
            width,
            score: normalised(estimate + width),
        }
    }
}

fn finite(number: f64) -> f64 {
    if number.is_finite() { number } else { 0.0 }
}

/// Numbers that are no state of a linear model.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LinearError {
    /// A number is NaN or infinite.
    #[error("{part} holds a number that is not finite at index {index}")]
    NotFinite {
        /// Name of the part.
        part: &'static str,
        /// Index within it, from 0.
        index: usize,
    },
    /// A number on the diagonal is not positive.
    #[error("diagonal element {index} of {part} is {actual}, not above 0")]
    DiagonalNotPositive {
        /// Name of the part.
        part: &'static str,
        /// Row, from 0.
        index: usize,
        /// The number that was given.
        actual: f64,
    },
    /// A part has another number of numbers.
    #[error("{part} has {actual} numbers, not {expected}")]
    Length {
        /// Name of the part.
        part: &'static str,
        /// How many there must be.
        expected: usize,
        /// How many were given.
        actual: usize,
    },
}

impl LinearError {
    pub(super) fn refuse_not_finite(part: &'static str, numbers: &[f64]) -> Result<(), Self> {
        match numbers.iter().position(|number| !number.is_finite()) {
            Some(index) => Err(Self::NotFinite { part, index }),
            None => Ok(()),
        }
    }

    /// Refuses parts that this kind of model does not have.
    pub(super) fn refuse_further(further: bool, parts: &Parts) -> Result<(), Self> {
        let actual = parts.squared.len() + parts.cross.len() + usize::from(further);
        if actual == 0 {
            return Ok(());
        }
        Err(Self::Length {
            part: "further parts",
            expected: 0,
            actual,
        })
    }

    /// Exactly `D` finite numbers.
    pub(super) fn row<const D: usize>(
        part: &'static str,
        numbers: &[f64],
    ) -> Result<[f64; D], Self> {
        Self::refuse_not_finite(part, numbers)?;
        let row: [f64; D] = numbers.try_into().map_err(|_| Self::Length {
            part,
            expected: D,
            actual: numbers.len(),
        })?;
        Ok(row.map(normalised))
    }

    /// The matrix of this triangle, whose diagonal must be positive.
    pub(super) fn matrix<const D: usize>(
        part: &'static str,
        triangle: &[f64],
    ) -> Result<Symmetric<D>, Self> {
        Self::refuse_not_finite(part, triangle)?;
        let matrix = Symmetric::from_triangle(triangle).ok_or(Self::Length {
            part,
            expected: super::matrix::triangle_length(D),
            actual: triangle.len(),
        })?;
        for index in 0..D {
            let actual = matrix.diagonal(index);
            if actual <= 0.0 {
                return Err(Self::DiagonalNotPositive {
                    part,
                    index,
                    actual,
                });
            }
        }
        Ok(matrix)
    }
}
