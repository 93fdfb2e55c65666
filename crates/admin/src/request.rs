//! What is wrong with a request, found before the backend sees it.

use tonic::Status;

/// A request that breaks a limit of the schema. The caller's fault: the same request fails again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// A log id of another form.
    #[error("log_id has {actual_size} bytes and is not 64 lowercase hexadecimal digits")]
    LogId {
        /// Its size in bytes.
        actual_size: usize,
    },
    /// A field that must be set is not.
    #[error("{field} is not set")]
    Missing {
        /// The field's path.
        field: &'static str,
    },
    /// A number, size or count outside its range.
    #[error("{field} is {actual}, not {minimum} to {maximum}")]
    Range {
        /// The field's path.
        field: &'static str,
        /// Smallest value.
        minimum: u64,
        /// Largest value.
        maximum: u64,
        /// What was given.
        actual: u64,
    },
    /// A text of another size.
    #[error("{field} has {actual} bytes, not {minimum} to {maximum}")]
    Size {
        /// The field's path.
        field: &'static str,
        /// Least bytes.
        minimum: u64,
        /// Most bytes.
        maximum: u64,
        /// Bytes that were given.
        actual: u64,
    },
    /// A tag with other characters, or twice.
    #[error(
        "tag {position} of a step holds other characters than a-z, 0-9 and '-', or repeats another"
    )]
    Tag {
        /// Its position in the step, from 0.
        position: usize,
    },
    /// A number that names no value of an enum.
    #[error("{field} is {actual}, which names nothing")]
    Enum {
        /// The field's path.
        field: &'static str,
        /// What was given.
        actual: i32,
    },
    /// Two numbers of which the first must not exceed the second.
    #[error("{smaller_field} is {smaller}, above {larger_field}, which is {larger}")]
    Order {
        /// Field that must not exceed the other.
        smaller_field: &'static str,
        /// Its value.
        smaller: u64,
        /// The other field.
        larger_field: &'static str,
        /// Its value.
        larger: u64,
    },
}

impl From<RequestError> for Status {
    fn from(error: RequestError) -> Self {
        Status::invalid_argument(error.to_string())
    }
}

/// A value in a range.
pub(crate) fn in_range(
    field: &'static str,
    actual: u64,
    range: std::ops::RangeInclusive<u64>,
) -> Result<(), RequestError> {
    if range.contains(&actual) {
        return Ok(());
    }
    Err(RequestError::Range {
        field,
        minimum: *range.start(),
        maximum: *range.end(),
        actual,
    })
}

/// A text whose size in bytes is in a range.
pub(crate) fn size_in_range(
    field: &'static str,
    text: &str,
    range: std::ops::RangeInclusive<usize>,
) -> Result<(), RequestError> {
    if range.contains(&text.len()) {
        return Ok(());
    }
    Err(RequestError::Size {
        field,
        minimum: *range.start() as u64,
        maximum: *range.end() as u64,
        actual: text.len() as u64,
    })
}
