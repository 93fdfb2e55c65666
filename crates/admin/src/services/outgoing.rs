//! A stream of answers that ends with the server.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::{Stream, StreamExt as _};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::Status;

use crate::backend::Events;
use crate::metrics::Held;

/// A backend's events as the caller gets them: after the first error nothing more, and UNAVAILABLE when the server shuts
/// down first, so that an endless stream never looks complete.
pub(crate) struct Outgoing<T> {
    events: Option<Events<T>>,
    closing: Pin<Box<WaitForCancellationFutureOwned>>,
    _counted: Held,
}

impl<T> Outgoing<T> {
    pub(crate) fn new(events: Events<T>, closing: &CancellationToken, counted: Held) -> Self {
        Self {
            events: Some(events),
            closing: Box::pin(closing.clone().cancelled_owned()),
            _counted: counted,
        }
    }
}

impl<T> Stream for Outgoing<T> {
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Some(events) = &mut this.events else {
            return Poll::Ready(None);
        };
        // First the shutdown: a stream that always has something ready must end too.
        let last = if this.closing.as_mut().poll(context).is_ready() {
            Some(Err(Status::unavailable("the node shuts down")))
        } else {
            match ready!(events.poll_next_unpin(context)) {
                Some(Ok(event)) => return Poll::Ready(Some(Ok(event))),
                Some(Err(error)) => Some(Err(error.into())),
                None => None,
            }
        };
        this.events = None;
        Poll::Ready(last)
    }
}
