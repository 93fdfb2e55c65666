//! From a client's task to the coordinator's.

use symphony_admin::{BackendError, ErrorKind, Settings, Step, Task, v1};
use symphony_coordination::{Chaining, PlanRequest, StepRequest, TaskRequest, TaskSettings};
use symphony_protocol::records::{AnswerForm, Params, Reach};

/// Largest K; the default is twice L.
const ASKED_MAX: u32 = 64;

/// The task as the coordinator takes it.
///
/// # Errors
/// `InvalidArgument` for a setting beyond the network's parameters.
pub(super) fn task_request(task: Task, params: &Params) -> Result<TaskRequest, BackendError> {
    let settings = settings(&task.settings, params)?;
    let is_question = matches!(task.plans.as_slice(), [plan] if plan.steps.len() == 1);
    if settings.planners > 0 && !is_question {
        return Err(invalid(
            "planners are asked about a question, not about plans".to_owned(),
        ));
    }
    let plans = task
        .plans
        .into_iter()
        .map(|plan| {
            let steps = plan.steps.into_iter().map(step).collect::<Result<_, _>>()?;
            Ok(PlanRequest { steps })
        })
        .collect::<Result<_, BackendError>>()?;
    Ok(TaskRequest {
        plans,
        settings,
        gold: task.checker_answer,
    })
}

fn step(step: Step) -> Result<StepRequest, BackendError> {
    let form = match step.form {
        v1::AnswerForm::Boolean => AnswerForm::Boolean,
        v1::AnswerForm::YesNo => AnswerForm::YesNo,
        v1::AnswerForm::Integer => AnswerForm::Integer,
        v1::AnswerForm::Option => AnswerForm::Choice,
        v1::AnswerForm::Brackets => AnswerForm::Brackets,
        v1::AnswerForm::Text => AnswerForm::Text,
        v1::AnswerForm::Plan => {
            return Err(invalid(
                "form is that of plans: set planners, and ask the question itself".to_owned(),
            ));
        }
        v1::AnswerForm::Unspecified => return Err(invalid("form is not set".to_owned())),
    };
    Ok(StepRequest {
        text: step.text,
        tags: step.tags,
        form,
    })
}

fn settings(given: &Settings, params: &Params) -> Result<TaskSettings, BackendError> {
    let default = TaskSettings::default();
    let reach = match given.reach {
        Some(v1::Reach::Gossip) => Reach::Gossip,
        Some(v1::Reach::Directed) => Reach::Directed,
        Some(v1::Reach::Unspecified) | None => default.reach,
    };
    let executors = given
        .executors
        .unwrap_or_else(|| default.executors.min(given.shortlist.unwrap_or(u32::MAX)));
    let shortlist = given
        .shortlist
        .unwrap_or_else(|| default.shortlist.max(executors));
    let asked = match (reach, given.close_bids) {
        // A gossiped beacon asks nobody in particular: what is set there is the count at which it closes.
        (Reach::Gossip, Some(close_bids)) => close_bids,
        (Reach::Gossip, None) | (Reach::Directed, None) => given
            .asked
            .unwrap_or_else(|| shortlist.saturating_mul(2).min(ASKED_MAX)),
        (Reach::Directed, Some(close_bids)) => {
            if given.asked.is_some_and(|asked| asked != close_bids) {
                return Err(invalid(format!(
                    "close_bids is {close_bids}: a directed beacon closes when all that it asks have bid; set asked alone"
                )));
            }
            close_bids
        }
    };
    let settings = TaskSettings {
        executors,
        shortlist,
        asked,
        bid_window_ms: given.bid_window_ms.unwrap_or(default.bid_window_ms),
        execute_ms: given.execute_ms.unwrap_or(default.execute_ms),
        reveal_ms: given.reveal_ms.unwrap_or(default.reveal_ms),
        reach,
        hop_limit: default.hop_limit,
        planners: given.planners.unwrap_or(default.planners),
        chaining: match given.chaining {
            Some(v1::Chaining::HandedOver) => Chaining::HandedOver,
            Some(v1::Chaining::Coordinated | v1::Chaining::Unspecified) | None => default.chaining,
        },
        task_ms: given.task_ms.map(u64::from),
    };
    for (name, value, most) in [
        ("executors", settings.executors, settings.shortlist),
        (
            "close_bids",
            given.close_bids.unwrap_or(1),
            params.bids_max().min(ASKED_MAX),
        ),
        (
            "bid_window_ms",
            settings.bid_window_ms,
            params.bid_window_ms_max(),
        ),
        ("execute_ms", settings.execute_ms, params.execute_ms_max()),
        ("reveal_ms", settings.reveal_ms, params.reveal_ms_max()),
    ] {
        if value > most {
            return Err(invalid(format!(
                "{name} is {value}, at most {most} on this network"
            )));
        }
    }
    Ok(settings)
}

fn invalid(message: String) -> BackendError {
    BackendError::new(ErrorKind::InvalidArgument, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params() -> Params {
        Params::standard("test", 0).expect("a name and a difficulty in range")
    }

    #[test]
    fn no_setting_means_the_defaults() {
        let settings = settings(&Settings::default(), &params()).expect("defaults fit");
        assert_eq!(settings, TaskSettings::default());
    }

    #[test]
    fn a_smaller_shortlist_takes_fewer_executors_and_more_executors_a_longer_shortlist() {
        let small = Settings {
            shortlist: Some(2),
            ..Settings::default()
        };
        let small = settings(&small, &params()).expect("2 fit");
        assert_eq!((small.executors, small.shortlist, small.asked), (2, 2, 4));
        let large = Settings {
            executors: Some(9),
            ..Settings::default()
        };
        let large = settings(&large, &params()).expect("9 fit");
        assert_eq!((large.executors, large.shortlist, large.asked), (9, 9, 18));
    }

    #[test]
    fn a_setting_beyond_the_parameters_is_refused() {
        for given in [
            Settings {
                bid_window_ms: Some(60_001),
                ..Settings::default()
            },
            Settings {
                execute_ms: Some(600_001),
                ..Settings::default()
            },
            Settings {
                reveal_ms: Some(60_001),
                ..Settings::default()
            },
            Settings {
                close_bids: Some(65),
                ..Settings::default()
            },
        ] {
            let error = settings(&given, &params()).expect_err("beyond the parameters");
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        }
    }
}
