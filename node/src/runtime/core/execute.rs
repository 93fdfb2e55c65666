//! From an order to the executor and back.

use std::{sync::Arc, time::Duration};

use symphony_coordination::{Completion, Event, Execution, ExecutionOutcome};
use symphony_executor::{
    Description, ExecuteError, Executor, Message, Outcome, Request as ExecuteRequest, Role, Stage,
};
use symphony_protocol::records::{Device, TaskKey};
use symphony_transparency::Digest;
use tokio::sync::{Semaphore, mpsc};

use super::{CoreCommand, CoreError};
use crate::entropy;

/// Time that an execution has beyond the coordinator's, so that its own deadline decides.
const EXECUTE_GRACE: Duration = Duration::from_millis(250);

/// What answers, and within which bounds.
pub(in crate::runtime) struct Answerer {
    /// The executor and what it says about itself; nothing for a peer that only asks.
    pub(in crate::runtime) executor: Option<(Arc<dyn Executor>, Description)>,
    /// Text put before every question.
    pub(in crate::runtime) instruction: Option<String>,
    /// Text put before a question that is to be taken apart; the executor's own if absent.
    pub(in crate::runtime) plan_instruction: Option<String>,
    /// Most tokens of an answer.
    pub(in crate::runtime) output_tokens_max: u32,
    /// Answers computed at the same time.
    pub(in crate::runtime) places: Arc<Semaphore>,
}

impl Answerer {
    /// Executes in a task of its own; the result comes back as a command.
    pub(super) fn execute(
        &self,
        commands: mpsc::Sender<CoreCommand>,
        assignment: Digest,
        (stage, prompt): (Stage, String),
        execute_ms: u32,
    ) -> Result<(), CoreError> {
        let salt = entropy::fresh()?;
        let key = TaskKey::from_bytes(entropy::fresh()?);
        let Some((executor, description)) = self.executor.clone() else {
            return Ok(());
        };
        let instruction = match stage {
            Stage::Execute => self.instruction.as_deref(),
            Stage::Plan => self.plan_instruction.as_deref().or(stage.instruction()),
        };
        let instruction = instruction.map(|instruction| Message {
            role: Role::System,
            content: instruction.to_owned(),
        });
        let question = Message {
            role: Role::User,
            content: prompt,
        };
        let request = ExecuteRequest {
            id: assignment.to_string(),
            stage,
            messages: instruction.into_iter().chain([question]).collect(),
            max_tokens: self.output_tokens_max,
            deadline: Duration::from_millis(execute_ms.into()) + EXECUTE_GRACE,
        };
        let places = Arc::clone(&self.places);
        let output_tokens_max = self.output_tokens_max;
        tokio::spawn(async move {
            let Ok(_place) = places.acquire_owned().await else {
                return;
            };
            let began = tokio::time::Instant::now();
            let result = executor.execute(request).await;
            let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            let execution = execution(&description, output_tokens_max, duration_ms, result);
            // A full queue makes this task wait; the core never waits for it.
            let _ = commands
                .send(CoreCommand::Event(Event::Executed {
                    assignment,
                    execution,
                    salt,
                    key,
                }))
                .await;
        });
        Ok(())
    }
}

fn execution(
    description: &Description,
    output_tokens_max: u32,
    duration_ms: u64,
    result: Result<Outcome, ExecuteError>,
) -> Execution {
    let outcome = match result {
        Ok(outcome) => ExecutionOutcome::Completed(Completion {
            confidence_ppm: outcome.ballot_confidence_ppm(),
            prompt_tokens: outcome.prompt_tokens.unwrap_or(0),
            output_tokens: outcome.output_tokens,
            text: outcome.text,
        }),
        Err(ExecuteError::QueueFull { .. }) => ExecutionOutcome::Abstained,
        Err(error) => {
            tracing::info!(%error, "execution failed");
            ExecutionOutcome::Failed
        }
    };
    Execution {
        model: Digest::from_bytes(*description.model_digest.as_bytes()),
        device: device(&description.device),
        temperature_ppm: 0,
        output_tokens_max,
        duration_ms,
        outcome,
    }
}

fn device(name: &str) -> Device {
    match name {
        "cpu" => Device::Cpu,
        "cuda" => Device::Cuda,
        "metal" => Device::Metal,
        _ => Device::Remote,
    }
}
