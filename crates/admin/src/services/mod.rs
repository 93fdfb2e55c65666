//! The generated services over one backend.

mod audit;
mod log;
mod node;
mod outgoing;
mod peers;
mod policy;
mod tasks;

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use tokio_util::sync::CancellationToken;
use tonic::{Response, Status};

use self::outgoing::Outgoing;
use crate::backend::{Answer, Backend, Events};
use crate::error::{BackendError, ErrorKind};
use crate::metrics::Metrics;

/// What a streaming method answers.
type Stream<T> = BoxStream<'static, Result<T, Status>>;

/// All services: each method checks its request, asks the backend, and maps what it says.
#[derive(Clone)]
pub(crate) struct Services {
    backend: Arc<dyn Backend>,
    metrics: Metrics,
    closing: CancellationToken,
    answer_timeout: Duration,
}

impl Services {
    /// Services whose streams end when `closing` is cancelled, and whose backend has `answer_timeout` for a first answer.
    pub(crate) fn new(
        backend: Arc<dyn Backend>,
        metrics: Metrics,
        closing: CancellationToken,
        answer_timeout: Duration,
    ) -> Self {
        Self {
            backend,
            metrics,
            closing,
            answer_timeout,
        }
    }

    async fn answered<T>(&self, answer: Answer<'_, T>) -> Result<T, Status> {
        match tokio::time::timeout(self.answer_timeout, answer).await {
            Ok(answer) => Ok(answer?),
            Err(_) => {
                let message = format!("the node did not answer within {:?}", self.answer_timeout);
                Err(BackendError::new(ErrorKind::DeadlineExceeded, message).into())
            }
        }
    }

    fn streaming<T: Send + 'static>(&self, events: Events<T>) -> Response<Stream<T>> {
        Response::new(Outgoing::new(events, &self.closing, self.metrics.stream_opened()).boxed())
    }

    fn listing<T: Send + 'static>(&self, items: Vec<T>) -> Response<Stream<T>> {
        self.streaming(stream::iter(items.into_iter().map(Ok)).boxed())
    }
}
