//! Making evidence: from what two signed statements say, or from a log and the fault that its replay found.
//!
//! Whatever is made is verified before it is given out. Spec: EVIDENCE-13.

use symphony_proto::evidence::v1 as wire;
use symphony_transparency::{
    Checkpoint, CheckpointError, MerkleTree, NodeHash, ProofError, SignedCheckpoint, SignedNote,
};

use super::{
    Base, Evidence, EvidenceError, WindowParts,
    checked::{network_of, statement},
    window::recorded_root,
};
use crate::{
    fault::{Fault, Rule},
    records::{Bid, Body, Capability, Entry, Receipt, Signatures, StatementRecord},
    replay::{Replay, Unusable},
    state::State,
};

/// Places that are tried as the beginning of a window: only wrong roots make more than one necessary.
const BASES_MAX: usize = 8;

/// Where the exact bytes of a log's entries can be read.
pub trait LogSource {
    /// The entry at this index, or nothing if the source does not reach so far.
    fn entry(&self, index: u64) -> Option<Vec<u8>>;
}

impl LogSource for [Vec<u8>] {
    fn entry(&self, index: u64) -> Option<Vec<u8>> {
        self.get(usize::try_from(index).ok()?).cloned()
    }
}

impl LogSource for Vec<Vec<u8>> {
    fn entry(&self, index: u64) -> Option<Vec<u8>> {
        self.as_slice().entry(index)
    }
}

/// Why no evidence was made. The fault may be real all the same.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The source lacks an entry that the checkpoint covers.
    #[error("entry {index} is not at hand")]
    EntryMissing {
        /// Its index.
        index: u64,
    },
    /// The log cannot be judged.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// A checkpoint is not one of this log.
    #[error("checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoint does not cover the fault's entry: its author has not signed for it.
    #[error("the checkpoint of size {size} does not cover entry {entry}")]
    NotCovered {
        /// Size of the checkpoint.
        size: u64,
        /// Index of the fault's entry.
        entry: u64,
    },
    /// The tree over the entries could not prove them.
    #[error("tree: {0}")]
    Tree(#[from] ProofError),
    /// An entry before the fault's breaks a rule.
    #[error("an earlier entry breaks a rule: {0}")]
    Earlier(Fault),
    /// A fault that one log alone does not prove: it has a maker of its own.
    #[error("{0} is not proved by the entries of one log")]
    OtherProof(Rule),
    /// What was made does not convict.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
}

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
    let mut minimal = format!("{}\n", parsed.text());
    for line in parsed.signatures() {
        if line.name() == origin {
            minimal.push_str(&format!("{line}\n"));
        }
    }
    minimal.into_bytes()
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

    /// Evidence of a fault that the replay of one log found: of its author, or of a peer whose statements it holds.
    ///
    /// `checkpoint` is a signed checkpoint that covers the fault's entry (for a wrong state root of a checkpoint, that one). The
    /// log is read from entry 0 up to its size. Every checkpoint in `earlier` is a place to begin a window at; there may be none.
    ///
    /// # Errors
    /// [`ProveError`].
    ///
    /// Spec: EVIDENCE-13.
    pub fn prove(
        log: &(impl LogSource + ?Sized),
        checkpoint: &str,
        earlier: &[&str],
        fault: &Fault,
    ) -> Result<Self, ProveError> {
        let covered = CoveredLog::read(log, checkpoint)?;
        if fault.peer != covered.begun.author() {
            return covered.finding(fault);
        }
        if fault.entry >= covered.checkpoint.size {
            return Err(ProveError::NotCovered {
                size: covered.checkpoint.size,
                entry: fault.entry,
            });
        }
        match fault.rule {
            Rule::TreeRoot | Rule::Omission | Rule::Fork => Err(ProveError::OtherProof(fault.rule)),
            Rule::Malformed | Rule::Genesis | Rule::Origin => covered.lone_entry(fault.entry),
            Rule::Chain => covered
                .lone_entry(fault.entry)
                .or_else(|_| covered.broken_link(fault.entry)),
            _ => covered
                .lone_entry(fault.entry)
                .or_else(|_| covered.window(fault.entry, earlier)),
        }
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

/// The part of a log that a checkpoint covers.
struct CoveredLog<'a, L: ?Sized> {
    source: &'a L,
    note: &'a str,
    checkpoint: Checkpoint,
    genesis: Vec<u8>,
    begun: Replay,
    tree: MerkleTree,
}

