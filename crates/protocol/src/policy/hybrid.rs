//! One linear model for all peers, and a small one for each beside it.
//!
//! The expected reward is `zᵀβ + xᵀθ`: β is shared, θ is the peer's. Both are the ridge regression of everything that was
//! counted, solved by blocks, so that a choice touches the shared part and one peer alone. Algorithm 2 of Li, Chu, Langford
//! and Schapire (2010).

use std::collections::BTreeMap;

use symphony_transparency::PublicKey;

use super::{
    Bound, Choice, Context, DIMENSION, LinearError, Parts, PolicyParameters, Rule,
    matrix::{Symmetric, dot},
};
use crate::{number::normalised, screening::Candidate};

/// How many numbers a peer's own context has: 1 and the similarity, the first two of the shared one.
pub const OWN_DIMENSION: usize = 2;

type Own = [f64; OWN_DIMENSION];

/// `hybrid`.
///
/// Spec: SELECT-24.
#[derive(Clone, Debug, PartialEq)]
pub struct Hybrid {
    parameters: PolicyParameters,
    /// A₀.
    design: Symmetric<DIMENSION>,
    /// b₀.
    b: Context,
    observations: u64,
    /// The parts of the peers at hand; another peer has the one that has seen nothing.
    pub peers: BTreeMap<PublicKey, HybridPeer>,
}

/// What a hybrid policy holds of one peer.
///
/// Spec: SELECT-24.
#[derive(Clone, Debug, PartialEq)]
pub struct HybridPeer {
    /// A.
    design: Symmetric<OWN_DIMENSION>,
    /// B, a row for each number of the own context.
    cross: [Context; OWN_DIMENSION],
    /// b.
    b: Own,
    observations: u64,
}

/// What an exchange does to the shared part.
#[derive(Clone, Copy)]
enum Sign {
    Add,
    TakeAway,
}

impl Sign {
    fn apply(self, held: f64, product: f64) -> f64 {
        match self {
            Self::Add => held + product,
            Self::TakeAway => held - product,
        }
    }
}

impl HybridPeer {
    /// The part that has seen nothing: A = λ·I, B = 0, b = 0.
    pub fn new(parameters: &PolicyParameters) -> Self {
        Self {
            design: Symmetric::scaled_identity(parameters.lambda()),
            cross: [[0.0; DIMENSION]; OWN_DIMENSION],
            b: [0.0; OWN_DIMENSION],
            observations: 0,
        }
    }

    /// Puts a part together from what [`HybridPeer::parts`] gave.
    ///
    /// # Errors
    /// [`LinearError`], if some number is not finite, a diagonal is not positive, or a length is another.
    pub fn from_parts(parts: &Parts) -> Result<Self, LinearError> {
        LinearError::row::<0>("settled", &parts.settled)?;
        LinearError::row::<0>("squared", &parts.squared)?;
        LinearError::row::<0>("weight", parts.weight.as_slice())?;
        let numbers: [f64; OWN_DIMENSION * DIMENSION] = LinearError::row("cross", &parts.cross)?;
        let mut cross = [[0.0; DIMENSION]; OWN_DIMENSION];
        for (place, number) in cross.iter_mut().flatten().zip(numbers) {
            *place = number;
        }
        Ok(Self {
            design: LinearError::matrix("design", &parts.matrix)?,
            cross,
            b: LinearError::row("b", &parts.b)?,
            observations: parts.observations,
        })
    }

    /// All its numbers: what state and reports hold.
    pub fn parts(&self) -> Parts {
        Parts {
            observations: self.observations,
            matrix: self.design.triangle(),
            cross: self.cross.iter().flatten().copied().collect(),
            b: self.b.to_vec(),
            ..Parts::default()
        }
    }

    /// Choices counted and not taken back.
    pub fn observations(&self) -> u64 {
        self.observations
    }

    /// θ of the peer, beside these shared weights: A⁻¹(b − B·β). For people to read; selections need no θ.
    pub fn theta(&self, beta: &Context) -> [f64; OWN_DIMENSION] {
        let mut left = self.b;
        for (number, row) in left.iter_mut().zip(&self.cross) {
            *number -= dot(row, beta);
        }
        self.design.factor().solve(&left)
    }

    /// `Bᵀ·v`, each sum from row 0 upwards.
    fn back(&self, v: &Own) -> Context {
        let mut sums = [0.0; DIMENSION];
        for (row, number) in self.cross.iter().zip(v) {
            for (sum, element) in sums.iter_mut().zip(row) {
                *sum += element * number;
            }
        }
        sums.map(normalised)
    }

    /// `A⁻¹·B`, column by column of B.
    fn solved_cross(&self) -> [Own; DIMENSION] {
        let factor = self.design.factor();
        let mut columns = [[0.0; OWN_DIMENSION]; DIMENSION];
        for (column, solved) in columns.iter_mut().enumerate() {
            *solved = factor.solve(&self.cross.map(|row| row[column]));
        }
        columns
    }

    /// `BᵀA⁻¹b`: what the shared part must not count twice.
    fn share_of_rewards(&self) -> Context {
        self.back(&self.design.factor().solve(&self.b))
    }

    /// Element of `BᵀA⁻¹B`.
    fn share_of_design(&self, solved: &[Own; DIMENSION], row: usize, column: usize) -> f64 {
        dot(&self.cross.map(|own| own[row]), &solved[column])
    }
}

