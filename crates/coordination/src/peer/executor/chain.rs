//! An order whose prompt is a chain: the own step is executed, and the rest is handed on in a task of the own log.
//! Spec: PLAN-4.

use symphony_protocol::records::{AnswerForm, TaskKey};
use symphony_transparency::Digest;

use crate::{
    answer,
    event::{
        Completion, Execution, ExecutionOutcome, PlanRequest, StepRequest, TaskRequest,
        TaskSettings,
    },
    peer::{CONTEXT_SIZE_MAX, LinkTask, Peer},
    plan::{HAND_OVER_TAG, Plan},
};

use super::Stage;

/// Of the time that is left, the next link gets all but one part in so many: its answer has to come back.
const RETURN_PART: u64 = 8;

/// What is left of a chain: the own step first.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    /// Questions and answers of the steps before, as they stand in prompts.
    context: String,
    plan: Plan,
    /// When the receipt is due, in milliseconds since 1970.
    due_ms: u64,
}

/// A link that was handed on, to be answered with what comes back.
pub(crate) struct Link {
    /// The order that this peer took.
    pub(crate) assignment: Digest,
    /// The execution of the own step.
    execution: Execution,
    salt: [u8; 32],
}

impl Chain {
    /// Reads a prompt: earlier questions and answers, then the plan on the last line.
    pub(super) fn read(prompt: &str, due_ms: u64) -> Option<Self> {
        let at = prompt.rfind('\n').map_or(0, |at| at + 1);
        Some(Self {
            context: prompt[..at].to_owned(),
            plan: Plan::parse(&prompt[at..])?,
            due_ms,
        })
    }

    /// The prompt of the own step, and its form: that of the chain for the last one.
    pub(super) fn own_step(&self, form: AnswerForm) -> (String, AnswerForm) {
        let question = self
            .plan
            .steps()
            .first()
            .map_or("", |step| step.question.as_str());
        let form = if self.plan.steps().len() == 1 {
            form
        } else {
            AnswerForm::Text
        };
        (format!("{}{question}", self.context), form)
    }

    /// The task for the rest of the chain, after this answer to the own step; `None` if this was the last one.
    fn rest(&self, own_answer: &str, form: AnswerForm, now_ms: u64) -> Option<TaskRequest> {
        let (own, rest) = self.plan.steps().split_first()?;
        let next = rest.first()?;
        let rest = Plan::of_steps(rest.to_vec())?;
        let mut context = format!("{}{}\nAnswer: {own_answer}\n\n", self.context, own.question);
        while context.len() > CONTEXT_SIZE_MAX {
            let oldest = context.find("\n\n").map_or(context.len(), |at| at + 2);
            context.drain(..oldest);
        }
        let left_ms = self.due_ms.saturating_sub(now_ms);
        let time_ms = left_ms - left_ms / RETURN_PART;
        let default = TaskSettings::default();
        let step = StepRequest {
            text: format!("{context}{}", rest.text()),
            tags: chain_tags(&next.tags),
            form,
        };
        Some(TaskRequest {
            plans: vec![PlanRequest { steps: vec![step] }],
            settings: TaskSettings {
                executors: 1,
                bid_window_ms: default
                    .bid_window_ms
                    .min(u32::try_from(left_ms / RETURN_PART).unwrap_or(u32::MAX))
                    .max(1),
                execute_ms: u32::try_from(time_ms).unwrap_or(u32::MAX).max(1),
                task_ms: Some(time_ms),
                ..default
            },
            gold: None,
        })
    }
}

/// The skills that a step of a chain requires: its own, as far as there is room, and that of handing over.
pub(crate) fn chain_tags(tags: &[String]) -> Vec<String> {
    let room = symphony_protocol::records::REQUIREMENT_TAGS_MAX - 1;
    let mut tags: Vec<String> = tags
        .iter()
        .filter(|tag| *tag != HAND_OVER_TAG)
        .take(room)
        .cloned()
        .collect();
    tags.push(HAND_OVER_TAG.to_owned());
    tags.sort_unstable();
    tags
}

impl Peer {
    /// Hands the rest of a chain on, if the execution was that of a step before the last. Returns the execution otherwise.
    pub(super) fn hand_on(
        &mut self,
        assignment: Digest,
        execution: Execution,
        (salt, key): ([u8; 32], TaskKey),
    ) -> Option<(Execution, [u8; 32])> {
        let now_ms = self.now_ms.max(self.state().time_ms());
        let rest = self.sessions.get(&assignment).and_then(|session| {
            let chain = session.chain.as_ref()?;
            let ExecutionOutcome::Completed(completion) = &execution.outcome else {
                return None;
            };
            // Without an answer nothing can be handed on; the receipt says so.
            let own_answer = answer::extract(&completion.text, AnswerForm::Text)?;
            chain.rest(&own_answer, session.form, now_ms)
        });
        let (Some(task), Some(session)) = (rest, self.sessions.get_mut(&assignment)) else {
            return Some((execution, salt));
        };
        session.stage = Stage::HandedOn;
        let link = Link {
            assignment,
            execution,
            salt,
        };
        self.link_tasks.push_back(LinkTask { link, task, key });
        None
    }

    /// What came back of a link answers the order that it belongs to.
    pub(crate) fn link_came_back(&mut self, link: Link, answer: Option<String>) {
        let Link {
            assignment,
            mut execution,
            salt,
        } = link;
        execution.outcome = match (answer, execution.outcome) {
            (Some(answer), ExecutionOutcome::Completed(own)) => {
                ExecutionOutcome::Completed(Completion {
                    text: format!("Answer: {answer}"),
                    ..own
                })
            }
            _ => ExecutionOutcome::Failed,
        };
        self.links_back.push_back((assignment, execution, salt));
    }
}
