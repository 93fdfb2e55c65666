//! Requests to a running engine.

use std::future::{self, Future};
use std::sync::Arc;
use std::time::Duration;

use tokio::process::ChildStdin;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::description::{Description, DigestBasis, ExecutorKind, ModelDigest};
use crate::error::ExecuteError;
use crate::limits::ANSWER_SIZE_MAX;
use crate::outcome::{Finish, Outcome};
use crate::proto;
use crate::proto::engine_client::EngineClient;
use crate::request::{Message, Request, Role};
use crate::supervisor::Session;

/// Largest message from the engine: an answer and its counts.
const MESSAGE_SIZE_MAX: usize = ANSWER_SIZE_MAX + (64 << 10);
/// Certainty in parts per million.
const PPM: u32 = 1_000_000;

/// The connection to a running engine.
#[derive(Debug, Clone)]
pub(crate) struct EngineSession {
    client: EngineClient<Channel>,
    queue_count_max: u32,
    /// Its end tells the engine to stop.
    _stdin: Arc<ChildStdin>,
}

impl EngineSession {
    /// Asks the engine what it has loaded.
    pub(super) async fn open(
        channel: Channel,
        stdin: Arc<ChildStdin>,
    ) -> Result<(Self, Description), String> {
        let mut client = EngineClient::new(channel).max_decoding_message_size(MESSAGE_SIZE_MAX);
        let answer = client.describe(proto::DescribeRequest {}).await;
        let answer = answer.map_err(|status| {
            format!("the engine does not describe itself: {}", status.message())
        })?;
        let answer = answer.into_inner();
        let queue_count_max = answer
            .limits
            .as_ref()
            .map_or(0, |limits| limits.queue_count_max);
        let session = Self {
            client,
            queue_count_max,
            _stdin: stdin,
        };
        Ok((session, description(answer)?))
    }
}

impl Session for EngineSession {
    fn call(
        &self,
        request: Request,
        remaining: Duration,
    ) -> impl Future<Output = Result<Outcome, ExecuteError>> + Send + 'static {
        let mut client = self.client.clone();
        let queue_count_max = self.queue_count_max;
        async move {
            let deadline = request.deadline;
            let answer = client.generate(generate_request(request, remaining)).await;
            let answer =
                answer.map_err(|status| execute_error(&status, deadline, queue_count_max))?;
            outcome(answer.into_inner())
        }
    }

    /// The engine's end shows in its process, and wrong answers in the calls.
    fn broken(&self) -> impl Future<Output = String> + Send {
        future::pending()
    }
}

fn generate_request(request: Request, remaining: Duration) -> proto::GenerateRequest {
    let message = |message: Message| {
        let role = match message.role {
            Role::System => proto::Role::System,
            Role::User => proto::Role::User,
            Role::Assistant => proto::Role::Assistant,
        };
        proto::Message {
            role: role.into(),
            content: message.content,
        }
    };
    let messages = request.messages.into_iter().map(message).collect();
    proto::GenerateRequest {
        request_id: request.id,
        input: Some(proto::generate_request::Input::Conversation(
            proto::Conversation { messages },
        )),
        max_tokens: request.max_tokens,
        deadline_ms: u64::try_from(remaining.as_millis())
            .unwrap_or(u64::MAX)
            .max(1),
        token_detail: proto::TokenDetail::None.into(),
    }
}

fn execute_error(status: &Status, deadline: Duration, waiting_count_max: u32) -> ExecuteError {
    let reason = status.message().to_owned();
    match status.code() {
        Code::InvalidArgument | Code::FailedPrecondition => ExecuteError::Refused { reason },
        Code::ResourceExhausted => ExecuteError::QueueFull { waiting_count_max },
        Code::DeadlineExceeded => ExecuteError::DeadlineExceeded { deadline },
        Code::Internal => ExecuteError::Failed { reason },
        // The connection broke: the process has ended or is ending.
        Code::Unavailable | Code::Cancelled | Code::Unknown => ExecuteError::Crashed,
        code => ExecuteError::Protocol {
            reason: format!("unexpected status {code:?}: {reason}"),
        },
    }
}

