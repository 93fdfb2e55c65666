//! Reports of tasks, and who reads them.

use std::collections::{BTreeMap, VecDeque};

use symphony_coordination::TaskEvent;
use tokio::sync::mpsc;

use crate::runtime::view::{REPORTS_MAX, Report};

/// Tasks whose reports are kept for a reader that comes later.
const TASKS_KEPT_MAX: usize = 1_024;

/// Tasks by the id of their request.
#[derive(Default)]
pub(super) struct Tasks {
    tasks: BTreeMap<u64, TaskReports>,
    /// Requests in the order in which they came, for forgetting.
    requests: VecDeque<u64>,
    next_request: u64,
}

/// Reports of one task, and who reads them.
#[derive(Default)]
struct TaskReports {
    opened_at: Option<u64>,
    reports: Vec<Report>,
    readers: Vec<mpsc::Sender<Report>>,
    ended: bool,
}

impl Tasks {
    /// A new task, whose reports this reader gets; gives the id of the request. The oldest ended task is forgotten for it, or
    /// the oldest of all.
    pub(super) fn begin(&mut self, reader: mpsc::Sender<Report>) -> u64 {
        let request = self.next_request;
        self.next_request += 1;
        while self.requests.len() >= TASKS_KEPT_MAX {
            let ended = self
                .requests
                .iter()
                .position(|known| self.tasks.get(known).is_none_or(|task| task.ended));
            let Some(oldest) = self.requests.remove(ended.unwrap_or(0)) else {
                break;
            };
            self.tasks.remove(&oldest);
        }
        self.requests.push_back(request);
        self.tasks.insert(
            request,
            TaskReports {
                readers: vec![reader],
                ..TaskReports::default()
            },
        );
        request
    }

    /// Hands a report to the readers of its task, and keeps it.
    pub(super) fn report(&mut self, request: u64, report: Report) {
        let Some(task) = self.tasks.get_mut(&request) else {
            return;
        };
        if matches!(report.event, TaskEvent::Opened) {
            task.opened_at = Some(report.entry);
        }
        task.ended |= matches!(
            report.event,
            TaskEvent::Decided { .. } | TaskEvent::Failed { .. }
        );
        // A reader that does not keep up is dropped; the task goes on.
        task.readers
            .retain(|reader| reader.try_send(report.clone()).is_ok());
        if task.reports.len() < REPORTS_MAX {
            task.reports.push(report);
        }
        if task.ended {
            task.readers.clear();
        }
    }

    /// The reports of the task that was opened at this entry, from the first on.
    pub(super) fn follow(&mut self, index: u64) -> Option<mpsc::Receiver<Report>> {
        let task = self
            .tasks
            .values_mut()
            .find(|task| task.opened_at == Some(index))?;
        let (reader, receiver) = mpsc::channel(REPORTS_MAX + 1);
        for report in &task.reports {
            reader.try_send(report.clone()).ok()?;
        }
        if !task.ended {
            task.readers.push(reader);
        }
        Some(receiver)
    }
}
