//! Memos: what a node must remember together with an entry, such as the exact bytes that it answered with.

/// Longest key of a memo in bytes.
pub const MEMO_KEY_SIZE_MAX: usize = 256;
/// Largest value of a memo in bytes: an answer with its receipt, with room.
pub const MEMO_VALUE_SIZE_MAX: usize = 4 << 20;

/// One change of the memo table. It becomes durable in the same batch as the entries that it was given with: both are
/// there after a crash, or neither.
///
/// Spec: STORE-16.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MemoWrite {
    /// Sets a value.
    Put {
        /// 1 to [`MEMO_KEY_SIZE_MAX`] bytes; by convention a table name, a zero byte, and an id.
        key: Vec<u8>,
        /// 0 to [`MEMO_VALUE_SIZE_MAX`] bytes.
        value: Vec<u8>,
    },
    /// Removes a value, if there is one.
    Delete {
        /// 1 to [`MEMO_KEY_SIZE_MAX`] bytes.
        key: Vec<u8>,
    },
}

/// A memo is beyond its limits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MemoError {
    /// The key is empty or too long.
    #[error("memo key of {actual} bytes: must have 1 to {limit}")]
    KeySize {
        /// [`MEMO_KEY_SIZE_MAX`].
        limit: usize,
        /// Its size in bytes.
        actual: usize,
    },
    /// The value is too large.
    #[error("memo value of {actual} bytes exceeds {limit}")]
    ValueSize {
        /// [`MEMO_VALUE_SIZE_MAX`].
        limit: usize,
        /// Its size in bytes.
        actual: usize,
    },
}

impl MemoWrite {
    /// Sets a value.
    pub fn put(key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        Self::Put {
            key: key.into(),
            value: value.into(),
        }
    }

    /// Removes a value.
    pub fn delete(key: impl Into<Vec<u8>>) -> Self {
        Self::Delete { key: key.into() }
    }

    /// Size of key and value in bytes.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Put { key, value } => key.len() + value.len(),
            Self::Delete { key } => key.len(),
        }
    }

    pub(crate) fn check(&self) -> Result<(), MemoError> {
        let (key, value_size) = match self {
            Self::Put { key, value } => (key, value.len()),
            Self::Delete { key } => (key, 0),
        };
        if key.is_empty() || key.len() > MEMO_KEY_SIZE_MAX {
            return Err(MemoError::KeySize {
                limit: MEMO_KEY_SIZE_MAX,
                actual: key.len(),
            });
        }
        if value_size > MEMO_VALUE_SIZE_MAX {
            return Err(MemoError::ValueSize {
                limit: MEMO_VALUE_SIZE_MAX,
                actual: value_size,
            });
        }
        Ok(())
    }
}

/// A stored memo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memo {
    /// Its key.
    pub key: Vec<u8>,
    /// Its value.
    pub value: Vec<u8>,
}
