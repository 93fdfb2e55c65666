//! `symphony task submit|follow|cancel`.

mod event_json;
mod event_line;
mod words;

use std::{
    io::{IsTerminal as _, Read as _},
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use symphony_admin::{
    AdminStream,
    v1::{self, TaskEvent, submit_request::Work, task_event::Kind},
};
use symphony_questions::{AnswerForm, classify};

use self::{event_json::event_json, event_line::event_line};
use super::{
    arguments::OutputArgs,
    connect::NodeArgs,
    exit::{ExitStatus, UnusableInput},
    output::{complain, print_json, print_line, unread_too},
    progress,
};

/// Largest question that is read, in bytes: the limit of the API.
const TEXT_SIZE_MAX: u64 = 16 * 1024;

/// Asks the network a question.
#[derive(Debug, Subcommand)]
pub(super) enum TaskCommand {
    /// Asks a question and prints the answer
    Submit(Box<SubmitArgs>),
    /// Shows again how a task went, also while it runs
    Follow(FollowArgs),
    /// Gives a task up: no further step is begun; what was begun is settled
    Cancel(CancelArgs),
}

/// A question.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  symphony task submit \"not ( True ) and ( True ) is\"
  symphony task submit --follow --tag navigation --form yes-no --file question.txt
  echo \"2 + 3 = ?\" | symphony task submit --file - --executors 5 --json
  symphony task submit --planners 3 --task-ms 60000 --follow \"(2 + 3) * (4 + 5) = ?\"

Exit codes: 0 answered; 5 no answer; 1 failed; 2 wrong usage.")]
pub(super) struct SubmitArgs {
    /// The question
    #[arg(
        value_name = "TEXT",
        required_unless_present = "file",
        conflicts_with = "file"
    )]
    text: Option<String>,
    /// Reads the question from a file; `-` is standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Shows every bid, selection, receipt, vote and reward as it happens
    #[arg(long)]
    follow: bool,
    /// Skill that the question needs; may be repeated [default: guessed from the text]
    #[arg(long = "tag", value_name = "WORD")]
    tags: Vec<String>,
    /// Form of a valid answer [default: guessed from the text]
    #[arg(long, value_enum)]
    form: Option<FormChoice>,
    /// P: peers that answer, 1 to 16 [default: 3, or L if that is less]
    #[arg(long, value_name = "COUNT")]
    executors: Option<u32>,
    /// L: candidates that screening keeps, at most 32 [default: 5, or P if that is more]
    #[arg(long, value_name = "COUNT")]
    shortlist: Option<u32>,
    /// K: peers that are asked for a bid, 1 to 64 [default: twice L]
    #[arg(long, value_name = "COUNT")]
    asked: Option<u32>,
    /// Longest wait for bids, in milliseconds [default: 500]
    #[arg(long, value_name = "MS")]
    bid_window_ms: Option<u32>,
    /// Time that a peer has to answer, in milliseconds [default: 30000]
    #[arg(long, value_name = "MS")]
    execute_ms: Option<u32>,
    /// Time for opening ballots, in milliseconds [default: 2000]
    #[arg(long, value_name = "MS")]
    reveal_ms: Option<u32>,
    /// Announces the question to everybody instead of asking chosen peers
    #[arg(long)]
    gossip: bool,
    /// m: planners that are asked to take the question apart, at most 8; each plan is carried out [default: 0]
    #[arg(long, value_name = "COUNT")]
    planners: Option<u32>,
    /// Lets the executor of each step coordinate the next one, in its own log
    #[arg(long)]
    hand_over: bool,
    /// Time for the whole task, in milliseconds: no step is begun after it
    #[arg(long, value_name = "MS")]
    task_ms: Option<u32>,
    /// Own name for this submission, any text of 1 to 64 bytes: the same again, with the same question, opens no second task
    #[arg(long, value_name = "NAME")]
    id: Option<String>,
    /// The right answer, for a policy whose checker is on
    #[arg(long, value_name = "TEXT")]
    answer: Option<String>,
    /// Longest wait for a node that does not answer yet because it is starting, in milliseconds; 0 does not wait
    #[arg(long, value_name = "MS", default_value_t = 5_000)]
    wait_ms: u32,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// A task that was submitted.
