//! One request to the loaded model, and its answer.

use crate::surprisal::Measured;

/// Who says a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Standing instructions.
    System,
    /// The asker.
    User,
    /// The model.
    Assistant,
}

/// One message of a conversation.
#[derive(Clone)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// What is said; never logged.
    pub content: String,
}

/// What the model continues. No `Debug`: it holds the prompt.
#[derive(Clone)]
pub enum Input {
    /// Rendered with the model's own chat template.
    Conversation(Vec<Message>),
    /// Continued as it is.
    Prompt(String),
}

/// Why a generated text ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// The model ended it.
    Stop,
    /// The token limit or the context length was reached.
    Length,
}

/// A generated text with what was measured. No `Debug`: it holds the answer.
pub struct Generation {
    /// The whole text, working included.
    pub text: String,
    /// Token counts and surprisals.
    pub measured: Measured,
    /// Why it ends.
    pub finish: Finish,
}

/// Why a generation failed. Messages carry no prompt and no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerationError {
    /// The model cannot take this request: too long a prompt, or messages without a chat template. The asker's fault.
    #[error("the model refuses the request: {reason}")]
    Refused {
        /// What the model library says.
        reason: String,
    },
    /// The model failed while computing.
    #[error("the model failed: {reason}")]
    Failed {
        /// What the model library says.
        reason: String,
    },
    /// The model library gave up without an answer: the process should end and be started anew.
    #[error("the model library stopped without an answer")]
    Stopped,
}
