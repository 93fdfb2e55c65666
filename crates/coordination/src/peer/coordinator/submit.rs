//! Taking a task: is it one that can be run, and which steps may be announced. Spec: BEACON-2.

use std::collections::BTreeMap;

use symphony_protocol::{
    records::{AnswerForm, Body, PLANS_MAX, STEPS_MAX, TEXT_SIZE_MAX, TaskKey, TaskOpened},
    state::OPEN_TASKS_MAX,
};

use super::{Purpose, ReadyStep, Task};
use crate::{
    event::{Chaining, PlanRequest, StepRequest, TaskEvent, TaskRequest},
    peer::{CONTEXT_SIZE_MAX, LinkTask, Peer, ProposeError, chain_tags},
    plan::{Plan, PlanStep, is_role},
};

/// Most planners of a task: each gives a plan.
const PLANNERS_MAX: u32 = 8;

impl Peer {
    pub(crate) fn submit(
        &mut self,
        request: u64,
        task: TaskRequest,
        keys: (TaskKey, TaskKey),
    ) -> Result<(), ProposeError> {
        let checked = refuse_roles(&task).and_then(|()| self.check_request(&task));
        if let Err(reason) = checked {
            let entry = self.replay.size();
            self.report(request, entry, TaskEvent::Failed { reason });
            return Ok(());
        }
        let due_ms = task
            .settings
            .task_ms
            .map(|task_ms| self.now_ms.saturating_add(task_ms));
        if task.settings.planners > 0 {
            return self.open_planning((request, due_ms), task, keys);
        }
        self.open_task((Some(request), due_ms), task, keys.0, Purpose::Answer)
    }

    /// Opens the task for the rest of a chain; without room for it the link is broken.
    pub(crate) fn open_link(&mut self, linked: LinkTask) -> Result<(), ProposeError> {
        let LinkTask {
            link,
            mut task,
            key,
        } = linked;
        let params = self.state().params();
        let settings = &mut task.settings;
        settings.execute_ms = settings.execute_ms.min(params.execute_ms_max());
        settings.bid_window_ms = settings.bid_window_ms.min(params.bid_window_ms_max());
        settings.reveal_ms = settings.reveal_ms.min(params.reveal_ms_max());
        if self.check_request(&task).is_err() {
            self.link_came_back(link, None);
            return Ok(());
        }
        let due_ms = task
            .settings
            .task_ms
            .map(|task_ms| self.now_ms.saturating_add(task_ms));
        self.open_task((None, due_ms), task, key, Purpose::Link(Box::new(link)))
    }

    /// Opens a task; the first step of each plan may then be announced.
    pub(super) fn open_task(
        &mut self,
        (request, due_ms): (Option<u64>, Option<u64>),
        mut task: TaskRequest,
        key: TaskKey,
        purpose: Purpose,
    ) -> Result<(), ProposeError> {
        if task.settings.chaining == Chaining::HandedOver && matches!(purpose, Purpose::Answer) {
            // A plan that cannot be handed over is coordinated here.
            for plan in &mut task.plans {
                *plan = handed_over(plan).unwrap_or_else(|| plan.clone());
            }
        }
        let entry = self.replay.size();
        let opened = TaskOpened {
            key_commitment: key.commitment(),
            plan_steps: task
                .plans
                .iter()
                .map(|plan| u32::try_from(plan.steps.len()).unwrap_or(u32::MAX))
                .collect(),
        };
        self.propose(Body::TaskOpened(opened))?;
        let event = match purpose {
            Purpose::Planning { .. } => TaskEvent::Planning,
            Purpose::Answer | Purpose::Link(_) => TaskEvent::Opened,
        };
        if let Some(request) = request {
            self.report(request, entry, event);
        }
        let plans = task.plans.len();
        self.tasks.insert(
            entry,
            Task {
                request,
                task,
                key,
                purpose,
                due_ms,
                stopped: false,
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
        if !(1..=PLANS_MAX).contains(&task.plans.len()) {
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
            ("planners", settings.planners, 0, PLANNERS_MAX),
        ] {
            if !(least..=most).contains(&value) {
                return Err(format!("{name}: expected {least} to {most}, found {value}"));
            }
        }
        if settings.planners > 0 && task.question().is_none() {
            return Err("planners are asked about one question, not about plans".to_owned());
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
                if step.form == AnswerForm::Plan {
                    return Err("expected an answer that is no plan: set planners".to_owned());
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

/// A client's steps require skills: roles are required by planning and handing over alone. Spec: PLAN-2.
fn refuse_roles(task: &TaskRequest) -> Result<(), String> {
    let steps = task.plans.iter().flat_map(|plan| &plan.steps);
    match steps.flat_map(|step| &step.tags).find(|tag| is_role(tag)) {
        None => Ok(()),
        Some(role) => Err(format!(
            "expected tags that name skills, found the role {role}: set planners or hand_over"
        )),
    }
}

/// A plan as a chain: one step, which is answered with the answer of the last. `None` if it is one step already, or too large to
/// be handed over. Spec: PLAN-4.
fn handed_over(plan: &PlanRequest) -> Option<PlanRequest> {
    let (first, last) = (plan.steps.first()?, plan.steps.last()?);
    if plan.steps.len() == 1 {
        return None;
    }
    let steps = plan.steps.iter().map(|step| PlanStep {
        question: step.text.trim().to_owned(),
        tags: step.tags.clone(),
    });
    let step = StepRequest {
        text: Plan::of_steps(steps.collect())?.text(),
        tags: chain_tags(&first.tags),
        form: last.form,
    };
    Some(PlanRequest { steps: vec![step] })
}

fn is_tag(tag: &str) -> bool {
    (1..=symphony_protocol::records::TAG_SIZE_MAX).contains(&tag.len())
        && tag
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
