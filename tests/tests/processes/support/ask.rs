//! Questions through gRPC.

use std::collections::BTreeMap;

use symphony_admin::{AdminClient, v1};

use super::TIME_MAX;

/// What became of a question.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answered {
    /// The network's answer.
    pub(crate) answer: Option<String>,
    /// Selected peers, by slot.
    pub(crate) executors: Vec<String>,
    /// Revealed answers by peer.
    pub(crate) ballots: BTreeMap<String, String>,
    /// Why there is no answer.
    pub(crate) failure: Option<String>,
}

impl Answered {
    /// The answer that most revealed ballots hold; nothing at a draw.
    pub(crate) fn majority(&self) -> Option<&str> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for answer in self.ballots.values() {
            *counts.entry(answer).or_default() += 1;
        }
        let most = counts.values().copied().max()?;
        let mut leaders = counts.iter().filter(|(_, count)| **count == most);
        match (leaders.next(), leaders.next()) {
            (Some((answer, _)), None) => Some(answer),
            _ => None,
        }
    }
}

/// A sum that no other number gives, and its result.
pub(crate) fn sum_question(number: u32) -> (String, String) {
    let (left, right) = (number * 7 + 3, number * 11 + 5);
    (
        format!("What is {left} plus {right}?"),
        (left + right).to_string(),
    )
}

/// Asks a question for an integer, and waits for the end.
///
/// # Errors
/// The node fails, or does not decide within [`TIME_MAX`].
pub(crate) async fn ask(
    client: &AdminClient,
    text: &str,
    executors: u32,
    close_bids: u32,
) -> anyhow::Result<Answered> {
    ask_step(client, sum_step(text), executors, close_bids).await
}

/// A step that asks for an integer.
pub(crate) fn sum_step(text: &str) -> v1::Step {
    v1::Step {
        text: text.to_owned(),
        tags: vec!["sums".to_owned()],
        form: v1::AnswerForm::Integer.into(),
    }
}

/// Asks any question, and waits for the end.
///
/// # Errors
/// The node fails, or does not decide within [`TIME_MAX`].
pub(crate) async fn ask_step(
    client: &AdminClient,
    step: v1::Step,
    executors: u32,
    close_bids: u32,
) -> anyhow::Result<Answered> {
    let settings = v1::TaskSettings {
        executors,
        close_bids,
        bid_window_ms: 1_000,
        execute_ms: 4_000,
        ..v1::TaskSettings::default()
    };
    ask_within(client, step, settings).await
}

/// Asks any question with any settings, and waits for the end.
///
/// # Errors
/// The node fails, or does not decide within [`TIME_MAX`].
pub(crate) async fn ask_within(
    client: &AdminClient,
    step: v1::Step,
    settings: v1::TaskSettings,
) -> anyhow::Result<Answered> {
    let request = v1::SubmitRequest {
        work: Some(v1::submit_request::Work::Question(step)),
        settings: Some(settings),
        ..v1::SubmitRequest::default()
    };
    let mut answered = Answered::default();
    tokio::time::timeout(TIME_MAX, follow(client, request, &mut answered)).await??;
    Ok(answered)
}

async fn follow(
    client: &AdminClient,
    request: v1::SubmitRequest,
    answered: &mut Answered,
) -> anyhow::Result<()> {
    use v1::task_event::Kind;
    let mut events = client.submit(request).await?;
    while let Some(event) = events.message().await? {
        match event.kind {
            Some(Kind::Assigned(assigned)) => {
                answered
                    .executors
                    .extend(assigned.peer.map(|peer| peer.did_key));
            }
            Some(Kind::Reveal(reveal)) => {
                if let Some(peer) = reveal.peer {
                    answered.ballots.insert(peer.did_key, reveal.answer);
                }
            }
            Some(Kind::Decided(decided)) => {
                answered.answer = Some(decided.answer).filter(|answer| !answer.is_empty());
            }
            Some(Kind::Failed(failed)) => answered.failure = Some(failed.reason),
            _ => {}
        }
    }
    Ok(())
}
