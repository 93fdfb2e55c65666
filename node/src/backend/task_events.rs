//! How a task goes, as its client is told.

use std::collections::VecDeque;

use futures::{StreamExt as _, stream};
use symphony_admin::{BackendError, ErrorKind, Events, Task, v1};
use symphony_coordination::TaskEvent;
use tokio::sync::mpsc;

use super::{
    NodeBackend,
    failure::{not_found, stopped},
    task_request::task_request,
    translator::Translator,
};
use crate::runtime::Report;

impl NodeBackend {
    pub(super) async fn submit_task(
        &self,
        task: Task,
    ) -> Result<Events<v1::TaskEvent>, BackendError> {
        if task.checker_answer.is_some() {
            self.require_checker().await?;
        }
        let id = task.submission_id.clone();
        let request = task_request(task, &self.node.about().params)?;
        let reports = self.node.submit(request, id).await.map_err(|_| stopped())?;
        Ok(self.report(reports))
    }

    pub(super) async fn follow_task(
        &self,
        task: u64,
    ) -> Result<Events<v1::TaskEvent>, BackendError> {
        let reports = self.node.follow_task(task).await.map_err(|_| stopped())?;
        let reports = reports.ok_or_else(|| {
            not_found(format!(
                "the texts of task {task} are not held; its entries are in the log"
            ))
        })?;
        Ok(self.report(reports))
    }

    pub(super) async fn cancel_task(&self, task: u64) -> Result<(), BackendError> {
        let open = self.node.cancel_task(task).await.map_err(|_| stopped())?;
        if open {
            return Ok(());
        }
        Err(not_found(format!("no task {task} is open")))
    }

    async fn require_checker(&self) -> Result<(), BackendError> {
        let replay = self.node.snapshot().await.map_err(|_| stopped())?;
        let checked = replay
            .state()
            .learner()
            .is_some_and(|learner| learner.policy.checker_ppm > 0);
        if checked {
            return Ok(());
        }
        Err(BackendError::new(
            ErrorKind::FailedPrecondition,
            "the policy's checker is off; set policy.checker_ppm in the configuration, or send no answer",
        ))
    }

    fn report(&self, reports: mpsc::Receiver<Report>) -> Events<v1::TaskEvent> {
        let teller = Teller {
            reports,
            translator: Translator::new(&self.node),
            waiting: VecDeque::new(),
            ended: false,
        };
        stream::try_unfold(teller, |mut teller| async move {
            let event = teller.next_event().await?;
            Ok(event.map(|event| (event, teller)))
        })
        .boxed()
    }
}

struct Teller {
    reports: mpsc::Receiver<Report>,
    translator: Translator,
    waiting: VecDeque<v1::TaskEvent>,
    ended: bool,
}

impl Teller {
    async fn next_event(&mut self) -> Result<Option<v1::TaskEvent>, BackendError> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Ok(Some(event));
            }
            if self.ended {
                return Ok(None);
            }
            let Some(report) = self.reports.recv().await else {
                return Err(if self.translator.node_stops() {
                    stopped()
                } else {
                    BackendError::new(
                        ErrorKind::ResourceExhausted,
                        "events came faster than they were read; follow the task to see them again",
                    )
                });
            };
            self.ended = matches!(
                report.event,
                TaskEvent::Decided { .. } | TaskEvent::Failed { .. }
            );
            self.waiting.extend(self.translator.translate(report));
        }
    }
}
