//! What the supervisor needs to know of a program.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::BufReader;
use tokio::process::{Child, ChildStderr};
use tokio::task::JoinHandle;

use crate::description::Description;
use crate::error::ExecuteError;
use crate::lines::{Line, next_line};
use crate::outcome::Outcome;
use crate::request::Request;

/// Longest line of standard error that is kept, in bytes.
const STDERR_LINE_SIZE_MAX: usize = 4 << 10;
/// Lines of standard error that are kept for the reason of a failed start.
const STDERR_LINE_COUNT: usize = 3;

/// Starts a program.
pub(crate) trait Launch: Send + 'static {
    /// The running program.
    type Session: Session;

    /// Starts the program anew and waits until it can answer.
    ///
    /// Cancellation safe: dropping the future kills what was started.
    fn launch(
        &mut self,
    ) -> impl Future<Output = Result<Launched<Self::Session>, LaunchError>> + Send;
}

/// A program that has been started.
pub(crate) struct Launched<S> {
    /// The process; killed when dropped. Without its standard input: waiting for a child would close that.
    pub(crate) child: Child,
    /// The way to talk to it. It holds the standard input, so that its last clone's end asks the program to end.
    pub(crate) session: S,
    /// Which model answers.
    pub(crate) description: Description,
}

/// A running program that takes requests.
pub(crate) trait Session: Clone + Send + Sync + 'static {
    /// Answers one request; `remaining` is what is left of its deadline.
    fn call(
        &self,
        request: Request,
        remaining: Duration,
    ) -> impl Future<Output = Result<Outcome, ExecuteError>> + Send + 'static;

    /// Waits until the program breaks its protocol, and says how.
    fn broken(&self) -> impl Future<Output = String> + Send;
}

/// Why a start failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LaunchError {
    /// Another try would fail the same way.
    #[error("{reason}")]
    Unusable {
        /// Why.
        reason: String,
    },
    /// Another try may succeed.
    #[error("{reason}")]
    Failed {
        /// Why.
        reason: String,
    },
}

/// Passes a program's standard error on to the log, line by line, and keeps the last lines.
///
/// The engine never writes prompts or answers there; of other programs nobody knows, so their lines are kept from
/// all levels above `debug`.
pub(crate) struct StderrTail {
    lines: Arc<Mutex<VecDeque<String>>>,
    pump: JoinHandle<()>,
}

/// Level at which the lines of standard error are logged.
#[derive(Debug, Clone, Copy)]
pub(crate) enum StderrLevel {
    Info,
    Debug,
}

impl StderrTail {
    /// Follows `stderr` of the program called `name` in logs. Must be called within a tokio runtime.
    pub(crate) fn follow(name: &'static str, level: StderrLevel, stderr: ChildStderr) -> Self {
        let lines = Arc::new(Mutex::new(VecDeque::with_capacity(STDERR_LINE_COUNT)));
        let kept = Arc::clone(&lines);
        let pump = tokio::spawn(async move {
            let mut reader = BufReader::new(stderr);
            loop {
                let text = match next_line(&mut reader, STDERR_LINE_SIZE_MAX).await {
                    Ok(Line::Whole(line)) => String::from_utf8_lossy(&line).into_owned(),
                    Ok(Line::TooLong) => "(a line that is too long)".to_owned(),
                    Ok(Line::End) | Err(_) => return,
                };
                match level {
                    StderrLevel::Info => tracing::info!(program = name, "{text}"),
                    StderrLevel::Debug => tracing::debug!(program = name, "{text}"),
                }
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                if kept.len() == STDERR_LINE_COUNT {
                    kept.pop_front();
                }
                kept.push_back(text);
            }
        });
        Self { lines, pump }
    }

    /// The last lines, after at most `limit` for what is still on its way. For a program that has ended.
    pub(crate) async fn last_lines(mut self, limit: Duration) -> String {
        let _ = tokio::time::timeout(limit, &mut self.pump).await;
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("; ")
    }
}
