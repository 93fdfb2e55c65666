//! A model loaded by mistral.rs.

use std::path::{Path, PathBuf};

use mistralrs::core::Response;
use mistralrs::{
    AutoDeviceMapParams, Constraint, DeviceMapSetting, GgufModelBuilder, Model, ModelDType,
    NormalRequest, Request, RequestLike, RequestMessage, SamplingParams, TextMessageRole,
    TextMessages, TextModelBuilder, TokenSource,
};
use std::sync::Arc;
use tokio::sync::mpsc;

use crate::device::{Device, DeviceError};
use crate::digest::{model_digest, model_files};
use crate::generation::{Finish, Generation, GenerationError, Input, Role};
use crate::source::{ModelSource, SourceError};
use crate::surprisal::{Measured, Probe};

/// Chunks of an answer that may lie between the model and the reader before the model waits.
const CHUNK_COUNT_MAX: usize = 64;

/// How a model is loaded.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// Where it comes from.
    pub source: ModelSource,
    /// Device that computes.
    pub device: Device,
    /// Requests computed at the same time, at least 1.
    pub running_count_max: u32,
    /// The library's cache folder (`HF_HOME`); hub models are downloaded into it.
    pub cache_folder: PathBuf,
}

/// Why a model cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The source is unusable.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The device is unusable.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The model's files cannot be read.
    #[error("the model's files cannot be read: {0}")]
    Files(#[from] std::io::Error),
    /// mistral.rs refuses the model.
    #[error("the model cannot be loaded: {reason}")]
    Refused {
        /// What the library says.
        reason: String,
    },
}

/// A model ready to answer. Cheap to share behind an `Arc`; requests may run at the same time.
pub struct LoadedModel {
    model: Model,
    name: String,
    digest: [u8; 32],
    context_length_tokens: u32,
}

impl LoadedModel {
    /// Checks source and device, digests the files, loads the model.
    ///
    /// Greedy answers do not depend on earlier requests: the library's prefix cache is off, since reused and fresh
    /// keys and values differ in their last bits.
    ///
    /// # Errors
    ///
    /// [`LoadError`]; nothing is downloaded unless the source is a hub model.
    pub async fn load(options: &LoadOptions) -> Result<Self, LoadError> {
        options.source.verify()?;
        options.device.verify_available()?;
        let model = match &options.source {
            ModelSource::Folder(folder) => build_text(folder.display().to_string(), options).await,
            ModelSource::Hub(id) => build_text(id.clone(), options).await,
            ModelSource::Gguf(file) => build_gguf(file, options).await,
        };
        let model = model.map_err(|error| LoadError::Refused {
            reason: format!("{error:#}"),
        })?;
        let snapshot = match &options.source {
            ModelSource::Hub(id) => Some(hub_snapshot(&options.cache_folder, id)?),
            _ => None,
        };
        let digest = model_digest(&model_files(&options.source, snapshot.as_deref())?)?;
        let context_length = model.max_sequence_length().ok().flatten().unwrap_or(0);
        let context_length_tokens = u32::try_from(context_length).unwrap_or(u32::MAX);
        Ok(Self {
            model,
            name: options.source.name(),
            digest,
            context_length_tokens,
        })
    }

    /// Name for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Digest of the model's files.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Longest sequence in tokens; 0 if the model does not say.
    pub fn context_length_tokens(&self) -> u32 {
        self.context_length_tokens
    }

    /// Whether prompt and answer together have reached the model's context length.
    fn fills_context(&self, measured: &Measured) -> bool {
        let length = measured.prompt_tokens as usize + measured.tokens.len();
        self.context_length_tokens > 0 && length >= self.context_length_tokens as usize
    }

    /// Continues `input` greedily by at most `max_tokens` tokens, and at most to the end of the model's context.
    ///
    /// Cancellation safe: dropping the future stops the generation at its next token.
    ///
    /// # Errors
    ///
    /// [`GenerationError`]; its texts hold neither prompt nor answer.
    pub async fn generate(
        &self,
        input: Input,
        max_tokens: u32,
    ) -> Result<Generation, GenerationError> {
        let probe = Probe::default();
        let (response, mut chunks) = mpsc::channel(CHUNK_COUNT_MAX);
        let request = NormalRequest {
            messages: request_message(input),
            sampling_params: SamplingParams {
                max_len: Some(max_tokens as usize),
                ..SamplingParams::deterministic()
            },
            response,
            return_logprobs: false,
            // The library notices a reader that went away only while it streams.
            is_streaming: true,
            id: 0,
            constraint: Constraint::None,
            suffix: None,
            tools: None,
            tool_choice: None,
            logits_processors: Some(vec![Arc::new(probe.clone())]),
            return_raw_logits: false,
            web_search_options: None,
            model_id: None,
            truncate_sequence: false,
        };
        let sender = self
            .model
            .inner()
            .get_sender(None)
            .map_err(|_| GenerationError::Stopped)?;
        sender
            .send(Request::Normal(Box::new(request)))
            .await
            .map_err(|_| GenerationError::Stopped)?;
        let (text, end) = collect(&mut chunks).await?;
        let measured = probe.measured();
        let finish = match end {
            End::Finished(finish) => finish,
            // The library computes one token too many there, and fails.
            End::Failed(_) if self.fills_context(&measured) => Some(Finish::Length),
            End::Failed(reason) => return Err(GenerationError::Failed { reason }),
        };
        // The library reports no reason if the last token leaves a character unfinished.
        let reached_limit = measured.tokens.len() >= max_tokens as usize;
        let finish = finish.unwrap_or(if reached_limit {
            Finish::Length
        } else {
            Finish::Stop
        });
        Ok(Generation {
            text,
            measured,
            finish,
        })
    }
}

