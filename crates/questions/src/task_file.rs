//! Task files: BIG-Bench Hard JSON, `{"examples": [{"input": …, "target": …}]}`, and JSON lines,
//! `{"input": …, "target": …, "skill": …}` with the last two optional.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::question::Question;

/// Largest task file, in bytes.
pub const TASK_FILE_SIZE_MAX: usize = 16 * 1024 * 1024;
/// Most tasks in a file.
pub const TASK_COUNT_MAX: usize = 10_000;
/// Longest text of one task, in bytes.
pub const TASK_INPUT_SIZE_MAX: usize = 64 * 1024;

/// One task of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The question, 1 to [`TASK_INPUT_SIZE_MAX`] bytes.
    pub input: String,
    /// The right answer, where the file gives one: it measures, and never teaches.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub target: Option<String>,
    /// The kind of question, where the file names one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub skill: Option<String>,
}

impl From<Question> for Task {
    /// The task that asks this question; the working stays behind.
    fn from(question: Question) -> Self {
        Self {
            input: question.input,
            target: Some(question.answer),
            skill: Some(question.skill.name().to_owned()),
        }
    }
}

/// Where in a file a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Index in `examples`, from 0.
    Example(usize),
    /// Line of the file, from 1.
    Line(usize),
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Example(index) => write!(formatter, "examples[{index}]"),
            Self::Line(line) => write!(formatter, "line {line}"),
        }
    }
}

/// Why a task file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TaskFileError {
    /// The file could not be opened or read.
    #[error("the task file cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// The file is larger than [`TASK_FILE_SIZE_MAX`].
    #[error(
        "the task file is too large, expected at most {expected} bytes, found at least {actual}"
    )]
    TooLarge {
        /// The limit, in bytes.
        expected: usize,
        /// Bytes found before reading stopped.
        actual: usize,
    },
    /// No byte but white space.
    #[error("the task file is empty, expected JSON with examples or JSON lines")]
    Empty,
    /// Not UTF-8.
    #[error("the task file is not UTF-8 text, the first wrong byte is at offset {offset}")]
    NotText {
        /// Offset of the first wrong byte, from 0.
        offset: usize,
    },
    /// Not JSON.
    #[error("line {line}, column {column} is not JSON: {reason}")]
    NotJson {
        /// Line of the file, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// The parser's words.
        reason: String,
    },
    /// JSON, but neither of the two formats.
    #[error(
        "expected an object with a list \"examples\", or one object with \"input\" on each line, found {actual}"
    )]
    UnknownFormat {
        /// What stands there instead.
        actual: String,
    },
    /// The file is well formed and holds nothing.
    #[error("the task file holds no task")]
    NoTasks,
    /// More than [`TASK_COUNT_MAX`] tasks.
    #[error("the task file holds too many tasks, expected at most {expected}, found {actual}")]
    TooManyTasks {
        /// The limit.
        expected: usize,
        /// Tasks found before reading stopped.
        actual: usize,
    },
    /// A task lacks a field or has one of the wrong type.
    #[error("{place}: expected {expected} in field {field:?}, found {actual}")]
    WrongField {
        /// Where the task stands.
        place: Place,
        /// The field's name.
        field: &'static str,
        /// What it has to be.
        expected: &'static str,
        /// What stands there.
        actual: String,
    },
}

/// Reads a file and parses it; never more than the limit is read.
///
/// # Errors
/// Each variant of [`TaskFileError`].
pub fn read_tasks(path: &Path) -> Result<Vec<Task>, TaskFileError> {
    let limit = TASK_FILE_SIZE_MAX as u64 + 1;
    let mut bytes = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    parse_tasks(&bytes)
}

