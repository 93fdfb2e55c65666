//! Checkpoints kept beside the logs that they are of.

use symphony_transparency::{Checkpoint, SignedCheckpoint};

/// Checkpoints kept of one log; the oldest are dropped first. Enough to show what was signed lately, while a peer that
/// signs without end cannot fill the disk.
pub const CHECKPOINTS_COUNT_MAX: usize = 256;

/// A checkpoint that was verified when it was stored, and has been on a disk since.
///
/// Who passes it on passes on `text`; who relies on it verifies it again with the log's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// What the note says.
    pub checkpoint: Checkpoint,
    /// The signed note's exact text, cosignatures included.
    pub text: String,
}

impl StoredCheckpoint {
    /// Reads a record; `None` if it is no checkpoint.
    pub(crate) fn from_record(bytes: Vec<u8>) -> Option<Self> {
        let text = String::from_utf8(bytes).ok()?;
        let checkpoint = SignedCheckpoint::parse_unverified(&text).ok()?;
        Some(Self { checkpoint, text })
    }
}