#[derive(Args, Debug)]
pub(super) struct FollowArgs {
    /// Index of the entry that opened the task
    #[arg(value_name = "ENTRY")]
    task: u64,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// A task that is open.
#[derive(Args, Debug)]
pub(super) struct CancelArgs {
    /// Index of the entry that opened the task
    #[arg(value_name = "ENTRY")]
    task: u64,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormChoice {
    /// True or False
    Boolean,
    /// Yes or No
    YesNo,
    /// A decimal integer
    Integer,
    /// A letter in brackets, such as (B)
    Choice,
    /// Closing brackets
    Brackets,
    /// Any text
    Text,
}

impl TaskCommand {
    pub(super) async fn run(self) -> anyhow::Result<ExitStatus> {
        match self {
            Self::Submit(arguments) => submit(*arguments).await,
            Self::Follow(arguments) => {
                let client = arguments.node.connect().await?;
                let events = client.follow(arguments.task).await?;
                tell(events, Telling::Everything, arguments.output).await
            }
            Self::Cancel(arguments) => {
                let client = arguments.node.connect().await?;
                client.cancel(arguments.task).await?;
                if arguments.output.json {
                    print_json(&json!({ "task": arguments.task, "cancelled": true }))?;
                }
                Ok(ExitStatus::Success)
            }
        }
    }
}

/// How much of a task is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Telling {
    Everything,
    Answer,
}

async fn submit(arguments: SubmitArgs) -> anyhow::Result<ExitStatus> {
    let request = arguments.request()?;
    let wait = Duration::from_millis(arguments.wait_ms.into());
    let client = arguments.node.connect_within(wait).await?;
    let events = client.submit(request).await?;
    let telling = if arguments.follow {
        Telling::Everything
    } else {
        Telling::Answer
    };
    tell(events, telling, arguments.output).await
}

impl SubmitArgs {
    fn request(&self) -> anyhow::Result<v1::SubmitRequest> {
        let text = match (&self.text, &self.file) {
            (Some(text), _) => text.clone(),
            (None, Some(file)) => read_question(file)?,
            (None, None) => return Err(UnusableInput("no question".to_owned()).into()),
        };
        let text = text.trim_end_matches(['\n', '\r']).to_owned();
        if text.trim().is_empty() {
            return Err(UnusableInput("the question is empty".to_owned()).into());
        }
        if text.len() as u64 > TEXT_SIZE_MAX {
            let message = format!(
                "the question has {} bytes: expected at most {TEXT_SIZE_MAX}",
                text.len()
            );
            return Err(UnusableInput(message).into());
        }
        let guessed = classify(&text);
        let form = self
            .form
            .map_or_else(|| form_message(guessed.form), FormChoice::message);
        let step = v1::Step {
            text,
            tags: if self.tags.is_empty() {
                guessed.tags
            } else {
                self.tags.clone()
            },
            form: form.into(),
        };
        let settings = v1::TaskSettings {
            executors: self.executors.unwrap_or_default(),
            shortlist: self.shortlist.unwrap_or_default(),
            close_bids: 0,
            bid_window_ms: self.bid_window_ms.unwrap_or_default(),
            execute_ms: self.execute_ms.unwrap_or_default(),
            reveal_ms: self.reveal_ms.unwrap_or_default(),
            reach: if self.gossip {
                v1::Reach::Gossip
            } else {
                v1::Reach::Unspecified
            }
            .into(),
            asked: self.asked.unwrap_or_default(),
            planners: self.planners.unwrap_or_default(),
            task_ms: self.task_ms.unwrap_or_default(),
            chaining: if self.hand_over {
                v1::Chaining::HandedOver
            } else {
                v1::Chaining::Unspecified
            }
            .into(),
        };
        Ok(v1::SubmitRequest {
            work: Some(Work::Question(step)),
            settings: Some(settings),
            checker_answer: self.answer.clone().unwrap_or_default(),
            submission_id: self.id.clone().unwrap_or_default(),
        })
    }
}

fn read_question(file: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin()
            .take(TEXT_SIZE_MAX + 1)
            .read_to_string(&mut text)
    } else {
        std::fs::File::open(file)
            .and_then(|opened| opened.take(TEXT_SIZE_MAX + 1).read_to_string(&mut text))
    };
    read.map_err(|error| UnusableInput(format!("question in {}: {error}", file.display())))?;
    if text.len() as u64 > TEXT_SIZE_MAX {
        return Err(UnusableInput(format!(
            "the question in {} has more than {TEXT_SIZE_MAX} bytes",
            file.display()
        ))
        .into());
    }
    Ok(text)
}

async fn tell(
    mut events: AdminStream<TaskEvent>,
    telling: Telling,
    output: OutputArgs,
) -> anyhow::Result<ExitStatus> {
    let spinner = (telling == Telling::Answer && std::io::stderr().is_terminal())
        .then(|| progress::spinner("asking"));
    let mut task = None;
    let mut last = None;
    while let Some(event) = events.message().await? {
        if let Some(Kind::Opened(opened)) = &event.kind {
            task = Some(opened.task);
        }
        match (telling, output.json) {
            (Telling::Everything, true) => unread_too(print_json(&event_json(&event)))?,
            (Telling::Everything, false) => unread_too(print_line(&event_line(&event)))?,
            (Telling::Answer, _) => {
                if let Some(spinner) = &spinner {
                    spinner.set_message(event_line(&event));
                }
            }
        }
        last = event.kind;
    }
    if let Some(spinner) = spinner {
        spinner.finish_and_clear();
    }
    match last {
        Some(Kind::Decided(decided)) => {
            let answered = !decided.answer.is_empty();
            if telling == Telling::Answer && output.json {
                unread_too(print_json(&json!({
                    "task": task,
                    "answer": answered.then_some(&decided.answer),
                    "weight": decided.weight,
                })))?;
            } else if telling == Telling::Answer && answered {
                unread_too(print_line(&decided.answer))?;
            }
            if answered {
                return Ok(ExitStatus::Success);
            }
            complain("no peer gave a valid answer");
            Ok(ExitStatus::NoAnswer)
        }
        Some(Kind::Failed(failed)) => anyhow::bail!("the task failed: {}", failed.reason),
        _ => anyhow::bail!("the node ended the task's events before its answer"),
    }
}

impl FormChoice {
    fn message(self) -> v1::AnswerForm {
        match self {
            Self::Boolean => v1::AnswerForm::Boolean,
            Self::YesNo => v1::AnswerForm::YesNo,
            Self::Integer => v1::AnswerForm::Integer,
            Self::Choice => v1::AnswerForm::Option,
            Self::Brackets => v1::AnswerForm::Brackets,
            Self::Text => v1::AnswerForm::Text,
        }
    }
}

fn form_message(form: AnswerForm) -> v1::AnswerForm {
    match form {
        AnswerForm::Boolean => v1::AnswerForm::Boolean,
        AnswerForm::YesNo => v1::AnswerForm::YesNo,
        AnswerForm::Integer => v1::AnswerForm::Integer,
        AnswerForm::Choice => v1::AnswerForm::Option,
        AnswerForm::Brackets => v1::AnswerForm::Brackets,
        AnswerForm::Text => v1::AnswerForm::Text,
    }
}
