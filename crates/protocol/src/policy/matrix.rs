//! Symmetric matrices and their factors, with every sum in a written order.

use crate::number::normalised;

/// A pivot that is not above this counts as this: the matrices here are at least a ridge, so only rounding can make one.
const PIVOT_MIN: f64 = 1e-12;

/// A symmetric matrix. Both triangles are held, the same to the bit: only the upper one is computed, and mirrored.
///
/// Spec: SELECT-12.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Symmetric<const D: usize>([[f64; D]; D]);

/// `L` with `L·Lᵀ = A`, the lower triangle of Cholesky.
///
/// Spec: SELECT-22.
pub(super) struct Factor<const D: usize>([[f64; D]; D]);

impl<const D: usize> Symmetric<D> {
    /// `diagonal` times the identity.
    pub(super) fn scaled_identity(diagonal: f64) -> Self {
        let mut rows = [[0.0; D]; D];
        for (index, row) in rows.iter_mut().enumerate() {
            row[index] = diagonal;
        }
        Self(rows)
    }

    /// From the upper triangle, row by row from the diagonal; nothing if it has another length.
    pub(super) fn from_triangle(triangle: &[f64]) -> Option<Self> {
        if triangle.len() != triangle_length(D) {
            return None;
        }
        let mut numbers = triangle.iter().copied();
        let mut matrix = Self::scaled_identity(0.0);
        matrix.change(|_, _, _| numbers.next().unwrap_or(0.0));
        Some(matrix)
    }

    /// The upper triangle, row by row from the diagonal.
    pub(super) fn triangle(&self) -> Vec<f64> {
        let rows = self.0.iter().enumerate();
        rows.flat_map(|(index, row)| row[index..].iter().copied())
            .collect()
    }

    pub(super) fn diagonal(&self, index: usize) -> f64 {
        self.0[index][index]
    }

    /// Replaces each element of the upper triangle by `rule(row, column, held)`, row by row, and mirrors it.
    pub(super) fn change(&mut self, mut rule: impl FnMut(usize, usize, f64) -> f64) {
        for row in 0..D {
            for column in row..D {
                let number = normalised(rule(row, column, self.0[row][column]));
                self.0[row][column] = number;
                self.0[column][row] = number;
            }
        }
    }

    /// `A·x`: each sum from column 0 upwards. The sums go on side by side, which changes none of them.
    pub(super) fn times(&self, x: &[f64; D]) -> [f64; D] {
        let mut sums = [0.0; D];
        for (row, number) in self.0.iter().zip(x) {
            for (sum, element) in sums.iter_mut().zip(row) {
                *sum += element * number;
            }
        }
        sums.map(normalised)
    }

    /// Cholesky's factor.
    ///
    /// Spec: SELECT-22.
    pub(super) fn factor(&self) -> Factor<D> {
        let mut lower = [[0.0; D]; D];
        for row in 0..D {
            for column in 0..=row {
                let mut rest = self.0[row][column];
                for (left, right) in lower[row].iter().zip(&lower[column]).take(column) {
                    rest -= left * right;
                }
                lower[row][column] = if row == column {
                    (if rest > PIVOT_MIN { rest } else { PIVOT_MIN }).sqrt()
                } else {
                    normalised(rest / lower[column][column])
                };
            }
        }
        Factor(lower)
    }

    #[cfg(test)]
    pub(super) fn rows(&self) -> &[[f64; D]; D] {
        &self.0
    }
}

impl<const D: usize> Factor<D> {
    /// `A⁻¹·x`: down through L, then up through its transpose.
    pub(super) fn solve(&self, x: &[f64; D]) -> [f64; D] {
        let lower = &self.0;
        let mut result = *x;
        for row in 0..D {
            let mut rest = result[row];
            for place in 0..row {
                rest -= lower[row][place] * result[place];
            }
            result[row] = rest / lower[row][row];
        }
        for row in (0..D).rev() {
            let mut rest = result[row];
            for place in row + 1..D {
                rest -= lower[place][row] * result[place];
            }
            result[row] = rest / lower[row][row];
        }
        result.map(normalised)
    }
}

/// How many numbers an upper triangle has, diagonal included.
pub const fn triangle_length(dimension: usize) -> usize {
    dimension * (dimension + 1) / 2
}

/// `Σ leftᵢ·rightᵢ` from index 0 upwards.
pub(super) fn dot<const D: usize>(left: &[f64; D], right: &[f64; D]) -> f64 {
    normalised(crate::number::dot(left, right))
}

#[cfg(test)]
mod tests {
    use super::Symmetric;

    #[test]
    fn select_22_the_factor_solves() {
        let mut matrix = Symmetric::<3>::scaled_identity(1.0);
        matrix.change(|row, column, _| {
            [[4.0, 2.0, 0.5], [2.0, 3.0, 1.0], [0.5, 1.0, 2.0]][row][column]
        });
        let x = [1.0, -2.0, 0.25];
        let solved = matrix.factor().solve(&matrix.times(&x));
        for (found, expected) in solved.iter().zip(&x) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
    }

    #[test]
    fn select_22_a_matrix_without_rank_still_has_a_factor() {
        let matrix = Symmetric::<2>::scaled_identity(0.0);
        assert!(
            matrix
                .factor()
                .solve(&[1.0, 1.0])
                .iter()
                .all(|n| n.is_finite())
        );
    }

    #[test]
    fn select_12_a_triangle_has_its_length() {
        assert!(Symmetric::<2>::from_triangle(&[1.0, 2.0]).is_none());
        let matrix = Symmetric::<2>::from_triangle(&[1.0, 2.0, 3.0]).expect("three numbers");
        assert_eq!(matrix.rows(), &[[1.0, 2.0], [2.0, 3.0]]);
        assert_eq!(matrix.triangle(), [1.0, 2.0, 3.0]);
    }
}
