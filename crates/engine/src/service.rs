//! The gRPC service in front of the model: limits, queue, deadlines.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tonic::{Request, Response, Status};

use crate::ENGINE_VERSION;
use crate::device::Device;
use crate::generation::{Finish, Generation, GenerationError, Input, Message, Role};
use crate::model::LoadedModel;
use crate::proto;
use crate::queue::{Queue, Turn};

/// Largest total size of a prompt, in bytes: a quarter of the largest gRPC message.
pub const PROMPT_SIZE_MAX: u32 = 256 << 10;
/// Largest gRPC message that is decoded, in bytes.
pub const MESSAGE_SIZE_MAX: usize = 1 << 20;
/// Most messages of one conversation.
pub const MESSAGES_COUNT_MAX: u32 = 64;
/// Longest deadline: ten minutes, in milliseconds.
pub const DEADLINE_MS_MAX: u64 = 600_000;
/// Largest request id, in bytes.
const REQUEST_ID_SIZE_MAX: usize = 64;

/// What the command line fixes of the service.
#[derive(Debug, Clone, Copy)]
pub struct ServiceOptions {
    /// Device that computes.
    pub device: Device,
    /// Number format that is reported.
    pub dtype: proto::Dtype,
    /// Inference threads on the CPU.
    pub threads: u32,
    /// Requests computed at the same time.
    pub running_count_max: u32,
    /// Requests that may wait.
    pub queue_count_max: u32,
    /// Most tokens of one answer.
    pub max_tokens_max: u32,
}

/// The service `symphony.engine.v1.Engine` on one loaded model.
pub struct EngineService {
    model: Arc<LoadedModel>,
    options: ServiceOptions,
    queue: Queue,
    stopped: tokio::sync::mpsc::Sender<()>,
}

impl EngineService {
    /// A service on `model`. `stopped` is told when the model library has died and the process should end.
    pub fn new(
        model: Arc<LoadedModel>,
        options: ServiceOptions,
        stopped: tokio::sync::mpsc::Sender<()>,
    ) -> Self {
        let queue = Queue::new(options.running_count_max, options.queue_count_max);
        Self {
            model,
            options,
            queue,
            stopped,
        }
    }

    fn limits(&self) -> proto::Limits {
        proto::Limits {
            max_tokens_max: self.options.max_tokens_max,
            prompt_size_max: PROMPT_SIZE_MAX,
            messages_count_max: MESSAGES_COUNT_MAX,
            running_count_max: self.options.running_count_max,
            queue_count_max: self.options.queue_count_max,
            deadline_ms_max: DEADLINE_MS_MAX,
        }
    }

    async fn answer(&self, request: ValidRequest) -> Result<proto::GenerateResponse, Status> {
        let place = self
            .queue
            .enter()
            .map_err(|error| Status::resource_exhausted(error.to_string()))?;
        let arrived = Instant::now();
        let limit = Duration::from_millis(request.deadline_ms);
        let work = async {
            let turn: Turn = place.turn().await;
            let queued = arrived.elapsed();
            let generated = self.model.generate(request.input, request.max_tokens).await;
            drop(turn);
            generated.map(|generation| (generation, queued))
        };
        let (generation, queued) = tokio::time::timeout(limit, work)
            .await
            .map_err(|_| {
                Status::deadline_exceeded(format!("no answer within {} ms", request.deadline_ms))
            })?
            .map_err(|error| self.status(error))?;
        let duration = arrived.elapsed().saturating_sub(queued);
        Ok(response(
            request.request_id,
            generation,
            queued,
            duration,
            request.token_detail,
        ))
    }

    fn status(&self, error: GenerationError) -> Status {
        let text = error.to_string();
        match error {
            GenerationError::Refused { .. } => Status::failed_precondition(text),
            GenerationError::Failed { .. } => Status::internal(text),
            GenerationError::Stopped => {
                // A full channel means that the end is under way already.
                let _ = self.stopped.try_send(());
                Status::internal(text)
            }
        }
    }
}

