//! Why a pick was made, feature by feature, and what would have flipped it.

use symphony_protocol::policy::{Bound, Context, DIMENSION, Learned, Model, Rule};
use symphony_protocol::screening::Candidate;

/// Places between the number that a feature has and each end of its range at which a flip is looked for, before it is found to the last bit.
const PLACES: u32 = 1_024;

/// A number of a candidate that a policy sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    /// Likeness of capability and requirement.
    Similarity,
    /// Claimed load.
    Load,
    /// Measured latency over the latency scale.
    Latency,
    /// Measured success in this bucket.
    Reputation,
    /// One less the measured failures.
    Availability,
}

/// What each number of the context contributes: the intercept, then [`Feature::ALL`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shares {
    /// Parts of the estimate; their sum is the estimate, up to rounding.
    pub estimate: Context,
    /// Parts of the width; their sum is the width, up to rounding. With `w = c·√(xᵀMx)`, the part of feature i is
    /// `c·xᵢ·(Mx)ᵢ/√(xᵀMx)`; it is negative where a feature makes the candidate more like those that were seen.
    pub width: Context,
}

/// One feature of one candidate that, were it another number, would have led to another pick. All else stays, the ranking too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flip {
    /// Position of the candidate whose feature is changed.
    pub candidate: usize,
    /// Which feature.
    pub feature: Feature,
    /// What it is.
    pub from: f64,
    /// The nearest number on this side with which another candidate is picked: no number between is nearer by more than the last bit,
    /// unless the order flips and flips back within a 1,024th of the range.
    pub to: f64,
    /// Position of the candidate that is picked then.
    pub picked: usize,
}

impl Feature {
    /// All, in the order of a context.
    pub const ALL: [Self; DIMENSION - 1] = [
        Self::Similarity,
        Self::Load,
        Self::Latency,
        Self::Reputation,
        Self::Availability,
    ];

    /// Its name, the same in commands and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Similarity => "similarity",
            Self::Load => "load",
            Self::Latency => "latency",
            Self::Reputation => "reputation",
            Self::Availability => "availability",
        }
    }

    /// This number of a candidate.
    pub fn of(self, candidate: &Candidate) -> f64 {
        match self {
            Self::Similarity => candidate.similarity,
            Self::Load => candidate.load,
            Self::Latency => candidate.latency,
            Self::Reputation => candidate.reputation,
            Self::Availability => candidate.availability,
        }
    }

    fn set(self, candidate: &mut Candidate, number: f64) {
        match self {
            Self::Similarity => candidate.similarity = number,
            Self::Load => candidate.load = number,
            Self::Latency => candidate.latency = number,
            Self::Reputation => candidate.reputation = number,
            Self::Availability => candidate.availability = number,
        }
    }
}

/// What each feature of a candidate contributes to its estimate and its width; `None` under a policy without a linear model.
///
/// Estimates are linear in the context, and squared widths quadratic, so both are taken apart by asking the policy itself about
/// other contexts: `4·(Mx)ᵢ = q(x + eᵢ) − q(x − eᵢ)`.
pub fn shares(model: &Model, candidate: &Candidate) -> Option<Shares> {
    let rule: &dyn Rule = match model.learned() {
        Learned::Shared(rule) => rule,
        Learned::Disjoint(rule) => rule,
        Learned::Hybrid(rule) => rule,
        Learned::Nothing(_) => return None,
    };
    let ask = |context: Context| -> Bound {
        rule.assess(&[candidate], &[context], model.choices())
            .into_iter()
            .next()
            .unwrap_or_default()
    };
    let x = model.context(candidate);
    let width = ask(x).width;
    let mut shares = Shares {
        estimate: [0.0; DIMENSION],
        width: [0.0; DIMENSION],
    };
    for place in 0..DIMENSION {
        let mut alone = [0.0; DIMENSION];
        alone[place] = x[place];
        shares.estimate[place] = ask(alone).estimate;
        if width > 0.0 {
            let (mut above, mut below) = (x, x);
            above[place] += 1.0;
            below[place] -= 1.0;
            let (above, below) = (ask(above).width, ask(below).width);
            shares.width[place] = x[place] * (above * above - below * below) / (4.0 * width);
        }
    }
    Some(shares)
}

