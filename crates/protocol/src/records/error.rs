//! Why bytes are no record.

use symphony_transparency::{
    CanonicalError, StatementError,
    canonical::{View, read_canonical},
};

/// Why bytes are no record of this protocol. Always the fault of whoever wrote the bytes.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The bytes are not canonical protobuf of the expected message.
    #[error("{record}: {source}")]
    Canonical {
        /// Name of the record.
        record: &'static str,
        /// What is wrong with the bytes.
        source: CanonicalError,
    },
    /// A field lies outside its range.
    #[error("{record}.{field}: expected {expected}, found {actual}")]
    Field {
        /// Name of the record.
        record: &'static str,
        /// Name of the field as in the schema.
        field: &'static str,
        /// What the field may hold.
        expected: &'static str,
        /// What it holds.
        actual: String,
    },
    /// A nested statement is not acceptable.
    #[error("{record}.{field}: {source}")]
    Statement {
        /// Name of the record.
        record: &'static str,
        /// Name of the field as in the schema.
        field: &'static str,
        /// What is wrong with the statement.
        source: StatementError,
    },
}

/// Reads the fields of one kind of record and names it in every error.
#[derive(Clone, Copy)]
pub(crate) struct Reader(pub(crate) &'static str);

impl Reader {
    pub(crate) fn decode<M: prost::Message + Default>(
        self,
        bytes: &[u8],
        size_max: usize,
    ) -> Result<M, RecordError> {
        symphony_transparency::decode_canonical(bytes, size_max).map_err(|source| {
            RecordError::Canonical {
                record: self.0,
                source,
            }
        })
    }

    /// [`Reader::decode`], of a message that is read where it stands.
    pub(crate) fn read<'a, V: View<'a>>(
        self,
        bytes: &'a [u8],
        size_max: usize,
    ) -> Result<V, RecordError> {
        read_canonical(bytes, size_max).map_err(|source| RecordError::Canonical {
            record: self.0,
            source,
        })
    }

    pub(crate) fn refuse<T>(
        self,
        field: &'static str,
        expected: &'static str,
        actual: impl ToString,
    ) -> Result<T, RecordError> {
        Err(RecordError::Field {
            record: self.0,
            field,
            expected,
            actual: actual.to_string(),
        })
    }

    pub(crate) fn require<T>(
        self,
        field: &'static str,
        value: Option<T>,
    ) -> Result<T, RecordError> {
        value.map_or_else(|| self.refuse(field, "a value", "nothing"), Ok)
    }

    pub(crate) fn bytes<const N: usize>(
        self,
        field: &'static str,
        bytes: &[u8],
    ) -> Result<[u8; N], RecordError> {
        bytes.try_into().or_else(|_| {
            self.refuse(
                field,
                "bytes of the documented size",
                format!("{} bytes", bytes.len()),
            )
        })
    }

    pub(crate) fn digest(
        self,
        field: &'static str,
        bytes: &[u8],
    ) -> Result<symphony_transparency::Digest, RecordError> {
        Ok(symphony_transparency::Digest::from_bytes(
            self.bytes(field, bytes)?,
        ))
    }

    /// A digest, or none where the field is empty.
    pub(crate) fn optional_digest(
        self,
        field: &'static str,
        bytes: &[u8],
    ) -> Result<Option<symphony_transparency::Digest>, RecordError> {
        if bytes.is_empty() {
            return Ok(None);
        }
        self.digest(field, bytes).map(Some)
    }

    pub(crate) fn key(
        self,
        field: &'static str,
        bytes: &[u8],
    ) -> Result<symphony_transparency::PublicKey, RecordError> {
        symphony_transparency::PublicKey::from_bytes(self.bytes(field, bytes)?)
            .or_else(|error| self.refuse(field, "an Ed25519 public key", error))
    }

    pub(crate) fn number(self, field: &'static str, bytes: &[u8]) -> Result<f64, RecordError> {
        symphony_transparency::f64_from_field(bytes)
            .or_else(|error| self.refuse(field, "8 bytes of a finite number", error))
    }

    pub(crate) fn within<N: Copy + PartialOrd + ToString>(
        self,
        field: &'static str,
        value: N,
        range: std::ops::RangeInclusive<N>,
        expected: &'static str,
    ) -> Result<N, RecordError> {
        if range.contains(&value) {
            Ok(value)
        } else {
            self.refuse(field, expected, value)
        }
    }

    pub(crate) fn ppm(self, field: &'static str, value: u32) -> Result<u32, RecordError> {
        self.within(field, value, 0..=PPM, "0 to 1000000 parts per million")
    }

    pub(crate) fn strictly_sorted<T: Ord>(
        self,
        field: &'static str,
        items: &[T],
        count_max: usize,
    ) -> Result<(), RecordError> {
        if items.len() > count_max {
            return self.refuse(field, "at most the documented count of items", items.len());
        }
        if items.windows(2).all(|pair| pair[0] < pair[1]) {
            Ok(())
        } else {
            self.refuse(
                field,
                "strictly sorted items",
                "an item not above the one before",
            )
        }
    }
}

/// One, in parts per million.
pub const PPM: u32 = 1_000_000;
