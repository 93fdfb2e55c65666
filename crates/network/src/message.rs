//! What two peers say to each other in the exchange protocol, as types of our own.
//!
//! Generated protobuf types stay inside `wire`. Spec: NET-20 to NET-28.

use std::fmt;

use symphony_transparency::{Digest, PublicKey};
use zeroize::Zeroizing;

use crate::limits::REFUSAL_MESSAGE_SIZE_MAX;

/// Who a peer is: exchanged once on each session, before anything else.
///
/// The connection proves the peer's transport key. That the log is the peer's own is proved by `genesis_entry`, which
/// binds the log key to the transport key; the node checks it (see [`crate::peer_id_of_transport_key`]).
///
/// Spec: NET-12.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// Digest of the agreed parameters: the network. A peer of another one is disconnected and never reported.
    pub network_id: Digest,
    /// Digest of the parameters that the peer runs under.
    pub params_fingerprint: Digest,
    /// Digest of entry 0 of the peer's log.
    pub log_id: Digest,
    /// The peer's current log key, as it claims.
    pub log_public_key: PublicKey,
    /// The exact bytes of entry 0 of the peer's log: 1 to [`crate::limits::GENESIS_ENTRY_SIZE_MAX`] bytes, not looked
    /// at by this crate.
    pub genesis_entry: Vec<u8>,
    /// Name and version of the peer's software: at most [`crate::limits::SOFTWARE_VERSION_SIZE_MAX`] bytes.
    pub software_version: String,
}

/// What a node may ask another one.
///
/// Spec: NET-20.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request {
    /// Hands over a signed statement: a bid, an assignment, a receipt, a reveal, an acknowledgement. Answered by
    /// [`Response::Acknowledged`]. Spec: NET-22.
    SubmitStatement(SubmitStatement),
    /// Asks how long a log is. Answered by [`Response::LogStatus`]. Spec: NET-23.
    LogStatus {
        /// Digest of entry 0 of the log.
        log_id: Digest,
    },
    /// Asks for entries of a log. Answered by [`Response::LogEntries`]. Spec: NET-24.
    LogRange(LogRange),
    /// Asks for the newest checkpoint of a log. Answered by [`Response::Checkpoint`]. Spec: NET-25.
    Checkpoint {
        /// Digest of entry 0 of the log.
        log_id: Digest,
    },
    /// Asks for the proof that an entry is in a log. Answered by [`Response::Proof`]. Spec: NET-26.
    InclusionProof {
        /// Digest of entry 0 of the log.
        log_id: Digest,
        /// Index of the entry, counted from 0, below `size`.
        index: u64,
        /// Size of the log that the proof is for, in entries.
        size: u64,
    },
    /// Asks for the proof that a shorter log is a prefix of a longer one. Answered by [`Response::Proof`]. Spec: NET-26.
    ConsistencyProof {
        /// Digest of entry 0 of the log.
        log_id: Digest,
        /// Size of the shorter log, in entries; at least 1.
        old_size: u64,
        /// Size of the longer log, in entries; at least `old_size`.
        new_size: u64,
    },
    /// Asks which evidence files the peer keeps. Answered by [`Response::EvidenceList`]. Spec: NET-29.
    EvidenceList,
    /// Asks for one evidence file. Answered by [`Response::Evidence`]. Spec: NET-29.
    Evidence {
        /// Digest of the file's bytes.
        digest: Digest,
    },
    /// Hands over a cosignature on a checkpoint of the peer's own log. Answered by [`Response::Acknowledged`] with an empty
    /// statement. Spec: NET-35.
    SubmitCosignature {
        /// The checkpoint as a signed note with the sender's cosignature: 1 to
        /// [`crate::limits::CHECKPOINT_SIZE_MAX`] bytes.
        note: String,
    },
    /// Demands entries that a log's author signed for. Answered by [`Response::Answer`]. Spec: NET-38.
    Challenge {
        /// The exact bytes of the challenge, a statement by whoever first asked: 1 to
        /// [`crate::limits::CHALLENGE_SIZE_MAX`] bytes.
        statement: Vec<u8>,
    },
    /// Tells an executor to open the ballot that its receipt committed to. Answered by [`Response::Acknowledged`]; the
    /// reveal comes as a statement of its own. Spec: NET-28.
    Reveal {
        /// Digest of the assignment's statement.
        assignment: Digest,
    },
}

