//! Why an execution gives no answer.

use std::time::Duration;

/// Why an execution gives no answer. No message holds a prompt or an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExecuteError {
    /// The request breaks a limit, or the model cannot take it. The asker's fault: the same request fails again.
    #[error("the executor refuses the request: {reason}")]
    Refused {
        /// Which limit, or what the model says.
        reason: String,
    },
    /// All places are taken. Not now: another try later may succeed.
    #[error("the executor's queue is full ({waiting_count_max} may wait)")]
    QueueFull {
        /// Requests that may wait.
        waiting_count_max: u32,
    },
    /// No answer in time. What was begun is given up.
    #[error("no answer within {deadline:?}")]
    DeadlineExceeded {
        /// The request's deadline.
        deadline: Duration,
    },
    /// The executor is not there: still starting, between two starts, or unreachable. Not now.
    #[error("the executor is unavailable: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
    /// The executor's process ended or was ended while it worked on the request. It is being started anew.
    #[error("the executor crashed during the request")]
    Crashed,
    /// The executor reports a failure of its own.
    #[error("the executor failed: {reason}")]
    Failed {
        /// What it says.
        reason: String,
    },
    /// The executor answers something that is no answer: malformed, or beyond a size limit.
    #[error("the executor broke its protocol: {reason}")]
    Protocol {
        /// What was expected, and what came.
        reason: String,
    },
    /// The executor was shut down, or can never start. Fatal: every later request fails as well.
    #[error("the executor has stopped: {reason}")]
    Stopped {
        /// Why.
        reason: String,
    },
}
