//! The trait that everything which answers implements.

use std::fmt;

use futures::future::BoxFuture;

use crate::description::Description;
use crate::error::ExecuteError;
use crate::outcome::Outcome;
use crate::request::Request;

/// Whether an executor can answer now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It is being started for the first time.
    Starting,
    /// It answers.
    Ready,
    /// It ended or hung, and is being started anew.
    Restarting {
        /// Starts that failed in a row, at least 1.
        failed_starts_count: u32,
        /// Why it ended the last time.
        reason: String,
    },
    /// It cannot be reached, or can never start with this configuration.
    Failed {
        /// Why.
        reason: String,
    },
    /// It was shut down.
    Stopped,
}

/// Something that answers.
///
/// Shared behind an `Arc`; all methods may be called at the same time. Dropping the last handle ends what it started.
pub trait Executor: fmt::Debug + Send + Sync {
    /// Answers one request, at the latest when its deadline is over.
    ///
    /// Cancellation safe: dropping the future gives the request up; a place in the queue is free again once what was begun
    /// has ended.
    ///
    /// # Errors
    ///
    /// [`ExecuteError`]; its documentation says for each whether another try makes sense.
    fn execute(&self, request: Request) -> BoxFuture<'_, Result<Outcome, ExecuteError>>;

    /// Which model answers and where; waits for the first start.
    ///
    /// # Errors
    ///
    /// [`ExecuteError::Stopped`] if it can never start, [`ExecuteError::Unavailable`] if the first start failed.
    fn describe(&self) -> BoxFuture<'_, Result<Description, ExecuteError>>;

    /// Whether it can answer now. Asks an endpoint, and takes at most a few seconds for it.
    fn health(&self) -> BoxFuture<'_, Health>;

    /// Ends it: running requests fail, processes are gone when this returns. Later requests fail with
    /// [`ExecuteError::Stopped`]. A second call does nothing.
    fn shut_down(&self) -> BoxFuture<'_, ()>;
}
