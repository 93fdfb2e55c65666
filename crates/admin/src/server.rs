//! The gRPC server.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::backend::Backend;
use crate::guard::{Entrance, GuardLayer};
use crate::limits::{
    CALL_TIMEOUT, CALLS_PER_CONNECTION_MAX, HEADERS_SIZE_MAX, KEEPALIVE_INTERVAL,
    KEEPALIVE_TIMEOUT, REQUEST_SIZE_MAX, RESPONSE_SIZE_MAX,
};
use crate::listen::{Accept, Listeners, incoming};
use crate::metrics::Metrics;
use crate::readiness::{Readiness, ReadinessReceiver};
use crate::services::Services;
use crate::v1::FILE_DESCRIPTOR_SET;
use crate::v1::audit_server::AuditServer;
use crate::v1::log_server::LogServer;
use crate::v1::node_server::NodeServer;
use crate::v1::peers_server::PeersServer;
use crate::v1::policy_server::PolicyServer;
use crate::v1::tasks_server::TasksServer;

/// Serves the admin API: six services, `grpc.health.v1`, and `grpc.reflection.v1` and `v1alpha`.
#[derive(Clone, Debug)]
pub struct AdminServer {
    metrics: Metrics,
    grace: Duration,
    answer_timeout: Duration,
}

/// Why the server ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The HTTP/2 server failed.
    #[error("the admin server failed: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// The descriptors cannot be served by reflection.
    #[error("the admin API's descriptors cannot be read: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

impl AdminServer {
    /// How long calls in flight may go on after a shutdown began, unless told otherwise.
    pub const GRACE: Duration = Duration::from_secs(3);

    /// How long the backend has for the first answer to a call, unless told otherwise.
    pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

    /// A server that counts in these metrics.
    pub fn new(metrics: Metrics) -> Self {
        Self {
            metrics,
            grace: Self::GRACE,
            answer_timeout: Self::ANSWER_TIMEOUT,
        }
    }

    /// The same with another time for the first answer, below a minute. Streams may then go on for as long as they like.
    pub fn with_answer_timeout(self, answer_timeout: Duration) -> Self {
        Self {
            answer_timeout,
            ..self
        }
    }

    /// The same with another grace: streams end at once when the shutdown begins, other calls and callers that do not close
    /// their connection have this long.
    pub fn with_grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// Serves until `shutdown` is cancelled, then refuses new calls, ends all streams with `Unavailable`, lets other calls
    /// finish within the grace, cuts what is left, and removes the socket.
    ///
    /// # Errors
    ///
    /// [`ServeError`]; the listeners are closed then.
    pub async fn serve(
        &self,
        listeners: Listeners,
        backend: Arc<dyn Backend>,
        shutdown: CancellationToken,
    ) -> Result<(), ServeError> {
        let Listeners {
            socket,
            socket_file,
            tcp,
            ..
        } = listeners;
        let severed = CancellationToken::new();
        let mut readiness = backend.readiness();
        let reporter = HealthReporter::new();
        let now = *readiness.borrow_and_update();
        publish(&reporter, now).await;
        let routes = self.routes(backend, &reporter, &shutdown)?;
        let entrance = Entrance::Socket;
        let over_socket =
            self.serve_listener(socket, entrance, routes.clone(), &shutdown, &severed);
        let over_tcp = async {
            match tcp {
                Some((listener, tokens)) => {
                    let entrance = Entrance::Token(tokens);
                    self.serve_listener(listener, entrance, routes, &shutdown, &severed)
                        .await
                }
                None => Ok(()),
            }
        };
        let cut_off = async {
            shutdown.cancelled().await;
            tokio::time::sleep(self.grace).await;
            severed.cancel();
        };
        let served = async { tokio::try_join!(over_socket, over_tcp).map(drop) };
        let ended = tokio::select! {
            ended = served => ended,
            () = run_beside(cut_off, follow_readiness(&reporter, readiness, &shutdown)) => Ok(()),
        };
        // Whatever ended the server, no connection outlives it.
        severed.cancel();
        drop(socket_file);
        Ok(ended?)
    }

    fn routes(
        &self,
        backend: Arc<dyn Backend>,
        reporter: &HealthReporter,
        closing: &CancellationToken,
    ) -> Result<Routes, ServeError> {
        let services = Services::new(
            backend,
            self.metrics.clone(),
            closing.clone(),
            self.answer_timeout,
        );
        let services = Arc::new(services);
        let health = tonic_health::server::HealthService::from_health_reporter(reporter.clone());
        let mut routes = Routes::builder();
        macro_rules! add {
            ($($server:ident),*) => {$(
                routes.add_service(
                    $server::from_arc(Arc::clone(&services))
                        .max_decoding_message_size(REQUEST_SIZE_MAX)
                        .max_encoding_message_size(RESPONSE_SIZE_MAX),
                );
            )*};
        }
        add!(
            TasksServer,
            PeersServer,
            LogServer,
            PolicyServer,
            AuditServer,
            NodeServer
        );
        routes.add_service(tonic_health::pb::health_server::HealthServer::new(health));
        routes.add_service(reflection().build_v1()?);
        routes.add_service(reflection().build_v1alpha()?);
        Ok(routes.routes())
    }

    fn serve_listener<L: Accept>(
        &self,
        listener: L,
        entrance: Entrance,
        routes: Routes,
        shutdown: &CancellationToken,
        severed: &CancellationToken,
    ) -> impl Future<Output = Result<(), tonic::transport::Error>> {
        Server::builder()
            .max_concurrent_streams(CALLS_PER_CONNECTION_MAX)
            .http2_max_header_list_size(HEADERS_SIZE_MAX)
            .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
            .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
            .timeout(CALL_TIMEOUT)
            .layer(GuardLayer::new(entrance, self.metrics.clone()))
            .add_routes(routes)
            .serve_with_incoming_shutdown(
                incoming(listener, self.metrics.clone(), severed.clone()),
                shutdown.clone().cancelled_owned(),
            )
    }
}

fn reflection<'a>() -> tonic_reflection::server::Builder<'a> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

/// Names under which `grpc.health.v1` answers: the whole server and each service.
const HEALTH_NAMES: [&str; 7] = [
    "",
    TasksServer::<Services>::NAME,
    PeersServer::<Services>::NAME,
    LogServer::<Services>::NAME,
    PolicyServer::<Services>::NAME,
    AuditServer::<Services>::NAME,
    NodeServer::<Services>::NAME,
];

/// Says in `grpc.health.v1` whether the node can do its work.
async fn publish(reporter: &HealthReporter, readiness: Readiness) {
    let status = match readiness {
        Readiness::Ready => ServingStatus::Serving,
        Readiness::Starting | Readiness::Stopping => ServingStatus::NotServing,
    };
    for name in HEALTH_NAMES {
        reporter.set_service_status(name, status).await;
    }
}

/// Keeps `grpc.health.v1` at the node's readiness; NOT_SERVING from the shutdown on.
async fn follow_readiness(
    reporter: &HealthReporter,
    mut readiness: ReadinessReceiver,
    shutdown: &CancellationToken,
) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            changed = readiness.changed() => match changed {
                Ok(()) => {
                    let now = *readiness.borrow_and_update();
                    publish(reporter, now).await;
                }
                Err(_) => {
                    shutdown.cancelled().await;
                    break;
                }
            },
        }
    }
    publish(reporter, Readiness::Stopping).await;
}

/// Runs two futures side by side, and never ends: they serve another one.
async fn run_beside(left: impl Future<Output = ()>, right: impl Future<Output = ()>) {
    tokio::join!(left, right);
    std::future::pending::<()>().await;
}
