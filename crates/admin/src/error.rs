//! Why a call fails: one kind for the two sides, mapped to gRPC's codes in one place.

use std::fmt;

use tonic::{Code, Status};

/// Longest message of an error on the wire, in bytes; headers are limited.
const MESSAGE_SIZE_MAX: usize = 2048;

/// The kinds of failure, each one gRPC code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request breaks a limit; the same request fails again.
    InvalidArgument,
    /// No such log, entry or task.
    NotFound,
    /// Well formed, but impossible in this state.
    FailedPrecondition,
    /// A limit of the node is reached, or a reader is too slow. Later it may succeed.
    ResourceExhausted,
    /// The node starts, shuts down, or is not there. Later it may succeed.
    Unavailable,
    /// No answer in time. Later it may succeed.
    DeadlineExceeded,
    /// No token, or a wrong one.
    Unauthenticated,
    /// The token's role may not call this.
    PermissionDenied,
    /// The server does not know the method: it is older than the caller.
    Unimplemented,
    /// A message, in either direction, exceeds the size limit.
    MessageTooLarge,
    /// The caller gave the call up.
    Cancelled,
    /// Something broke in the node.
    Internal,
}

impl ErrorKind {
    const CODES: [(Self, Code); 12] = [
        (Self::InvalidArgument, Code::InvalidArgument),
        (Self::NotFound, Code::NotFound),
        (Self::FailedPrecondition, Code::FailedPrecondition),
        (Self::ResourceExhausted, Code::ResourceExhausted),
        (Self::Unavailable, Code::Unavailable),
        (Self::DeadlineExceeded, Code::DeadlineExceeded),
        (Self::Unauthenticated, Code::Unauthenticated),
        (Self::PermissionDenied, Code::PermissionDenied),
        (Self::Unimplemented, Code::Unimplemented),
        // What tonic says of a message beyond its limit.
        (Self::MessageTooLarge, Code::OutOfRange),
        (Self::Cancelled, Code::Cancelled),
        (Self::Internal, Code::Internal),
    ];

    fn code(self) -> Code {
        let found = Self::CODES.iter().find(|(kind, _)| *kind == self);
        found.map_or(Code::Internal, |(_, code)| *code)
    }

    pub(crate) fn from_code(code: Code) -> Self {
        let found = Self::CODES.iter().find(|(_, known)| *known == code);
        found.map_or(Self::Internal, |(kind, _)| *kind)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::InvalidArgument => "invalid argument",
            Self::NotFound => "not found",
            Self::FailedPrecondition => "failed precondition",
            Self::ResourceExhausted => "resource exhausted",
            Self::Unavailable => "unavailable",
            Self::DeadlineExceeded => "deadline exceeded",
            Self::Unauthenticated => "unauthenticated",
            Self::PermissionDenied => "permission denied",
            Self::Unimplemented => "unimplemented",
            Self::MessageTooLarge => "message too large",
            Self::Cancelled => "cancelled",
            Self::Internal => "internal error",
        };
        formatter.write_str(text)
    }
}

/// A failure that a [`Backend`](crate::Backend) reports to the caller. The message is for people and never holds a key, a
/// token, a question or an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct BackendError {
    kind: ErrorKind,
    message: String,
}

impl BackendError {
    /// A failure of a kind with one line for people.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// Its kind.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Its line for people.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl From<BackendError> for Status {
    fn from(error: BackendError) -> Self {
        let mut message = error.message;
        if message.len() > MESSAGE_SIZE_MAX {
            let end = (0..=MESSAGE_SIZE_MAX)
                .rev()
                .find(|end| message.is_char_boundary(*end))
                .unwrap_or(0);
            message.truncate(end);
        }
        Status::new(error.kind.code(), message)
    }
}

#[cfg(test)]
mod tests {
    use tonic::{Code, Status};

    use super::{BackendError, ErrorKind};

    #[test]
    fn every_kind_survives_the_wire() {
        for (kind, _) in ErrorKind::CODES {
            let status = Status::from(BackendError::new(kind, "why"));
            assert_eq!(ErrorKind::from_code(status.code()), kind);
            assert_eq!(status.message(), "why");
        }
    }

    #[test]
    fn a_code_that_no_kind_has_is_internal() {
        assert_eq!(ErrorKind::from_code(Code::DataLoss), ErrorKind::Internal);
    }

    #[test]
    fn a_long_message_is_cut_at_a_character() {
        let status = Status::from(BackendError::new(ErrorKind::Internal, "€".repeat(2000)));
        assert_eq!(status.message().len(), 2046);
    }
}
