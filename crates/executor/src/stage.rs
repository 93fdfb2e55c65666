//! What a question is for.

use serde::{Deserialize, Serialize};

/// What a question is for: a model is instructed differently for each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// It is to be answered.
    #[default]
    Execute,
    /// It is to be taken apart, and not to be answered.
    Plan,
}

/// What a planner is told. The question, and the skills to choose from, are what it is asked.
const PLAN_INSTRUCTION: &str = "\
You are a planner. Take the question apart into steps that others will answer, one after another. You decompose and do not \
solve: give no answers, no intermediate results and no hints at them.

Reply with one JSON object and nothing else, in exactly this form:
{\"steps\": [{\"question\": \"...\", \"tags\": [\"...\"]}]}

Give 1 to 8 steps; a question that needs no steps is one step. Each `question` can be understood without having seen the \
whole; the answers of the steps before it are shown with it. The `tags` of a step are those of the listed skills that it \
needs, or none. The last step produces the final answer in the form that the question requires.";

impl Stage {
    /// The instruction for general models, to be put before the question; `None` where the question is enough.
    pub fn instruction(self) -> Option<&'static str> {
        match self {
            Self::Execute => None,
            Self::Plan => Some(PLAN_INSTRUCTION),
        }
    }
}
