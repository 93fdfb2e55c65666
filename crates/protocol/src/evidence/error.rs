//! Why evidence convicts nobody.

use symphony_transparency::{CanonicalError, ChainError, CheckpointError, ProofError};

use crate::{
    fault::Fault,
    map::{OpeningsError, Unopened},
    records::RecordError,
    replay::Unusable,
};

/// Why bytes are no evidence, or prove nothing. Never anybody's fault but that of who made them.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// Not the canonical bytes of an evidence file, or more than [`EVIDENCE_SIZE_MAX`](super::EVIDENCE_SIZE_MAX).
    #[error("no evidence file: {0}")]
    Unreadable(CanonicalError),
    /// A file that holds no proof of a kind that is known.
    #[error("no evidence file: it holds no proof")]
    NoProof,
    /// A part is no record of its kind, or not of this network.
    #[error("{part}: {source}")]
    Record {
        /// Which part.
        part: &'static str,
        /// What is wrong with it.
        source: RecordError,
    },
    /// Entry 0 is no beginning of a log that can be judged.
    #[error("genesis: {0}")]
    Unusable(#[from] Unusable),
    /// A checkpoint is not one that the log's author signed.
    #[error("{part}: {source}")]
    Checkpoint {
        /// Which checkpoint.
        part: &'static str,
        /// What is wrong with it.
        source: CheckpointError,
    },
    /// A proof does not lead to the checkpoint's root.
    #[error("{part}: {source}")]
    Tree {
        /// What the proof is of.
        part: &'static str,
        /// What is wrong with it.
        source: ProofError,
    },
    /// Two parts do not belong together.
    #[error("{part}: expected {expected}, found {actual}")]
    Mismatch {
        /// Which part.
        part: &'static str,
        /// What it must be.
        expected: String,
        /// What it is.
        actual: String,
    },
    /// The parts do not contradict each other, or are not in the order that makes one file of one fault.
    #[error("{part}: {reason}")]
    NoContradiction {
        /// Which part.
        part: &'static str,
        /// What is missing.
        reason: &'static str,
    },
    /// An entry does not continue the one before it.
    #[error("entries: {0}")]
    Chain(#[from] ChainError),
    /// The nodes are no part of any state.
    #[error("state: {0}")]
    Openings(#[from] OpeningsError),
    /// The rules read a part of the state that is not opened.
    #[error("state: the evidence does not open {0:?}, which the rules read")]
    NotOpened(Unopened),
    /// An entry before the last one breaks a rule already.
    #[error("entries: an earlier one breaks a rule: {0}")]
    EarlierFault(Fault),
    /// Everything is as the rules say.
    #[error("the rules find no fault")]
    NoFault,
}

impl EvidenceError {
    /// Whether the bytes are no evidence file at all, rather than one that proves nothing.
    pub fn is_unreadable(&self) -> bool {
        matches!(self, Self::Unreadable(_) | Self::NoProof)
    }

    pub(super) fn mismatch(
        part: &'static str,
        expected: impl ToString,
        actual: impl ToString,
    ) -> Self {
        Self::Mismatch {
            part,
            expected: expected.to_string(),
            actual: actual.to_string(),
        }
    }
}
