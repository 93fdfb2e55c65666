//! Contexts and rewards that all learners see.

use std::fmt::Write as _;

use symphony_protocol::policy::{Context, DIMENSION};

/// Candidates of a round, and arms of MABWiser.
pub(crate) const CANDIDATES: usize = 5;

/// One round: a context and a reward for each candidate. A learner sees the reward of the one that it picks.
pub(crate) struct Round {
    pub(crate) contexts: [Context; CANDIDATES],
    pub(crate) rewards: [f64; CANDIDATES],
}

/// Numbers in [0, 1), the same in every run (splitmix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / 9_007_199_254_740_992.0
    }

    pub(crate) fn context<const D: usize>(&mut self) -> [f64; D] {
        let mut x = [1.0; D];
        for feature in x.iter_mut().skip(1) {
            *feature = self.next();
        }
        x.map(|feature| feature / (D as f64).sqrt())
    }
}

/// Rewards are 1 or 0; how likely 1 is depends on the context, and a little on who it is.
pub(crate) fn rounds(count: usize) -> Vec<Round> {
    const WEIGHTS: Context = [0.2, 1.0, -0.4, -0.2, 0.6, 0.2];
    let mut random = Random(7);
    (0..count)
        .map(|_| {
            let contexts = [(); CANDIDATES].map(|()| random.context::<DIMENSION>());
            let mut rewards = [0.0; CANDIDATES];
            for (number, (reward, x)) in rewards.iter_mut().zip(&contexts).enumerate() {
                let skill: f64 = x.iter().zip(WEIGHTS).map(|(x, weight)| x * weight).sum();
                let skill = skill + 0.05 * number as f64;
                *reward = if random.next() < skill { 1.0 } else { 0.0 };
            }
            Round { contexts, rewards }
        })
        .collect()
}

/// One line a round: all numbers of all contexts, then all rewards; digits that read back to the same bits.
pub(crate) fn text(rounds: &[Round]) -> String {
    let mut text = format!("{CANDIDATES} {DIMENSION}\n");
    for round in rounds {
        let numbers = round.contexts.iter().flatten().chain(&round.rewards);
        for (place, number) in numbers.enumerate() {
            let space = if place == 0 { "" } else { " " };
            write!(text, "{space}{number:?}").unwrap();
        }
        text.push('\n');
    }
    text
}
