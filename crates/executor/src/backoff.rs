//! Growing pauses between failed starts.

use std::time::Duration;

/// Pauses that double from `min` to `max`. No randomness: one supervisor restarts one process on its own machine, so
/// nothing can fall into step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backoff {
    min: Duration,
    max: Duration,
    failures_count: u32,
}

impl Backoff {
    pub(crate) fn new(min: Duration, max: Duration) -> Self {
        Self {
            min,
            max: max.max(min),
            failures_count: 0,
        }
    }

    /// Counts a failure and returns the pause that follows it.
    pub(crate) fn fail(&mut self) -> Duration {
        let factor = 2u32.checked_pow(self.failures_count).unwrap_or(u32::MAX);
        self.failures_count = self.failures_count.saturating_add(1);
        self.min.saturating_mul(factor).min(self.max)
    }

    /// Failures since the last success.
    pub(crate) fn failures_count(&self) -> u32 {
        self.failures_count
    }

    /// Forgets the failures.
    pub(crate) fn succeed(&mut self) {
        self.failures_count = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_largest_and_start_over_after_a_success() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(350));
        let pauses: Vec<u128> = (0..4).map(|_| backoff.fail().as_millis()).collect();
        assert_eq!(pauses, [100, 200, 350, 350]);
        backoff.succeed();
        assert_eq!(backoff.fail().as_millis(), 100);
    }

    #[test]
    fn countless_failures_do_not_overflow() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30));
        let last = (0..100).map(|_| backoff.fail()).last();
        assert_eq!(last, Some(Duration::from_secs(30)));
    }
}