#[tonic::async_trait]
impl proto::engine_server::Engine for EngineService {
    async fn describe(
        &self,
        _request: Request<proto::DescribeRequest>,
    ) -> Result<Response<proto::DescribeResponse>, Status> {
        Ok(Response::new(proto::DescribeResponse {
            model_name: self.model.name().to_owned(),
            model_digest: self.model.digest().to_vec(),
            device: proto::Device::from(self.options.device).into(),
            context_length_tokens: self.model.context_length_tokens(),
            dtype: self.options.dtype.into(),
            threads: self.options.threads,
            limits: Some(self.limits()),
            engine_version: ENGINE_VERSION.to_owned(),
        }))
    }

    async fn generate(
        &self,
        request: Request<proto::GenerateRequest>,
    ) -> Result<Response<proto::GenerateResponse>, Status> {
        let request = validate(request.into_inner(), &self.limits())?;
        self.answer(request).await.map(Response::new)
    }
}

/// A request within the limits.
struct ValidRequest {
    request_id: String,
    input: Input,
    max_tokens: u32,
    deadline_ms: u64,
    token_detail: proto::TokenDetail,
}

fn validate(
    request: proto::GenerateRequest,
    limits: &proto::Limits,
) -> Result<ValidRequest, Status> {
    let refuse =
        |field: &str, text: String| Err(Status::invalid_argument(format!("{field}: {text}")));
    if request.request_id.len() > REQUEST_ID_SIZE_MAX {
        return refuse(
            "request_id",
            format!(
                "{} bytes, at most {REQUEST_ID_SIZE_MAX}",
                request.request_id.len()
            ),
        );
    }
    if !(1..=limits.max_tokens_max).contains(&request.max_tokens) {
        return refuse(
            "max_tokens",
            format!(
                "{}, expected 1 to {}",
                request.max_tokens, limits.max_tokens_max
            ),
        );
    }
    if !(1..=limits.deadline_ms_max).contains(&request.deadline_ms) {
        return refuse(
            "deadline_ms",
            format!(
                "{}, expected 1 to {}",
                request.deadline_ms, limits.deadline_ms_max
            ),
        );
    }
    let Ok(token_detail) = proto::TokenDetail::try_from(request.token_detail) else {
        return refuse(
            "token_detail",
            format!("{} is unknown", request.token_detail),
        );
    };
    let input = match request.input {
        None => return refuse("input", "missing".to_owned()),
        Some(proto::generate_request::Input::Prompt(prompt)) => Input::Prompt(prompt),
        Some(proto::generate_request::Input::Conversation(conversation)) => {
            Input::Conversation(messages(conversation, limits)?)
        }
    };
    let size = match &input {
        Input::Prompt(prompt) => prompt.len(),
        Input::Conversation(messages) => messages.iter().map(|message| message.content.len()).sum(),
    };
    if size == 0 || size > limits.prompt_size_max as usize {
        return refuse(
            "input",
            format!("{size} bytes, expected 1 to {}", limits.prompt_size_max),
        );
    }
    let proto::GenerateRequest {
        request_id,
        max_tokens,
        deadline_ms,
        ..
    } = request;
    Ok(ValidRequest {
        request_id,
        input,
        max_tokens,
        deadline_ms,
        token_detail,
    })
}

fn messages(
    conversation: proto::Conversation,
    limits: &proto::Limits,
) -> Result<Vec<Message>, Status> {
    let count = conversation.messages.len();
    if count == 0 || count > limits.messages_count_max as usize {
        let expected = limits.messages_count_max;
        return Err(Status::invalid_argument(format!(
            "conversation: {count} messages, expected 1 to {expected}"
        )));
    }
    let message = |message: proto::Message| {
        let role = match message.role() {
            proto::Role::System => Role::System,
            proto::Role::User => Role::User,
            proto::Role::Assistant => Role::Assistant,
            proto::Role::Unspecified => {
                return Err(Status::invalid_argument("message.role: unknown"));
            }
        };
        Ok(Message {
            role,
            content: message.content,
        })
    };
    conversation.messages.into_iter().map(message).collect()
}

