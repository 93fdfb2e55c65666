//! Plans from planners: a task of its own comes before the client's. Spec: PLAN-2.
//!
//! The planning task has one plan of one step, which requires the skill `plan` and whose answers are plans. Its m executors
//! are m different planners; every plan that they open is a plan of the client's task, which is opened next. So planners are
//! found, chosen and learned about as executors are, and no rule knows of planning.

use std::collections::BTreeSet;

use symphony_protocol::{
    records::{AnswerForm, TaskKey},
    state::{OpenStep, Progress},
};

use super::{Purpose, Task};
use crate::{
    event::{PlanRequest, PlannedBy, StepRequest, TaskEvent, TaskRequest, TaskSettings},
    peer::{Peer, ProposeError},
    plan::{PLAN_TAG, Plan, is_role, planning_prompt},
};

/// A task whose planning came to an end: opened as soon as no duty and no deadline is due.
pub(crate) struct PlannedTask {
    request: u64,
    due_ms: Option<u64>,
    task: TaskRequest,
    key: TaskKey,
}

impl Peer {
    /// Opens the task in which planners are asked.
    pub(super) fn open_planning(
        &mut self,
        (request, due_ms): (u64, Option<u64>),
        asked: TaskRequest,
        (key, planning_key): (TaskKey, TaskKey),
    ) -> Result<(), ProposeError> {
        let planning = self.planning_request(&asked);
        let purpose = Purpose::Planning {
            asked: Box::new(asked),
            key,
            plans: Vec::new(),
        };
        self.open_task((Some(request), due_ms), planning, planning_key, purpose)
    }

    fn planning_request(&self, asked: &TaskRequest) -> TaskRequest {
        let question = asked.question().map_or("", |step| step.text.as_str());
        let step = StepRequest {
            text: planning_prompt(&self.skills(), question),
            tags: vec![PLAN_TAG.to_owned()],
            form: AnswerForm::Plan,
        };
        let settings = asked.settings;
        TaskRequest {
            plans: vec![PlanRequest { steps: vec![step] }],
            settings: TaskSettings {
                executors: settings.planners,
                shortlist: settings.shortlist.max(settings.planners),
                asked: settings.asked.max(settings.planners),
                planners: 0,
                ..settings
            },
            gold: None,
        }
    }

    /// Skills that this peer or others offer now. Roles are none: a step of a plan never requires them.
    fn skills(&self) -> BTreeSet<&str> {
        let others = self
            .known
            .iter()
            .filter(|(peer, received)| {
                !self.exposed.contains(*peer)
                    && !self.retired.contains(*peer)
                    && received.record.valid_at(self.now_ms)
            })
            .flat_map(|(_, received)| &received.record.tags);
        let own = self.config.profile.iter().flat_map(|profile| &profile.tags);
        own.chain(others)
            .map(String::as_str)
            .filter(|tag| !is_role(tag))
            .collect()
    }

    /// Keeps the plans that planners opened, in the order of their slots.
    pub(super) fn collect_plans(&mut self, step: &OpenStep) {
        let Some(Task {
            purpose: Purpose::Planning { plans, .. },
            answers,
            ..
        }) = self.tasks.get_mut(&step.beacon.task)
        else {
            return;
        };
        plans.extend(
            step.selections
                .iter()
                .filter_map(|selection| match selection.progress {
                    Progress::Revealed(Some(answer)) => Plan::parse(answers.get(&answer)?),
                    _ => None,
                }),
        );
    }

    /// What planning gave becomes the task: the plans of planners, or else the question alone.
    pub(super) fn planned(
        &mut self,
        (request, due_ms): (u64, Option<u64>),
        index: u64,
        mut task: TaskRequest,
        key: TaskKey,
        plans: &[Plan],
    ) {
        let skills = self.skills();
        let steps: Vec<PlanRequest> = task
            .question()
            .map(|question| {
                plans
                    .iter()
                    .map(|plan| plan_request(plan, question, &skills))
                    .collect()
            })
            .unwrap_or_default();
        let by = if steps.is_empty() {
            PlannedBy::Nobody
        } else {
            task.plans = steps;
            PlannedBy::Planners
        };
        let plans = task.plans.clone();
        self.report(request, index, TaskEvent::Planned { plans, by });
        self.planned.push_back(PlannedTask {
            request,
            due_ms,
            task,
            key,
        });
    }

    /// Opens a task whose planning came to an end.
    pub(crate) fn open_planned(&mut self, planned: PlannedTask) -> Result<(), ProposeError> {
        let PlannedTask {
            request,
            due_ms,
            task,
            key,
        } = planned;
        self.open_task((Some(request), due_ms), task, key, Purpose::Answer)
    }
}

/// A planner's plan as it is carried out. Its last step is the client's question itself, so that no planner changes what is
/// asked or in which form; a step before it keeps those of its skills that somebody offers, or has the question's.
fn plan_request(plan: &Plan, question: &StepRequest, skills: &BTreeSet<&str>) -> PlanRequest {
    let (_, before) = plan.steps().split_last().unzip();
    let before: &[crate::plan::PlanStep] = before.unwrap_or_default();
    let mut steps: Vec<StepRequest> = before
        .iter()
        .map(|step| {
            let mut tags = step.tags.clone();
            tags.retain(|tag| skills.contains(tag.as_str()));
            StepRequest {
                text: step.question.clone(),
                tags: if tags.is_empty() {
                    question.tags.clone()
                } else {
                    tags
                },
                form: AnswerForm::Text,
            }
        })
        .collect();
    steps.push(question.clone());
    PlanRequest { steps }
}
