//! The show: questions go to the asker over gRPC, and what happens to each is written down.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use symphony_admin::{AdminClient, v1};
use symphony_questions::{AnswerForm, Skill, Split, classify, mixed_questions, read_tasks};
use tokio::{task::JoinSet, time::Instant};

use super::{DemoArgs, cast::Part, stage::Stage};

/// Skills of the generated mix.
const SKILLS: [Skill; 3] = [Skill::BooleanExpressions, Skill::Navigate, Skill::WebOfLies];
/// Tasks that the liar coordinates.
const LIAR_TASKS: usize = 16;
/// Time for one task.
const TASK_MAX: Duration = Duration::from_secs(120);

/// A question with its right answer.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) input: String,
    pub(super) target: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) form: AnswerForm,
}

/// All questions, in the order in which they are asked.
pub(super) struct Questions {
    pub(super) asked: Vec<Asked>,
    /// Questions that the liar asks.
    liar: Vec<Asked>,
}

impl Questions {
    /// Reads the tasks file, or generates a mix.
    pub(super) fn load(args: &DemoArgs) -> anyhow::Result<Self> {
        let count = usize::try_from(args.count)?;
        let asked: Vec<Asked> = match &args.tasks {
            Some(path) => read_tasks(path)?
                .into_iter()
                .take(count)
                .map(|task| asked(task.input, task.target))
                .collect(),
            None => generated(args.seed, count),
        };
        if asked.is_empty() {
            bail!("no questions");
        }
        Ok(Self {
            asked,
            liar: generated(args.seed.wrapping_add(1), LIAR_TASKS),
        })
    }

    /// The questions as a tasks file.
    pub(super) fn as_json_lines(&self) -> anyhow::Result<String> {
        let mut text = String::new();
        for asked in &self.asked {
            text.push_str(&serde_json::to_string(
                &serde_json::json!({ "input": asked.input, "target": asked.target }),
            )?);
            text.push('\n');
        }
        Ok(text)
    }
}

fn generated(seed: u64, count: usize) -> Vec<Asked> {
    mixed_questions(&SKILLS, Split::Demo, seed, count)
        .into_iter()
        .map(|question| asked(question.input, Some(question.answer)))
        .collect()
}

fn asked(input: String, target: Option<String>) -> Asked {
    let guess = classify(&input);
    let target = target.map(|target| guess.form.normalise(&target).unwrap_or(target));
    Asked {
        input,
        target,
        tags: guess.tags,
        form: guess.form,
    }
}

/// What became of one question.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    pub(super) answer: Option<String>,
    pub(super) latency: Duration,
    /// Executor by slot.
    pub(super) executors: Vec<String>,
    /// Revealed answers by executor.
    pub(super) ballots: BTreeMap<String, String>,
    /// Rewards by executor.
    pub(super) rewards: BTreeMap<String, f64>,
    /// Executors that timed out.
    pub(super) timeouts: Vec<String>,
    pub(super) failure: Option<String>,
}

/// The whole run.
pub(super) struct Performance {
    pub(super) asked: Vec<Asked>,
    pub(super) outcomes: Vec<Outcome>,
    /// Number of the question before which the mortal peer was killed.
    pub(super) death_at: Option<usize>,
    pub(super) duration: Duration,
}

impl Performance {
    /// Asks everything, kills the mortal peer half way, and lets the liar coordinate its own tasks beside it.
    pub(super) async fn play(
        args: &DemoArgs,
        stage: &mut Stage,
        questions: Questions,
    ) -> anyhow::Result<Self> {
        let asker = stage.actor(Part::Asker).context("no asker")?;
        let client = stage.client(asker).await?;
        let liar = match stage.actor(Part::Liar) {
            Some(liar) => Some(stage.client(liar).await?),
            None => None,
        };
        let total = questions.asked.len();
        let (concurrency, middle) = (usize::try_from(args.concurrency)?, total / 2);
        let bar = progress(total, args.json);
        let began = Instant::now();
        let mut outcomes: Vec<Outcome> = vec![Outcome::default(); total];
        let mut running: JoinSet<(Option<usize>, Outcome)> = JoinSet::new();
        let mut liar_questions = questions.liar.into_iter();
        let liar_every = (total / LIAR_TASKS).max(1);
        let (mut next, mut done, mut death_at) = (0, 0, None);
        while done < total {
            while next < total && running.len() < concurrency {
                if next == middle && death_at.is_none() {
                    stage.kill(Part::Mortal).await?;
                    death_at = Some(next);
                }
                if next % liar_every == 0
                    && let (Some(liar), Some(question)) = (&liar, liar_questions.next())
                {
                    running.spawn(ask(liar.clone(), question, None));
                }
                running.spawn(ask(
                    client.clone(),
                    questions.asked[next].clone(),
                    Some(next),
                ));
                next += 1;
            }
            let Some(ended) = running.join_next().await else {
                break;
            };
            let (index, outcome) = ended?;
            if let Some(index) = index {
                outcomes[index] = outcome;
                done += 1;
                bar.inc(1);
            }
        }
        while running.join_next().await.is_some() {}
        bar.finish_and_clear();
        Ok(Self {
            asked: questions.asked,
            outcomes,
            death_at,
            duration: began.elapsed(),
        })
    }