/// How a stream of chunks ended.
enum End {
    /// With the library's reason, where it gave one.
    Finished(Option<Finish>),
    /// The model failed; the reason holds neither prompt nor answer.
    Failed(String),
}

async fn collect(chunks: &mut mpsc::Receiver<Response>) -> Result<(String, End), GenerationError> {
    let mut text = String::new();
    let mut received_any = false;
    while let Some(response) = chunks.recv().await {
        received_any = true;
        let finish = match response {
            Response::Chunk(chunk) => chunk.choices.into_iter().next().and_then(|choice| {
                text.extend(choice.delta.reasoning_content);
                text.extend(choice.delta.content);
                choice.finish_reason
            }),
            Response::CompletionChunk(chunk) => {
                chunk.choices.into_iter().next().and_then(|choice| {
                    text.push_str(&choice.text);
                    choice.finish_reason
                })
            }
            Response::ValidationError(error) => {
                return Err(GenerationError::Refused {
                    reason: error.to_string(),
                });
            }
            Response::InternalError(error) => {
                return Err(GenerationError::Failed {
                    reason: error.to_string(),
                });
            }
            // The second field is the unfinished answer: it must not reach a log.
            Response::ModelError(reason, _) | Response::CompletionModelError(reason, _) => {
                return Ok((text, End::Failed(first_line(&reason))));
            }
            _ => {
                return Err(GenerationError::Failed {
                    reason: "an answer of another kind".to_owned(),
                });
            }
        };
        match finish.as_deref() {
            None => {}
            Some("stop") => return Ok((text, End::Finished(Some(Finish::Stop)))),
            Some("length") => return Ok((text, End::Finished(Some(Finish::Length)))),
            Some(other) => {
                return Err(GenerationError::Failed {
                    reason: format!("the generation ended with {other}"),
                });
            }
        }
    }
    if received_any {
        Ok((text, End::Finished(None)))
    } else {
        Err(GenerationError::Stopped)
    }
}

/// What the library says, without the backtrace that it appends.
fn first_line(reason: &str) -> String {
    reason.lines().next().unwrap_or_default().to_owned()
}

fn request_message(input: Input) -> RequestMessage {
    match input {
        Input::Prompt(text) => RequestMessage::Completion {
            text,
            echo_prompt: false,
            best_of: None,
        },
        Input::Conversation(messages) => messages
            .into_iter()
            .fold(TextMessages::new(), |all, message| {
                all.add_message(role(message.role), message.content)
            })
            .take_messages(),
    }
}

fn role(role: Role) -> TextMessageRole {
    match role {
        Role::System => TextMessageRole::System,
        Role::User => TextMessageRole::User,
        Role::Assistant => TextMessageRole::Assistant,
    }
}

/// The library wants room for this many sequences; it lays nothing out for them in advance.
fn sequence_count(options: &LoadOptions) -> usize {
    options.running_count_max.max(1) as usize
}

fn device_map() -> DeviceMapSetting {
    DeviceMapSetting::Auto(AutoDeviceMapParams::default_text())
}

async fn build_text(id: String, options: &LoadOptions) -> anyhow::Result<Model> {
    let builder = TextModelBuilder::new(id)
        // The default reads a token file from the home folder.
        .with_token_source(TokenSource::None)
        // The default chose F16 on a CPU, and asks nvidia-smi in a CUDA build.
        .with_dtype(ModelDType::F32)
        .with_max_num_seqs(sequence_count(options))
        .with_prefix_cache_n(None)
        .with_device_mapping(device_map());
    let builder = if options.device == Device::Cpu {
        builder.with_force_cpu()
    } else {
        builder
    };
    builder.build().await
}

async fn build_gguf(file: &Path, options: &LoadOptions) -> anyhow::Result<Model> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let name = file
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let folder_text = folder.display().to_string();
    let builder = GgufModelBuilder::new(&folder_text, vec![name])
        .with_token_source(TokenSource::None)
        .with_max_num_seqs(sequence_count(options))
        .with_prefix_cache_n(None)
        .with_device_mapping(device_map());
    // Some exports carry a tokenizer that the library refuses ("BPE tokenizer must include merges").
    let has_tokenizer = folder.join("tokenizer.json").is_file();
    let builder = if has_tokenizer {
        builder.with_tok_model_id(&folder_text)
    } else {
        builder
    };
    let builder = if options.device == Device::Cpu {
        builder.with_force_cpu()
    } else {
        builder
    };
    builder.build().await
}

/// The folder into which the hub client put the files of `id`.
fn hub_snapshot(cache_folder: &Path, id: &str) -> std::io::Result<PathBuf> {
    let repository = cache_folder
        .join("hub")
        .join(format!("models--{}", id.replace('/', "--")));
    let revision = std::fs::read_to_string(repository.join("refs").join("main"))?;
    Ok(repository.join("snapshots").join(revision.trim()))
}
