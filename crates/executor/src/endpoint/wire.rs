//! The chat interface as JSON: what is sent, and what is read of the answer.

use serde::{Deserialize, Serialize};

use crate::error::ExecuteError;
use crate::limits::ANSWER_SIZE_MAX;
use crate::outcome::{Finish, Outcome};
use crate::request::Message;

/// Body of a request.
#[derive(Serialize)]
pub(super) struct ChatRequest<'a> {
    pub(super) model: &'a str,
    pub(super) messages: &'a [Message],
    pub(super) max_tokens: u32,
    /// Greedy, as far as the server has it.
    pub(super) temperature: u32,
    pub(super) stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logprobs: Option<bool>,
}

/// What is read of an answer; everything else is ignored.
#[derive(Deserialize)]
pub(super) struct ChatResponse {
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    message: AnswerMessage,
    finish_reason: Option<String>,
    logprobs: Option<ChoiceLogprobs>,
}

#[derive(Deserialize)]
struct AnswerMessage {
    content: Option<String>,
}

#[derive(Deserialize)]
struct ChoiceLogprobs {
    content: Option<Vec<TokenLogprob>>,
}

#[derive(Deserialize)]
struct TokenLogprob {
    /// Natural logarithm.
    logprob: f64,
}

#[derive(Deserialize)]
struct Usage {
    prompt_tokens: Option<u32>,
    completion_tokens: Option<u32>,
}

/// Reads the answer in `body`.
///
/// # Errors
///
/// [`ExecuteError::Protocol`]; never quotes the body.
pub(super) fn outcome(body: &[u8], duration_ms: u64) -> Result<Outcome, ExecuteError> {
    let protocol = |reason: String| ExecuteError::Protocol { reason };
    let response: ChatResponse = serde_json::from_slice(body).map_err(|error| {
        protocol(format!(
            "not a chat completion (line {}, column {})",
            error.line(),
            error.column()
        ))
    })?;
    let choice = response
        .choices
        .into_iter()
        .next()
        .ok_or_else(|| protocol("no choices".to_owned()))?;
    let text = choice
        .message
        .content
        .ok_or_else(|| protocol("a choice without content".to_owned()))?;
    if text.len() > ANSWER_SIZE_MAX {
        return Err(protocol(format!(
            "an answer of {} bytes, expected at most {ANSWER_SIZE_MAX}",
            text.len()
        )));
    }
    let finish = if choice.finish_reason.as_deref() == Some("length") {
        Finish::Length
    } else {
        Finish::Stop
    };
    let logprobs = choice
        .logprobs
        .and_then(|logprobs| logprobs.content)
        .unwrap_or_default();
    let usage = response.usage;
    Ok(Outcome {
        text,
        prompt_tokens: usage.as_ref().and_then(|usage| usage.prompt_tokens),
        output_tokens: usage.and_then(|usage| usage.completion_tokens).unwrap_or(0),
        duration_ms,
        confidence_ppm: confidence_ppm(&logprobs),
        finish,
    })
}

/// Geometric mean of the probabilities; `None` without them or if they are no probabilities.
fn confidence_ppm(logprobs: &[TokenLogprob]) -> Option<u32> {
    let sum: f64 = logprobs.iter().map(|token| token.logprob).sum();
    let mean = sum / logprobs.len() as f64;
    // Some servers report tiny positive values after rounding.
    mean.is_finite()
        .then(|| (mean.min(0.0).exp() * 1e6).round() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_with_its_counts() {
        let body = br#"{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"Answer: True"},
            "finish_reason":"length","logprobs":{"content":[{"token":"a","logprob":0.0},{"logprob":-1.3862943611198906}]}}],
            "usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}"#;
        let outcome = outcome(body, 3).expect("read");
        assert_eq!(outcome.text, "Answer: True");
        assert_eq!(
            (
                outcome.prompt_tokens,
                outcome.output_tokens,
                outcome.duration_ms
            ),
            (Some(5), 2, 3)
        );
        assert_eq!(
            (outcome.confidence_ppm, outcome.finish),
            (Some(500_000), Finish::Length)
        );
    }

    #[test]
    fn an_answer_without_counts_is_an_answer() {
        let outcome = outcome(br#"{"choices":[{"message":{"content":"x"}}]}"#, 0).expect("read");
        assert_eq!(
            (
                outcome.prompt_tokens,
                outcome.output_tokens,
                outcome.confidence_ppm
            ),
            (None, 0, None)
        );
        assert_eq!(outcome.ballot_confidence_ppm(), 500_000);
    }

    #[test]
    fn what_is_no_answer_is_refused_without_being_quoted() {
        for body in [
            "",
            "[]",
            "{\"choices\":[]}",
            "{\"choices\":[{\"message\":{}}]}",
            "secret",
        ] {
            let error = outcome(body.as_bytes(), 0).expect_err("refused");
            assert!(matches!(error, ExecuteError::Protocol { .. }));
            assert!(!error.to_string().contains("secret"));
        }
    }
}
