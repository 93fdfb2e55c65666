//! The lines of an external command.

use serde::{Deserialize, Serialize};

use crate::error::ExecuteError;
use crate::limits::ANSWER_SIZE_MAX;
use crate::outcome::{Finish, Outcome};
use crate::request::Message;
use crate::stage::Stage;

/// Longest line that is read: the largest answer with most of its characters escaped.
pub(super) const LINE_SIZE_MAX: usize = 4 * ANSWER_SIZE_MAX;
/// Largest error text that is passed on, in characters.
const ERROR_CHARACTERS_MAX: usize = 200;

/// One request.
#[derive(Serialize)]
pub(super) struct CommandRequest<'a> {
    pub(super) id: String,
    pub(super) stage: Stage,
    pub(super) messages: &'a [Message],
    pub(super) max_tokens: u32,
    pub(super) deadline_ms: u64,
}

/// One answer. Unknown fields are ignored, so that programs can say more.
#[derive(Deserialize)]
pub(super) struct CommandAnswer {
    pub(super) id: String,
    text: Option<String>,
    error: Option<String>,
    prompt_tokens: Option<u32>,
    output_tokens: Option<u32>,
    confidence_ppm: Option<u32>,
    finish: Option<AnswerFinish>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum AnswerFinish {
    Stop,
    Length,
}

impl CommandAnswer {
    /// The answer as an outcome.
    pub(super) fn outcome(self, duration_ms: u64) -> Result<Outcome, ExecuteError> {
        let protocol = |reason: String| Err(ExecuteError::Protocol { reason });
        let text = match (self.text, self.error) {
            (Some(text), None) => text,
            (None, Some(error)) => {
                return Err(ExecuteError::Failed {
                    reason: error.chars().take(ERROR_CHARACTERS_MAX).collect(),
                });
            }
            _ => return protocol("an answer needs either text or error".to_owned()),
        };
        if text.len() > ANSWER_SIZE_MAX {
            return protocol(format!(
                "an answer of {} bytes, expected at most {ANSWER_SIZE_MAX}",
                text.len()
            ));
        }
        if let Some(ppm) = self.confidence_ppm.filter(|ppm| *ppm > 1_000_000) {
            return protocol(format!(
                "a confidence of {ppm} ppm, expected at most 1000000"
            ));
        }
        Ok(Outcome {
            text,
            prompt_tokens: self.prompt_tokens,
            output_tokens: self.output_tokens.unwrap_or(0),
            duration_ms,
            confidence_ppm: self.confidence_ppm,
            finish: match self.finish {
                Some(AnswerFinish::Length) => Finish::Length,
                Some(AnswerFinish::Stop) | None => Finish::Stop,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Outcome, ExecuteError> {
        serde_json::from_str::<CommandAnswer>(line)
            .expect("an answer")
            .outcome(1)
    }

    #[test]
    fn text_alone_is_an_answer() {
        let outcome = read(r#"{"id":"1","text":"Answer: 3"}"#).expect("an outcome");
        assert_eq!(
            (outcome.text.as_str(), outcome.output_tokens),
            ("Answer: 3", 0)
        );
        assert_eq!(
            (outcome.confidence_ppm, outcome.finish),
            (None, Finish::Stop)
        );
    }

    #[test]
    fn an_error_fails_the_request_and_not_the_program() {
        let error = read(r#"{"id":"1","error":"no idea"}"#).expect_err("failed");
        assert_eq!(
            error,
            ExecuteError::Failed {
                reason: "no idea".to_owned()
            }
        );
    }

    #[test]
    fn neither_both_nor_too_sure_is_an_answer() {
        for line in [
            r#"{"id":"1"}"#,
            r#"{"id":"1","text":"a","error":"b"}"#,
            r#"{"id":"1","text":"a","confidence_ppm":1000001}"#,
        ] {
            assert!(
                matches!(read(line), Err(ExecuteError::Protocol { .. })),
                "{line}"
            );
        }
    }
}
