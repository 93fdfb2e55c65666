//! What is asked next, and what comes of it.

use libp2p::PeerId;
use symphony_transparency::Digest;

use crate::message::LogRange;

/// The next thing to ask a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Names the step in [`Follow::finish`](super::Follow::finish).
    pub id: StepId,
    /// Whom to ask.
    pub peer: PeerId,
    /// What to ask.
    pub question: Question,
}

/// What to ask about a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// How long is the log? To be sent as [`crate::Request::LogStatus`].
    Status {
        /// Digest of entry 0 of the log.
        log_id: Digest,
    },
    /// The next entries. To be sent as [`crate::Request::LogRange`].
    Range(LogRange),
}

/// Names one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(pub(super) u64);

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The peer says that its copy has this many entries.
    Size(u64),
    /// The replayer now has this many entries of the log.
    Advanced(u64),
    /// No answer, or a refusal: ask again later.
    Failed,
    /// The answer does not continue the log: do not ask this peer again for it.
    Wrong,
}
