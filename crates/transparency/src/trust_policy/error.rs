//! Why a file is no trust policy.

use super::PolicyName;
use crate::note::VerifierKeyError;

/// A file is no trust policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct TrustPolicyError {
    /// The line, counted from 1; of a file that ends too early, the one behind the last.
    pub line: usize,
    /// What is wrong with it.
    pub problem: PolicyProblem,
}

/// What is wrong with a line of a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyProblem {
    /// The file is larger than [`POLICY_SIZE_MAX`](super::POLICY_SIZE_MAX).
    #[error("the policy has {actual} bytes, more than {limit}")]
    TooLarge {
        /// [`POLICY_SIZE_MAX`](super::POLICY_SIZE_MAX).
        limit: usize,
        /// The size of the file.
        actual: usize,
    },
    /// The last line does not end in a newline.
    #[error("the last line does not end in a newline")]
    Unterminated,
    /// An octet that no line holds.
    #[error("the line holds control character {found:#04x}")]
    ControlCharacter {
        /// The octet.
        found: u8,
    },
    /// The first word is none of the four.
    #[error("a line begins with log, witness, group or quorum, not {found:?}")]
    UnknownKeyword {
        /// The word.
        found: PolicyName,
    },
    /// Too few or too many words.
    #[error("the line is written: {form}")]
    Form {
        /// How such a line is written.
        form: &'static str,
    },
    /// The key is not acceptable.
    #[error("{0}")]
    Key(#[from] VerifierKeyError),
    /// The key stands in an earlier line: one witness would count twice.
    #[error("the key stands in an earlier line already")]
    DuplicateKey,
    /// More logs than [`POLICY_LOGS_MAX`](super::POLICY_LOGS_MAX).
    #[error("the policy has more than {limit} logs")]
    TooManyLogs {
        /// [`POLICY_LOGS_MAX`](super::POLICY_LOGS_MAX).
        limit: usize,
    },
    /// More witnesses and groups than [`POLICY_MEMBERS_MAX`](super::POLICY_MEMBERS_MAX).
    #[error("the policy has more than {limit} witnesses and groups")]
    TooManyMembers {
        /// [`POLICY_MEMBERS_MAX`](super::POLICY_MEMBERS_MAX).
        limit: usize,
    },
    /// `none` names no witness and no group.
    #[error("the name none stands for no witness at all")]
    ReservedName,
    /// The name is that of an earlier witness or group.
    #[error("the name {name} is given in an earlier line already")]
    DuplicateName {
        /// The name.
        name: PolicyName,
    },
    /// No earlier line gives this name.
    #[error("no earlier line defines {name}")]
    UnknownName {
        /// The name.
        name: PolicyName,
    },
    /// The name is a member of a group already: it would count in two ways.
    #[error("{name} is a member of a group already")]
    MemberTwice {
        /// The name.
        name: PolicyName,
    },
    /// The threshold is neither `all` nor `any` nor a number from 1 to the number of members.
    #[error("a threshold is all, any or a number from 1 to the {members} members, not {found:?}")]
    Threshold {
        /// Number of members.
        members: usize,
        /// The word.
        found: PolicyName,
    },
    /// A second quorum line.
    #[error("the quorum is given in an earlier line already")]
    SecondQuorum,
    /// No quorum line.
    #[error("the policy has no quorum line")]
    NoQuorum,
}