impl<'a, L: LogSource + ?Sized> CoveredLog<'a, L> {
    fn read(source: &'a L, note: &'a str) -> Result<Self, ProveError> {
        let genesis = bytes(source, 0)?;
        let begun = Replay::begin(&genesis, None)?;
        let checkpoint = *SignedCheckpoint::parse_and_verify(note, &begun.author())?.checkpoint();
        let mut tree = MerkleTree::new();
        for index in 0..checkpoint.size {
            tree.append(&bytes(source, index)?);
        }
        Ok(Self {
            source,
            note,
            checkpoint,
            genesis,
            begun,
            tree,
        })
    }

    fn bytes(&self, index: u64) -> Result<Vec<u8>, ProveError> {
        bytes(self.source, index)
    }

    fn parsed(&self, index: u64) -> Option<Entry> {
        let bytes = self.source.entry(index)?;
        let network = self.begun.state().network();
        Entry::parse_with(&bytes, Some(&network), Signatures::AssumeVerified).ok()
    }

    fn hashes(&self, index: u64) -> Result<Vec<NodeHash>, ProveError> {
        Ok(self.tree.inclusion_proof(index, self.checkpoint.size)?)
    }

    fn lone_entry(&self, index: u64) -> Result<Evidence, ProveError> {
        let (bytes, hashes) = (self.bytes(index)?, self.hashes(index)?);
        Ok(Evidence::lone_entry(
            &self.genesis,
            self.signed(index, &bytes, &hashes),
        )?)
    }

    fn broken_link(&self, index: u64) -> Result<Evidence, ProveError> {
        let before = index.saturating_sub(1);
        let (bytes, hashes) = (self.bytes(before)?, self.hashes(before)?);
        let (next, next_hashes) = (self.bytes(index)?, self.hashes(index)?);
        Ok(Evidence::broken_link(
            &self.genesis,
            self.signed(before, &bytes, &hashes),
            self.signed(index, &next, &next_hashes),
        )?)
    }

