//! One encoding for each value: what was signed is what is checked, in every language.
//!
//! Protobuf itself allows many encodings of one message (field order, padded varints, explicit defaults, unknown fields).
//! Two parties that hash different encodings of "the same" message disagree about what was said, so exactly one is valid:
//! the one that a decoder gets by encoding what it decoded.
//!
//! Spec: BYTES-1 to BYTES-7.

mod in_place;
mod writer;

use prost::Message;

pub use in_place::{Element, Field, Fields, View, read_canonical};
pub use writer::Writer;

/// Bytes that are not the canonical encoding of a value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CanonicalError {
    /// More bytes than this kind of message may have; nothing was decoded.
    #[error("message of {actual} bytes exceeds its limit of {limit}")]
    TooLarge {
        /// The largest size in bytes.
        limit: usize,
        /// The size that was given.
        actual: usize,
    },
    /// Not a protobuf encoding of this message.
    #[error("malformed message: {0}")]
    Malformed(#[from] prost::DecodeError),
    /// Decodes, but another encoding of the same value is the canonical one.
    #[error("not canonical: differs from its own re-encoding at byte {offset}")]
    NotCanonical {
        /// Index of the first byte that differs.
        offset: usize,
    },
    /// An f64 field that does not have exactly 8 bytes.
    #[error("a number field has {expected} bytes, not {actual}")]
    NumberLength {
        /// 8.
        expected: usize,
        /// The length that was given.
        actual: usize,
    },
    /// An f64 field that holds NaN or an infinity.
    #[error("a number field is not finite (bits {bits:#018x})")]
    NumberNotFinite {
        /// The bits of the number.
        bits: u64,
    },
    /// An f64 field that holds −0, whose canonical form is +0.
    #[error("a number field holds negative zero")]
    NumberNegativeZero,
}

/// Decodes a message, and refuses every encoding of it but the canonical one.
///
/// `limit` is the largest size in bytes and is checked before anything is decoded, so memory is bounded by the caller.
/// Unknown fields are refused (a re-encoding drops them). Unknown enumeration values and unset oneofs are not seen here:
/// the conversion to a domain type refuses them.
///
/// # Errors
/// [`CanonicalError::TooLarge`], [`CanonicalError::Malformed`] or [`CanonicalError::NotCanonical`]; all are the sender's
/// fault.
///
/// Spec: BYTES-1, BYTES-2.
pub fn decode_canonical<M: Message + Default>(
    bytes: &[u8],
    limit: usize,
) -> Result<M, CanonicalError> {
    check_size(bytes, limit)?;
    let message = M::decode(bytes)?;
    let encoded = encode(&message);
    if encoded != bytes {
        return Err(CanonicalError::NotCanonical {
            offset: first_difference(&encoded, bytes),
        });
    }
    Ok(message)
}

fn check_size(bytes: &[u8], limit: usize) -> Result<(), CanonicalError> {
    if bytes.len() > limit {
        return Err(CanonicalError::TooLarge {
            limit,
            actual: bytes.len(),
        });
    }
    Ok(())
}

/// The canonical encoding of a message: fields by ascending number, defaults left out, varints without padding, numeric
/// lists packed.
///
/// Spec: BYTES-3.
pub fn encode<M: Message>(message: &M) -> Vec<u8> {
    message.encode_to_vec()
}

/// Reads an f64 from its field of exactly 8 big-endian bytes.
///
/// # Errors
/// [`CanonicalError::NumberLength`], [`CanonicalError::NumberNotFinite`] or [`CanonicalError::NumberNegativeZero`].
///
/// Spec: BYTES-6.
pub fn f64_from_field(field: &[u8]) -> Result<f64, CanonicalError> {
    let bytes = <[u8; 8]>::try_from(field).map_err(|_| CanonicalError::NumberLength {
        expected: 8,
        actual: field.len(),
    })?;
    let number = f64::from_be_bytes(bytes);
    if !number.is_finite() {
        return Err(CanonicalError::NumberNotFinite {
            bits: number.to_bits(),
        });
    }
    if number == 0.0 && number.is_sign_negative() {
        return Err(CanonicalError::NumberNegativeZero);
    }
    Ok(number)
}

/// Writes an f64 as 8 big-endian bytes; −0 becomes +0.
///
/// A number that is not finite has no canonical form: its bytes are written as they are, and every reader refuses them.
///
/// Spec: BYTES-7.
pub fn f64_to_field(number: f64) -> Vec<u8> {
    f64_bytes(number).to_vec()
}

/// Writes several f64 behind each other, each as [`f64_to_field`] does.
///
/// Spec: BYTES-7.
pub fn f64s_to_field(numbers: &[f64]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8 * numbers.len());
    for number in numbers {
        bytes.extend_from_slice(&f64_bytes(*number));
    }
    bytes
}

fn f64_bytes(number: f64) -> [u8; 8] {
    let normalised = if number == 0.0 { 0.0 } else { number };
    normalised.to_be_bytes()
}

fn first_difference(left: &[u8], right: &[u8]) -> usize {
    left.iter()
        .zip(right)
        .position(|(a, b)| a != b)
        .unwrap_or_else(|| left.len().min(right.len()))
}
