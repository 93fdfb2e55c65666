//! A task that is not carried on: its client gave it up, or its time is over. Spec: PLAN-3.
//!
//! What was begun is settled by the rules, as always: a coordinator that could end a selection when it likes could choose which
//! rewards count. What is left of each plan is announced to nobody, which ends the plan without an answer, by the rules too.

use symphony_protocol::records::Reach;

use crate::{
    event::{StoppedBy, TaskEvent, TaskSettings},
    peer::Peer,
};

impl Peer {
    /// Begins nothing more of a client's task.
    pub(crate) fn cancel(&mut self, request: u64) {
        let open = self
            .tasks
            .iter()
            .find(|(_, task)| task.request == Some(request) && !task.stopped)
            .map(|(index, _)| *index);
        if let Some(index) = open {
            self.stop(index, StoppedBy::Client);
        }
    }

    fn stop(&mut self, index: u64, by: StoppedBy) {
        let Some(task) = self.tasks.get_mut(&index) else {
            return;
        };
        task.stopped = true;
        let request = task.request;
        let entry = self.replay.size();
        if let Some(request) = request {
            self.report(request, entry, TaskEvent::Stopped { by });
        }
    }

    /// How the next step of a task is run: within what is left of the task's time; of a stopped task, asking nobody.
    pub(super) fn step_settings(&mut self, index: u64) -> Option<TaskSettings> {
        let now_ms = self.now_ms.max(self.state().time_ms());
        let task = self.tasks.get(&index)?;
        let mut settings = task.task.settings;
        let left_ms = task
            .due_ms
            .map(|due_ms| u32::try_from(due_ms.saturating_sub(now_ms)).unwrap_or(u32::MAX));
        if left_ms == Some(0) && !task.stopped {
            self.stop(index, StoppedBy::Deadline);
        }
        if self.tasks.get(&index)?.stopped {
            settings.asked = 0;
            settings.reach = Reach::Directed;
        } else if let Some(left_ms) = left_ms {
            settings.bid_window_ms = settings.bid_window_ms.min(left_ms);
            let execute_ms = left_ms.saturating_sub(settings.bid_window_ms).max(1);
            settings.execute_ms = settings.execute_ms.min(execute_ms);
        }
        Some(settings)
    }
}
