//! A task as the backend gets it: every limit of the schema is checked.

use symphony_proto::statement::v1::{AnswerForm, Reach};

use crate::request::{RequestError, in_range, size_in_range};
use crate::v1::submit_request::Work;
use crate::v1::{self, SubmitRequest};

/// Plans of a task.
pub(crate) const PLANS_MAX: usize = 8;
/// Steps of a plan.
pub(crate) const STEPS_MAX: usize = 8;
/// Size of a step's text, in bytes.
pub(crate) const STEP_TEXT_SIZE_MAX: usize = 16 * 1024;
/// Tags of a step.
const TAGS_MAX: usize = 8;
/// Size of a tag, in bytes.
const TAG_SIZE_MAX: usize = 64;
/// Size of an answer, in bytes.
const ANSWER_SIZE_MAX: usize = 1024;
/// Executors of a step.
const EXECUTORS_MAX: u32 = 16;
/// Candidates that screening keeps.
const SHORTLIST_MAX: u32 = 32;
/// Peers that a directed beacon asks.
const ASKED_MAX: u32 = 64;
/// Planners of a task.
const PLANNERS_MAX: u32 = 8;
/// Size of a caller's name for a submission, in bytes.
const SUBMISSION_ID_SIZE_MAX: usize = 64;

/// A task. `Debug` is left out on purpose: its texts are never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Task {
    /// 1 to 8 plans.
    pub plans: Vec<Plan>,
    /// How it is to be answered.
    pub settings: Settings,
    /// The right answer, 1 to 1,024 bytes, if a checker is to be asked.
    pub checker_answer: Option<String>,
    /// The caller's own name for this submission, 1 to 64 bytes: the same again opens no second task.
    pub submission_id: Option<String>,
}

/// One plan: steps done one after another.
#[derive(Clone, PartialEq, Eq)]
pub struct Plan {
    /// 1 to 8 steps.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Clone, PartialEq, Eq)]
pub struct Step {
    /// What the executors are asked, 1 to 16,384 bytes.
    pub text: String,
    /// Skills needed, strictly sorted, at most 8, each 1 to 64 bytes of a-z, 0-9 and '-'.
    pub tags: Vec<String>,
    /// Form that a valid answer has; never unspecified.
    pub form: AnswerForm,
}

/// How a task is to be answered; `None` means the node's default. What the network's Params limit further is the backend's
/// to check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// P: executors picked for each step, 1 to 16.
    pub executors: Option<u32>,
    /// L: candidates kept by screening, 1 to 32, not below `executors` when both are given.
    pub shortlist: Option<u32>,
    /// Bids at which a beacon closes before its time, at least 1.
    pub close_bids: Option<u32>,
    /// Longest wait for bids, in milliseconds, at least 1.
    pub bid_window_ms: Option<u32>,
    /// Time that an executor has, in milliseconds, at least 1.
    pub execute_ms: Option<u32>,
    /// Time for opening ballots, in milliseconds, at least 1.
    pub reveal_ms: Option<u32>,
    /// How beacons travel; never unspecified.
    pub reach: Option<Reach>,
    /// K: peers that a directed beacon asks, 1 to 64.
    pub asked: Option<u32>,
    /// m: planners asked for a plan, 1 to 8; `None`: no planning.
    pub planners: Option<u32>,
    /// Who coordinates the steps of a plan after the first; never unspecified.
    pub chaining: Option<v1::Chaining>,
    /// Time for the whole task, in milliseconds, at least 1; `None`: no limit.
    pub task_ms: Option<u32>,
}

impl TryFrom<SubmitRequest> for Task {
    type Error = RequestError;

    fn try_from(request: SubmitRequest) -> Result<Self, RequestError> {
        let plans = match request
            .work
            .ok_or(RequestError::Missing { field: "work" })?
        {
            Work::Question(step) => vec![Plan {
                steps: vec![step.try_into()?],
            }],
            Work::Plans(plans) => {
                in_range("plans", size(plans.plans.len()), 1..=size(PLANS_MAX))?;
                plans
                    .plans
                    .into_iter()
                    .map(Plan::try_from)
                    .collect::<Result<_, _>>()?
            }
        };
        let answer = request.checker_answer;
        size_in_range("checker_answer", &answer, 0..=ANSWER_SIZE_MAX)?;
        let submission_id = request.submission_id;
        size_in_range("submission_id", &submission_id, 0..=SUBMISSION_ID_SIZE_MAX)?;
        Ok(Self {
            plans,
            submission_id: Some(submission_id).filter(|id| !id.is_empty()),
            settings: request.settings.unwrap_or_default().try_into()?,
            checker_answer: Some(answer).filter(|answer| !answer.is_empty()),
        })
    }
}

