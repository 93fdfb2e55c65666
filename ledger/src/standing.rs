//! How a stored log stands to what was signed of it.

use symphony_transparency::merkle::{NodeHash, TreeHead, root_at};

use crate::error::LedgerError;
use crate::head::Head;
use crate::signing::SigningRecord;
use crate::store::{LogNodes, Store};
use symphony_transparency::Digest;

/// Whether this peer may append to its log and sign it.
///
/// Spec: STORE-14.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// The log contains everything that was signed.
    Good,
    /// The log is shorter than what was signed; it must be healed with [`Ledger::heal`](crate::Ledger::heal), or retired.
    Behind {
        /// Highest size and root signed.
        recorded: TreeHead,
    },
    /// The log has other entries than those that were signed; it must be retired.
    Diverged {
        /// Highest size and root signed.
        recorded: TreeHead,
        /// The stored log's root at that size.
        found: NodeHash,
    },
    /// There is no signing record: the ledger follows other peers and has no log of its own to add to.
    Unrecorded,
}

impl Standing {
    /// Compares a stored log with the record; a log that the record does not know stands [`Standing::Unrecorded`].
    pub(crate) fn of(store: &Store, log: &Digest, head: &Head, record: &SigningRecord) -> Self {
        let Some(recorded) = record.signed(log) else {
            return Self::Unrecorded;
        };
        if head.size() < recorded.size {
            return Self::Behind { recorded };
        }
        let nodes = LogNodes { store, log: *log };
        // The tail of the log was checked before, so a node that is missing here means other entries, too.
        match root_at(&nodes, recorded.size) {
            Ok(found) if found == recorded.root => Self::Good,
            Ok(found) => Self::Diverged { recorded, found },
            Err(_) => Self::Diverged {
                recorded,
                found: NodeHash::default(),
            },
        }
    }

    /// Refuses unless the log is good. `size` is the log's, for the error.
    pub(crate) fn require_good(&self, size: u64) -> Result<(), LedgerError> {
        match *self {
            Self::Good => Ok(()),
            Self::Behind { recorded } => Err(LedgerError::BehindSigningRecord {
                size,
                recorded: recorded.size,
            }),
            Self::Diverged { recorded, found } => Err(LedgerError::Diverged {
                size: recorded.size,
                expected: recorded.root,
                actual: found,
            }),
            Self::Unrecorded => Err(LedgerError::NoSigningRecord),
        }
    }
}
