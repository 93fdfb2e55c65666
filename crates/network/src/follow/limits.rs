//! What following may cost.

use std::time::Duration;

/// Wait after the first failure of a source. Spec: NET-62.
pub const BACKOFF_MIN: Duration = Duration::from_millis(250);

/// Longest wait after a failure of a source. Spec: NET-62.
pub const BACKOFF_MAX: Duration = Duration::from_secs(60);

/// What following may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowLimits {
    /// Logs followed at once. Default 1,024.
    pub logs_max: usize,
    /// Sources remembered for one log: its author and some who follow it too. Default 4.
    pub sources_per_log_max: usize,
    /// Steps under way with one peer. Default 2, so that following leaves room for the node's own requests.
    pub steps_per_peer_max: usize,
    /// Steps under way in all. Default 16.
    pub steps_max: usize,
    /// How often a log that is not known to have grown is asked for its size. Default 5 s.
    pub status_interval: Duration,
}

impl Default for FollowLimits {
    fn default() -> Self {
        Self {
            logs_max: 1024,
            sources_per_log_max: 4,
            steps_per_peer_max: 2,
            steps_max: 16,
            status_interval: Duration::from_secs(5),
        }
    }
}