impl Request {
    /// One word for a metric's label or a log line.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SubmitStatement(_) => "submit_statement",
            Self::LogStatus { .. } => "log_status",
            Self::LogRange(_) => "log_range",
            Self::Checkpoint { .. } => "checkpoint",
            Self::InclusionProof { .. } => "inclusion_proof",
            Self::ConsistencyProof { .. } => "consistency_proof",
            Self::Reveal { .. } => "reveal",
            Self::EvidenceList => "evidence_list",
            Self::Evidence { .. } => "evidence",
            Self::SubmitCosignature { .. } => "submit_cosignature",
            Self::Challenge { .. } => "challenge",
        }
    }

    /// Tokens that the request takes from its sender's bucket: what makes the responder read much costs more.
    ///
    /// Spec: NET-16.
    pub const fn cost(&self) -> u32 {
        match self {
            Self::LogRange(_) | Self::Challenge { .. } => 4,
            _ => 1,
        }
    }
}

/// One signed statement and what only its receiver may see.
///
/// Spec: NET-22.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmitStatement {
    /// The exact bytes of the statement: 1 byte to the largest size of a statement.
    pub statement: Vec<u8>,
    /// Prompt, answer or task key, in a form that the statement's kind fixes: at most
    /// [`crate::limits::PRIVATE_PAYLOAD_SIZE_MAX`] bytes.
    pub private_payload: PrivatePayload,
}

/// Bytes that only the receiver of a statement may see. They are never printed, and are wiped when dropped.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct PrivatePayload(Zeroizing<Vec<u8>>);

impl PrivatePayload {
    /// Takes the bytes; an empty payload says that there is nothing private.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for the one place that needs them. They must not be logged.
    pub fn expose_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Size in bytes.
    pub fn size(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Debug for PrivatePayload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PrivatePayload({} bytes)", self.0.len())
    }
}

/// Which entries of a log are wanted.
///
/// Spec: NET-24.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogRange {
    /// Digest of entry 0 of the log.
    pub log_id: Digest,
    /// Index of the first entry wanted, counted from 0.
    pub first_index: u64,
    /// Most entries wanted: 1 to [`crate::limits::RANGE_COUNT_MAX`].
    pub count_max: u32,
    /// Most bytes of entries wanted: 1 to [`crate::limits::RANGE_SIZE_MAX`]. The first entry comes even if it alone is
    /// larger.
    pub size_max: u32,
}

/// What a node answers.
///
/// Spec: NET-21.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Response {
    /// The statement, or the call to reveal, was taken in. Spec: NET-22.
    Acknowledged {
        /// The exact bytes of the signed acknowledgement; empty when the statement was received but is not, or not yet,
        /// an entry of the responder's log.
        statement: Vec<u8>,
    },
    /// How long a log is. Spec: NET-23.
    LogStatus {
        /// Number of entries that the responder can serve.
        size: u64,
        /// The text of the newest checkpoint, a signed note of at most [`crate::limits::CHECKPOINT_SIZE_MAX`] bytes;
        /// empty when there is none.
        checkpoint: String,
    },
    /// Consecutive entries of a log; none when the log ends before the first one wanted. Spec: NET-24.
    LogEntries {
        /// Index of the first entry, counted from 0.
        first_index: u64,
        /// The exact bytes of each entry, in order: at most [`crate::limits::RANGE_COUNT_MAX`] entries.
        entries: Vec<Vec<u8>>,
    },
    /// The newest checkpoint of a log. Spec: NET-25.
    Checkpoint {
        /// The text of the signed note: 1 to [`crate::limits::CHECKPOINT_SIZE_MAX`] bytes.
        note: String,
    },
    /// A Merkle proof. Spec: NET-26.
    Proof {
        /// The nodes in the order of RFC 6962: at most [`crate::limits::PROOF_NODES_MAX`].
        nodes: Vec<[u8; 32]>,
    },
    /// The evidence files that the responder keeps. Spec: NET-29.
    EvidenceList {
        /// Digests of the files, strictly ascending: at most [`crate::limits::EVIDENCE_LIST_MAX`].
        digests: Vec<Digest>,
    },
    /// One evidence file. Spec: NET-29.
    Evidence {
        /// Its exact bytes: 1 to [`crate::limits::EVIDENCE_SIZE_MAX`].
        file: Vec<u8>,
    },
    /// The entries that a challenge names. Spec: NET-38.
    Answer {
        /// In their order: 1 to [`crate::limits::ANSWERED_ENTRIES_MAX`].
        entries: Vec<AnsweredEntry>,
    },
    /// The request was not served. Spec: NET-27.
    Refused(Refusal),
}

