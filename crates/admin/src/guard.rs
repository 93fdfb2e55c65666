//! The layer that decides whether a call may pass.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::{Either, Ready, ready};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::{Request, Response, header::AUTHORIZATION};
use tower::{Layer, Service};

use crate::metrics::{Admission, Metrics};
use crate::role::{Role, permission};
use crate::token::Tokens;

/// How callers of one listener prove who they are.
#[derive(Clone, Debug)]
pub(crate) enum Entrance {
    /// Whoever may open the socket is the operator: the file system decides.
    Socket,
    /// A bearer token decides.
    Token(Tokens),
}

impl Entrance {
    fn role<B>(&self, request: &Request<B>) -> Option<Role> {
        match self {
            Self::Socket => Some(Role::Operator),
            Self::Token(tokens) => tokens.role(request.headers().get(AUTHORIZATION)?.as_bytes()),
        }
    }
}

/// Puts a [`Guard`] before a service.
#[derive(Clone)]
pub(crate) struct GuardLayer {
    entrance: Arc<Entrance>,
    metrics: Metrics,
}

impl GuardLayer {
    pub(crate) fn new(entrance: Entrance, metrics: Metrics) -> Self {
        Self {
            entrance: Arc::new(entrance),
            metrics,
        }
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Guard<S> {
        Guard {
            inner,
            layer: self.clone(),
        }
    }
}

/// Lets a call pass if its caller's role may make it, before any byte of its message is read.
#[derive(Clone)]
pub(crate) struct Guard<S> {
    inner: S,
    layer: GuardLayer,
}

impl<S> Service<Request<Body>> for Guard<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<S::Future, Ready<Result<Response<Body>, Infallible>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let permission = permission(request.uri().path());
        let (admission, refusal) = match self.layer.entrance.role(&request) {
            Some(role) if role >= permission.role => (Admission::Admitted, None),
            Some(_) => {
                let status = Status::permission_denied("the role auditor may not call this");
                (Admission::Forbidden, Some(status))
            }
            None => (
                Admission::Unauthenticated,
                Some(Status::unauthenticated("a valid bearer token is needed")),
            ),
        };
        self.layer.metrics.count_call(permission.label, admission);
        match refusal {
            None => Either::Left(self.inner.call(request)),
            Some(status) => {
                tracing::warn!(method = permission.label, refusal = ?status.code(), "admin call refused");
                Either::Right(ready(Ok(status.into_http())))
            }
        }
    }
}
