//! Why a witness does not cosign, and how it says so.

use crate::merkle::ProofError;
use crate::{CheckpointError, NoteError};

/// Content type of an answer that tells the size that the witness last cosigned.
pub const SIZE_CONTENT_TYPE: &str = "text/x.tlog.size";

/// Content type of every other answer.
pub const TEXT_CONTENT_TYPE: &str = "text/plain; charset=utf-8";

/// Why bytes are no request for a cosignature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// Larger than [`ADD_CHECKPOINT_SIZE_MAX`](super::ADD_CHECKPOINT_SIZE_MAX).
    #[error("the request has {actual} bytes, more than {limit}")]
    TooLarge {
        /// [`ADD_CHECKPOINT_SIZE_MAX`](super::ADD_CHECKPOINT_SIZE_MAX).
        limit: usize,
        /// The size that was given.
        actual: usize,
    },
    /// No blank line before the checkpoint, or not UTF-8 before it.
    #[error("the request has no empty line before its checkpoint")]
    NoCheckpoint,
    /// The first line is not `old`, a space and a decimal number without leading zeros.
    #[error("line 1 is not the word old, a space and a tree size in decimal")]
    OldSize,
    /// A line between the first and the empty one is not the base64 form of 32 bytes.
    #[error("line {line} is not a hash of 32 bytes in base64")]
    Hash {
        /// The line, counted from 1.
        line: usize,
    },
    /// More hashes than any consistency proof has.
    #[error("the request has {actual} hashes, more than {limit}")]
    TooManyHashes {
        /// [`CONSISTENCY_PROOF_LENGTH_MAX`](crate::merkle::CONSISTENCY_PROOF_LENGTH_MAX).
        limit: usize,
        /// The number of lines.
        actual: usize,
    },
    /// What follows is no signed note.
    #[error("note: {0}")]
    Note(#[from] NoteError),
    /// The note's text is no checkpoint.
    #[error("checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
}

/// Why a witness does not cosign.
///
/// Spec: WITNESS-5, which gives the status of each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Not a request.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The witness does not know the log.
    #[error("this witness does not know the log {origin:?}")]
    UnknownOrigin {
        /// First line of the checkpoint.
        origin: String,
    },
    /// The log's key did not sign.
    #[error("the log's key did not sign the checkpoint")]
    NotSigned,
    /// The old size is above that of the checkpoint.
    #[error("old size {old_size} is above the checkpoint's {size}")]
    OldSizeAbove {
        /// The old size that was given.
        old_size: u64,
        /// Size of the checkpoint.
        size: u64,
    },
    /// The old size is not the one that the witness last cosigned. Ask again, from there.
    #[error("the newest cosigned size is {latest_size}, not {old_size}")]
    OtherOldSize {
        /// The size that was last cosigned; 0 if none was.
        latest_size: u64,
        /// The old size that was given.
        old_size: u64,
    },
    /// The log signed another root at the size that the witness last cosigned: a fork (LOG-24).
    #[error("another root was cosigned at size {latest_size}")]
    OtherRoot {
        /// The size that was last cosigned.
        latest_size: u64,
    },
    /// The entries that the witness holds lead to another root at this size: a fork, or a log that signs what it does not
    /// show.
    #[error("the entries that this witness holds have another root at size {size}")]
    OtherEntries {
        /// Size of the checkpoint.
        size: u64,
        /// The size that was last cosigned; 0 if none was.
        latest_size: u64,
    },
    /// The proof does not lead from the old tree to the new one.
    #[error("consistency proof: {0}")]
    Proof(#[from] ProofError),
}

impl Refusal {
    /// The HTTP status: 400, 403, 404, 409 or 422.
    ///
    /// Spec: WITNESS-5.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) | Self::OldSizeAbove { .. } => 400,
            Self::NotSigned => 403,
            Self::UnknownOrigin { .. } => 404,
            Self::OtherOldSize { .. } | Self::OtherRoot { .. } | Self::OtherEntries { .. } => 409,
            Self::Proof(_) => 422,
        }
    }

    /// The content type of [`Refusal::body`].
    pub const fn content_type(&self) -> &'static str {
        match self.latest_size() {
            Some(_) => SIZE_CONTENT_TYPE,
            None => TEXT_CONTENT_TYPE,
        }
    }

    /// What the answer says: of a conflict the size that was last cosigned, otherwise the reason; a newline behind.
    pub fn body(&self) -> String {
        match self.latest_size() {
            Some(size) => format!("{size}\n"),
            None => format!("{self}\n"),
        }
    }

    /// Whether the request shows that the log contradicts itself: both checkpoints are worth keeping.
    pub const fn shows_a_fork(&self) -> bool {
        matches!(self, Self::OtherRoot { .. } | Self::OtherEntries { .. })
    }

    const fn latest_size(&self) -> Option<u64> {
        match self {
            Self::OtherOldSize { latest_size, .. }
            | Self::OtherRoot { latest_size }
            | Self::OtherEntries { latest_size, .. } => Some(*latest_size),
            _ => None,
        }
    }
}
