//! A followed log, and who can serve it.

use std::time::Duration;

use libp2p::PeerId;

use super::{BACKOFF_MAX, BACKOFF_MIN};

#[derive(Debug)]
pub(super) struct FollowedLog {
    pub(super) have: u64,
    pub(super) sources: Vec<Source>,
    pub(super) is_under_way: bool,
    pub(super) status_due: Duration,
}

#[derive(Debug)]
pub(super) struct Source {
    pub(super) peer: PeerId,
    pub(super) size: u64,
    pub(super) failures: u32,
    pub(super) retry_at: Duration,
    pub(super) asked_at: Duration,
}

impl FollowedLog {
    pub(super) fn known_size(&self) -> u64 {
        self.sources
            .iter()
            .map(|source| source.size)
            .max()
            .unwrap_or(0)
    }
}

impl Source {
    pub(super) fn new(peer: PeerId, now: Duration) -> Self {
        Self {
            peer,
            size: 0,
            failures: 0,
            retry_at: now,
            asked_at: Duration::ZERO,
        }
    }

    /// When this source may next be asked about this log.
    pub(super) fn due(&self, log: &FollowedLog) -> Duration {
        if self.size > log.have {
            self.retry_at
        } else {
            self.retry_at.max(log.status_due)
        }
    }

    pub(super) fn succeed(&mut self, now: Duration) {
        self.failures = 0;
        self.retry_at = now;
    }

    pub(super) fn fail(&mut self, now: Duration) {
        // Beyond 8 doublings the wait is the longest anyway.
        let doublings = self.failures.min(8);
        self.failures = self.failures.saturating_add(1);
        self.retry_at = now + (BACKOFF_MIN * (1 << doublings)).min(BACKOFF_MAX);
    }
}
