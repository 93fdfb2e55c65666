//! The published shocks, and when a policy counts as recovered.

use super::world::Agent;

/// Window of the moving success rate, in rounds.
pub const WINDOW: usize = 50;
/// Rounds before the shock whose moving rate is the baseline.
const BASELINE: usize = 200;
/// Rounds after the shock within which the rate must drop for there to be anything to recover from.
const DROP_WITHIN: usize = 100;
/// By so much.
const DROP_MIN: f64 = 0.08;
/// Recovered is: at this share of the baseline, for [`WINDOW`] rounds.
const RECOVERED: f64 = 0.9;

/// What happens to the world in the middle of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shock {
    /// "A unavailable": every call to A fails, and takes twice as long; C, D and E become worse at hard tasks.
    Unavailable,
    /// "A degraded": A becomes worse at everything and matches less; C and E become worse at hard tasks.
    Degraded,
}

impl Shock {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Unavailable, Self::Degraded];

    /// Name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unavailable => "shock A: A unavailable",
            Self::Degraded => "shock B: A degraded",
        }
    }

    /// A or B.
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Unavailable => "A",
            Self::Degraded => "B",
        }
    }

    /// Strikes the five published agents.
    pub fn strike(self, agents: &mut [Agent]) {
        let [a, _, c, d, e, ..] = agents else {
            return;
        };
        match self {
            Self::Unavailable => {
                a.broken = true;
                e.success[1] *= 0.30;
                c.success[1] *= 0.50;
                d.success[1] *= 0.60;
            }
            Self::Degraded => {
                a.success[0] *= 0.6;
                a.success[1] *= 0.2;
                a.matched[1] *= 0.7;
                e.success[1] *= 0.40;
                c.success[1] *= 0.60;
            }
        }
    }
}

/// The success rate over the last [`WINDOW`] rounds, at each round; over fewer at the beginning.
#[expect(clippy::cast_precision_loss, reason = "a window is short")]
pub fn moving_rate(success: &[bool]) -> Vec<f64> {
    (0..success.len())
        .map(|round| {
            let window = &success[(round + 1).saturating_sub(WINDOW)..=round];
            window.iter().filter(|success| **success).count() as f64 / window.len() as f64
        })
        .collect()
}

/// Rounds until the moving rate is back at 90 % of its mean over the 200 rounds before the shock and stays there for 50;
/// nothing if that never happens, if it does not last, or if the rate never dropped by 0.08.
///
/// The authors' measure. It asks a policy that was good before the shock for what nobody can do after it: use the share of
/// the post-shock oracle instead.
#[expect(clippy::cast_precision_loss, reason = "a baseline of 200 rounds")]
pub fn recovery(success: &[bool], shock: usize) -> Option<usize> {
    let rate = moving_rate(success);
    if shock < BASELINE || shock + WINDOW >= rate.len() {
        return None;
    }
    let baseline = rate[shock - BASELINE..shock].iter().sum::<f64>() / BASELINE as f64;
    let lowest = rate[shock..(shock + DROP_WITHIN).min(rate.len())]
        .iter()
        .copied()
        .fold(1.0, f64::min);
    if baseline - lowest < DROP_MIN {
        return None;
    }
    let target = RECOVERED * baseline;
    let back = (shock..=rate.len() - WINDOW).find(|round| {
        rate[*round..round + WINDOW]
            .iter()
            .all(|rate| *rate >= target)
    })?;
    let lost = (back + WINDOW..=rate.len() - WINDOW).any(|round| {
        rate[round..round + WINDOW]
            .iter()
            .all(|rate| *rate < target)
    });
    (!lost).then_some(back - shock)
}