impl Hybrid {
    /// The policy that has seen nothing: A₀ = λ·I, b₀ = 0.
    pub fn new(parameters: &PolicyParameters) -> Self {
        Self {
            parameters: *parameters,
            design: Symmetric::scaled_identity(parameters.lambda()),
            b: [0.0; DIMENSION],
            observations: 0,
            peers: BTreeMap::new(),
        }
    }

    /// Puts the shared part together from what [`Hybrid::parts`] gave.
    ///
    /// # Errors
    /// [`LinearError`], if some number is not finite, a diagonal is not positive, or a length is another.
    pub fn from_parts(parameters: &PolicyParameters, parts: &Parts) -> Result<Self, LinearError> {
        let further = parts.weight.is_some() || !parts.settled.is_empty();
        LinearError::refuse_further(further, parts)?;
        Ok(Self {
            design: LinearError::matrix("design", &parts.matrix)?,
            b: LinearError::row("b", &parts.b)?,
            observations: parts.observations,
            ..Self::new(parameters)
        })
    }

    /// How many numbers [`Parts::numbers`] counts in [`Hybrid::parts`].
    pub const NUMBERS: usize = DIMENSION * (DIMENSION + 1) / 2 + DIMENSION;

    /// All numbers of the shared part: what state and reports hold.
    pub fn parts(&self) -> Parts {
        Parts {
            observations: self.observations,
            matrix: self.triangle(),
            b: self.b.to_vec(),
            ..Parts::default()
        }
    }

    /// The upper triangle of A₀.
    pub fn triangle(&self) -> Vec<f64> {
        self.design.triangle()
    }

    /// b₀.
    pub fn b(&self) -> Context {
        self.b
    }

    /// Choices counted and not taken back.
    pub fn observations(&self) -> u64 {
        self.observations
    }

    /// β, the shared weights.
    pub fn theta(&self) -> Context {
        self.design.factor().solve(&self.b)
    }

    /// What every width is multiplied with.
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts are far below 2^53; the cast rounds to nearest everywhere"
    )]
    pub fn width_scale(&self) -> f64 {
        self.parameters
            .width_scale(DIMENSION + OWN_DIMENSION, self.observations as f64)
    }

    fn peer(&self, peer: &PublicKey) -> HybridPeer {
        self.peers
            .get(peer)
            .cloned()
            .unwrap_or_else(|| HybridPeer::new(&self.parameters))
    }

    /// Puts back what a peer's part takes from the shared one, lets it change, and takes away what it takes now.
    fn change(&mut self, peer: &PublicKey, change: impl FnOnce(&mut Self, &mut HybridPeer)) {
        let mut part = self.peer(peer);
        self.exchange(&part, Sign::Add);
        change(self, &mut part);
        self.exchange(&part, Sign::TakeAway);
        self.peers.insert(*peer, part);
    }

    fn exchange(&mut self, part: &HybridPeer, sign: Sign) {
        let solved = part.solved_cross();
        self.design.change(|row, column, held| {
            sign.apply(held, part.share_of_design(&solved, row, column))
        });
        let share = part.share_of_rewards();
        for (held, number) in self.b.iter_mut().zip(&share) {
            *held = normalised(sign.apply(*held, *number));
        }
    }
}

/// A peer's own context.
fn own(context: &Context) -> Own {
    [context[0], context[1]]
}

impl Rule for Hybrid {
    fn assess(&self, candidates: &[&Candidate], contexts: &[Context], _: u64) -> Vec<Bound> {
        let shared = self.design.factor();
        let beta = shared.solve(&self.b);
        let scale = self.width_scale();
        candidates
            .iter()
            .zip(contexts)
            .map(|(candidate, z)| {
                let (part, x) = (self.peer(&candidate.peer), own(z));
                let factor = part.design.factor();
                let solved = factor.solve(&x);
                // What the shared weights answer for: the context less what the peer's own part explains of it.
                let explained = part.back(&solved);
                let mut left = *z;
                for (number, taken) in left.iter_mut().zip(&explained) {
                    *number -= taken;
                }
                let estimate = normalised(dot(&left, &beta) + dot(&solved, &part.b));
                let square = dot(&left, &shared.solve(&left)) + dot(&x, &solved);
                Bound::new(estimate, scale, square)
            })
            .collect()
    }

    fn count(&mut self, choice: &Choice) {
        let (z, x) = (choice.context, own(&choice.context));
        self.change(&choice.peer, |shared, part| {
            part.design
                .change(|row, column, held| held + x[row] * x[column]);
            for (row, number) in part.cross.iter_mut().zip(&x) {
                for (held, feature) in row.iter_mut().zip(&z) {
                    *held = normalised(*held + number * feature);
                }
            }
            shared
                .design
                .change(|row, column, held| held + z[row] * z[column]);
            for count in [&mut shared.observations, &mut part.observations] {
                *count = count.saturating_add(1);
            }
        });
    }

    fn learn(&mut self, choice: &Choice, reward: f64) {
        let (z, x) = (choice.context, own(&choice.context));
        self.change(&choice.peer, |shared, part| {
            for (held, feature) in part.b.iter_mut().zip(&x) {
                *held = normalised(*held + reward * feature);
            }
            for (held, feature) in shared.b.iter_mut().zip(&z) {
                *held = normalised(*held + reward * feature);
            }
        });
    }
}

#[cfg(test)]
mod tests;
