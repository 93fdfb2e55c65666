//! Whether a node can do its work.

use tokio::sync::watch;

/// Whether a node can do its work. Published through a [`watch`] channel to `grpc.health.v1` and `/readyz`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It recovers its log or starts its executor.
    Starting,
    /// It takes calls.
    Ready,
    /// It shuts down.
    Stopping,
}

/// Where the newest readiness is read. The last value stands when the sender is gone.
pub type ReadinessReceiver = watch::Receiver<Readiness>;
