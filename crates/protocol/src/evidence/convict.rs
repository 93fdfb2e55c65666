//! What evidence proves.

use symphony_transparency::Digest;

use super::{checked::Log, explain};
use crate::fault::Fault;

/// A broken rule that was proved, before it is put into words.
pub(super) struct Found {
    pub(super) fault: Fault,
    pub(super) network: Digest,
    pub(super) log: Option<Digest>,
}

impl Found {
    pub(super) fn about(log: &Log, fault: Fault) -> Self {
        Self {
            fault,
            network: log.network,
            log: Some(log.id),
        }
    }
}

/// What evidence proves: a rule that a peer broke.
///
/// Spec: EVIDENCE-3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conviction {
    /// The broken rule, the peer and the entry.
    pub fault: Fault,
    /// Id of the network whose rules they are.
    pub network: Digest,
    /// Id of the log that it is about.
    pub log: Option<Digest>,
    /// What kind of proof it is.
    pub kind: &'static str,
    /// Size of the evidence, in bytes.
    pub size: usize,
    /// What the peer did and why the evidence proves it, for people.
    pub explanation: String,
}

impl Conviction {
    pub(super) fn new(found: Found, kind: &'static str, size: usize) -> Self {
        Self {
            explanation: explain::explain(&found, kind),
            fault: found.fault,
            network: found.network,
            log: found.log,
            kind,
            size,
        }
    }
}
