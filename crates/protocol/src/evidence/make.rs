//! Making evidence from what contradicts itself: statements, checkpoints, entries.
//!
//! Whatever is made is verified before it is given out. Spec: EVIDENCE-13.

use symphony_proto::evidence::v1 as wire;
use symphony_transparency::{NodeHash, SignedCheckpoint, SignedNote};

use super::{
    Evidence, EvidenceError,
    checked::{network_of, statement},
};
use crate::records::{Bid, Capability, Receipt, StatementRecord};

/// An entry with a checkpoint of its author over it.
#[derive(Clone, Copy, Debug)]
pub struct SignedEntry<'a> {
    /// Exact bytes.
    pub bytes: &'a [u8],
    /// Its index.
    pub index: u64,
    /// The checkpoint, a signed note.
    pub checkpoint: &'a str,
    /// Proof that the entry is in the checkpoint's tree.
    pub hashes: &'a [NodeHash],
}

impl SignedEntry<'_> {
    fn to_wire(self) -> wire::SignedEntry {
        wire::SignedEntry {
            entry: self.bytes.to_vec(),
            index: self.index,
            checkpoint: minimal_note(self.checkpoint),
            hashes: self.hashes.iter().map(|hash| hash.to_vec()).collect(),
        }
    }
}

/// What shows that the checkpoint of a larger size does not continue one of a smaller size.
#[derive(Clone, Copy, Debug)]
pub struct ForkPoint<'a> {
    /// Root of the larger tree's part of the smaller size.
    pub root: NodeHash,
    /// Consistency proof from that part to the larger tree.
    pub hashes: &'a [NodeHash],
}

/// A checkpoint with no other signatures than its author's: evidence needs none, and they would only make it larger.
pub(super) fn minimal_note(note: &str) -> Vec<u8> {
    let Ok(parsed) = SignedNote::parse(note.as_bytes()) else {
        return note.as_bytes().to_vec();
    };
    let origin = parsed.text().lines().next().unwrap_or_default();
    parsed.with_lines_of(origin).into_bytes()
}

impl Evidence {
    fn made(proof: wire::evidence::Proof) -> Result<Self, EvidenceError> {
        let evidence = Self::new(proof)?;
        evidence.verify()?;
        Ok(evidence)
    }

    /// Two different capabilities of one peer under one number, in either order.
    ///
    /// # Errors
    /// [`EvidenceError`], if they do not convict.
    ///
    /// Spec: EVIDENCE-4.
    pub fn two_capabilities(one: &[u8], other: &[u8]) -> Result<Self, EvidenceError> {
        Self::made(wire::evidence::Proof::TwoCapabilities(
            sorted::<Capability>(one, other)?,
        ))
    }

    /// Two different bids of one peer for one beacon, in either order.
    ///
    /// # Errors
    /// [`EvidenceError`], if they do not convict.
    ///
    /// Spec: EVIDENCE-4.
    pub fn two_bids(one: &[u8], other: &[u8]) -> Result<Self, EvidenceError> {
        Self::made(wire::evidence::Proof::TwoBids(sorted::<Bid>(one, other)?))
    }

    /// Two different receipts of one peer for one assignment, in either order.
    ///
    /// # Errors
    /// [`EvidenceError`], if they do not convict.
    ///
    /// Spec: EVIDENCE-4.
    pub fn two_receipts(one: &[u8], other: &[u8]) -> Result<Self, EvidenceError> {
        Self::made(wire::evidence::Proof::TwoReceipts(sorted::<Receipt>(
            one, other,
        )?))
    }

    /// Two statements of one key that name two logs, in either order, each of any kind that names an entry.
    ///
    /// # Errors
    /// [`EvidenceError`], if they do not convict.
    ///
    /// Spec: EVIDENCE-4.
    pub fn two_logs(one: &[u8], other: &[u8]) -> Result<Self, EvidenceError> {
        let proof = |first: &[u8], second: &[u8]| {
            Self::made(wire::evidence::Proof::TwoLogs(wire::StatementPair {
                first: first.to_vec(),
                second: second.to_vec(),
            }))
        };
        proof(one, other).or_else(|_| proof(other, one))
    }

    /// A bid's statement whose match is not that of its capability and beacon, or below the threshold that `params` (canonical
    /// bytes) set. Capability and beacon are payloads.
    ///
    /// # Errors
    /// [`EvidenceError`], if they do not convict.
    ///
    /// Spec: EVIDENCE-4.
    pub fn bid_match(
        bid: &[u8],
        capability: &[u8],
        beacon: &[u8],
        params: &[u8],
    ) -> Result<Self, EvidenceError> {
        let proof = |params: &[u8]| {
            Self::made(wire::evidence::Proof::BidMatch(wire::BidMatch {
                bid: bid.to_vec(),
                capability: capability.to_vec(),
                beacon: beacon.to_vec(),
                params: params.to_vec(),
            }))
        };
        // A wrong number convicts without the parameters.
        proof(&[]).or_else(|_| proof(params))
    }