impl TryFrom<v1::Plan> for Plan {
    type Error = RequestError;

    fn try_from(plan: v1::Plan) -> Result<Self, RequestError> {
        in_range("steps", size(plan.steps.len()), 1..=size(STEPS_MAX))?;
        let steps = plan
            .steps
            .into_iter()
            .map(Step::try_from)
            .collect::<Result<_, _>>()?;
        Ok(Self { steps })
    }
}

impl TryFrom<v1::Step> for Step {
    type Error = RequestError;

    fn try_from(step: v1::Step) -> Result<Self, RequestError> {
        size_in_range("text", &step.text, 1..=STEP_TEXT_SIZE_MAX)?;
        let form = AnswerForm::try_from(step.form)
            .ok()
            .filter(|form| *form != AnswerForm::Unspecified);
        Ok(Self {
            text: step.text,
            tags: sorted_tags(step.tags)?,
            form: form.ok_or(RequestError::Enum {
                field: "form",
                actual: step.form,
            })?,
        })
    }
}

fn sorted_tags(mut tags: Vec<String>) -> Result<Vec<String>, RequestError> {
    in_range("tags", size(tags.len()), 0..=size(TAGS_MAX))?;
    for (position, tag) in tags.iter().enumerate() {
        size_in_range("tags.size", tag, 1..=TAG_SIZE_MAX)?;
        let plain = tag
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if !plain || tags[..position].contains(tag) {
            return Err(RequestError::Tag { position });
        }
    }
    tags.sort_unstable();
    Ok(tags)
}

impl TryFrom<v1::TaskSettings> for Settings {
    type Error = RequestError;

    fn try_from(settings: v1::TaskSettings) -> Result<Self, RequestError> {
        let reach = Reach::try_from(settings.reach).map_err(|_| RequestError::Enum {
            field: "reach",
            actual: settings.reach,
        })?;
        let chaining =
            v1::Chaining::try_from(settings.chaining).map_err(|_| RequestError::Enum {
                field: "chaining",
                actual: settings.chaining,
            })?;
        let checked = Self {
            executors: given("executors", settings.executors, EXECUTORS_MAX)?,
            shortlist: given("shortlist", settings.shortlist, SHORTLIST_MAX)?,
            close_bids: given("close_bids", settings.close_bids, u32::MAX)?,
            bid_window_ms: given("bid_window_ms", settings.bid_window_ms, u32::MAX)?,
            execute_ms: given("execute_ms", settings.execute_ms, u32::MAX)?,
            reveal_ms: given("reveal_ms", settings.reveal_ms, u32::MAX)?,
            reach: Some(reach).filter(|reach| *reach != Reach::Unspecified),
            asked: given("asked", settings.asked, ASKED_MAX)?,
            planners: given("planners", settings.planners, PLANNERS_MAX)?,
            chaining: Some(chaining).filter(|chaining| *chaining != v1::Chaining::Unspecified),
            task_ms: given("task_ms", settings.task_ms, u32::MAX)?,
        };
        match (checked.executors, checked.shortlist) {
            (Some(executors), Some(shortlist)) if executors > shortlist => {
                Err(RequestError::Order {
                    smaller_field: "executors",
                    smaller: executors.into(),
                    larger_field: "shortlist",
                    larger: shortlist.into(),
                })
            }
            _ => Ok(checked),
        }
    }
}

fn given(field: &'static str, value: u32, maximum: u32) -> Result<Option<u32>, RequestError> {
    in_range(field, value.into(), 0..=maximum.into())?;
    Ok(Some(value).filter(|value| *value != 0))
}

fn size(length: usize) -> u64 {
    u64::try_from(length).expect("memory holds fewer than 2^64 bytes")
}

#[cfg(test)]
mod tests {
    use super::{AnswerForm, Reach, Task};
    use crate::request::RequestError;
    use crate::v1::submit_request::Work;
    use crate::v1::{Plan, Plans, Step, SubmitRequest, TaskSettings};

    fn step() -> Step {
        Step {
            text: "not True is".to_owned(),
            tags: vec!["logic".to_owned(), "boolean".to_owned()],
            form: AnswerForm::Boolean.into(),
        }
    }

    fn with(change: impl FnOnce(&mut Step)) -> Result<Task, RequestError> {
        let mut step = step();
        change(&mut step);
        SubmitRequest {
            work: Some(Work::Question(step)),
            ..SubmitRequest::default()
        }
        .try_into()
    }

