//! What a policy entry fixes about the learning rule.

use crate::number::{PPM, ln, ratio_ppm};
use crate::policy::DIMENSION;

/// Which learning rule. See the module's documentation for the differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyKind {
    /// The default: contexts over √6, choices counted at selection.
    Shared,
    /// As in the paper: contexts over their length, choices counted at settlement.
    Paper,
    /// Evenly among all candidates.
    Random,
    /// Evenly among those in the ranking.
    RandomTop,
    /// The best by LinUCB, and now and then any.
    EpsilonGreedy,
    /// The best by weights that are drawn from what LinUCB holds possible.
    Thompson,
}

impl PolicyKind {
    /// Whether it draws.
    pub const fn uses_chance(self) -> bool {
        matches!(
            self,
            Self::Random | Self::RandomTop | Self::EpsilonGreedy | Self::Thompson
        )
    }
}

/// Parameters of LinUCB, all in parts per million.
///
/// Spec: SELECT-14.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyParameters {
    /// Which learning rule.
    pub kind: PolicyKind,
    /// λ, the ridge: A starts as λ·I. From [`PolicyParameters::LAMBDA_PPM_MIN`] to [`PolicyParameters::PPM_MAX`].
    pub lambda_ppm: u32,
    /// δ, the probability that the confidence bound fails. From 1 to 1 000 000.
    pub delta_ppm: u32,
    /// α, multiplies the noise scale. At most [`PolicyParameters::PPM_MAX`].
    pub alpha_ppm: u32,
    /// Sub-Gaussian scale of a reward's noise: 500 000 (½) for rewards in [0, 1]. At most [`PolicyParameters::PPM_MAX`].
    pub noise_ppm: u32,
    /// S, a bound of ‖θ‖. At most [`PolicyParameters::PPM_MAX`].
    pub norm_bound_ppm: u32,
    /// Multiplies the whole width; 1 000 000 is the theory's, less is bolder. At most [`PolicyParameters::PPM_MAX`].
    pub exploration_ppm: u32,
    /// ε, how often [`PolicyKind::EpsilonGreedy`] picks anybody: 1 to 1 000 000 there, and 0 for every other kind.
    pub epsilon_ppm: u32,
}

/// A policy's parameter lies outside its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyParameterError {
    /// A value below its least or above its greatest.
    #[error("policy parameter {parameter} is {actual}, not within {least} to {greatest}")]
    OutOfRange {
        /// Name of the parameter.
        parameter: &'static str,
        /// The least value.
        least: u32,
        /// The greatest value.
        greatest: u32,
        /// The value that was given.
        actual: u32,
    },
}

impl PolicyParameters {
    /// Least ridge, 0.001: below it the first updates would lose digits to cancellation.
    pub const LAMBDA_PPM_MIN: u32 = 1_000;

    /// Greatest value of each parameter but δ: 1 000.
    pub const PPM_MAX: u32 = 1_000_000_000;

    /// Default of [`PolicyKind::Shared`]: λ 1, δ 0.05, α 1, noise ½, S 1, the whole width.
    pub const SHARED: Self = Self {
        kind: PolicyKind::Shared,
        lambda_ppm: PPM,
        delta_ppm: 50_000,
        alpha_ppm: PPM,
        noise_ppm: 500_000,
        norm_bound_ppm: PPM,
        exploration_ppm: PPM,
        epsilon_ppm: 0,
    };

    /// Parameters of the paper: λ 1, δ 0.05, α 1, noise 1, S 1.
    pub const PAPER: Self = Self {
        kind: PolicyKind::Paper,
        noise_ppm: PPM,
        ..Self::SHARED
    };