/// Parses a whole file's bytes, in either format.
///
/// # Errors
/// Each variant of [`TaskFileError`] but [`TaskFileError::Unreadable`].
pub fn parse_tasks(bytes: &[u8]) -> Result<Vec<Task>, TaskFileError> {
    if bytes.len() > TASK_FILE_SIZE_MAX {
        return Err(TaskFileError::TooLarge {
            expected: TASK_FILE_SIZE_MAX,
            actual: bytes.len(),
        });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| TaskFileError::NotText {
        offset: error.valid_up_to(),
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(TaskFileError::Empty);
    }
    let tasks = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(object)) if object.contains_key("examples") => {
            examples(&object["examples"])?
        }
        Ok(Value::Object(object)) if object.contains_key("input") => {
            vec![task(&Value::Object(object), Place::Line(1))?]
        }
        Ok(other) => {
            return Err(TaskFileError::UnknownFormat {
                actual: kind(&other).to_owned(),
            });
        }
        Err(whole) => lines(text, &whole)?,
    };
    if tasks.is_empty() {
        Err(TaskFileError::NoTasks)
    } else {
        Ok(tasks)
    }
}

fn examples(value: &Value) -> Result<Vec<Task>, TaskFileError> {
    let Value::Array(list) = value else {
        return Err(TaskFileError::UnknownFormat {
            actual: format!("\"examples\" with {}", kind(value)),
        });
    };
    if list.len() > TASK_COUNT_MAX {
        return Err(TaskFileError::TooManyTasks {
            expected: TASK_COUNT_MAX,
            actual: list.len(),
        });
    }
    list.iter()
        .enumerate()
        .map(|(index, item)| task(item, Place::Example(index)))
        .collect()
}

/// `whole` says where the text stops being one JSON value: the better message where the first line is none either.
fn lines(text: &str, whole: &serde_json::Error) -> Result<Vec<Task>, TaskFileError> {
    let mut tasks = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        if tasks.len() == TASK_COUNT_MAX {
            return Err(TaskFileError::TooManyTasks {
                expected: TASK_COUNT_MAX,
                actual: TASK_COUNT_MAX + 1,
            });
        }
        let value = serde_json::from_str::<Value>(line).map_err(|error| {
            let (line, error) = if tasks.is_empty() {
                (whole.line(), whole)
            } else {
                (index + 1, &error)
            };
            TaskFileError::NotJson {
                line,
                column: error.column(),
                reason: reason(error),
            }
        })?;
        tasks.push(task(&value, Place::Line(index + 1))?);
    }
    Ok(tasks)
}

