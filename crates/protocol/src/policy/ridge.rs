//! One linear model, with or without a discount.

use super::{Bound, Discounted, LinUcb, LinearError, Parts, PolicyParameters};

/// A linear model of `D` numbers.
///
/// Without a discount it is [`LinUcb`], bit for bit; with one it is [`Discounted`].
#[derive(Clone, Debug, PartialEq)]
pub enum Ridge<const D: usize> {
    /// Forgets nothing. Spec: SELECT-12.
    Lasting(LinUcb<D>),
    /// What is long ago weighs less. Spec: SELECT-21.
    Discounted(Discounted<D>),
}

impl<const D: usize> Ridge<D> {
    /// The model that has seen nothing.
    pub fn new(parameters: &PolicyParameters) -> Self {
        if parameters.is_discounted() {
            Self::Discounted(Discounted::new(parameters))
        } else {
            Self::Lasting(LinUcb::new(parameters))
        }
    }

    /// Puts a model together from what [`Ridge::parts`] gave.
    ///
    /// # Errors
    /// [`LinearError`], if these are no numbers of such a model.
    pub fn from_parts(parameters: &PolicyParameters, parts: &Parts) -> Result<Self, LinearError> {
        if parameters.is_discounted() {
            Discounted::from_parts(parameters, parts).map(Self::Discounted)
        } else {
            LinUcb::from_parts(parameters, parts).map(Self::Lasting)
        }
    }

    /// All its numbers: what state and reports hold.
    pub fn parts(&self) -> Parts {
        match self {
            Self::Lasting(model) => model.parts(),
            Self::Discounted(model) => model.parts(),
        }
    }

    /// How many numbers [`Parts::numbers`] counts in [`Ridge::parts`].
    pub const fn numbers(&self) -> usize {
        let triangle = D * (D + 1) / 2;
        match self {
            Self::Lasting(_) => 2 * triangle + D,
            Self::Discounted(_) => 3 * triangle + D,
        }
    }

    /// How many choices it counts.
    pub fn observations(&self) -> u64 {
        match self {
            Self::Lasting(model) => model.observations(),
            Self::Discounted(model) => model.observations(),
        }
    }

    /// θ after the choice with the number `now`.
    pub fn theta(&self, now: u64) -> [f64; D] {
        match self {
            Self::Lasting(model) => model.theta(),
            Self::Discounted(model) => model.theta(now),
        }
    }

    /// b.
    pub fn b(&self) -> [f64; D] {
        match self {
            Self::Lasting(model) => model.b(),
            Self::Discounted(model) => model.b(),
        }
    }

    /// The upper triangle of A⁻¹, or of V under a discount.
    pub fn triangle(&self) -> Vec<f64> {
        match self {
            Self::Lasting(model) => model.triangle(),
            Self::Discounted(model) => model.triangle(),
        }
    }

    /// What every width is multiplied with after the choice with the number `now`.
    pub fn width_scale(&self, now: u64) -> f64 {
        match self {
            Self::Lasting(model) => model.width_scale(),
            Self::Discounted(model) => model.width_scale(now),
        }
    }

    /// Estimates every context as the model stands after the choice with the number `now`.
    pub fn assess(&self, contexts: &[[f64; D]], now: u64) -> Vec<Bound> {
        match self {
            Self::Lasting(model) => model.assess(contexts),
            Self::Discounted(model) => model.assess(contexts, now),
        }
    }

    /// Counts the choice with this number. Spec: SELECT-17, SELECT-21.
    pub fn observe_choice(&mut self, x: &[f64; D], number: u64) {
        match self {
            Self::Lasting(model) => model.observe_choice(x),
            Self::Discounted(model) => model.observe_choice(x, number),
        }
    }

    /// Takes back the choice with this number. Spec: SELECT-18, SELECT-21.
    pub fn forget_choice(&mut self, x: &[f64; D], number: u64) {
        match self {
            // A downdate that would leave A singular is refused; A then keeps the choice, which only narrows the bound.
            Self::Lasting(model) => {
                let _ = model.forget_choice(x);
            }
            Self::Discounted(model) => model.forget_choice(x, number),
        }
    }

    /// Learns the reward, in [0, 1], of the choice with this number. Spec: SELECT-19, SELECT-21.
    pub fn observe_reward(&mut self, x: &[f64; D], number: u64, reward: f64) {
        match self {
            Self::Lasting(model) => model.observe_reward(x, reward),
            Self::Discounted(model) => model.observe_reward(x, number, reward),
        }
    }
}
