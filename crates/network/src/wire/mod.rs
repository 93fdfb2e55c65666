//! The exchange protocol's bytes: framing, canonical protobuf, and limits that are checked on both ways.
//!
//! Generated types go no further than this module. Spec: NET-17 to NET-28.

mod codec;
mod request;
mod response;
#[cfg(test)]
mod tests;

pub(crate) use codec::{ExchangeCodec, RequestFrame, ResponseFrame};
pub(crate) use request::{Inbound, decode_request, encode_hello_request, encode_request};
pub(crate) use response::{
    Answer, decode_answer, decode_response, encode_busy, encode_hello_response, encode_refusal,
    encode_response,
};

use symphony_transparency::{CanonicalError, DigestError, KeyError};

use crate::message::Hello;

/// Bytes or values that do not follow the exchange protocol.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// Not the canonical encoding of a message.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// The message has no body.
    #[error("the message has no body")]
    NoBody,
    /// A hello where none belongs, or another message where a hello belongs.
    #[error("expected {expected}, found {actual}")]
    UnexpectedBody {
        /// What belongs there.
        expected: &'static str,
        /// What stands there.
        actual: &'static str,
    },
    /// A field that must be a digest is none.
    #[error("{field}: {source}")]
    Digest {
        /// The field's name.
        field: &'static str,
        /// What is wrong with it.
        source: DigestError,
    },
    /// A field that must be a public key is none.
    #[error("{field}: {source}")]
    Key {
        /// The field's name.
        field: &'static str,
        /// What is wrong with it.
        source: KeyError,
    },
    /// A number, or the size of a field in bytes, is outside its range.
    #[error("{field} is {actual}, expected {minimum} to {maximum}")]
    OutOfRange {
        /// The field's name.
        field: &'static str,
        /// The least value.
        minimum: u64,
        /// The greatest value.
        maximum: u64,
        /// The value given.
        actual: u64,
    },
    /// A list that must be strictly ascending is not.
    #[error("{field}: not strictly ascending")]
    NotAscending {
        /// The field's name.
        field: &'static str,
    },
    /// A refusal with a reason that this version does not know.
    #[error("unknown refusal code {0}")]
    UnknownRefusal(i32),
}

/// Checks a hello of our own before it is sent.
pub(crate) fn check_hello(hello: Hello) -> Result<Hello, WireError> {
    request::check_hello_limits(&hello)?;
    Ok(hello)
}

/// Refuses a number outside its range.
fn in_range(
    field: &'static str,
    actual: u64,
    range: std::ops::RangeInclusive<u64>,
) -> Result<(), WireError> {
    if range.contains(&actual) {
        return Ok(());
    }
    Err(WireError::OutOfRange {
        field,
        minimum: *range.start(),
        maximum: *range.end(),
        actual,
    })
}

/// Refuses a byte string outside its range of sizes.
fn size_in_range(
    field: &'static str,
    size: usize,
    range: std::ops::RangeInclusive<usize>,
) -> Result<(), WireError> {
    in_range(
        field,
        size as u64,
        *range.start() as u64..=*range.end() as u64,
    )
}