/// An entry with the proof that it is in the tree of a challenge's checkpoint.
///
/// Spec: NET-38.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnsweredEntry {
    /// Its exact bytes: at least 1.
    pub entry: Vec<u8>,
    /// The nodes in the order of RFC 6962: at most [`crate::limits::PROOF_NODES_MAX`].
    pub hashes: Vec<[u8; 32]>,
}

impl Response {
    /// One word for a metric's label or a log line.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Acknowledged { .. } => "acknowledged",
            Self::LogStatus { .. } => "log_status",
            Self::LogEntries { .. } => "log_entries",
            Self::Checkpoint { .. } => "checkpoint",
            Self::Proof { .. } => "proof",
            Self::EvidenceList { .. } => "evidence_list",
            Self::Evidence { .. } => "evidence",
            Self::Answer { .. } => "answer",
            Self::Refused(_) => "refused",
        }
    }
}

/// Why a request was not served.
///
/// Spec: NET-27.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("refused ({code}): {message}")]
pub struct Refusal {
    /// The reason, for machines.
    pub code: RefusalCode,
    message: String,
}

impl Refusal {
    /// A refusal with its reason for people, cut to [`REFUSAL_MESSAGE_SIZE_MAX`] bytes. The text goes to the other peer:
    /// it must not hold anything private.
    pub fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        let mut message = message.into();
        let mut size = message.len().min(REFUSAL_MESSAGE_SIZE_MAX);
        while !message.is_char_boundary(size) {
            size -= 1;
        }
        message.truncate(size);
        Self { code, message }
    }

    /// The reason, for people: at most [`REFUSAL_MESSAGE_SIZE_MAX`] bytes.
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// Why a request was not served, for machines.
///
/// Spec: NET-27.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RefusalCode {
    /// The request does not follow the protocol; sending it again is useless.
    Malformed,
    /// The sender asks more often than its quota allows; it should wait.
    RateLimited,
    /// The responder has too much to do, or did not decide in time; it may be asked again later.
    Busy,
    /// The sender has not said hello on this session.
    HelloRequired,
    /// The sender belongs to another network.
    OtherNetwork,
    /// The responder does not hold what was asked for.
    NotFound,
    /// The statement was read and is not accepted.
    NotAccepted,
    /// The responder does not offer this kind of request.
    NotOffered,
}

impl RefusalCode {
    /// Every code, in the order of its number on the wire, which begins at 1.
    pub const ALL: [Self; 8] = [
        Self::Malformed,
        Self::RateLimited,
        Self::Busy,
        Self::HelloRequired,
        Self::OtherNetwork,
        Self::NotFound,
        Self::NotAccepted,
        Self::NotOffered,
    ];

    /// One word for a metric's label or a log line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::RateLimited => "rate_limited",
            Self::Busy => "busy",
            Self::HelloRequired => "hello_required",
            Self::OtherNetwork => "other_network",
            Self::NotFound => "not_found",
            Self::NotAccepted => "not_accepted",
            Self::NotOffered => "not_offered",
        }
    }
}

impl fmt::Display for RefusalCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn net_22_a_private_payload_is_never_printed() {
        let request = Request::SubmitStatement(SubmitStatement {
            statement: vec![1],
            private_payload: PrivatePayload::new(b"the prompt".to_vec()),
        });
        let printed = format!("{request:?}");
        assert!(printed.contains("PrivatePayload(10 bytes)"), "{printed}");
        assert!(!printed.contains("prompt"), "{printed}");
    }

    #[test]
    fn net_27_a_refusal_is_cut_between_characters() {
        let refusal = Refusal::new(RefusalCode::Busy, "é".repeat(REFUSAL_MESSAGE_SIZE_MAX));
        assert_eq!(refusal.message().len(), REFUSAL_MESSAGE_SIZE_MAX);
        let odd = Refusal::new(RefusalCode::Busy, format!("a{}", "é".repeat(200)));
        assert_eq!(odd.message().len(), REFUSAL_MESSAGE_SIZE_MAX - 1);
    }
}
