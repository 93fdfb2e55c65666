//! Whether a peer's rewards have changed: the test of Page and Hinkley, in both directions. Spec: SETTLE-22.

use crate::{
    number::{normalised, ratio_ppm},
    records::Policy,
};

/// What the test holds of the rewards of one peer at one kind of step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Change {
    /// Rewards since the test began.
    pub rewards: u64,
    /// Their mean.
    pub mean: f64,
    /// How far they have risen above it, in sum.
    pub rise: f64,
    /// How far they have fallen below it, in sum.
    pub fall: f64,
}

/// What the newest reward shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// Nothing new.
    Same,
    /// The peer is not what it was: the test has begun anew with this reward.
    Changed,
}

impl Change {
    /// Takes the next reward, in [0, 1].
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts are far below 2^53; the cast rounds to nearest everywhere"
    )]
    pub(super) fn observe(&mut self, policy: &Policy, reward: f64) -> Shown {
        let drift = ratio_ppm(policy.change_drift_ppm.into());
        let threshold = ratio_ppm(policy.change_threshold_ppm.into());
        if self.rewards > 0 {
            self.rise = above_zero(self.rise + ((reward - self.mean) - drift));
            self.fall = above_zero(self.fall + ((self.mean - reward) - drift));
        }
        let shown = if self.rise > threshold || self.fall > threshold {
            *self = Self::default();
            Shown::Changed
        } else {
            Shown::Same
        };
        self.rewards += 1;
        self.mean = normalised(self.mean + (reward - self.mean) / self.rewards as f64);
        shown
    }
}

fn above_zero(sum: f64) -> f64 {
    if sum > 0.0 { sum } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::{Change, Shown};
    use crate::records::Policy;

    fn policy() -> Policy {
        Policy {
            change_threshold_ppm: 4_000_000,
            change_drift_ppm: 150_000,
            ..Policy::shared()
        }
    }

    fn rewards_until_a_change(
        change: &mut Change,
        rewards: impl IntoIterator<Item = f64>,
    ) -> Option<usize> {
        rewards
            .into_iter()
            .position(|reward| change.observe(&policy(), reward) == Shown::Changed)
    }

    #[test]
    fn settle_22_a_good_peer_that_breaks_is_found_within_five_rewards() {
        let mut change = Change::default();
        assert_eq!(rewards_until_a_change(&mut change, [1.0; 200]), None);
        assert_eq!(rewards_until_a_change(&mut change, [0.0; 10]), Some(4));
        // It has begun anew with the reward that showed it.
        assert_eq!((change.rewards, change.mean, change.fall), (1, 0.0, 0.0));
    }

    #[test]
    fn settle_22_a_peer_that_becomes_good_is_found_too() {
        let mut change = Change::default();
        assert_eq!(rewards_until_a_change(&mut change, [0.1; 50]), None);
        assert!(rewards_until_a_change(&mut change, [1.0; 10]).is_some());
    }

    #[test]
    fn settle_22_what_strays_no_further_than_the_drift_is_no_change() {
        let mut change = Change::default();
        let rewards = (0..1_000).map(|place| if place % 2 == 0 { 0.6 } else { 0.4 });
        assert_eq!(rewards_until_a_change(&mut change, rewards), None);
    }
}