    fn with_plans(plans: Vec<Plan>) -> Result<Task, RequestError> {
        SubmitRequest {
            work: Some(Work::Plans(Plans { plans })),
            ..SubmitRequest::default()
        }
        .try_into()
    }

    fn with_settings(settings: TaskSettings) -> Result<Task, RequestError> {
        let work = Some(Work::Question(step()));
        SubmitRequest {
            work,
            settings: Some(settings),
            ..SubmitRequest::default()
        }
        .try_into()
    }

    #[test]
    fn a_question_is_one_plan_of_one_step_with_sorted_tags() {
        let Ok(task) = with(|_| ()) else {
            panic!("refused")
        };
        assert_eq!(task.plans.len(), 1);
        assert_eq!(task.plans[0].steps[0].tags, ["boolean", "logic"]);
        assert_eq!(task.settings, super::Settings::default());
        assert_eq!(task.checker_answer, None);
    }

    #[test]
    fn every_limit_of_a_step_is_checked() {
        assert!(with(|step| step.text.clear()).is_err());
        assert!(with(|step| step.text = "x".repeat(16 * 1024)).is_ok());
        assert!(with(|step| step.text = "x".repeat(16 * 1024 + 1)).is_err());
        assert!(with(|step| step.form = 0).is_err());
        assert!(with(|step| step.form = 99).is_err());
        assert!(with(|step| step.tags = vec!["Upper".to_owned()]).is_err());
        assert!(with(|step| step.tags = vec![String::new()]).is_err());
        assert!(with(|step| step.tags = vec!["a".repeat(65)]).is_err());
        assert!(with(|step| step.tags = vec!["a".to_owned(), "a".to_owned()]).is_err());
        assert!(with(|step| step.tags = (0..9).map(|n| n.to_string()).collect()).is_err());
    }

    #[test]
    fn plans_and_steps_are_counted() {
        let plan = |steps: usize| Plan {
            steps: vec![step(); steps],
        };
        assert!(with_plans(vec![]).is_err());
        assert!(with_plans(vec![plan(0)]).is_err());
        assert!(with_plans(vec![plan(8); 8]).is_ok());
        assert!(with_plans(vec![plan(9)]).is_err());
        assert!(with_plans(vec![plan(1); 9]).is_err());
        assert!(Task::try_from(SubmitRequest::default()).is_err());
    }

    #[test]
    fn settings_are_defaults_where_zero_and_checked_otherwise() {
        let settings = TaskSettings {
            executors: 3,
            reach: Reach::Gossip.into(),
            ..TaskSettings::default()
        };
        let Ok(task) = with_settings(settings) else {
            panic!("refused")
        };
        assert_eq!(
            (task.settings.executors, task.settings.shortlist),
            (Some(3), None)
        );
        assert_eq!(task.settings.reach, Some(Reach::Gossip));
        assert!(
            with_settings(TaskSettings {
                executors: 17,
                ..TaskSettings::default()
            })
            .is_err()
        );
        assert!(
            with_settings(TaskSettings {
                executors: 5,
                shortlist: 4,
                ..TaskSettings::default()
            })
            .is_err()
        );
        assert!(
            with_settings(TaskSettings {
                reach: 9,
                ..TaskSettings::default()
            })
            .is_err()
        );
    }

    #[test]
    fn planners_and_names_of_submissions_are_bounded() {
        assert!(
            with_settings(TaskSettings {
                planners: 9,
                ..TaskSettings::default()
            })
            .is_err()
        );
        let named = |id: String| {
            Task::try_from(SubmitRequest {
                work: Some(Work::Question(step())),
                submission_id: id,
                ..SubmitRequest::default()
            })
        };
        assert_eq!(
            named("x".repeat(65)).err().map(|error| error.to_string()),
            Some("submission_id has 65 bytes, not 0 to 64".to_owned())
        );
        let id = |id: &str| {
            named(id.to_owned())
                .ok()
                .and_then(|task| task.submission_id)
        };
        assert_eq!(id("a-1").as_deref(), Some("a-1"));
        assert_eq!(id(""), None);
    }

    #[test]
    fn an_answer_for_the_checker_is_bounded() {
        let request = |answer: String| SubmitRequest {
            work: Some(Work::Question(step())),
            checker_answer: answer,
            ..SubmitRequest::default()
        };
        let Ok(task) = Task::try_from(request("True".to_owned())) else {
            panic!("refused")
        };
        assert_eq!(task.checker_answer.as_deref(), Some("True"));
        assert!(Task::try_from(request("x".repeat(1025))).is_err());
    }
}
