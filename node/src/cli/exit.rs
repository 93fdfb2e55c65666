//! Exit codes: a contract for scripts.

use std::process::ExitCode;

use symphony_admin::{ClientError, ErrorKind};

use crate::{audit::Verdict, config::ConfigError, home::HomeError};

/// How the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitStatus {
    /// Done; of an audit: every log is clean.
    Success = 0,
    /// Something failed; the reason stands on standard error.
    Failure = 1,
    /// Wrong usage, or an input that cannot be judged: damaged, of another network or of other rules.
    UnusableInput = 2,
    /// An audit exposed a peer.
    Exposed = 3,
    /// An audit suspects a peer, and exposes none.
    Suspected = 4,
    /// The task ended without an answer.
    NoAnswer = 5,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}

impl From<Verdict> for ExitStatus {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Clean => Self::Success,
            Verdict::Suspected => Self::Suspected,
            Verdict::Unusable => Self::UnusableInput,
            Verdict::Exposed => Self::Exposed,
        }
    }
}

/// Marks an error as the fault of an input or of the usage.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct UnusableInput(pub(super) String);

/// The exit code for an error.
pub(super) fn status_of(error: &anyhow::Error) -> ExitStatus {
    if error.chain().any(is_of_the_caller) {
        ExitStatus::UnusableInput
    } else {
        ExitStatus::Failure
    }
}

/// Whether what was given is at fault: a file, a setting, or an argument that the node refuses.
fn is_of_the_caller(cause: &(dyn std::error::Error + 'static)) -> bool {
    cause.is::<UnusableInput>()
        || cause.is::<ConfigError>()
        || cause
            .downcast_ref::<HomeError>()
            .is_some_and(|error| matches!(error, HomeError::Config(_)))
        || cause
            .downcast_ref::<ClientError>()
            .is_some_and(|error| error.kind() == ErrorKind::InvalidArgument)
}
