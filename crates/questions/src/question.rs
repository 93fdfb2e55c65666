//! One generated question with its worked answer.

use serde::{Deserialize, Serialize};

use crate::skill::Skill;

/// What stands before the answer in every model's output; the answer is what follows its last occurrence.
pub const ANSWER_MARK: &str = "Answer:";

/// A question in the public format of its task, the working that leads to the answer, and the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The kind of question.
    pub skill: Skill,
    /// The text that an asker sends.
    pub input: String,
    /// The steps towards the answer, as a model is taught to write them: words and marks with one space between.
    pub working: String,
    /// The right answer, in the form of the task's public targets.
    pub answer: String,
}

impl Question {
    /// The whole output that a model is taught: the working, then [`ANSWER_MARK`] and the answer.
    #[must_use]
    pub fn completion(&self) -> String {
        format!("{} {ANSWER_MARK} {}", self.working, self.answer)
    }
}