/// The position that a policy without chance picks from those that are eligible; `None` if there is nobody, or chance decides.
pub fn picked(model: &Model, eligible: &[&Candidate]) -> Option<usize> {
    let chosen = model.choose_from(eligible, &model.assess(eligible), None)?;
    Some(chosen.index)
}

/// Every feature of the picked candidate and of its runner-up that could have flipped the pick, the smallest change first.
///
/// `eligible` are the candidates of the pick, in the order of the ranking. Positions in the result are positions in it. Empty if
/// there is no other candidate, or chance decides.
pub fn flips(model: &Model, eligible: &[&Candidate]) -> Vec<Flip> {
    let Some(chosen) = picked(model, eligible) else {
        return Vec::new();
    };
    let Some(second) = runner_up(model, eligible, chosen) else {
        return Vec::new();
    };
    let mut flips = Vec::new();
    for candidate in [chosen, second] {
        for feature in Feature::ALL {
            let change = Change {
                model,
                eligible,
                chosen,
                candidate,
                feature,
            };
            flips.extend(change.nearest());
        }
    }
    flips.sort_by(|left, right| left.change().total_cmp(&right.change()));
    flips
}

/// Who would be picked if the chosen one had not bid.
pub fn runner_up(model: &Model, eligible: &[&Candidate], chosen: usize) -> Option<usize> {
    let others: Vec<usize> = (0..eligible.len())
        .filter(|place| *place != chosen)
        .collect();
    let candidates: Vec<&Candidate> = others.iter().map(|place| eligible[*place]).collect();
    picked(model, &candidates).map(|place| others[place])
}

impl Flip {
    /// How far the feature moves.
    pub fn change(&self) -> f64 {
        (self.to - self.from).abs()
    }
}

/// One feature of one candidate, moved.
struct Change<'a> {
    model: &'a Model,
    eligible: &'a [&'a Candidate],
    chosen: usize,
    candidate: usize,
    feature: Feature,
}

impl Change<'_> {
    /// The nearer of the flips below and above.
    fn nearest(&self) -> Option<Flip> {
        let from = self.feature.of(self.eligible[self.candidate]);
        let flips = [0.0, 1.0].map(|end| self.towards(from, end));
        flips
            .into_iter()
            .flatten()
            .min_by(|left, right| left.change().total_cmp(&right.change()))
    }

    fn towards(&self, from: f64, end: f64) -> Option<Flip> {
        let mut kept = from;
        for place in 1..=PLACES {
            let share = f64::from(place) / f64::from(PLACES);
            let number = from + (end - from) * share;
            if self.picked_with(number) != Some(self.chosen) {
                return self.between(from, kept, number);
            }
            kept = number;
        }
        None
    }

    /// The first number after `kept` with which another is picked, where `flipped` is one: halved down to neighbours.
    fn between(&self, from: f64, mut kept: f64, mut flipped: f64) -> Option<Flip> {
        loop {
            let middle = kept + 0.5 * (flipped - kept);
            if middle == kept || middle == flipped {
                break;
            }
            if self.picked_with(middle) == Some(self.chosen) {
                kept = middle;
            } else {
                flipped = middle;
            }
        }
        Some(Flip {
            candidate: self.candidate,
            feature: self.feature,
            from,
            to: flipped,
            picked: self.picked_with(flipped)?,
        })
    }

    fn picked_with(&self, number: f64) -> Option<usize> {
        let mut changed = *self.eligible[self.candidate];
        self.feature.set(&mut changed, number);
        let mut eligible = self.eligible.to_vec();
        eligible[self.candidate] = &changed;
        picked(self.model, &eligible)
    }
}
