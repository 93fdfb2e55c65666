//! Parts of evidence that are checked by themselves.

use symphony_proto::evidence::v1 as wire;
use symphony_transparency::{
    Checkpoint, Digest, NodeHash, PublicKey, SignedCheckpoint, UnverifiedStatement, leaf_hash,
    verify_inclusion,
};

use super::EvidenceError;
use crate::{
    records::{Received, RecordError, StatementRecord},
    replay::Replay,
};

/// The log that evidence is about, as its entry 0 says.
pub(super) struct Log {
    pub(super) begun: Replay,
    pub(super) author: PublicKey,
    pub(super) id: Digest,
    pub(super) network: Digest,
}

impl Log {
    pub(super) fn begin(genesis: &[u8]) -> Result<Self, EvidenceError> {
        let begun = Replay::begin(genesis, None)?;
        let state = begun.state();
        Ok(Self {
            author: state.author(),
            id: state.log(),
            network: state.network(),
            begun,
        })
    }

    /// A checkpoint that the author signed over this log.
    pub(super) fn checkpoint(
        &self,
        part: &'static str,
        note: &[u8],
    ) -> Result<Checkpoint, EvidenceError> {
        let text = std::str::from_utf8(note)
            .map_err(|error| EvidenceError::mismatch(part, "a signed note", error))?;
        let checkpoint = *SignedCheckpoint::parse_and_verify(text, &self.author)
            .map_err(|source| EvidenceError::Checkpoint { part, source })?
            .checkpoint();
        require(part, "log", &self.id, &checkpoint.log)?;
        require(part, "network", &self.network, &checkpoint.network)?;
        Ok(checkpoint)
    }

    /// An entry that a checkpoint of the author covers.
    pub(super) fn entry<'a>(
        &self,
        part: &'static str,
        entry: Option<&'a wire::SignedEntry>,
    ) -> Result<Covered<'a>, EvidenceError> {
        let entry =
            entry.ok_or_else(|| EvidenceError::mismatch(part, "a signed entry", "nothing"))?;
        let checkpoint = self.checkpoint(part, &entry.checkpoint)?;
        covers(part, &checkpoint, entry.index, &entry.entry, &entry.hashes)?;
        Ok(Covered {
            bytes: &entry.entry,
            index: entry.index,
        })
    }
}

/// The exact bytes of the author's entry at this index.
#[derive(Clone, Copy)]
pub(super) struct Covered<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) index: u64,
}

/// Refuses unless these bytes are the leaf at `index` of the checkpoint's tree.
pub(super) fn covers(
    part: &'static str,
    checkpoint: &Checkpoint,
    index: u64,
    bytes: &[u8],
    hashes: &[Vec<u8>],
) -> Result<(), EvidenceError> {
    let hashes = node_hashes(part, hashes)?;
    verify_inclusion(
        &leaf_hash(bytes),
        index,
        checkpoint.size,
        &hashes,
        &checkpoint.root,
    )
    .map_err(|source| EvidenceError::Tree { part, source })
}

pub(super) fn node_hashes(
    part: &'static str,
    hashes: &[Vec<u8>],
) -> Result<Vec<NodeHash>, EvidenceError> {
    hashes.iter().map(|hash| node_hash(part, hash)).collect()
}

pub(super) fn node_hash(part: &'static str, hash: &[u8]) -> Result<NodeHash, EvidenceError> {
    hash.try_into()
        .map_err(|_| EvidenceError::mismatch(part, "32 bytes", format!("{} bytes", hash.len())))
}

/// The network that a statement names.
pub(super) fn network_of(part: &'static str, statement: &[u8]) -> Result<Digest, EvidenceError> {
    let statement = UnverifiedStatement::parse(statement).map_err(|source| {
        record(part)(RecordError::Statement {
            record: "statement",
            field: "network_id",
            source,
        })
    })?;
    Ok(*statement.network())
}

/// A statement of this kind, signed for this network.
pub(super) fn statement<R: StatementRecord>(
    part: &'static str,
    bytes: &[u8],
    network: &Digest,
) -> Result<Received<R>, EvidenceError> {
    Received::parse(bytes, network).map_err(record(part))
}

pub(super) fn record(part: &'static str) -> impl Fn(RecordError) -> EvidenceError {
    move |source| EvidenceError::Record { part, source }
}

/// Refuses unless two values are equal.
pub(super) fn require<T: PartialEq + std::fmt::Display>(
    part: &'static str,
    what: &'static str,
    expected: &T,
    actual: &T,
) -> Result<(), EvidenceError> {
    if expected == actual {
        Ok(())
    } else {
        Err(EvidenceError::mismatch(
            part,
            format_args!("{what} {expected}"),
            format_args!("{what} {actual}"),
        ))
    }
}

/// Refuses unless the first comes before the second: one contradiction has one file, and no part of it twice.
pub(super) fn require_order<T: Ord>(first: &T, second: &T) -> Result<(), EvidenceError> {
    match first.cmp(second) {
        std::cmp::Ordering::Less => Ok(()),
        std::cmp::Ordering::Equal => Err(EvidenceError::NoContradiction {
            part: "second",
            reason: "it says the same as the first",
        }),
        std::cmp::Ordering::Greater => Err(EvidenceError::NoContradiction {
            part: "second",
            reason: "it must come before the first",
        }),
    }
}