/// The parser's message without its own line and column, which count from the start of one line here.
fn reason(error: &serde_json::Error) -> String {
    let message = error.to_string();
    message
        .split(" at line ")
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn task(value: &Value, place: Place) -> Result<Task, TaskFileError> {
    let wrong = |field, expected, actual: &str| TaskFileError::WrongField {
        place,
        field,
        expected,
        actual: actual.to_owned(),
    };
    let Value::Object(object) = value else {
        return Err(wrong("input", "an object with a text", kind(value)));
    };
    let optional = |field: &'static str| match object.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(wrong(field, "a text", kind(other))),
    };
    let input = optional("input")?.ok_or_else(|| wrong("input", "a text", "nothing"))?;
    if input.trim().is_empty() {
        return Err(wrong(
            "input",
            "a text with at least one word",
            "an empty text",
        ));
    }
    if input.len() > TASK_INPUT_SIZE_MAX {
        return Err(wrong(
            "input",
            "at most 65536 bytes",
            &format!("{} bytes", input.len()),
        ));
    }
    Ok(Task {
        input,
        target: optional("target")?,
        skill: optional("skill")?,
    })
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse_tasks(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn both_formats_are_read() {
        let expected = [("a", Some("b")), ("c", Some("d"))];
        let whole = r#"{"canary": "x", "examples": [{"input": "a", "target": "b"}, {"input": "c", "target": "d"}]}"#;
        let lines =
            "{\"input\": \"a\", \"target\": \"b\"}\n\n{\"input\": \"c\", \"target\": \"d\"}\r\n";
        for text in [whole, lines] {
            let tasks = parse_tasks(text.as_bytes()).unwrap();
            let found: Vec<_> = tasks
                .iter()
                .map(|task| (task.input.as_str(), task.target.as_deref()))
                .collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn target_and_skill_may_be_left_out() {
        let tasks = parse_tasks(b"{\"input\": \"a\"}").unwrap();
        assert_eq!(
            tasks,
            [Task {
                input: "a".into(),
                target: None,
                skill: None
            }]
        );
        let tasks = parse_tasks(b"{\"input\": \"a\", \"skill\": \"navigate\"}\n{\"input\": \"b\"}")
            .unwrap();
        assert_eq!(tasks[0].skill.as_deref(), Some("navigate"));
    }

    #[test]
    fn a_written_task_is_read_back() {
        let task = Task {
            input: "a\nb".into(),
            target: Some("c".into()),
            skill: None,
        };
        let line = serde_json::to_string(&task).unwrap();
        assert_eq!(parse_tasks(line.as_bytes()).unwrap(), [task]);
    }

    #[test]
    fn an_empty_file_is_refused() {
        assert!(matches!(parse_tasks(b""), Err(TaskFileError::Empty)));
        assert!(matches!(parse_tasks(b" \n\t\n"), Err(TaskFileError::Empty)));
        assert!(matches!(
            parse_tasks(br#"{"examples": []}"#),
            Err(TaskFileError::NoTasks)
        ));
    }

    #[test]
    fn what_is_not_json_is_named_by_line_and_column() {
        assert!(
            error("hello").starts_with("line 1, column 1 is not JSON"),
            "{}",
            error("hello")
        );
        let second = error("{\"input\": \"a\"}\n{\"input\": ");
        assert!(second.starts_with("line 2, column"), "{second}");
        let broken = error("{\"examples\": [\n{\"input\": \"a\",}\n]}");
        assert!(broken.starts_with("line 2, column"), "{broken}");
    }

    #[test]
    fn what_is_not_text_is_named_by_its_offset() {
        assert!(matches!(
            parse_tasks(b"{\"input\": \"\xff\"}"),
            Err(TaskFileError::NotText { offset: 11 })
        ));
    }

    #[test]
    fn json_of_another_shape_is_refused() {
        assert!(error("[1, 2]").ends_with("found a list"));
        assert!(error("{\"questions\": []}").ends_with("found an object"));
        assert!(error("{\"examples\": {}}").ends_with("\"examples\" with an object"));
    }

    #[test]
    fn a_wrong_task_is_named_by_its_place() {
        let examples = error(r#"{"examples": [{"input": "a"}, {"target": "b"}]}"#);
        assert_eq!(
            examples,
            "examples[1]: expected a text in field \"input\", found nothing"
        );
        let lines = error("{\"input\": \"a\"}\n{\"input\": 3}");
        assert_eq!(
            lines,
            "line 2: expected a text in field \"input\", found a number"
        );
        let target = error("{\"input\": \"a\"}\n\n{\"input\": \"b\", \"target\": 3}");
        assert_eq!(
            target,
            "line 3: expected a text in field \"target\", found a number"
        );
        assert!(error(r#"{"examples": ["a"]}"#).starts_with("examples[0]: "));
        assert!(error(r#"{"input": " "}"#).contains("an empty text"));
    }

    #[test]
    fn limits_hold_to_the_task() {
        let line = "{\"input\": \"a\"}\n";
        assert_eq!(
            parse_tasks(line.repeat(TASK_COUNT_MAX).as_bytes())
                .unwrap()
                .len(),
            TASK_COUNT_MAX
        );
        let more = parse_tasks(line.repeat(TASK_COUNT_MAX + 1).as_bytes());
        assert!(matches!(more, Err(TaskFileError::TooManyTasks { .. })));
        let huge = vec![b' '; TASK_FILE_SIZE_MAX + 1];
        assert!(matches!(
            parse_tasks(&huge),
            Err(TaskFileError::TooLarge { .. })
        ));
        let long = format!("{{\"input\": \"{}\"}}", "a".repeat(TASK_INPUT_SIZE_MAX + 1));
        assert!(error(&long).ends_with("found 65537 bytes"));
    }

    #[test]
    fn deep_nesting_is_refused_and_not_followed() {
        assert!(parse_tasks("[".repeat(100_000).as_bytes()).is_err());
    }

    #[test]
    fn a_missing_file_is_an_error() {
        let missing = std::env::temp_dir()
            .join("symphony-questions-no-such-folder")
            .join("tasks.json");
        assert!(matches!(
            read_tasks(&missing),
            Err(TaskFileError::Unreadable(_))
        ));
    }
}