    /// Checks every parameter's range.
    ///
    /// # Errors
    /// [`PolicyParameterError::OutOfRange`] for the first one outside.
    ///
    /// Spec: SELECT-14.
    pub fn validate(&self) -> Result<(), PolicyParameterError> {
        let ranges = [
            (
                "lambda_ppm",
                self.lambda_ppm,
                Self::LAMBDA_PPM_MIN,
                Self::PPM_MAX,
            ),
            ("delta_ppm", self.delta_ppm, 1, PPM),
            ("alpha_ppm", self.alpha_ppm, 0, Self::PPM_MAX),
            ("noise_ppm", self.noise_ppm, 0, Self::PPM_MAX),
            ("norm_bound_ppm", self.norm_bound_ppm, 0, Self::PPM_MAX),
            ("exploration_ppm", self.exploration_ppm, 0, Self::PPM_MAX),
            if self.kind == PolicyKind::EpsilonGreedy {
                ("epsilon_ppm", self.epsilon_ppm, 1, PPM)
            } else {
                ("epsilon_ppm", self.epsilon_ppm, 0, 0)
            },
        ];
        for (parameter, actual, least, greatest) in ranges {
            if !(least..=greatest).contains(&actual) {
                return Err(PolicyParameterError::OutOfRange {
                    parameter,
                    least,
                    greatest,
                    actual,
                });
            }
        }
        Ok(())
    }

    /// λ.
    pub fn lambda(&self) -> f64 {
        ratio_ppm(self.lambda_ppm.into())
    }

    /// β_t, the radius of the confidence ellipsoid after t = `observations`:
    /// `(α·noise)·√(6·ln(1 + t/λ) + 2·ln(1/δ)) + √λ·S`.
    ///
    /// Finite and ≥ 0 for parameters that [`PolicyParameters::validate`] accepts.
    ///
    /// Spec: SELECT-15.
    pub fn beta(&self, observations: u64) -> f64 {
        let scale = ratio_ppm(self.alpha_ppm.into()) * ratio_ppm(self.noise_ppm.into());
        let lambda = self.lambda();
        let growth = DIMENSION as f64 * ln(1.0 + observations as f64 / lambda);
        let certainty = 2.0 * ln(1.0 / ratio_ppm(self.delta_ppm.into()));
        scale * (growth + certainty).sqrt() + lambda.sqrt() * ratio_ppm(self.norm_bound_ppm.into())
    }

    /// What the width of every candidate is multiplied with at one selection: exploration·β_t.
    ///
    /// Spec: SELECT-16.
    pub fn width_scale(&self, observations: u64) -> f64 {
        ratio_ppm(self.exploration_ppm.into()) * self.beta(observations)
    }
}

#[cfg(test)]
mod tests {
    use super::{PolicyParameterError, PolicyParameters};

    #[test]
    fn select_15_beta_is_the_reference_implementation_s() {
        for (observations, expected) in [(1, 4.19), (10, 5.51), (100, 6.80), (1_000, 7.89)] {
            let beta = PolicyParameters::PAPER.beta(observations);
            assert!(
                (beta - expected).abs() < 0.005,
                "t = {observations}: {beta}"
            );
        }
    }

    #[test]
    fn select_15_half_the_noise_is_half_the_data_term() {
        let (half, whole) = (
            PolicyParameters::SHARED.beta(50),
            PolicyParameters::PAPER.beta(50),
        );
        assert!(((half - 1.0) * 2.0 - (whole - 1.0)).abs() < 1e-12);
    }

    #[test]
    fn select_14_names_the_parameter_out_of_range() {
        assert_eq!(PolicyParameters::SHARED.validate(), Ok(()));
        let wild = PolicyParameters {
            delta_ppm: 0,
            ..PolicyParameters::SHARED
        };
        assert_eq!(
            wild.validate(),
            Err(PolicyParameterError::OutOfRange {
                parameter: "delta_ppm",
                least: 1,
                greatest: 1_000_000,
                actual: 0
            })
        );
        let flat = PolicyParameters {
            lambda_ppm: 999,
            ..PolicyParameters::PAPER
        };
        assert!(flat.validate().is_err());
    }

    #[test]
    fn select_15_is_finite_at_the_ends_of_the_ranges() {
        let extreme = PolicyParameters {
            lambda_ppm: PolicyParameters::LAMBDA_PPM_MIN,
            delta_ppm: 1,
            alpha_ppm: PolicyParameters::PPM_MAX,
            noise_ppm: PolicyParameters::PPM_MAX,
            norm_bound_ppm: PolicyParameters::PPM_MAX,
            exploration_ppm: PolicyParameters::PPM_MAX,
            ..PolicyParameters::SHARED
        };
        assert_eq!(extreme.validate(), Ok(()));
        assert!(extreme.width_scale(u64::MAX).is_finite());
    }
}