fn outcome(answer: proto::GenerateResponse) -> Result<Outcome, ExecuteError> {
    let protocol = |reason: String| Err(ExecuteError::Protocol { reason });
    if answer.text.len() > ANSWER_SIZE_MAX {
        return protocol(format!(
            "an answer of {} bytes, expected at most {ANSWER_SIZE_MAX}",
            answer.text.len()
        ));
    }
    if answer.confidence_ppm > PPM {
        return protocol(format!(
            "a confidence of {} ppm, expected at most {PPM}",
            answer.confidence_ppm
        ));
    }
    let finish = match answer.finish_reason() {
        proto::FinishReason::Stop => Finish::Stop,
        proto::FinishReason::Length => Finish::Length,
        proto::FinishReason::Unspecified => return protocol("an unknown finish reason".to_owned()),
    };
    Ok(Outcome {
        text: answer.text,
        prompt_tokens: Some(answer.prompt_tokens),
        output_tokens: answer.output_tokens,
        duration_ms: answer.duration_ms,
        confidence_ppm: Some(answer.confidence_ppm),
        finish,
    })
}

fn description(answer: proto::DescribeResponse) -> Result<Description, String> {
    let device = match answer.device() {
        proto::Device::Cpu => "cpu",
        proto::Device::Cuda => "cuda",
        proto::Device::Metal => "metal",
        proto::Device::Unspecified => return Err("the engine names no device".to_owned()),
    };
    let dtype = match answer.dtype() {
        proto::Dtype::F32 => Some("f32".to_owned()),
        proto::Dtype::Gguf => Some("gguf".to_owned()),
        proto::Dtype::Unspecified => None,
    };
    let size = answer.model_digest.len();
    let digest: [u8; ModelDigest::LENGTH] = answer
        .model_digest
        .try_into()
        .map_err(|_| format!("a model digest of {size} bytes, expected 32"))?;
    Ok(Description {
        kind: ExecutorKind::Engine,
        model_name: answer.model_name,
        model_digest: ModelDigest::from_bytes(digest),
        digest_basis: DigestBasis::Files,
        device: device.to_owned(),
        threads: Some(answer.threads),
        context_length_tokens: Some(answer.context_length_tokens).filter(|tokens| *tokens > 0),
        max_tokens_max: answer.limits.map(|limits| limits.max_tokens_max),
        dtype,
        version: Some(answer.engine_version),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> proto::GenerateResponse {
        proto::GenerateResponse {
            text: "Answer: True".to_owned(),
            finish_reason: proto::FinishReason::Stop.into(),
            ..Default::default()
        }
    }

    #[test]
    fn an_answer_beyond_its_limits_breaks_the_protocol() {
        assert!(outcome(answer()).is_ok());
        let large = proto::GenerateResponse {
            text: "x".repeat(ANSWER_SIZE_MAX + 1),
            ..answer()
        };
        let sure = proto::GenerateResponse {
            confidence_ppm: PPM + 1,
            ..answer()
        };
        let endless = proto::GenerateResponse {
            finish_reason: 99,
            ..answer()
        };
        for answer in [large, sure, endless] {
            assert!(matches!(
                outcome(answer),
                Err(ExecuteError::Protocol { .. })
            ));
        }
    }

    #[test]
    fn a_description_needs_a_whole_digest_and_a_device() {
        let whole = proto::DescribeResponse {
            model_digest: vec![1; 32],
            device: proto::Device::Cpu.into(),
            ..Default::default()
        };
        assert!(description(whole.clone()).is_ok());
        let short = proto::DescribeResponse {
            model_digest: vec![1; 31],
            ..whole.clone()
        };
        assert_eq!(
            description(short).expect_err("refused"),
            "a model digest of 31 bytes, expected 32"
        );
        assert!(description(proto::DescribeResponse { device: 0, ..whole }).is_err());
    }
}
