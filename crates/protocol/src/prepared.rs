//! An entry that was read and hashed before its turn.
//!
//! Most of the work of a replay needs no state: decoding, signatures, digest and leaf hash depend on the entry's bytes alone.
//! So entries can be prepared ahead and by many at once, while one after another takes its turn in
//! [`Replay::push_prepared`](crate::replay::Replay::push_prepared). Which fault is found does not depend on who prepared
//! what, and when: a fault counts at its entry's turn.

use symphony_transparency::{Digest, NodeHash, entry_digest, leaf_hash};

use crate::records::{Entry, RecordError, Signatures};

/// An entry's exact bytes, with what they say by themselves on one network.
#[derive(Clone, Debug)]
pub struct PreparedEntry {
    bytes: Vec<u8>,
    network: Digest,
    parts: Parts,
}

/// What follows from an entry's bytes alone.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) parsed: Result<Entry, RecordError>,
    pub(crate) digest: Digest,
    pub(crate) leaf_hash: NodeHash,
}

impl Parts {
    pub(crate) fn of(bytes: &[u8], network: &Digest, signatures: Signatures) -> Self {
        Self {
            parsed: Entry::parse_with(bytes, Some(network), signatures),
            digest: entry_digest(bytes),
            leaf_hash: leaf_hash(bytes),
        }
    }
}

impl PreparedEntry {
    /// Reads, verifies and hashes an entry of a log of `network`. An entry that is wrong in itself is prepared too: the fault
    /// is its author's, and is found at its turn.
    pub fn new(bytes: Vec<u8>, network: &Digest, signatures: Signatures) -> Self {
        Self {
            parts: Parts::of(&bytes, network, signatures),
            network: *network,
            bytes,
        }
    }

    /// The exact bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The leaf that the entry is in its log's tree.
    pub fn leaf_hash(&self) -> NodeHash {
        self.parts.leaf_hash
    }

    /// What it says on this network: an entry that was prepared for another one is read again.
    pub(crate) fn into_parts(self, network: &Digest) -> Parts {
        if self.network == *network {
            self.parts
        } else {
            Parts::of(&self.bytes, network, Signatures::Verify)
        }
    }
}
