//! Metrics and probes over plain HTTP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::listen::{ListenError, Reachability, bind_tcp};
use crate::readiness::{Readiness, ReadinessReceiver};

/// What Prometheus calls the text that [`prometheus_client`] writes.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Longest wait for open requests after a shutdown began.
const GRACE: Duration = Duration::from_secs(1);

/// Serves `/metrics` (OpenMetrics text), `/livez` (200 while the process answers) and `/readyz` (200 when ready, otherwise
/// 503), without any token: bind it to a loopback address.
#[derive(Debug)]
pub struct MetricsServer {
    listener: TcpListener,
    address: SocketAddr,
}

#[derive(Clone)]
struct Sources {
    registry: Arc<Registry>,
    readiness: ReadinessReceiver,
}

impl MetricsServer {
    /// Listens; port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// [`ListenError::NotLoopback`] and [`ListenError::Tcp`].
    pub async fn bind(
        address: SocketAddr,
        reachability: Reachability,
    ) -> Result<Self, ListenError> {
        let (listener, address) = bind_tcp(address, reachability).await?;
        Ok(Self { listener, address })
    }

    /// The address with its real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` is cancelled.
    ///
    /// # Errors
    ///
    /// What the system says of the listener.
    pub async fn serve(
        self,
        registry: Arc<Registry>,
        readiness: ReadinessReceiver,
        shutdown: CancellationToken,
    ) -> std::io::Result<()> {
        let router = Router::new()
            .route("/metrics", get(metrics))
            .route("/livez", get(|| async { "live\n" }))
            .route("/readyz", get(ready))
            .with_state(Sources {
                registry,
                readiness,
            });
        let graceful = shutdown.clone().cancelled_owned();
        let served = axum::serve(self.listener, router).with_graceful_shutdown(graceful);
        let cut_off = async {
            shutdown.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            ended = served => ended,
            () = cut_off => Ok(()),
        }
    }
}

async fn metrics(State(sources): State<Sources>) -> Response {
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &sources.registry) {
        Ok(()) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn ready(State(sources): State<Sources>) -> (StatusCode, &'static str) {
    match *sources.readiness.borrow() {
        Readiness::Starting => (StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
        Readiness::Ready => (StatusCode::OK, "ready\n"),
        Readiness::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
    }
}