    /// A receipt's statement and a reveal's that does not open its ballot.
    ///
    /// # Errors
    /// [`EvidenceError`], if they do not convict.
    ///
    /// Spec: EVIDENCE-4.
    pub fn closed_ballot(receipt: &[u8], reveal: &[u8]) -> Result<Self, EvidenceError> {
        Self::made(wire::evidence::Proof::ClosedBallot(wire::ClosedBallot {
            receipt: receipt.to_vec(),
            reveal: reveal.to_vec(),
        }))
    }

    /// Two checkpoints of one log, in either order: of one size with different roots, or, with a [`ForkPoint`], of different
    /// sizes of which the larger does not continue the smaller.
    ///
    /// # Errors
    /// [`EvidenceError`], if they do not convict.
    ///
    /// Spec: EVIDENCE-5.
    pub fn two_checkpoints(
        genesis: &[u8],
        one: &str,
        other: &str,
        fork: Option<ForkPoint<'_>>,
    ) -> Result<Self, EvidenceError> {
        let rank = |note: &str| {
            SignedCheckpoint::parse_unverified(note)
                .map(|checkpoint| (checkpoint.size, checkpoint.to_string()))
                .map_err(|source| EvidenceError::Checkpoint {
                    part: "checkpoint",
                    source,
                })
        };
        let (first, second) = if rank(one)? <= rank(other)? {
            (one, other)
        } else {
            (other, one)
        };
        Self::made(wire::evidence::Proof::TwoCheckpoints(
            wire::CheckpointPair {
                genesis: genesis.to_vec(),
                first: minimal_note(first),
                second: minimal_note(second),
                root: fork.map(|fork| fork.root.to_vec()).unwrap_or_default(),
                hashes: fork
                    .map(|fork| fork.hashes.iter().map(|hash| hash.to_vec()).collect())
                    .unwrap_or_default(),
            },
        ))
    }

    /// Two different entries at one index of one log, in either order.
    ///
    /// # Errors
    /// [`EvidenceError`], if they do not convict.
    ///
    /// Spec: EVIDENCE-5.
    pub fn two_entries(
        genesis: &[u8],
        one: SignedEntry<'_>,
        other: SignedEntry<'_>,
    ) -> Result<Self, EvidenceError> {
        let (first, second) = if one.bytes <= other.bytes {
            (one, other)
        } else {
            (other, one)
        };
        Self::made(wire::evidence::Proof::TwoEntries(wire::EntryPair {
            genesis: genesis.to_vec(),
            first: Some(first.to_wire()),
            second: Some(second.to_wire()),
        }))
    }

    /// A statement or acknowledgement of the log's author that names an entry, and the entry, which does not hold what was said.
    ///
    /// # Errors
    /// [`EvidenceError`], if they do not convict.
    ///
    /// Spec: EVIDENCE-6.
    pub fn broken_word(
        genesis: &[u8],
        word: &[u8],
        entry: SignedEntry<'_>,
    ) -> Result<Self, EvidenceError> {
        Self::made(wire::evidence::Proof::BrokenWord(wire::BrokenWord {
            genesis: genesis.to_vec(),
            statement: word.to_vec(),
            entry: Some(entry.to_wire()),
        }))
    }

    /// An entry that breaks a rule whatever stands before it.
    ///
    /// # Errors
    /// [`EvidenceError`], if it does not convict.
    ///
    /// Spec: EVIDENCE-7.
    pub fn lone_entry(genesis: &[u8], entry: SignedEntry<'_>) -> Result<Self, EvidenceError> {
        Self::made(wire::evidence::Proof::LoneEntry(wire::LoneEntry {
            genesis: genesis.to_vec(),
            entry: Some(entry.to_wire()),
        }))
    }

    /// An entry and the one at the next index, which does not continue it.
    ///
    /// # Errors
    /// [`EvidenceError`], if they do not convict.
    ///
    /// Spec: EVIDENCE-7.
    pub fn broken_link(
        genesis: &[u8],
        entry: SignedEntry<'_>,
        next: SignedEntry<'_>,
    ) -> Result<Self, EvidenceError> {
        Self::made(wire::evidence::Proof::BrokenLink(wire::BrokenLink {
            genesis: genesis.to_vec(),
            entry: Some(entry.to_wire()),
            next: Some(next.to_wire()),
        }))
    }
}

/// The statement with the smaller digest first.
fn sorted<R: StatementRecord>(
    one: &[u8],
    other: &[u8],
) -> Result<wire::StatementPair, EvidenceError> {
    let network = network_of("first", one)?;
    let one = statement::<R>("first", one, &network)?;
    let other = statement::<R>("second", other, &network)?;
    let (first, second) = if one.digest() <= other.digest() {
        (one, other)
    } else {
        (other, one)
    };
    Ok(wire::StatementPair {
        first: first.statement.into_bytes(),
        second: second.statement.into_bytes(),
    })
}
