//! Failures of the node as failures of a call.

use symphony_admin::{BackendError, ErrorKind};
use symphony_ledger::LedgerError;
use symphony_transparency::Digest;

/// The node shuts down.
pub(super) fn stopped() -> BackendError {
    BackendError::new(ErrorKind::Unavailable, "the node is shutting down")
}

/// A log that is neither the node's own nor followed.
pub(super) fn unknown_log(log: &Digest) -> BackendError {
    BackendError::new(ErrorKind::NotFound, format!("this node holds no log {log}"))
}

/// Something that a request names and that is not there.
pub(super) fn not_found(message: impl Into<String>) -> BackendError {
    BackendError::new(ErrorKind::NotFound, message)
}

/// Something that broke in the node.
pub(super) fn internal(error: impl std::fmt::Display) -> BackendError {
    BackendError::new(ErrorKind::Internal, error.to_string())
}

/// A failure of the ledger.
pub(super) fn ledger(error: LedgerError) -> BackendError {
    match &error {
        LedgerError::UnknownLog { log } => unknown_log(log),
        LedgerError::Proof(_) => not_found(error.to_string()),
        LedgerError::Closed | LedgerError::Stopped { .. } => stopped(),
        _ => internal(error),
    }
}
