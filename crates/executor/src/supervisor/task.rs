//! The owner task of a supervised process.

use std::process::ExitStatus;
use std::time::Duration;

use tokio::process::Child;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::error::ExecuteError;
use crate::executor::Health;
use crate::supervisor::config::SupervisionConfig;
use crate::supervisor::handle::{Job, State};
use crate::supervisor::launch::{Launch, LaunchError, Launched, Session};

/// Holds the process and all that concerns it.
pub(crate) struct Supervisor<L> {
    launch: L,
    config: SupervisionConfig,
    queue: mpsc::Receiver<Job>,
    state: watch::Sender<State>,
    stop: watch::Receiver<bool>,
    backoff: Backoff,
}

/// Why serving ended.
enum Ended {
    Stopped,
    Failed(String),
}

/// How a call ended.
enum CallEnd {
    Answered,
    /// The connection broke under the call.
    Lost,
    Hung,
}

/// Time for the exit status of a process whose connection broke; it only makes the reason clearer.
const EXIT_STATUS_TIME: Duration = Duration::from_secs(1);

impl<L: Launch> Supervisor<L> {
    pub(crate) fn new(
        launch: L,
        config: SupervisionConfig,
        queue: mpsc::Receiver<Job>,
        state: watch::Sender<State>,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let backoff = Backoff::new(config.restart_pause_min, config.restart_pause_max);
        Self {
            launch,
            config,
            queue,
            state,
            stop,
            backoff,
        }
    }

    /// Runs until it is told to stop or all handles are gone.
    pub(crate) async fn run(mut self) {
        loop {
            let reason = match self.start().await {
                Some(Ok(launched)) => match self.supervise(launched).await {
                    Ended::Stopped => break,
                    Ended::Failed(reason) => reason,
                },
                Some(Err(LaunchError::Failed { reason })) => reason,
                Some(Err(LaunchError::Unusable { reason })) => {
                    self.refuse_all(reason).await;
                    break;
                }
                None => break,
            };
            let pause = self.backoff.fail();
            let failed_starts_count = self.backoff.failures_count();
            tracing::warn!(
                reason,
                failed_starts_count,
                pause_ms = pause.as_millis(),
                "restarting an executor"
            );
            self.set_health(Health::Restarting {
                failed_starts_count,
                reason,
            });
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stopped(&mut self.stop) => break,
            }
        }
        self.close();
    }

    /// Starts the program; `None` if told to stop meanwhile.
    async fn start(&mut self) -> Option<Result<Launched<L::Session>, LaunchError>> {
        let limit = self.config.start_timeout;
        tokio::select! {
            started = tokio::time::timeout(limit, self.launch.launch()) => Some(started.unwrap_or_else(|_| {
                Err(LaunchError::Failed { reason: format!("not ready within {limit:?}") })
            })),
            () = stopped(&mut self.stop) => None,
        }
    }

    /// Passes requests to the running program until it ends.
    async fn supervise(&mut self, launched: Launched<L::Session>) -> Ended {
        let Launched {
            mut child,
            session,
            description,
        } = launched;
        self.state.send_modify(|state| {
            state.description = Some(description);
            state.health = Health::Ready;
        });
        let begun = Instant::now();
        let ended = self.serve(&mut child, session).await;
        match &ended {
            Ended::Stopped => end(child, self.config.stop_timeout).await,
            Ended::Failed(_) => kill(child).await,
        }
        if begun.elapsed() >= self.config.stable_after {
            self.backoff.succeed();
        }
        ended
    }

    async fn serve(&mut self, child: &mut Child, session: L::Session) -> Ended {
        let parallel_count = self.config.parallel_count.max(1) as usize;
        // Dropping the set at the end aborts what still runs: its callers learn of a crash.
        let mut calls = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = stopped(&mut self.stop) => return Ended::Stopped,
                status = child.wait() => return Ended::Failed(describe_exit(status)),
                reason = session.broken() => return Ended::Failed(reason),
                Some(end) = calls.join_next() => match end {
                    Ok(CallEnd::Answered) => {}
                    // The next request must not follow the first into a process that is ending.
                    Ok(CallEnd::Lost) => return Ended::Failed(lost(child).await),
                    Ok(CallEnd::Hung) => return Ended::Failed("hung: no answer after the deadline".to_owned()),
                    Err(error) => return Ended::Failed(format!("a call ended in disorder: {error}")),
                },
                job = self.queue.recv(), if calls.len() < parallel_count => match job {
                    Some(job) => {
                        calls.spawn(call(session.clone(), job, self.config.hang_grace));
                    }
                    None => return Ended::Stopped,
                },
            }
        }
    }

    /// Answers every request with the reason for which the program can never start.
    async fn refuse_all(&mut self, reason: String) {
        tracing::error!(reason, "an executor cannot start");
        self.set_health(Health::Failed {
            reason: reason.clone(),
        });
        loop {
            tokio::select! {
                () = stopped(&mut self.stop) => return,
                job = self.queue.recv() => match job {
                    Some(job) => refuse(job, &reason),
                    None => return,
                },
            }
        }
    }

    fn close(&mut self) {
        self.queue.close();
        while let Ok(job) = self.queue.try_recv() {
            refuse(job, "shut down");
        }
        self.set_health(Health::Stopped);
    }

    fn set_health(&self, health: Health) {
        self.state.send_modify(|state| state.health = health);
    }
}

fn refuse(job: Job, reason: &str) {
    // A caller that went away needs no answer.
    let _ = job.reply.send(Err(ExecuteError::Stopped {
        reason: reason.to_owned(),
    }));
}

/// Waits until told to stop; all handles gone means the same.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn call<S: Session>(session: S, job: Job, hang_grace: Duration) -> CallEnd {
    let remaining = job.deadline.saturating_duration_since(Instant::now());
    // A caller that went away while its request waited costs the model nothing.
    if job.reply.is_closed() || remaining.is_zero() {
        return CallEnd::Answered;
    }
    match tokio::time::timeout(remaining + hang_grace, session.call(job.request, remaining)).await {
        Ok(result) => {
            let end = if result == Err(ExecuteError::Crashed) {
                CallEnd::Lost
            } else {
                CallEnd::Answered
            };
            // A caller that went away needs no answer.
            let _ = job.reply.send(result);
            end
        }
        Err(_) => CallEnd::Hung,
    }
}

async fn lost(child: &mut Child) -> String {
    match tokio::time::timeout(EXIT_STATUS_TIME, child.wait()).await {
        Ok(status) => describe_exit(status),
        Err(_) => "the connection to the process broke".to_owned(),
    }
}

fn describe_exit(status: std::io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => format!("the process ended ({status})"),
        Err(error) => format!("the process cannot be watched: {error}"),
    }
}

/// Lets the program end, which the closing of its standard input has asked for; kills it if it does not.
async fn end(mut child: Child, limit: Duration) {
    if tokio::time::timeout(limit, child.wait()).await.is_err() {
        kill(child).await;
    }
}

async fn kill(mut child: Child) {
    // It may have ended already.
    if let Err(error) = child.kill().await {
        tracing::debug!(%error, "a process could not be killed");
    }
}