    /// Whether a question was answered rightly; nothing without a known answer.
    pub(super) fn right(&self, index: usize) -> Option<bool> {
        let target = self.asked[index].target.as_ref()?;
        Some(self.outcomes[index].answer.as_ref() == Some(target))
    }

    /// Share of right answers among the questions of a range that have a known answer.
    pub(super) fn accuracy(&self, range: std::ops::Range<usize>) -> f64 {
        let known: Vec<bool> = range.filter_map(|index| self.right(index)).collect();
        share(known.iter().filter(|right| **right).count(), known.len())
    }
}

/// A part of a whole, 0 for nothing of nothing.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of questions are far below 2^53"
)]
pub(super) fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

fn progress(total: usize, quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let style =
        ProgressStyle::with_template("{bar:40} {pos}/{len} questions, {per_sec}, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total as u64).with_style(style)
}

async fn ask(
    client: AdminClient,
    question: Asked,
    index: Option<usize>,
) -> (Option<usize>, Outcome) {
    let began = Instant::now();
    let mut outcome = Outcome::default();
    match tokio::time::timeout(TASK_MAX, follow(&client, &question, &mut outcome)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => outcome.failure = Some(format!("{error:#}")),
        Err(_) => outcome.failure = Some(format!("no decision within {TASK_MAX:?}")),
    }
    outcome.latency = began.elapsed();
    (index, outcome)
}

async fn follow(
    client: &AdminClient,
    question: &Asked,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let step = v1::Step {
        text: question.input.clone(),
        tags: question.tags.clone(),
        form: wire_form(question.form).into(),
    };
    let settings = v1::TaskSettings {
        execute_ms: 8_000,
        bid_window_ms: 400,
        ..v1::TaskSettings::default()
    };
    let request = v1::SubmitRequest {
        work: Some(v1::submit_request::Work::Question(step)),
        settings: Some(settings),
        ..v1::SubmitRequest::default()
    };
    let mut events = client.submit(request).await?;
    while let Some(event) = events.message().await? {
        use v1::task_event::Kind;
        match event.kind {
            Some(Kind::Assigned(assigned)) => note_executor(outcome, assigned.slot, assigned.peer),
            Some(Kind::Timeout(passed)) => outcome
                .timeouts
                .extend(passed.peer.map(|peer| peer.did_key)),
            Some(Kind::Reveal(reveal)) => {
                if let Some(peer) = reveal.peer {
                    outcome.ballots.insert(peer.did_key, reveal.answer);
                }
            }
            Some(Kind::Settled(settled)) => {
                for ended in settled.outcomes {
                    if let Some(peer) = ended.peer {
                        outcome.rewards.insert(peer.did_key, ended.reward);
                    }
                }
            }
            Some(Kind::Decided(decided)) => {
                outcome.answer = Some(decided.answer).filter(|answer| !answer.is_empty())
            }
            Some(Kind::Failed(failed)) => outcome.failure = Some(failed.reason),
            _ => {}
        }
    }
    Ok(())
}

fn note_executor(outcome: &mut Outcome, slot: u32, peer: Option<v1::PeerName>) {
    let (slot, Some(peer)) = (slot as usize, peer) else {
        return;
    };
    if outcome.executors.len() == slot {
        outcome.executors.push(peer.did_key);
    }
}

fn wire_form(form: AnswerForm) -> v1::AnswerForm {
    match form {
        AnswerForm::Boolean => v1::AnswerForm::Boolean,
        AnswerForm::YesNo => v1::AnswerForm::YesNo,
        AnswerForm::Integer => v1::AnswerForm::Integer,
        AnswerForm::Choice => v1::AnswerForm::Option,
        AnswerForm::Brackets => v1::AnswerForm::Brackets,
        AnswerForm::Text => v1::AnswerForm::Text,
    }
}
