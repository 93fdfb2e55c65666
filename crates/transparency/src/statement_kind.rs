//! What statements say.

use std::fmt;

/// What a statement says. The numbers are those of `StatementType` in `envelope.proto`.
///
/// Spec: KEYS-9.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[repr(u32)]
pub enum StatementKind {
    /// What a peer can do.
    Capability = 1,
    /// A capability is withdrawn before its validity ends.
    Revocation = 2,
    /// The announcement of one step of a task.
    Beacon = 3,
    /// A peer's answer to a beacon.
    Bid = 4,
    /// The order to execute.
    Assignment = 5,
    /// The executor's account of what it did.
    Receipt = 6,
    /// The opening of a ballot commitment.
    Reveal = 7,
    /// "Your statement is entry i of my log".
    Acknowledgement = 8,
    /// A proof-of-work stamp on a log id.
    Admission = 9,
    /// A demand for entries that a peer must hold.
    Challenge = 10,
    /// What an auditor concluded about a log.
    Verdict = 11,
    /// A self-contained proof of a fault.
    Evidence = 12,
    /// A log ends and names its successor.
    Retirement = 13,
    /// A beacon is closed: its ranked bidders are to open their nonces.
    Call = 14,
    /// The opening of a nonce.
    Opening = 15,
}

impl StatementKind {
    /// Every kind, by number.
    pub const ALL: [Self; 15] = [
        Self::Capability,
        Self::Revocation,
        Self::Beacon,
        Self::Bid,
        Self::Assignment,
        Self::Receipt,
        Self::Reveal,
        Self::Acknowledgement,
        Self::Admission,
        Self::Challenge,
        Self::Verdict,
        Self::Evidence,
        Self::Retirement,
        Self::Call,
        Self::Opening,
    ];

    /// The number on the wire and in the signing bytes.
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// The kind with this number, if there is one.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// The name in the words of the specification, lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Capability => "capability",
            Self::Revocation => "revocation",
            Self::Beacon => "beacon",
            Self::Bid => "bid",
            Self::Assignment => "assignment",
            Self::Receipt => "receipt",
            Self::Reveal => "reveal",
            Self::Acknowledgement => "acknowledgement",
            Self::Admission => "admission",
            Self::Challenge => "challenge",
            Self::Verdict => "verdict",
            Self::Evidence => "evidence",
            Self::Retirement => "retirement",
            Self::Call => "call",
            Self::Opening => "opening",
        }
    }
}

impl fmt::Display for StatementKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
