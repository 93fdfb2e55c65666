//! Making evidence from a log and the fault that its replay found. Spec: EVIDENCE-13.

use symphony_transparency::{
    Checkpoint, CheckpointError, MerkleTree, NodeHash, ProofError, SignedCheckpoint,
};

use super::{Base, Evidence, EvidenceError, SignedEntry, WindowParts, window::recorded_root};
use crate::{
    fault::{Fault, Rule},
    records::{Entry, Signatures},
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
    /// There is no proof that this entry stands in the signed tree.
    #[error("there is no proof of entry {index}")]
    ProofMissing {
        /// Its index.
        index: u64,
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

impl Evidence {
    /// Evidence of a fault that the replay of one log found: of its author, or of a peer whose statements it holds.
    ///
    /// `checkpoint` is a signed checkpoint that covers the fault's entry (for a wrong state root of a checkpoint, that one). For a
    /// fault of the author the log is read from entry 0 up to its size, and every checkpoint in `earlier` is a place to begin a
    /// window at; there may be none. A fault of another peer needs neither ([`Evidence::prove_finding`]).
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
        let log = ReadLog::begin(log)?;
        if fault.peer != log.begun.author() {
            return log.finding(fault);
        }
        CoveredLog::read(log, checkpoint)?.fault(earlier, fault)
    }

    /// Evidence of a fault of another peer than the log's author, which that peer's statements in the log prove by themselves: no
    /// checkpoint is needed, and nothing behind the fault's entry is read.
    ///
    /// # Errors
    /// [`ProveError`].
    ///
    /// Spec: EVIDENCE-13, REPLAY-9.
    pub fn prove_finding(
        log: &(impl LogSource + ?Sized),
        finding: &Fault,
    ) -> Result<Self, ProveError> {
        ReadLog::begin(log)?.finding(finding)
    }

    /// Evidence of a fault of the log's author, like [`Evidence::prove`], where not all entries that the checkpoint covers are at
    /// hand: `hashes` prove that the fault's entry stands in its tree, and the log is read up to that entry alone.
    ///
    /// # Errors
    /// [`ProveError`]; also for a fault that needs the proof of another entry.
    ///
    /// Spec: EVIDENCE-13, REPLAY-7.
    pub fn prove_entry(
        log: &(impl LogSource + ?Sized),
        (checkpoint, hashes): (&str, &[NodeHash]),
        earlier: &[&str],
        fault: &Fault,
    ) -> Result<Self, ProveError> {
        let proofs = Proofs::Given {
            index: fault.entry,
            hashes,
        };
        CoveredLog::begin(ReadLog::begin(log)?, checkpoint, proofs)?.fault(earlier, fault)
    }
}

impl<L: LogSource + ?Sized> CoveredLog<'_, L> {
    fn fault(&self, earlier: &[&str], fault: &Fault) -> Result<Evidence, ProveError> {
        if fault.entry >= self.checkpoint.size {
            return Err(ProveError::NotCovered {
                size: self.checkpoint.size,
                entry: fault.entry,
            });
        }
        match fault.rule {
            Rule::TreeRoot | Rule::Omission | Rule::Fork | Rule::TwoLogs => {
                Err(ProveError::OtherProof(fault.rule))
            }
            Rule::Malformed | Rule::Genesis | Rule::Origin => self.lone_entry(fault.entry),
            Rule::Chain => self
                .lone_entry(fault.entry)
                .or_else(|_| self.broken_link(fault.entry)),
            _ => self
                .lone_entry(fault.entry)
                .or_else(|_| self.window(fault.entry, earlier)),
        }
    }
}

/// A log of which single entries are read.
pub(super) struct ReadLog<'a, L: ?Sized> {
    source: &'a L,
    genesis: Vec<u8>,
    pub(super) begun: Replay,
}

/// The part of a log that a checkpoint covers.
struct CoveredLog<'a, L: ?Sized> {
    log: ReadLog<'a, L>,
    note: &'a str,
    checkpoint: Checkpoint,
    proofs: Proofs<'a>,
}

