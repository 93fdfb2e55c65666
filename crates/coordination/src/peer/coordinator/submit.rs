//! Taking a task: is it one that can be run, and which steps may be announced. Spec: BEACON-2.

use std::collections::BTreeMap;

use symphony_protocol::{
    records::{Body, STEPS_MAX, TEXT_SIZE_MAX, TaskKey, TaskOpened},
    state::OPEN_TASKS_MAX,
};

use super::{CONTEXT_SIZE_MAX, ReadyStep, Task};
use crate::{
    event::{TaskEvent, TaskRequest},
    peer::{Peer, ProposeError},
};

impl Peer {
    pub(crate) fn submit(
        &mut self,
        request: u64,
        task: TaskRequest,
        key: TaskKey,
    ) -> Result<(), ProposeError> {
        let entry = self.replay.size();
        if let Err(reason) = self.check_request(&task) {
            self.report(request, entry, TaskEvent::Failed { reason });
            return Ok(());
        }
        let opened = TaskOpened {
            key_commitment: key.commitment(),
            plan_steps: task
                .plans
                .iter()
                .map(|plan| u32::try_from(plan.steps.len()).unwrap_or(u32::MAX))
                .collect(),
        };
        self.propose(Body::TaskOpened(opened))?;
        self.report(request, entry, TaskEvent::Opened);
        let plans = task.plans.len();
        self.tasks.insert(
            entry,
            Task {
                request,
                task,
                key,
                answers: BTreeMap::new(),
                prompts: BTreeMap::new(),
                context: BTreeMap::new(),
                asked: Vec::new(),
            },
        );
        self.ready.extend((0..plans).map(|plan| ReadyStep {
            task: entry,
            plan: u32::try_from(plan).unwrap_or(u32::MAX),
            step: 0,
        }));
        Ok(())
    }

    fn check_request(&self, task: &TaskRequest) -> Result<(), String> {
        let settings = &task.settings;
        let params = self.state().params();
        let tasks_max = OPEN_TASKS_MAX.min(self.config.tasks_max as usize);
        if self.tasks.len() >= tasks_max {
            return Err(format!("at most {tasks_max} open tasks; try again later"));
        }
        if !(1..=symphony_protocol::records::PLANS_MAX).contains(&task.plans.len()) {
            return Err(format!("expected 1 to 8 plans, found {}", task.plans.len()));
        }
        for (name, value, least, most) in [
            (
                "executors",
                settings.executors,
                1,
                16.min(settings.shortlist),
            ),
            ("shortlist", settings.shortlist, 1, 32),
            ("asked", settings.asked, 1, 64),
            (
                "bid_window_ms",
                settings.bid_window_ms,
                1,
                params.bid_window_ms_max(),
            ),
            (
                "execute_ms",
                settings.execute_ms,
                1,
                params.execute_ms_max(),
            ),
            ("reveal_ms", settings.reveal_ms, 1, params.reveal_ms_max()),
            ("hop_limit", settings.hop_limit, 0, 16),
        ] {
            if !(least..=most).contains(&value) {
                return Err(format!("{name}: expected {least} to {most}, found {value}"));
            }
        }
        for plan in &task.plans {
            if plan.steps.is_empty() || plan.steps.len() > STEPS_MAX as usize {
                return Err(format!(
                    "expected 1 to {STEPS_MAX} steps of a plan, found {}",
                    plan.steps.len()
                ));
            }
            for step in &plan.steps {
                let size = step.text.len();
                if size == 0 || size > TEXT_SIZE_MAX - CONTEXT_SIZE_MAX {
                    return Err(format!(
                        "expected a question of 1 to {} bytes, found {size}",
                        TEXT_SIZE_MAX - CONTEXT_SIZE_MAX
                    ));
                }
                if step.tags.len() > symphony_protocol::records::REQUIREMENT_TAGS_MAX
                    || step.tags.windows(2).any(|pair| pair[0] >= pair[1])
                {
                    return Err("expected at most 8 tags, strictly sorted".to_owned());
                }
                if step.tags.iter().any(|tag| !is_tag(tag)) {
                    return Err("expected tags of 1 to 64 bytes of a-z, 0-9 and '-'".to_owned());
                }
            }
        }
        Ok(())
    }
}

fn is_tag(tag: &str) -> bool {
    (1..=symphony_protocol::records::TAG_SIZE_MAX).contains(&tag.len())
        && tag
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
