//! What a policy entry fixes about the learning rule.

use crate::number::{PPM, ln, ratio_ppm};

/// Which policy. See the module's documentation for the differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyKind {
    /// One model for all peers: contexts over √6, choices counted at selection.
    Shared,
    /// As in the paper: contexts over their length, choices counted at settlement.
    Paper,
    /// A model for each peer.
    Disjoint,
    /// A shared model, and a small one for each peer.
    Hybrid,
    /// The highest prior; learns nothing of its own.
    Strongest,
    /// The first of the ranking; learns nothing of its own.
    Screening,
    /// The peer that the operator named for this kind of step, else the first of the ranking.
    Static,
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
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Shared,
        Self::Paper,
        Self::Disjoint,
        Self::Hybrid,
        Self::Strongest,
        Self::Screening,
        Self::Static,
        Self::Random,
        Self::RandomTop,
        Self::EpsilonGreedy,
        Self::Thompson,
    ];

    /// Its name, the same in configuration, commands and vectors.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Paper => "paper",
            Self::Disjoint => "disjoint",
            Self::Hybrid => "hybrid",
            Self::Strongest => "strongest",
            Self::Screening => "screening",
            Self::Static => "static",
            Self::Random => "random",
            Self::RandomTop => "random-top",
            Self::EpsilonGreedy => "epsilon-greedy",
            Self::Thompson => "thompson",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it draws.
    pub const fn uses_chance(self) -> bool {
        matches!(
            self,
            Self::Random | Self::RandomTop | Self::EpsilonGreedy | Self::Thompson
        )
    }

    /// Whether a choice counts when it is made, and not only when it is settled.
    pub const fn counts_at_selection(self) -> bool {
        !matches!(self, Self::Paper | Self::Hybrid)
    }

    /// Whether it is a linear model that a discount can make forget.
    pub const fn may_discount(self) -> bool {
        matches!(self, Self::Shared | Self::Paper | Self::Disjoint)
    }
}

/// Parameters of a policy; ratios in parts per million.
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
    /// γ, how much of its weight a choice keeps with each later one. From [`PolicyParameters::DISCOUNT_PPM_MIN`] to 1 000 000,
    /// which forgets nothing; only that for a kind that cannot forget.
    pub discount_ppm: u32,
    /// After how many settlements the policy learns no more; nothing if it never stops, 0 if it never begins.
    pub frozen_after: Option<u64>,
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

    /// Least discount, 0.5: half of all weight would lie on the newest choice alone.
    pub const DISCOUNT_PPM_MIN: u32 = 500_000;

    /// Greatest value of each parameter but δ and γ: 1 000.
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
        discount_ppm: PPM,
        frozen_after: None,
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
            (
                "discount_ppm",
                self.discount_ppm,
                *Self::discounts(self.kind).start(),
                PPM,
            ),
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

    /// The range of the discount of a kind. Spec: SELECT-14.
    pub const fn discounts(kind: PolicyKind) -> std::ops::RangeInclusive<u32> {
        if kind.may_discount() {
            Self::DISCOUNT_PPM_MIN..=PPM
        } else {
            PPM..=PPM
        }
    }

    /// λ.
    pub fn lambda(&self) -> f64 {
        ratio_ppm(self.lambda_ppm.into())
    }

    /// Whether a policy with these parameters can go on with what one with the earlier parameters learned: the same kind, ridge
    /// and discount.
    ///
    /// Spec: SELECT-27.
    pub fn may_follow(&self, earlier: &Self) -> bool {
        (self.kind, self.lambda_ppm, self.discount_ppm)
            == (earlier.kind, earlier.lambda_ppm, earlier.discount_ppm)
    }

    /// Whether what is long ago weighs less.
    pub fn is_discounted(&self) -> bool {
        self.discount_ppm < PPM
    }

    /// β, the radius of the confidence ellipsoid of d numbers after t = `observations` (under a discount: what they are worth):
    /// `(α·noise)·√(d·ln(1 + t/λ) + 2·ln(1/δ)) + √λ·S`.
    ///
    /// Finite and ≥ 0 for parameters that [`PolicyParameters::validate`] accepts.
    ///
    /// Spec: SELECT-15.
    pub fn beta(&self, dimension: usize, observations: f64) -> f64 {
        let scale = ratio_ppm(self.alpha_ppm.into()) * ratio_ppm(self.noise_ppm.into());
        let lambda = self.lambda();
        let growth = dimension as f64 * ln(1.0 + observations / lambda);
        let certainty = 2.0 * ln(1.0 / ratio_ppm(self.delta_ppm.into()));
        scale * (growth + certainty).sqrt() + lambda.sqrt() * ratio_ppm(self.norm_bound_ppm.into())
    }

    /// What the width of every candidate is multiplied with at one selection: exploration·β.
    ///
    /// Spec: SELECT-16.
    pub fn width_scale(&self, dimension: usize, observations: f64) -> f64 {
        ratio_ppm(self.exploration_ppm.into()) * self.beta(dimension, observations)
    }
}

#[cfg(test)]
mod tests {
    use super::{PolicyParameterError, PolicyParameters};

    #[test]
    fn select_15_beta_is_the_reference_implementation_s() {
        for (observations, expected) in [(1.0, 4.19), (10.0, 5.51), (100.0, 6.80), (1_000.0, 7.89)]
        {
            let beta = PolicyParameters::PAPER.beta(6, observations);
            assert!(
                (beta - expected).abs() < 0.005,
                "t = {observations}: {beta}"
            );
        }
    }

    #[test]
    fn select_15_half_the_noise_is_half_the_data_term() {
        let (half, whole) = (
            PolicyParameters::SHARED.beta(6, 50.0),
            PolicyParameters::PAPER.beta(6, 50.0),
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
        assert!(extreme.width_scale(64, u64::MAX as f64).is_finite());
    }
}
