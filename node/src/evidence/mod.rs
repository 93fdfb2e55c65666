//! Evidence files: reading, judging, and making them of exported logs. What they prove is for [`symphony_protocol::evidence`]
//! to say; here are files, folders and the network that a node belongs to.

mod exports;
mod folder;

use symphony_network::{Acceptance, IgnoreReason, RejectReason};
use symphony_protocol::evidence::{Conviction, Evidence, EvidenceError};
use symphony_transparency::{Digest, Domain, digest};

pub use exports::{Made, Unproven, make};
pub use folder::{FolderError, path_in, read_file, write_file};
pub use symphony_protocol::evidence::EVIDENCE_SIZE_MAX;

/// Why a file convicts nobody.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Invalid {
    /// It proves something about a peer of another network.
    #[error("evidence of network {actual}; expected {expected}")]
    OtherNetwork {
        /// The network of who asks.
        expected: Digest,
        /// The network of the evidence.
        actual: Digest,
    },
    /// It is no evidence file, or proves nothing.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
}

impl Invalid {
    /// The judgement on a file that came by gossip. Spec: NET-37.
    pub const fn acceptance(&self) -> Acceptance {
        match self {
            Self::OtherNetwork { .. } => Acceptance::Ignore(IgnoreReason::OtherNetwork),
            // Everything that evidence rests on stands in its bytes: each correct forwarder has seen the same.
            Self::Evidence(EvidenceError::Unreadable(_) | EvidenceError::NoProof) => {
                Acceptance::Reject(RejectReason::Encoding)
            }
            Self::Evidence(_) => Acceptance::Reject(RejectReason::Content),
        }
    }
}

/// Verifies a file from its bytes alone; of one network, if one is given.
///
/// # Errors
/// [`Invalid`].
pub fn judge(file: &[u8], network: Option<&Digest>) -> Result<Conviction, Invalid> {
    let conviction = Evidence::parse(file)?.verify()?;
    match network {
        Some(expected) if *expected != conviction.network => Err(Invalid::OtherNetwork {
            expected: *expected,
            actual: conviction.network,
        }),
        _ => Ok(conviction),
    }
}

/// Name of a file, before anything is known of its bytes. Spec: EVIDENCE-1.
pub fn digest_of(file: &[u8]) -> Digest {
    digest(Domain::Evidence, file)
}
