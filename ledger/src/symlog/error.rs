//! Why a `.symlog` file was refused.

use symphony_transparency::{CanonicalError, Digest};

use crate::LinkError;

/// A `.symlog` file cannot be read or written. Each damage names its place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SymlogError {
    /// The file could not be read or written.
    #[error("cannot read or write the export: {0}")]
    Io(#[from] std::io::Error),
    /// The file does not begin with the magic bytes.
    #[error("not a symlog file of version 1")]
    NotSymlog,
    /// The file ends inside the header.
    #[error("the export ends inside its header")]
    HeaderTruncated,
    /// The header is larger than its limit.
    #[error("export header of {actual} bytes exceeds {limit}")]
    HeaderTooLarge {
        /// [`super::EXPORT_HEADER_SIZE_MAX`].
        limit: usize,
        /// Stated size in bytes.
        actual: u64,
    },
    /// The header's bytes do not match their check.
    #[error("the export's header is damaged")]
    HeaderDamaged,
    /// The header's bytes are not canonical.
    #[error("export header: {0}")]
    HeaderCanonical(#[from] CanonicalError),
    /// A field of the header has a wrong form.
    #[error("export header field {field}: {reason}")]
    HeaderField {
        /// Name of the field in the schema.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The file ends inside, or before, an entry that the header promises.
    #[error("the export ends at entry {index} of {size}")]
    Truncated {
        /// Index of the first entry that is not whole.
        index: u64,
        /// Number of entries that the header promises.
        size: u64,
    },
    /// An entry's bytes, or the length before them, do not match their check.
    #[error("entry {index} of the export is damaged")]
    EntryDamaged {
        /// Index of the damaged entry.
        index: u64,
    },
    /// The file ends before the whole trailer.
    #[error("the export ends inside its trailer")]
    TrailerTruncated,
    /// The trailer does not match the bytes before it.
    #[error("the export's trailer is {found}, its bytes give {expected}")]
    TrailerDamaged {
        /// Digest of the bytes that were read.
        expected: Digest,
        /// Digest in the trailer.
        found: Digest,
    },
    /// There are bytes behind the trailer.
    #[error("bytes follow the export's trailer")]
    TrailingBytes,
    /// The entries are intact but form no log. In a file that its author made, this is the author's fault.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// A writer was given more or fewer entries than its header promises.
    #[error("export of {expected} entries was given {actual}")]
    Count {
        /// Number of entries in the header.
        expected: u64,
        /// Number of entries written.
        actual: u64,
    },
}

impl SymlogError {
    /// The entry at which the file is damaged or ends, if the damage has such a place.
    pub fn entry(&self) -> Option<u64> {
        match self {
            Self::Truncated { index, .. } | Self::EntryDamaged { index } => Some(*index),
            Self::Link(error) => Some(error.index()),
            _ => None,
        }
    }
}
