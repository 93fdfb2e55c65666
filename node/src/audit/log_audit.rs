//! The audit of one log, entry by entry.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use symphony_protocol::{
    Fault, PreparedEntry,
    records::{Entry, Signatures},
    replay::{Replay, Unusable},
};
use symphony_transparency::{
    Checkpoint, CheckpointError, Digest, Frontier, NodeHash, PublicKey, SignedCheckpoint,
};

use super::report::{LocatedFault, LogReport, SignedState, Verdict};

/// Peers of which one fault each is kept while a log is audited: more than any honest log deals with, a few MiB.
const FINDINGS_MAX: usize = 16_384;

/// A checkpoint that says nothing about the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointClaimError {
    /// It is no checkpoint, or the log's key did not sign it.
    #[error("checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// It is of another network or log.
    #[error("checkpoint of {found}; expected {expected}")]
    Origin {
        /// Network and log of the entries.
        expected: String,
        /// Network and log of the checkpoint.
        found: String,
    },
}

/// Whether the author's signature covers the entries that were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signature {
    /// Not known: no checkpoint, or its size is not reached.
    Open,
    /// The checkpoint commits to exactly these entries.
    Holds,
    /// The checkpoint commits to others: who wrote them is not known.
    OfOtherEntries,
}

/// Replays one log and compares it with the checkpoint that its author signed.
///
/// After a fault it goes on reading up to the checkpoint: only the signed root shows that the faulty entry is the
/// author's own and was not put there by whoever wrote the file.
#[derive(Debug)]
pub struct LogAudit {
    replay: Replay,
    checkpoint: Option<Checkpoint>,
    signature: Signature,
    fault: Option<Fault>,
    /// The tree over all entries, once replay has stopped.
    behind_fault: Option<Frontier>,
    findings: BTreeMap<PublicKey, Fault>,
    /// Tree roots at sizes that a caller asked for.
    roots: BTreeMap<u64, Option<NodeHash>>,
    started: Instant,
}

impl LogAudit {
    /// Begins with the exact bytes of entry 0. `network` restricts to one network, if given.
    ///
    /// # Errors
    /// [`Unusable`] for anything that is no log of a network that this auditor can judge.
    pub fn begin(entry_0: &[u8], network: Option<&Digest>) -> Result<Self, Unusable> {
        let started = Instant::now();
        Ok(Self {
            replay: Replay::begin(entry_0, network)?,
            checkpoint: None,
            signature: Signature::Open,
            fault: None,
            behind_fault: None,
            findings: BTreeMap::new(),
            roots: BTreeMap::new(),
            started,
        })
    }

    /// Compares with this signed checkpoint, as soon as its size is reached. To be called before any [`LogAudit::push`].
    ///
    /// # Errors
    /// [`CheckpointClaimError`]; the audit is as before.
    pub fn compare_with(&mut self, note: &str) -> Result<(), CheckpointClaimError> {
        let signed = SignedCheckpoint::parse_and_verify(note, &self.replay.author())?;
        let state = self.replay.state();
        let checkpoint = *signed.checkpoint();
        if (checkpoint.network, checkpoint.log) != (state.network(), state.log()) {
            return Err(CheckpointClaimError::Origin {
                expected: self.replay.checkpoint().origin(),
                found: checkpoint.origin(),
            });
        }
        self.checkpoint = Some(checkpoint);
        self.compare();
        Ok(())
    }

    /// Keeps the tree's roots at these sizes. To be called before any [`LogAudit::push`].
    pub fn keep_roots(&mut self, sizes: impl IntoIterator<Item = u64>) {
        self.roots = sizes.into_iter().map(|size| (size, None)).collect();
        self.keep_root();
    }

    /// Takes the next entry's exact bytes. Gives the entry if it was replayed without a fault of the author.
    pub fn push(&mut self, bytes: &[u8]) -> Option<Entry> {
        let network = self.network();
        self.push_prepared(PreparedEntry::new(
            bytes.to_vec(),
            &network,
            Signatures::Verify,
        ))
    }

    /// As [`LogAudit::push`], of an entry that was prepared ahead.
    pub fn push_prepared(&mut self, prepared: PreparedEntry) -> Option<Entry> {
        let applied = match &mut self.behind_fault {
            Some(tree) => {
                tree.append_leaf_hash(prepared.leaf_hash());
                None
            }
            None => self.replay_entry(prepared),
        };
        self.keep_root();
        self.compare();
        applied
    }

