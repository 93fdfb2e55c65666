//! Reports of tasks, and who reads them.

use std::{
    collections::{BTreeMap, VecDeque},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use symphony_coordination::TaskEvent;
use tokio::sync::mpsc;

use super::command::Submission;
use crate::runtime::view::{REPORTS_MAX, Report};

/// Tasks whose reports are kept for a reader that comes later.
const TASKS_KEPT_MAX: usize = 1_024;

/// Tasks by the id of their request.
#[derive(Default)]
pub(super) struct Tasks {
    tasks: BTreeMap<u64, TaskReports>,
    /// Requests by the clients' own names for them.
    names: BTreeMap<String, u64>,
    /// Requests in the order in which they came, for forgetting.
    requests: VecDeque<u64>,
    next_request: u64,
}

/// What came of a submission.
pub(super) enum Submitted {
    /// A new task, under this id of its request.
    New(u64),
    /// A task that is known by this name; its reports are told again.
    Known,
    /// The name is that of other work; the reader is yet to be told.
    Refused(mpsc::Sender<Report>),
}

/// Reports of one task, and who reads them.
#[derive(Default)]
struct TaskReports {
    /// Indices of the entries that opened it: its planning, if there is one, and itself.
    opened_at: Vec<u64>,
    /// The client's own name for it, with a trait of the work that it was given to.
    name: Option<(String, u64)>,
    reports: Vec<Report>,
    readers: Vec<mpsc::Sender<Report>>,
    ended: bool,
}

impl Tasks {
    /// A submission: of a new task, whose id of the request it gives, or of one that is known by its name. Its reports go to
    /// this reader.
    pub(super) fn submit(
        &mut self,
        submission: &Submission,
        reader: mpsc::Sender<Report>,
    ) -> Submitted {
        let Some(id) = &submission.id else {
            return Submitted::New(self.begin(reader));
        };
        // It must tell apart only what one client says under one name; it is compared in this process alone.
        let mut hasher = DefaultHasher::new();
        format!("{:?}", submission.task).hash(&mut hasher);
        let name = (id.clone(), hasher.finish());
        let known = self
            .names
            .get(id)
            .and_then(|request| self.tasks.get_mut(request));
        match known {
            Some(task) if task.name.as_ref() == Some(&name) => {
                task.tell_again(reader);
                Submitted::Known
            }
            Some(_) => Submitted::Refused(reader),
            None => {
                let request = self.begin(reader);
                self.names.insert(name.0.clone(), request);
                if let Some(task) = self.tasks.get_mut(&request) {
                    task.name = Some(name);
                }
                Submitted::New(request)
            }
        }
    }

    /// A new task, whose reports this reader gets; gives the id of the request. The oldest ended task is forgotten for it, or
    /// the oldest of all.
    fn begin(&mut self, reader: mpsc::Sender<Report>) -> u64 {
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
            let forgotten = self.tasks.remove(&oldest);
            if let Some((name, _)) = forgotten.and_then(|task| task.name) {
                self.names.remove(&name);
            }
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
        if matches!(report.event, TaskEvent::Opened | TaskEvent::Planning) {
            task.opened_at.push(report.entry);
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
            .find(|task| task.opened_at.contains(&index))?;
        let (reader, receiver) = mpsc::channel(REPORTS_MAX + 1);
        task.tell_again(reader);
        Some(receiver)
    }

    /// The request of the task that was opened at this entry, while it is open.
    pub(super) fn open_request(&self, index: u64) -> Option<u64> {
        self.tasks
            .iter()
            .find(|(_, task)| !task.ended && task.opened_at.contains(&index))
            .map(|(request, _)| *request)
    }
}

impl TaskReports {
    /// Tells a reader everything from the first report on; one without room for it is dropped.
    fn tell_again(&mut self, reader: mpsc::Sender<Report>) {
        let told = self
            .reports
            .iter()
            .all(|report| reader.try_send(report.clone()).is_ok());
        if told && !self.ended {
            self.readers.push(reader);
        }
    }
}

#[cfg(test)]
mod tests {
    use symphony_coordination::{PlanRequest, StepRequest, TaskRequest, TaskSettings};
    use symphony_protocol::records::AnswerForm;

    use super::*;

    fn submission(id: Option<&str>, question: &str) -> Submission {
        let step = StepRequest {
            text: question.to_owned(),
            tags: Vec::new(),
            form: AnswerForm::Integer,
        };
        Submission {
            task: TaskRequest {
                plans: vec![PlanRequest { steps: vec![step] }],
                settings: TaskSettings::default(),
                gold: None,
            },
            id: id.map(str::to_owned),
        }
    }

    fn opened(entry: u64) -> Report {
        Report {
            entry,
            time_ms: 1,
            event: TaskEvent::Opened,
        }
    }

    #[test]
    fn the_same_submission_again_reports_the_task_that_it_opened() {
        let mut tasks = Tasks::default();
        let (reader, _first) = mpsc::channel(8);
        let Submitted::New(request) = tasks.submit(&submission(Some("a"), "2 + 3"), reader) else {
            panic!("a new task");
        };
        tasks.report(request, opened(7));
        let (reader, mut again) = mpsc::channel(8);
        let known = tasks.submit(&submission(Some("a"), "2 + 3"), reader);
        assert!(matches!(known, Submitted::Known));
        assert_eq!(again.try_recv().expect("told again").entry, 7);
        let (reader, _) = mpsc::channel(8);
        let other = tasks.submit(&submission(Some("a"), "2 + 4"), reader);
        assert!(matches!(other, Submitted::Refused(_)));
        for (id, question) in [(Some("b"), "2 + 3"), (None, "2 + 3"), (None, "2 + 3")] {
            let (reader, _) = mpsc::channel(8);
            let new = tasks.submit(&submission(id, question), reader);
            assert!(matches!(new, Submitted::New(_)));
        }
    }

    #[test]
    fn a_name_is_forgotten_with_its_task() {
        let mut tasks = Tasks::default();
        for number in 0..=TASKS_KEPT_MAX {
            let (reader, _) = mpsc::channel(8);
            tasks.submit(&submission(Some(&number.to_string()), "1"), reader);
        }
        assert_eq!(tasks.names.len(), TASKS_KEPT_MAX);
        let (reader, _) = mpsc::channel(8);
        let again = tasks.submit(&submission(Some("0"), "2"), reader);
        assert!(matches!(again, Submitted::New(_)));
    }

    #[test]
    fn only_an_open_task_can_be_given_up() {
        let mut tasks = Tasks::default();
        let (reader, _) = mpsc::channel(8);
        let Submitted::New(request) = tasks.submit(&submission(None, "1"), reader) else {
            panic!("a new task");
        };
        assert_eq!(tasks.open_request(7), None);
        tasks.report(request, opened(7));
        assert_eq!(tasks.open_request(7), Some(request));
        let event = TaskEvent::Decided {
            answer: None,
            weight: 0.0,
        };
        tasks.report(request, Report { event, ..opened(9) });
        assert_eq!(tasks.open_request(7), None);
    }
}
