//! The executor on an OpenAI-compatible endpoint.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::{Client, Response, StatusCode, Url};
use tokio::sync::{Semaphore, watch};

use crate::config::BuildError;
use crate::description::{Description, DigestBasis, ExecutorKind, ModelDigest};
use crate::endpoint::config::{Logprobs, OpenAiEndpointConfig};
use crate::endpoint::key::authorization;
use crate::endpoint::wire::{ChatRequest, outcome};
use crate::error::ExecuteError;
use crate::executor::{Executor, Health};
use crate::outcome::Outcome;
use crate::request::Request;

/// Largest body that is read of an answer: the largest text, JSON-escaped, with a log probability for each token.
const BODY_SIZE_MAX: usize = 8 << 20;
/// Time for the health question.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(5);

/// A model behind an OpenAI-compatible endpoint.
///
/// Its model digest is a claim ([`DigestBasis::Claim`]): nothing shows which weights the server runs.
#[derive(Debug)]
pub struct OpenAiEndpoint {
    config: OpenAiEndpointConfig,
    base_url: Url,
    client: Client,
    places: Arc<Semaphore>,
    running: Arc<Semaphore>,
    stop: watch::Sender<bool>,
}

impl OpenAiEndpoint {
    /// Prepares the client; reaches the network only when it is asked something.
    ///
    /// # Errors
    ///
    /// [`BuildError`].
    pub fn new(config: OpenAiEndpointConfig) -> Result<Self, BuildError> {
        config.validate()?;
        let base_url = config.parsed_base_url()?;
        let running = config.parallel_count as usize;
        let places = running + config.queue_count_max as usize;
        Ok(Self {
            client: client(&config, &base_url)?,
            base_url,
            config,
            places: Arc::new(Semaphore::new(places)),
            running: Arc::new(Semaphore::new(running)),
            stop: watch::channel(false).0,
        })
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.base_url.as_str().trim_end_matches('/'))
    }

    async fn ask(&self, request: &Request) -> Result<Outcome, ExecuteError> {
        let full = |_| ExecuteError::QueueFull {
            waiting_count_max: self.config.queue_count_max,
        };
        let _place = self.places.try_acquire().map_err(full)?;
        let _running = self
            .running
            .acquire()
            .await
            .expect("the semaphore is never closed");
        let begun = Instant::now();
        let body = ChatRequest {
            model: &self.config.model,
            messages: &request.messages,
            max_tokens: request.max_tokens,
            temperature: 0,
            stream: false,
            logprobs: (self.config.logprobs == Logprobs::Request).then_some(true),
        };
        let sent = self
            .client
            .post(self.url("chat/completions"))
            .json(&body)
            .send()
            .await;
        let response = sent.map_err(unavailable)?;
        let status = response.status();
        let body = body_of(response).await?;
        if !status.is_success() {
            return Err(refused_by(status, &body));
        }
        outcome(
            &body,
            u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        )
    }

    async fn stopped(&self) {
        let mut stop = self.stop.subscribe();
        let _ = stop.wait_for(|stop| *stop).await;
    }
}

impl Executor for OpenAiEndpoint {
    fn execute(&self, request: Request) -> BoxFuture<'_, Result<Outcome, ExecuteError>> {
        async move {
            request.verify()?;
            let deadline = request.deadline;
            tokio::select! {
                biased;
                () = self.stopped() => Err(ExecuteError::Stopped { reason: "shut down".to_owned() }),
                result = tokio::time::timeout(deadline, self.ask(&request)) => {
                    result.unwrap_or(Err(ExecuteError::DeadlineExceeded { deadline }))
                }
            }
        }
        .boxed()
    }

    fn describe(&self) -> BoxFuture<'_, Result<Description, ExecuteError>> {
        let config = &self.config;
        let description = Description {
            kind: ExecutorKind::OpenAi,
            model_name: config.model.clone(),
            model_digest: ModelDigest::of_claim(
                ExecutorKind::OpenAi,
                self.base_url.as_str(),
                &config.model,
            ),
            digest_basis: DigestBasis::Claim,
            device: config.device.clone(),
            threads: config.threads,
            context_length_tokens: None,
            max_tokens_max: None,
            dtype: None,
            version: None,
        };
        async move { Ok(description) }.boxed()
    }

    fn health(&self) -> BoxFuture<'_, Health> {
        async move {
            if *self.stop.borrow() {
                return Health::Stopped;
            }
            match self
                .client
                .get(self.url("models"))
                .timeout(HEALTH_TIMEOUT)
                .send()
                .await
            {
                Ok(response) if response.status().is_success() => Health::Ready,
                Ok(response) => Health::Failed {
                    reason: format!("the endpoint answers {}", response.status()),
                },
                Err(error) => Health::Failed {
                    reason: reason_of(error),
                },
            }
        }
        .boxed()
    }

    fn shut_down(&self) -> BoxFuture<'_, ()> {
        // `send` would do nothing while nobody listens.
        self.stop.send_replace(true);
        async {}.boxed()
    }
}

fn client(config: &OpenAiEndpointConfig, base_url: &Url) -> Result<Client, BuildError> {
    ensure_crypto_provider();
    let mut headers = HeaderMap::new();
    if let Some(authorization) = authorization(config)? {
        headers.insert(AUTHORIZATION, authorization);
    }
    let mut builder = Client::builder()
        .default_headers(headers)
        .connect_timeout(config.connect_timeout)
        // A redirect would carry prompts and the key to a place that nobody configured.
        .redirect(reqwest::redirect::Policy::none());
    if is_loopback(base_url) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| BuildError::Client {
        reason: error.to_string(),
    })
}

/// reqwest is built without a TLS provider of its own and panics where none is installed.
fn ensure_crypto_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // An error means that another thread was faster, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url
        .host_str()
        .unwrap_or_default()
        .trim_start_matches('[')
        .trim_end_matches(']');
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// The whole body, read no further than the limit.
async fn body_of(mut response: Response) -> Result<Vec<u8>, ExecuteError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unavailable)? {
        if body.len() + chunk.len() > BODY_SIZE_MAX {
            return Err(ExecuteError::Protocol {
                reason: format!("a body of more than {BODY_SIZE_MAX} bytes"),
            });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The URL is configured and known; the rest of the chain says what went wrong.
fn reason_of(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        reason = format!("{reason}: {cause}");
        source = cause.source();
    }
    reason
}

fn unavailable(error: reqwest::Error) -> ExecuteError {
    ExecuteError::Unavailable {
        reason: reason_of(error),
    }
}

/// What a status other than success means. Bodies of errors can quote the prompt, so they are not passed on.
fn refused_by(status: StatusCode, body: &[u8]) -> ExecuteError {
    let reason = format!("the endpoint answers {status} ({} bytes)", body.len());
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            ExecuteError::Unavailable { reason }
        }
        _ if status.is_client_error() => ExecuteError::Refused { reason },
        _ => ExecuteError::Failed { reason },
    }
}