    fn replay_entry(&mut self, prepared: PreparedEntry) -> Option<Entry> {
        let leaf_hash = prepared.leaf_hash();
        match self.replay.push_prepared(prepared) {
            Ok((entry, applied)) => {
                for finding in applied.findings {
                    if self.findings.len() < FINDINGS_MAX {
                        self.findings.entry(finding.peer).or_insert(finding);
                    }
                }
                Some(entry)
            }
            Err(fault) => {
                self.fault = Some(fault);
                let mut tree = self.replay.tree().clone();
                tree.append_leaf_hash(leaf_hash);
                self.behind_fault = Some(tree);
                None
            }
        }
    }

    fn keep_root(&mut self) {
        let size = self.size();
        if self.roots.contains_key(&size) {
            let root = self.tree().root();
            self.roots.insert(size, Some(root));
        }
    }

    fn compare(&mut self) {
        let Some(checkpoint) = self.checkpoint.filter(|claim| claim.size == self.size()) else {
            return;
        };
        if self.tree().root() != checkpoint.root {
            self.signature = Signature::OfOtherEntries;
            return;
        }
        self.signature = Signature::Holds;
        if self.fault.is_none() {
            self.fault = self.replay.check(&checkpoint).err();
        }
    }

    /// Entries taken, those behind a fault included.
    pub fn size(&self) -> u64 {
        self.tree().size()
    }

    /// Whether more entries can change the conclusion.
    pub fn is_decided(&self) -> bool {
        self.fault.is_some()
            && self
                .checkpoint
                .is_none_or(|claim| claim.size <= self.size())
            && self.roots.keys().all(|size| *size <= self.size())
    }

    /// Entries replayed without a fault.
    pub fn entries(&self) -> u64 {
        self.replay.size()
    }

    /// Id of the log.
    pub fn log(&self) -> Digest {
        self.replay.state().log()
    }

    /// Id of the network.
    pub fn network(&self) -> Digest {
        self.replay.state().network()
    }

    /// Log key of the author.
    pub fn author(&self) -> PublicKey {
        self.replay.author()
    }

    /// Time since the audit began.
    pub fn duration(&self) -> Duration {
        self.started.elapsed()
    }

    /// Faults of other peers whose statements stand in this log, one each.
    pub fn findings(&self) -> impl Iterator<Item = &Fault> {
        self.findings.values()
    }

    /// The tree's root at a size that [`LogAudit::keep_roots`] named, if the author's signature covers it.
    pub fn signed_root(&self, size: u64) -> Option<NodeHash> {
        self.covers(size.checked_sub(1)?)
            .then(|| self.roots.get(&size).copied().flatten())
            .flatten()
    }

    /// Whether the author's signature covers the entry at this index.
    pub fn covers(&self, index: u64) -> bool {
        self.signature == Signature::Holds
            && self.checkpoint.is_some_and(|claim| index < claim.size)
    }

    /// What the audit concludes.
    pub fn report(&mut self) -> LogReport {
        let mut report = LogReport {
            file: None,
            peer: Some(self.author()),
            log: Some(self.log()),
            verdict: Verdict::Clean,
            entries: self.replay.size(),
            counters: *self.replay.state().counters(),
            state_root: Some(self.replay.state_mut().root()),
            claimed: self.checkpoint.map(|claim| SignedState {
                size: claim.size,
                state_root: claim.state_root,
            }),
            duration: self.duration(),
            fault: None,
            reason: None,
        };
        let signed_size = self.checkpoint.map_or(0, |claim| claim.size);
        if self.signature == Signature::OfOtherEntries {
            report.verdict = Verdict::Unusable;
            report.reason = Some(match &self.fault {
                None => {
                    format!("these are not the first {signed_size} entries that the author signed")
                }
                Some(fault) => format!(
                    "these are not the first {signed_size} entries that the author signed (replay stops at entry {}: expected {}, found {})",
                    fault.entry, fault.expected, fault.found
                ),
            });
        } else if let Some(fault) = self.fault.clone() {
            report.expose(LocatedFault {
                signed: self.covers(fault.entry),
                log: self.log(),
                fault,
            });
        } else if signed_size > self.size() {
            report.verdict = Verdict::Suspected;
            report.reason = Some(format!(
                "the author signed {signed_size} entries, {} are here",
                self.size()
            ));
        }
        report
    }

    fn tree(&self) -> &Frontier {
        self.behind_fault
            .as_ref()
            .unwrap_or_else(|| self.replay.tree())
    }
}
