//! A stream of answers as the client's user gets it.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::{Stream, StreamExt as _};
use tonic::Streaming;

use super::ClientError;

/// A stream of answers. It ends when the server has said everything; dropping it gives the call up.
#[derive(Debug)]
pub struct AdminStream<T>(Streaming<T>);

impl<T> AdminStream<T> {
    pub(super) fn new(stream: Streaming<T>) -> Self {
        Self(stream)
    }

    /// The next answer, or `None` after the last.
    ///
    /// Cancellation: nothing is lost when the future is dropped.
    ///
    /// # Errors
    ///
    /// The failure that ended the stream early.
    pub async fn message(&mut self) -> Result<Option<T>, ClientError> {
        Ok(self.0.message().await?)
    }

    /// All answers to the end, at most `count_max`; what comes after is given up.
    ///
    /// # Errors
    ///
    /// The failure that ended the stream early.
    pub async fn collect_at_most(mut self, count_max: usize) -> Result<Vec<T>, ClientError> {
        let mut answers = Vec::new();
        while answers.len() < count_max {
            match self.message().await? {
                Some(answer) => answers.push(answer),
                None => break,
            }
        }
        Ok(answers)
    }
}

impl<T> Stream for AdminStream<T> {
    type Item = Result<T, ClientError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0
            .poll_next_unpin(context)
            .map(|next| next.map(|answer| answer.map_err(ClientError::from)))
    }
}
