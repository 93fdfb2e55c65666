//! The numbers of a linear model, as the state of a log holds them.

/// The numbers of one linear model, of whatever kind. What a kind does not have is 0 or empty.
///
/// Spec: REPLAY-2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parts {
    /// Choices counted and not taken back.
    pub observations: u64,
    /// Number of the choice up to which everything is discounted; 0 without a discount.
    pub until: u64,
    /// How many choices the squared matrix is worth; only under a discount.
    pub weight: Option<f64>,
    /// Upper triangle of A⁻¹; of V under a discount; of A₀ or A of `hybrid`.
    pub matrix: Vec<f64>,
    /// The same over the settled choices alone: S⁻¹, or Z under a discount; none of `hybrid`.
    pub settled: Vec<f64>,
    /// Upper triangle of Ṽ; only under a discount.
    pub squared: Vec<f64>,
    /// B of a peer's part of `hybrid`, row by row.
    pub cross: Vec<f64>,
    /// b.
    pub b: Vec<f64>,
}

impl Parts {
    /// How many numbers the matrices and b have together.
    pub fn numbers(&self) -> usize {
        [
            &self.matrix,
            &self.settled,
            &self.squared,
            &self.cross,
            &self.b,
        ]
        .map(Vec::len)
        .iter()
        .sum()
    }
}