fn response(
    request_id: String,
    generation: Generation,
    queued: Duration,
    duration: Duration,
    token_detail: proto::TokenDetail,
) -> proto::GenerateResponse {
    let measured = generation.measured;
    let finish_reason = match generation.finish {
        Finish::Stop => proto::FinishReason::Stop,
        Finish::Length => proto::FinishReason::Length,
    };
    let token = |token: &crate::surprisal::GeneratedToken| proto::Token {
        id: token.id,
        surprisal_micronats: token.surprisal_micronats,
    };
    let tokens = match token_detail {
        proto::TokenDetail::Logprobs => measured.tokens.iter().map(token).collect(),
        proto::TokenDetail::Unspecified | proto::TokenDetail::None => Vec::new(),
    };
    proto::GenerateResponse {
        request_id,
        text: generation.text,
        prompt_tokens: measured.prompt_tokens,
        output_tokens: u32::try_from(measured.tokens.len()).unwrap_or(u32::MAX),
        mean_surprisal_micronats: measured.mean_surprisal_micronats(),
        confidence_ppm: measured.confidence_ppm(),
        queued_ms: milliseconds(queued),
        duration_ms: milliseconds(duration),
        finish_reason: finish_reason.into(),
        tokens,
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::generate_request::Input as ProtoInput;

    fn limits() -> proto::Limits {
        proto::Limits {
            max_tokens_max: 100,
            prompt_size_max: 10,
            messages_count_max: 2,
            running_count_max: 1,
            queue_count_max: 1,
            deadline_ms_max: 1_000,
        }
    }

    fn request() -> proto::GenerateRequest {
        proto::GenerateRequest {
            request_id: "1".to_owned(),
            max_tokens: 1,
            deadline_ms: 1,
            token_detail: 0,
            input: Some(ProtoInput::Prompt("question".to_owned())),
        }
    }

    fn message(role: proto::Role) -> proto::Message {
        proto::Message {
            role: role.into(),
            content: "text".to_owned(),
        }
    }

    fn refusal(change: impl FnOnce(&mut proto::GenerateRequest)) -> String {
        let mut request = request();
        change(&mut request);
        let status = validate(request, &limits()).err().expect("refused");
        assert_eq!(status.code(), tonic::Code::InvalidArgument);
        status.message().to_owned()
    }

    fn conversation(messages: Vec<proto::Message>) -> Option<ProtoInput> {
        Some(ProtoInput::Conversation(proto::Conversation { messages }))
    }

    #[test]
    fn a_request_within_the_limits_is_taken() {
        assert!(validate(request(), &limits()).is_ok());
        let user = vec![message(proto::Role::User)];
        let request = proto::GenerateRequest {
            input: conversation(user),
            ..request()
        };
        assert!(validate(request, &limits()).is_ok());
    }

    #[test]
    fn each_limit_is_refused_by_name() {
        assert_eq!(
            refusal(|it| it.request_id = "x".repeat(65)),
            "request_id: 65 bytes, at most 64"
        );
        assert_eq!(
            refusal(|it| it.max_tokens = 0),
            "max_tokens: 0, expected 1 to 100"
        );
        assert_eq!(
            refusal(|it| it.max_tokens = 101),
            "max_tokens: 101, expected 1 to 100"
        );
        assert_eq!(
            refusal(|it| it.deadline_ms = 0),
            "deadline_ms: 0, expected 1 to 1000"
        );
        assert_eq!(
            refusal(|it| it.token_detail = 9),
            "token_detail: 9 is unknown"
        );
        assert_eq!(refusal(|it| it.input = None), "input: missing");
        assert_eq!(
            refusal(|it| it.input = Some(ProtoInput::Prompt(String::new()))),
            "input: 0 bytes, expected 1 to 10"
        );
        let large = Some(ProtoInput::Prompt("x".repeat(11)));
        assert_eq!(
            refusal(|it| it.input = large),
            "input: 11 bytes, expected 1 to 10"
        );
        assert_eq!(
            refusal(|it| it.input = conversation(vec![])),
            "conversation: 0 messages, expected 1 to 2"
        );
        let three = vec![message(proto::Role::User); 3];
        assert_eq!(
            refusal(|it| it.input = conversation(three)),
            "conversation: 3 messages, expected 1 to 2"
        );
        let nobody = vec![message(proto::Role::Unspecified)];
        assert_eq!(
            refusal(|it| it.input = conversation(nobody)),
            "message.role: unknown"
        );
    }
}
