//! Why a run could not go on.

use symphony_coordination::ProposeError;
use symphony_protocol::{
    records::RecordError,
    replay::{Stop, Unusable},
};
use symphony_transparency::StatementError;

/// A run that could not go on. With honest peers each of these is a defect of this program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulationError {
    /// A scenario that cannot be set up.
    #[error("scenario: expected {expected}")]
    Scenario {
        /// What it should have been.
        expected: &'static str,
    },
    /// The agreed parameters are refused.
    #[error(transparent)]
    Params(#[from] RecordError),
    /// A peer proposed an entry that the rules refuse.
    #[error("peer {peer} at {time_ms} ms: {source}")]
    Propose {
        /// Number of the peer.
        peer: usize,
        /// Virtual time, in milliseconds.
        time_ms: u64,
        /// The refusal.
        source: ProposeError,
    },
    /// A peer sent a statement that nobody accepts.
    #[error("peer {peer} at {time_ms} ms: {source}")]
    Statement {
        /// Number of the peer.
        peer: usize,
        /// Virtual time, in milliseconds.
        time_ms: u64,
        /// The refusal.
        source: StatementError,
    },
    /// A peer's own stored log is refused at a restart.
    #[error("peer {peer} at {time_ms} ms: {source}")]
    Restart {
        /// Number of the peer.
        peer: usize,
        /// Virtual time, in milliseconds.
        time_ms: u64,
        /// The refusal.
        source: Stop,
    },
    /// A log cannot be audited.
    #[error(transparent)]
    Unusable(#[from] Unusable),
}
