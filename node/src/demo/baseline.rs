//! What could have been: each model answers each question once, after the run, through its real engine.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Context;
use symphony_executor::{Executor, Message, Request, Role};
use tokio::task::JoinSet;

use super::{show::Performance, stage::Stage};

/// Models asked at once: one inference thread each.
const MODELS_AT_ONCE: usize = 2;
/// Time for one answer.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// Right answers of every model to every question with a known answer.
pub(super) struct Baseline {
    /// Model → right or wrong, by question; questions without a known answer are left out.
    table: BTreeMap<String, Vec<bool>>,
}

impl Baseline {
    /// Asks every model every question.
    pub(super) async fn measure(stage: &Stage, performance: &Performance) -> anyhow::Result<Self> {
        let mut models: Vec<&str> = stage
            .actors
            .iter()
            .filter_map(|actor| actor.player.model)
            .collect();
        models.sort_unstable();
        models.dedup();
        let questions: Arc<Vec<_>> = Arc::new(
            performance
                .asked
                .iter()
                .filter(|asked| asked.target.is_some())
                .cloned()
                .collect(),
        );
        let mut table = BTreeMap::new();
        let max_tokens = stage.output_tokens_max;
        let mut waiting = models.into_iter();
        let mut running = JoinSet::new();
        loop {
            while running.len() < MODELS_AT_ONCE
                && let Some(model) = waiting.next()
            {
                let executor = stage
                    .executor(model)
                    .build()
                    .with_context(|| format!("engine of {model}"))?;
                let (model, questions) = (model.to_owned(), Arc::clone(&questions));
                running.spawn(async move {
                    let answers = answers(executor.as_ref(), &questions, max_tokens).await;
                    executor.shut_down().await;
                    (model, answers)
                });
            }
            let Some(ended) = running.join_next().await else {
                break;
            };
            let (model, answers) = ended?;
            table.insert(model, answers);
        }
        Ok(Self { table })
    }

    /// Accuracy of each model.
    pub(super) fn by_model(&self) -> impl Iterator<Item = (&str, f64)> {
        self.table
            .iter()
            .map(|(model, answers)| (model.as_str(), mean(answers)))
    }

    /// A model drawn at random for every question: the mean over all models.
    pub(super) fn random(&self) -> f64 {
        let accuracies: Vec<f64> = self.by_model().map(|(_, accuracy)| accuracy).collect();
        #[expect(clippy::cast_precision_loss, reason = "a handful of models")]
        let count = accuracies.len().max(1) as f64;
        accuracies.iter().sum::<f64>() / count
    }

    /// The one model that is best over all questions.
    pub(super) fn best_single(&self) -> f64 {
        self.by_model()
            .map(|(_, accuracy)| accuracy)
            .fold(0.0, f64::max)
    }

    /// A question counts as right if any model was right.
    pub(super) fn oracle(&self) -> f64 {
        let count = self.table.values().next().map_or(0, Vec::len);
        let any: Vec<bool> = (0..count)
            .map(|index| self.table.values().any(|answers| answers[index]))
            .collect();
        mean(&any)
    }
}

async fn answers(
    executor: &dyn Executor,
    questions: &[super::show::Asked],
    max_tokens: u32,
) -> Vec<bool> {
    let mut right = Vec::with_capacity(questions.len());
    for (number, asked) in questions.iter().enumerate() {
        let request = Request {
            id: format!("baseline-{number}"),
            stage: symphony_executor::Stage::Execute,
            messages: vec![Message {
                role: Role::User,
                content: asked.input.clone(),
            }],
            max_tokens,
            deadline: ANSWER_MAX,
        };
        let answer = executor
            .execute(request)
            .await
            .ok()
            .and_then(|outcome| asked.form.read_output(&outcome.text));
        right.push(answer.is_some() && answer == asked.target);
    }
    right
}

fn mean(answers: &[bool]) -> f64 {
    super::show::share(
        answers.iter().filter(|right| **right).count(),
        answers.len(),
    )
}
