//! Simulated questions: their text names them, their right answer is known to the simulation alone.

use symphony_coordination::{PlanRequest, StepRequest, TaskRequest};
use symphony_protocol::records::AnswerForm;

use crate::{random::Random, scenario::Scenario};

/// Most different answers to a question that is not about truth.
const CHOICES: u64 = 6;

/// A question. Every step of a task asks the same one: what differs is who answers. The first skill is about true and false,
/// where wrong answers agree; the others have one right answer and five wrong ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    pub(crate) skill: usize,
    right: u64,
}

impl Question {
    pub(crate) fn draw(random: &mut Random, scenario: &Scenario) -> Self {
        let most = u64::try_from(scenario.skills.len().saturating_sub(1)).unwrap_or(0);
        let skill = usize::try_from(random.within(0, most)).unwrap_or(0);
        let mut question = Self { skill, right: 0 };
        question.right = random.within(0, question.choices() - 1);
        question
    }

    fn choices(&self) -> u64 {
        if self.skill == 0 { 2 } else { CHOICES }
    }

    fn form(&self) -> AnswerForm {
        if self.skill == 0 {
            AnswerForm::Boolean
        } else {
            AnswerForm::Choice
        }
    }

    fn answer(&self, choice: u64) -> &'static str {
        let answers: &[&str] = if self.skill == 0 {
            &["False", "True"]
        } else {
            &["(A)", "(B)", "(C)", "(D)", "(E)", "(F)"]
        };
        usize::try_from(choice)
            .ok()
            .and_then(|choice| answers.get(choice))
            .copied()
            .unwrap_or("none")
    }

    pub(crate) fn right_answer(&self) -> &'static str {
        self.answer(self.right)
    }

    pub(crate) fn wrong_answer(&self, random: &mut Random) -> &'static str {
        let step = random.within(1, self.choices() - 1);
        self.answer((self.right + step) % self.choices())
    }

    pub(crate) fn request(&self, number: u32, scenario: &Scenario) -> TaskRequest {
        let step = StepRequest {
            text: format!("What is the answer to question {number}?"),
            tags: scenario
                .skills
                .get(self.skill)
                .cloned()
                .into_iter()
                .collect(),
            form: self.form(),
        };
        TaskRequest {
            plans: scenario
                .plan_steps
                .iter()
                .map(|steps| PlanRequest {
                    steps: vec![step.clone(); *steps as usize],
                })
                .collect(),
            settings: scenario.settings,
            gold: Some(self.right_answer().to_owned()),
        }
    }
}

/// The number of the question that a prompt ends with.
pub(crate) fn number_in(prompt: &str) -> Option<usize> {
    let last = prompt.lines().last()?;
    last.strip_prefix("What is the answer to question ")?
        .strip_suffix("?")?
        .parse()
        .ok()
}
