//! How a child process is supervised.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::BuildError;
use crate::limits::{PARALLEL_COUNT_MAX, QUEUE_COUNT_MAX};

/// How a child process is supervised. The defaults suit a laptop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SupervisionConfig {
    /// Requests that may wait; one more is refused. 1 to 4,096.
    pub queue_count_max: u32,
    /// Requests passed to the process at the same time. 1 to 64.
    pub parallel_count: u32,
    /// Time that a start may take: loading a large model takes minutes.
    #[serde(with = "humantime_serde")]
    pub start_timeout: Duration,
    /// Pause after the first failure; it doubles with each further one.
    #[serde(with = "humantime_serde")]
    pub restart_pause_min: Duration,
    /// Longest pause.
    #[serde(with = "humantime_serde")]
    pub restart_pause_max: Duration,
    /// Time of undisturbed running after which earlier failures are forgotten.
    #[serde(with = "humantime_serde")]
    pub stable_after: Duration,
    /// Time after a request's deadline at which a silent process counts as hung.
    #[serde(with = "humantime_serde")]
    pub hang_grace: Duration,
    /// Time to end by itself at a shutdown.
    #[serde(with = "humantime_serde")]
    pub stop_timeout: Duration,
}

impl Default for SupervisionConfig {
    fn default() -> Self {
        Self {
            queue_count_max: 64,
            parallel_count: 1,
            start_timeout: Duration::from_secs(120),
            restart_pause_min: Duration::from_millis(200),
            restart_pause_max: Duration::from_secs(30),
            stable_after: Duration::from_secs(30),
            hang_grace: Duration::from_secs(2),
            stop_timeout: Duration::from_secs(3),
        }
    }
}

impl SupervisionConfig {
    /// Checks the documented ranges.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfRange`] names the key.
    pub fn validate(&self) -> Result<(), BuildError> {
        BuildError::verify_range("queue_count_max", self.queue_count_max, 1, QUEUE_COUNT_MAX)?;
        BuildError::verify_range("parallel_count", self.parallel_count, 1, PARALLEL_COUNT_MAX)?;
        Ok(())
    }
}