    fn signed<'b>(
        &'b self,
        index: u64,
        bytes: &'b [u8],
        hashes: &'b [NodeHash],
    ) -> SignedEntry<'b> {
        SignedEntry {
            bytes,
            index,
            checkpoint: self.note,
            hashes,
        }
    }

    /// The window that ends with entry `last`, from the nearest place before it where the state is recorded; if what is
    /// recorded there is wrong too, from the one before.
    fn window(&self, last: u64, earlier: &[&str]) -> Result<Evidence, ProveError> {
        let hashes = self.hashes(last)?;
        let mut checkpoints = self.bases(earlier);
        let mut error = None;
        checkpoints.retain(|(size, _)| (1..=last).contains(size));
        let mut end = last;
        for _ in 0..BASES_MAX {
            let recorded = (1..=end)
                .rev()
                .find(|index| {
                    self.parsed(*index)
                        .is_some_and(|entry| recorded_root(&entry.body).is_some())
                })
                .unwrap_or(0);
            let (first, base) = match checkpoints.last() {
                Some((size, note)) if *size > recorded => (*size, Base::Checkpoint(note)),
                _ if recorded > 0 => (recorded, Base::FirstEntry),
                _ => (1, Base::Genesis),
            };
            let mut state = self.state_before(first)?;
            let entries = (first..=last)
                .map(|index| self.bytes(index))
                .collect::<Result<Vec<_>, _>>()?;
            let made = Evidence::window(WindowParts {
                genesis: &self.genesis,
                base,
                state: &mut state,
                entries: &entries,
                checkpoint: self.note,
                hashes: &hashes,
            });
            match made {
                Ok(evidence) => return Ok(evidence),
                Err(failure) => error = Some(failure),
            }
            if base == Base::Genesis {
                break;
            }
            end = end.min(first - 1);
            checkpoints.retain(|(size, _)| *size < first);
        }
        Err(error.unwrap_or(EvidenceError::NoFault).into())
    }

    /// Earlier checkpoints of the author, by size.
    fn bases<'b>(&self, earlier: &[&'b str]) -> Vec<(u64, &'b str)> {
        let mut bases: Vec<(u64, &str)> = earlier
            .iter()
            .filter_map(|note| {
                let signed = SignedCheckpoint::parse_and_verify(note, &self.begun.author()).ok()?;
                Some((signed.checkpoint().size, *note))
            })
            .collect();
        bases.sort_unstable();
        bases
    }

    /// The state before the entry at this index.
    fn state_before(&self, index: u64) -> Result<State, ProveError> {
        let mut state = self.begun.state().clone();
        for number in 1..index {
            let entry = self
                .parsed(number)
                .ok_or(ProveError::EntryMissing { index: number })?;
            state.apply(&entry).map_err(ProveError::Earlier)?;
        }
        Ok(state)
    }

    /// Evidence against a peer whose statements this log holds.
    fn finding(&self, fault: &Fault) -> Result<Evidence, ProveError> {
        let entry = self
            .parsed(fault.entry)
            .ok_or(ProveError::EntryMissing { index: fault.entry })?;
        match &entry.body {
            Body::CapabilityReceived(second) => {
                let first = self.before(fault.entry, |body| match body {
                    Body::CapabilityReceived(first) => (first.statement.author()
                        == second.statement.author()
                        && first.record.sequence == second.record.sequence
                        && first.digest() != second.digest())
                    .then(|| first.statement.bytes().to_vec()),
                    _ => None,
                });
                Ok(Evidence::two_capabilities(
                    &first.ok_or(ProveError::OtherProof(fault.rule))?,
                    second.statement.bytes(),
                )?)
            }
            Body::BidReceived(second) if fault.rule == Rule::BidTwice => {
                let first = self.before(fault.entry, |body| match body {
                    Body::BidReceived(first) => (first.statement.author()
                        == second.statement.author()
                        && first.record.beacon == second.record.beacon
                        && first.digest() != second.digest())
                    .then(|| first.statement.bytes().to_vec()),
                    _ => None,
                });
                Ok(Evidence::two_bids(
                    &first.ok_or(ProveError::OtherProof(fault.rule))?,
                    second.statement.bytes(),
                )?)
            }
            Body::BidReceived(bid) => self.bid_match(fault, &bid.record, bid.statement.bytes()),
            Body::ReceiptReceived(second) => {
                let first = self.before(fault.entry, |body| match body {
                    Body::ReceiptReceived(first) => (first.record.assignment
                        == second.record.assignment
                        && first.statement.author() == second.statement.author()
                        && first.digest() != second.digest())
                    .then(|| first.statement.bytes().to_vec()),
                    _ => None,
                });
                Ok(Evidence::two_receipts(
                    &first.ok_or(ProveError::OtherProof(fault.rule))?,
                    second.statement.bytes(),
                )?)
            }
            Body::RevealReceived(reveal, ..) => {
                let receipt = self.before(fault.entry, |body| match body {
                    Body::ReceiptReceived(receipt) => (receipt.record.assignment
                        == reveal.record.assignment
                        && receipt.statement.author() == reveal.statement.author())
                    .then(|| receipt.statement.bytes().to_vec()),
                    _ => None,
                });
                Ok(Evidence::closed_ballot(
                    &receipt.ok_or(ProveError::OtherProof(fault.rule))?,
                    reveal.statement.bytes(),
                )?)
            }
            _ => Err(ProveError::OtherProof(fault.rule)),
        }
    }

    fn bid_match(
        &self,
        fault: &Fault,
        bid: &Bid,
        statement: &[u8],
    ) -> Result<Evidence, ProveError> {
        let capability = self.before(fault.entry, |body| match body {
            Body::CapabilityReceived(received) => {
                (received.digest() == bid.capability).then(|| received.record.encode())
            }
            _ => None,
        });
        let beacon = self.before(fault.entry, |body| match body {
            Body::BeaconIssued(issued) => {
                (issued.digest == bid.beacon).then(|| issued.payload.clone())
            }
            _ => None,
        });
        let missing = ProveError::OtherProof(fault.rule);
        let (Some(capability), Some(beacon)) = (capability, beacon) else {
            return Err(missing);
        };
        let params = self.begun.state().params().to_bytes();
        Ok(Evidence::bid_match(
            statement,
            &capability,
            &beacon,
            &params,
        )?)
    }

    /// What the nearest entry before `index` gives.
    fn before<T>(&self, index: u64, find: impl Fn(&Body) -> Option<T>) -> Option<T> {
        (0..index)
            .rev()
            .find_map(|index| find(&self.parsed(index)?.body))
    }
}

fn bytes(source: &(impl LogSource + ?Sized), index: u64) -> Result<Vec<u8>, ProveError> {
    source
        .entry(index)
        .ok_or(ProveError::EntryMissing { index })
}
