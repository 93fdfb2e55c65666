//! The callers' side of a supervised process.

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::description::Description;
use crate::error::ExecuteError;
use crate::executor::Health;
use crate::outcome::Outcome;
use crate::request::Request;
use crate::supervisor::config::SupervisionConfig;
use crate::supervisor::launch::Launch;
use crate::supervisor::task::Supervisor;

/// One request on its way to the process.
pub(crate) struct Job {
    pub(crate) request: Request,
    /// The moment at which the caller goes away.
    pub(crate) deadline: Instant,
    pub(crate) reply: oneshot::Sender<Result<Outcome, ExecuteError>>,
}

/// What callers may know of the process.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) health: Health,
    /// Of the last successful start.
    pub(crate) description: Option<Description>,
}

/// A supervised process. Dropping it ends the process.
#[derive(Debug)]
pub(crate) struct Supervised {
    jobs: mpsc::Sender<Job>,
    state: watch::Receiver<State>,
    stop: watch::Sender<bool>,
    queue_count_max: u32,
}

impl Supervised {
    /// Starts the owner task. Must be called within a tokio runtime.
    pub(crate) fn start<L: Launch>(launch: L, config: SupervisionConfig) -> Self {
        let queue_count_max = config.queue_count_max.max(1);
        let (jobs, queue) = mpsc::channel(queue_count_max as usize);
        let (state_sender, state) = watch::channel(State {
            health: Health::Starting,
            description: None,
        });
        let (stop, stop_receiver) = watch::channel(false);
        tokio::spawn(Supervisor::new(launch, config, queue, state_sender, stop_receiver).run());
        Self {
            jobs,
            state,
            stop,
            queue_count_max,
        }
    }

    pub(crate) fn execute(&self, request: Request) -> BoxFuture<'_, Result<Outcome, ExecuteError>> {
        async move {
            request.verify()?;
            self.verify_open()?;
            let allowed = request.deadline;
            let deadline = Instant::now() + allowed;
            let (reply, answer) = oneshot::channel();
            self.jobs
                .try_send(Job {
                    request,
                    deadline,
                    reply,
                })
                .map_err(|error| match error {
                    mpsc::error::TrySendError::Full(_) => ExecuteError::QueueFull {
                        waiting_count_max: self.queue_count_max,
                    },
                    mpsc::error::TrySendError::Closed(_) => ExecuteError::Stopped {
                        reason: "shut down".to_owned(),
                    },
                })?;
            match tokio::time::timeout_at(deadline, answer).await {
                Ok(Ok(result)) => result,
                Ok(Err(_)) => Err(ExecuteError::Crashed),
                Err(_) => Err(ExecuteError::DeadlineExceeded { deadline: allowed }),
            }
        }
        .boxed()
    }

    pub(crate) fn describe(&self) -> BoxFuture<'_, Result<Description, ExecuteError>> {
        async move {
            let mut state = self.state.clone();
            let decided =
                |state: &State| state.description.is_some() || state.health != Health::Starting;
            let state = state
                .wait_for(decided)
                .await
                .map_err(|_| stopped())?
                .clone();
            match (state.description, state.health) {
                (_, Health::Stopped) => Err(stopped()),
                (_, Health::Failed { reason }) => Err(ExecuteError::Stopped { reason }),
                (Some(description), _) => Ok(description),
                (None, Health::Restarting { reason, .. }) => {
                    Err(ExecuteError::Unavailable { reason })
                }
                (None, Health::Starting | Health::Ready) => Err(ExecuteError::Unavailable {
                    reason: "starting".to_owned(),
                }),
            }
        }
        .boxed()
    }

    pub(crate) fn health(&self) -> BoxFuture<'_, Health> {
        let health = self.state.borrow().health.clone();
        async move { health }.boxed()
    }

    pub(crate) fn shut_down(&self) -> BoxFuture<'_, ()> {
        async move {
            let _ = self.stop.send(true);
            // An error means that the task has ended, which is what is waited for.
            let _ = self
                .state
                .clone()
                .wait_for(|state| state.health == Health::Stopped)
                .await;
        }
        .boxed()
    }

    fn verify_open(&self) -> Result<(), ExecuteError> {
        match &self.state.borrow().health {
            Health::Stopped => Err(stopped()),
            Health::Failed { reason } => Err(ExecuteError::Stopped {
                reason: reason.clone(),
            }),
            _ => Ok(()),
        }
    }
}

fn stopped() -> ExecuteError {
    ExecuteError::Stopped {
        reason: "shut down".to_owned(),
    }
}