/// What shows that an entry stands in the signed tree.
enum Proofs<'a> {
    /// All entries.
    Tree(MerkleTree),
    /// Hashes for one.
    Given { index: u64, hashes: &'a [NodeHash] },
}

impl<'a, L: LogSource + ?Sized> ReadLog<'a, L> {
    fn begin(source: &'a L) -> Result<Self, ProveError> {
        let genesis = bytes(source, 0)?;
        let begun = Replay::begin(&genesis, None)?;
        Ok(Self {
            source,
            genesis,
            begun,
        })
    }

    fn bytes(&self, index: u64) -> Result<Vec<u8>, ProveError> {
        bytes(self.source, index)
    }

    pub(super) fn parsed(&self, index: u64) -> Option<Entry> {
        let bytes = self.source.entry(index)?;
        let network = self.begun.state().network();
        Entry::parse_with(&bytes, Some(&network), Signatures::AssumeVerified).ok()
    }
}

impl<'a, L: LogSource + ?Sized> CoveredLog<'a, L> {
    fn read(log: ReadLog<'a, L>, note: &'a str) -> Result<Self, ProveError> {
        let mut covered = Self::begin(log, note, Proofs::Tree(MerkleTree::new()))?;
        let mut tree = MerkleTree::new();
        for index in 0..covered.checkpoint.size {
            tree.append(&covered.log.bytes(index)?);
        }
        covered.proofs = Proofs::Tree(tree);
        Ok(covered)
    }

    fn begin(log: ReadLog<'a, L>, note: &'a str, proofs: Proofs<'a>) -> Result<Self, ProveError> {
        let author = log.begun.author();
        let checkpoint = *SignedCheckpoint::parse_and_verify(note, &author)?.checkpoint();
        Ok(Self {
            log,
            note,
            checkpoint,
            proofs,
        })
    }

    fn hashes(&self, index: u64) -> Result<Vec<NodeHash>, ProveError> {
        match &self.proofs {
            Proofs::Tree(tree) => Ok(tree.inclusion_proof(index, self.checkpoint.size)?),
            Proofs::Given { index: of, hashes } if *of == index => Ok(hashes.to_vec()),
            Proofs::Given { .. } => Err(ProveError::ProofMissing { index }),
        }
    }

    fn lone_entry(&self, index: u64) -> Result<Evidence, ProveError> {
        let (bytes, hashes) = (self.log.bytes(index)?, self.hashes(index)?);
        Ok(Evidence::lone_entry(
            &self.log.genesis,
            self.signed(index, &bytes, &hashes),
        )?)
    }

    fn broken_link(&self, index: u64) -> Result<Evidence, ProveError> {
        let before = index.saturating_sub(1);
        let (bytes, hashes) = (self.log.bytes(before)?, self.hashes(before)?);
        let (next, next_hashes) = (self.log.bytes(index)?, self.hashes(index)?);
        Ok(Evidence::broken_link(
            &self.log.genesis,
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
                    self.log
                        .parsed(*index)
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
                .map(|index| self.log.bytes(index))
                .collect::<Result<Vec<_>, _>>()?;
            let made = Evidence::window(WindowParts {
                genesis: &self.log.genesis,
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
                let signed =
                    SignedCheckpoint::parse_and_verify(note, &self.log.begun.author()).ok()?;
                Some((signed.checkpoint().size, *note))
            })
            .collect();
        bases.sort_unstable();
        bases
    }

    /// The state before the entry at this index.
    fn state_before(&self, index: u64) -> Result<State, ProveError> {
        let mut state = self.log.begun.state().clone();
        for number in 1..index {
            let entry = self
                .log
                .parsed(number)
                .ok_or(ProveError::EntryMissing { index: number })?;
            state.apply(&entry).map_err(ProveError::Earlier)?;
        }
        Ok(state)
    }
}

fn bytes(source: &(impl LogSource + ?Sized), index: u64) -> Result<Vec<u8>, ProveError> {
    source
        .entry(index)
        .ok_or(ProveError::EntryMissing { index })
}
