//! Trust policies (C2SP tlog-policy): which logs a reader accepts, and whose cosignatures make a checkpoint *witnessed*.
//!
//! A policy is a text file that people write and read: `log`, `witness` and `group` lines, and one `quorum` line. What it
//! decides is a function of the file and of the checkpoint's note, see [`TrustPolicy::witnessed`].
//!
//! Witnessed means that so many witnesses saw this one history, so that its author could not show another to some. It does
//! not mean that the log was replayed clean.
//!
//! Spec: WITNESS-9, WITNESS-10.

mod error;
mod judge;
mod parse;

use std::fmt;

pub use error::{PolicyProblem, TrustPolicyError};
pub use judge::{NotWitnessed, Witnessed, WitnessedBy};

use crate::Cosigner;
use crate::note::VerifierKey;

/// Largest policy file in bytes.
pub const POLICY_SIZE_MAX: usize = 256 * 1024;

/// Most logs of a policy; C2SP asks for 32.
pub const POLICY_LOGS_MAX: usize = 256;

/// Most witnesses and groups of a policy together; C2SP asks for 32 of each.
pub const POLICY_MEMBERS_MAX: usize = 256;

/// A trust policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustPolicy {
    logs: Vec<PolicyLog>,
    /// Witnesses and groups in the order of their lines: a group names earlier ones only.
    members: Vec<Member>,
    quorum: Quorum,
}

/// A log that a policy accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyLog {
    /// Key and origin.
    pub key: VerifierKey,
    /// Where the log can be read, if the file says so: octets as they stand there.
    pub url: Option<Vec<u8>>,
}

/// A witness that a policy knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyWitness {
    /// Its name in the file, which has no meaning outside of it.
    pub name: PolicyName,
    /// Who cosigns.
    pub cosigner: Cosigner,
    /// Where it can be asked, if the file says so: octets as they stand there.
    pub url: Option<Vec<u8>>,
}

/// A name that a policy file gives to a witness or group. Octets, compared as such; shown with what is not UTF-8 replaced.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyName(Vec<u8>);

impl PolicyName {
    /// The octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for PolicyName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for PolicyName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Member {
    Witness(PolicyWitness),
    Group {
        name: PolicyName,
        threshold: usize,
        /// Positions of earlier members.
        members: Vec<usize>,
    },
}

impl Member {
    fn name(&self) -> &PolicyName {
        match self {
            Self::Witness(witness) => &witness.name,
            Self::Group { name, .. } => name,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quorum {
    /// No cosignature is needed.
    None,
    /// This member has to have witnessed.
    Member(usize),
}

impl TrustPolicy {
    /// The logs that are accepted; none if they are known from elsewhere.
    pub fn logs(&self) -> &[PolicyLog] {
        &self.logs
    }

    /// The witnesses, in the order of the file.
    pub fn witnesses(&self) -> impl Iterator<Item = &PolicyWitness> {
        self.members.iter().filter_map(|member| match member {
            Member::Witness(witness) => Some(witness),
            Member::Group { .. } => None,
        })
    }

    /// Name of the witness or group that must have witnessed; nothing for `quorum none`.
    pub fn quorum(&self) -> Option<&PolicyName> {
        match self.quorum {
            Quorum::None => None,
            Quorum::Member(position) => Some(self.members[position].name()),
        }
    }
}
