//! What an executor is asked.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::ExecuteError;
use crate::limits::{DEADLINE_MAX, ID_SIZE_MAX, MESSAGE_COUNT_MAX, PROMPT_SIZE_MAX};
use crate::stage::Stage;

/// Who says a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Standing instructions.
    System,
    /// The asker.
    User,
    /// The model.
    Assistant,
}

/// One message of a conversation. Its `Debug` shows the size of the content only.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// What is said; never logged.
    pub content: String,
}

impl fmt::Debug for Message {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Message")
            .field("role", &self.role)
            .field("content_size", &self.content.len())
            .finish()
    }
}

/// One question for a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The caller's name for this request, for logs and for external commands; 1 to 64 bytes.
    pub id: String,
    /// What the question is for. Its instruction is the caller's to put before the messages.
    pub stage: Stage,
    /// The conversation to continue; 1 to 64 messages, together 1 byte to 256 KiB.
    pub messages: Vec<Message>,
    /// Most tokens of the answer; at least 1. Executors may have a lower limit of their own and refuse.
    pub max_tokens: u32,
    /// Time from the call of `execute` to its return, waiting included; 1 millisecond to 10 minutes.
    pub deadline: Duration,
}

impl Request {
    /// Checks the documented limits; every executor does so first.
    ///
    /// # Errors
    ///
    /// [`ExecuteError::Refused`] names the limit.
    pub fn verify(&self) -> Result<(), ExecuteError> {
        let refused = |reason: String| Err(ExecuteError::Refused { reason });
        let size: usize = self
            .messages
            .iter()
            .map(|message| message.content.len())
            .sum();
        match self {
            _ if self.id.is_empty() || self.id.len() > ID_SIZE_MAX => refused(format!(
                "id has {} bytes, expected 1 to {ID_SIZE_MAX}",
                self.id.len()
            )),
            _ if self.messages.is_empty() || self.messages.len() > MESSAGE_COUNT_MAX => {
                refused(format!(
                    "{} messages, expected 1 to {MESSAGE_COUNT_MAX}",
                    self.messages.len()
                ))
            }
            _ if size == 0 || size > PROMPT_SIZE_MAX => refused(format!(
                "messages have {size} bytes, expected 1 to {PROMPT_SIZE_MAX}"
            )),
            _ if self.max_tokens == 0 => refused("max_tokens is 0, expected at least 1".to_owned()),
            _ if self.deadline < Duration::from_millis(1) || self.deadline > DEADLINE_MAX => {
                refused(format!(
                    "deadline is {:?}, expected 1ms to {DEADLINE_MAX:?}",
                    self.deadline
                ))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn request(id: &str, content: &str, deadline: Duration) -> Request {
        let message = Message {
            role: Role::User,
            content: content.to_owned(),
        };
        Request {
            id: id.to_owned(),
            stage: Stage::Execute,
            messages: vec![message],
            max_tokens: 16,
            deadline,
        }
    }

    fn refusal(change: impl FnOnce(&mut Request)) -> String {
        let mut request = request("1", "question", Duration::from_secs(1));
        change(&mut request);
        request.verify().expect_err("refused").to_string()
    }

    #[test]
    fn each_limit_is_refused_by_name() {
        assert!(
            request("1", "question", Duration::from_secs(1))
                .verify()
                .is_ok()
        );
        assert!(refusal(|it| it.id.clear()).contains("id has 0 bytes"));
        assert!(refusal(|it| it.id = "x".repeat(65)).contains("id has 65 bytes"));
        assert!(refusal(|it| it.messages.clear()).contains("0 messages"));
        assert!(refusal(|it| it.messages[0].content.clear()).contains("messages have 0 bytes"));
        assert!(
            refusal(|it| it.messages[0].content = "x".repeat(PROMPT_SIZE_MAX + 1))
                .contains("262145 bytes")
        );
        assert!(refusal(|it| it.max_tokens = 0).contains("max_tokens is 0"));
        assert!(refusal(|it| it.deadline = Duration::ZERO).contains("deadline is 0ns"));
        assert!(refusal(|it| it.deadline = Duration::from_secs(601)).contains("deadline is 601s"));
    }

    #[test]
    fn debug_output_does_not_show_the_prompt() {
        let text = format!("{:?}", request("1", "a secret", Duration::from_secs(1)));
        assert!(!text.contains("secret"), "{text}");
    }
}
