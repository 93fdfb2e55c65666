//! Token buckets: what one peer may do in a stretch of time. Time is an argument.

use std::time::Duration;

use crate::limits::Quota;

/// Tokens are counted in billionths, so that a bucket fills by whole numbers in every nanosecond.
const UNITS_PER_TOKEN: u128 = 1_000_000_000;

/// One bucket. It starts full.
#[derive(Debug, Clone)]
pub(crate) struct TokenBucket {
    quota: Quota,
    units: u128,
    filled_at: Duration,
}

impl TokenBucket {
    /// A full bucket; `now` is the time since any fixed moment.
    pub(crate) fn new(quota: Quota, now: Duration) -> Self {
        Self {
            quota,
            units: u128::from(quota.burst) * UNITS_PER_TOKEN,
            filled_at: now,
        }
    }

    /// Takes `tokens` out if there are enough; otherwise takes none and says no. A time before an earlier call's counts
    /// as that call's.
    pub(crate) fn take(&mut self, tokens: u32, now: Duration) -> Result<(), OverQuota> {
        let elapsed = now.saturating_sub(self.filled_at);
        self.filled_at = self.filled_at.max(now);
        let full = u128::from(self.quota.burst) * UNITS_PER_TOKEN;
        let gained = elapsed
            .as_nanos()
            .saturating_mul(u128::from(self.quota.per_second));
        self.units = self.units.saturating_add(gained).min(full);
        let needed = u128::from(tokens) * UNITS_PER_TOKEN;
        if self.units < needed {
            return Err(OverQuota);
        }
        self.units -= needed;
        Ok(())
    }
}

/// The bucket does not hold enough tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OverQuota;

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: Quota = Quota {
        burst: 3,
        per_second: 2,
    };

    #[test]
    fn net_16_a_bucket_gives_its_burst_and_then_its_rate() {
        let mut bucket = TokenBucket::new(QUOTA, Duration::ZERO);
        for _ in 0..3 {
            assert_eq!(bucket.take(1, Duration::ZERO), Ok(()));
        }
        assert_eq!(bucket.take(1, Duration::from_millis(499)), Err(OverQuota));
        assert_eq!(bucket.take(1, Duration::from_millis(500)), Ok(()));
        assert_eq!(bucket.take(1, Duration::from_millis(500)), Err(OverQuota));
    }

    #[test]
    fn a_bucket_never_holds_more_than_its_burst() {
        let mut bucket = TokenBucket::new(QUOTA, Duration::ZERO);
        assert_eq!(bucket.take(4, Duration::MAX), Err(OverQuota));
        assert_eq!(bucket.take(3, Duration::MAX), Ok(()));
        assert_eq!(bucket.take(1, Duration::MAX), Err(OverQuota));
    }

    #[test]
    fn a_clock_that_runs_back_gives_nothing() {
        let mut bucket = TokenBucket::new(QUOTA, Duration::from_secs(10));
        assert_eq!(bucket.take(3, Duration::from_secs(10)), Ok(()));
        assert_eq!(bucket.take(1, Duration::from_secs(1)), Err(OverQuota));
        assert_eq!(bucket.take(1, Duration::from_secs(10)), Err(OverQuota));
    }
}
