//! A demand for entries that somebody must hold. Spec: EVIDENCE-14, EVIDENCE-15.

use std::ops::Range;

use symphony_proto::statement::v1 as wire;
use symphony_transparency::{
    Checkpoint, CheckpointError, Digest, NodeHash, ProofError, PublicKey, SignedCheckpoint, encode,
    leaf_hash, verify_inclusion,
};

use super::error::{Reader, RecordError};

/// Most entries that one challenge asks for: their answer fits in one response.
pub const CHALLENGED_ENTRIES_MAX: u32 = 32;
/// Largest note in a challenge, in bytes: the author's signature is the only one that it needs.
const NOTE_SIZE_MAX: usize = 1024;
/// Largest encoding, in bytes.
const CHALLENGE_SIZE_MAX: usize = NOTE_SIZE_MAX + 128;

/// A demand for entries of a log, by anybody, of anybody who has them. Spec: EVIDENCE-14.
///
/// Its signer is the challenger. Silence convicts nobody: the log is suspected until somebody answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    log: Digest,
    first: u64,
    count: u32,
    note: String,
    checkpoint: Checkpoint,
}

/// An entry of an answer, with the proof that it is in the checkpoint's tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnsweredEntry {
    /// Exact bytes.
    pub bytes: Vec<u8>,
    /// Inclusion proof, the leaf's sibling first.
    pub hashes: Vec<NodeHash>,
}

/// Why entries do not answer a challenge.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The log's author did not sign the checkpoint: the challenge asks nothing of anybody.
    #[error("checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// Another number of entries than was asked for.
    #[error("{actual} entries where {expected} were asked for")]
    Count {
        /// How many were asked for.
        expected: u32,
        /// How many there are.
        actual: usize,
    },
    /// Bytes that are not the author's entry at that index.
    #[error("entry {index}: {source}")]
    Entry {
        /// The index.
        index: u64,
        /// What is wrong with the proof.
        source: ProofError,
    },
}

impl Challenge {
    /// Asks for the entries `indices` of the log of this checkpoint, a signed note.
    ///
    /// # Errors
    /// A range that is empty, too long or not covered by the checkpoint, or a note that is none or too large.
    pub fn new(note: String, indices: Range<u64>) -> Result<Self, RecordError> {
        let reader = Reader("Challenge");
        if note.len() > NOTE_SIZE_MAX {
            return reader.refuse("checkpoint", "at most 1024 bytes", note.len());
        }
        let checkpoint = SignedCheckpoint::parse_unverified(&note)
            .or_else(|error| reader.refuse("checkpoint", "a signed checkpoint", error))?;
        let count = indices.end.saturating_sub(indices.start);
        let count = reader.within("count", count, 1..=CHALLENGED_ENTRIES_MAX.into(), "1 to 32")?;
        if indices.end > checkpoint.size {
            return reader.refuse("first", "entries that the checkpoint covers", indices.end);
        }
        Ok(Self {
            log: checkpoint.log,
            first: indices.start,
            count: u32::try_from(count).unwrap_or(CHALLENGED_ENTRIES_MAX),
            note,
            checkpoint,
        })
    }

    /// Reads a payload. Whether the log's author signed the checkpoint is not known before an answer is checked.
    ///
    /// # Errors
    /// Bytes that are not canonical, or a field outside its range.
    pub fn parse(payload: &[u8]) -> Result<Self, RecordError> {
        let reader = Reader("Challenge");
        let value: wire::Challenge = reader.decode(payload, CHALLENGE_SIZE_MAX)?;
        let log = reader.digest("log_id", &value.log_id)?;
        let note = String::from_utf8(value.checkpoint)
            .or_else(|error| reader.refuse("checkpoint", "text", error))?;
        let end = value.first.checked_add(value.count.into());
        let end = reader.require("first", end)?;
        let challenge = Self::new(note, value.first..end)?;
        if challenge.log != log {
            return reader.refuse("log_id", "the checkpoint's log", log);
        }
        Ok(challenge)
    }

    /// The canonical payload.
    pub fn encode(&self) -> Vec<u8> {
        encode(&wire::Challenge {
            log_id: self.log.as_bytes().to_vec(),
            first: self.first,
            count: self.count,
            checkpoint: self.note.as_bytes().to_vec(),
        })
    }

    /// Id of the log.
    pub fn log(&self) -> Digest {
        self.log
    }

    /// Indices of the entries that are asked for.
    pub fn indices(&self) -> Range<u64> {
        self.first..self.first.saturating_add(self.count.into())
    }

    /// The signed note of the checkpoint that covers them.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// Accepts entries as the answer, whoever gives it: each is what the author of the log signed for at its index. What they say
    /// is not judged here.
    ///
    /// # Errors
    /// [`AnswerError`].
    ///
    /// Spec: EVIDENCE-15.
    pub fn check_answer(
        &self,
        author: &PublicKey,
        entries: &[AnsweredEntry],
    ) -> Result<(), AnswerError> {
        SignedCheckpoint::parse_and_verify(&self.note, author)?;
        if entries.len() != self.count as usize {
            return Err(AnswerError::Count {
                expected: self.count,
                actual: entries.len(),
            });
        }
        for (index, entry) in self.indices().zip(entries) {
            verify_inclusion(
                &leaf_hash(&entry.bytes),
                index,
                self.checkpoint.size,
                &entry.hashes,
                &self.checkpoint.root,
            )
            .map_err(|source| AnswerError::Entry { index, source })?;
        }
        Ok(())
    }
}
