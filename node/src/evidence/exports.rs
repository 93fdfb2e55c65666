//! Evidence of the faults that an audit of exported logs found.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use symphony_protocol::{
    Fault, Rule,
    evidence::{Evidence, ForkPoint, LogSource, ProveError, SignedEntry},
    records::{Body, Entry, Origin},
};
use symphony_transparency::{Digest, MerkleTree, PublicKey, SignedCheckpoint};

use crate::audit::{ExportFile, LocatedFault, LogReport};

/// What became of the faults.
#[derive(Debug, Default)]
pub struct Made {
    /// Files, by the fault that each proves.
    pub evidence: Vec<(LocatedFault, Evidence)>,
    /// Faults of which no file could be made.
    pub unproven: Vec<Unproven>,
}

/// A fault that the logs show, and of which no file could be made.
#[derive(Debug)]
pub struct Unproven {
    /// The fault.
    pub fault: LocatedFault,
    /// Why.
    pub reason: ProveError,
}

/// An exported log in memory.
struct Export {
    log: Digest,
    author: PublicKey,
    checkpoint: Option<String>,
    entries: Vec<Vec<u8>>,
}

/// Makes a file of every fault in these reports, which are of these files. The logs that a fault needs are read into memory.
pub fn make(files: &[PathBuf], reports: &[LogReport]) -> Made {
    let mut made = Made::default();
    let mut exports: BTreeMap<usize, Export> = BTreeMap::new();
    let mut faults: Vec<&LocatedFault> = Vec::new();
    for fault in reports.iter().filter_map(|report| report.fault.as_ref()) {
        if !faults.contains(&fault) {
            faults.push(fault);
        }
    }
    if !faults.is_empty() {
        let read = files
            .iter()
            .enumerate()
            .filter_map(|(number, file)| Some((number, Export::read(file)?)));
        exports.extend(read);
    }
    let exports: Vec<&Export> = exports.values().collect();
    for fault in faults {
        match prove(fault, &exports) {
            Ok(evidence) => made.evidence.push((fault.clone(), evidence)),
            Err(reason) => made.unproven.push(Unproven {
                fault: fault.clone(),
                reason,
            }),
        }
    }
    made
}

fn prove(located: &LocatedFault, exports: &[&Export]) -> Result<Evidence, ProveError> {
    let fault = &located.fault;
    let copies: Vec<&Export> = exports
        .iter()
        .copied()
        .filter(|export| export.log == located.log)
        .collect();
    let mut failure = ProveError::OtherProof(fault.rule);
    for copy in &copies {
        let made = match fault.rule {
            Rule::Fork => copies
                .iter()
                .find_map(|other| fork(copy, other))
                .ok_or(ProveError::OtherProof(fault.rule)),
            Rule::Omission => exports
                .iter()
                .find_map(|other| omission(copy, other, fault))
                .ok_or(ProveError::OtherProof(fault.rule)),
            _ => copy.prove(fault),
        };
        match made {
            Ok(evidence) => return Ok(evidence),
            Err(reason) => failure = reason,
        }
    }
    Err(failure)
}

impl Export {
    /// Nothing for a file that cannot be read to its end: the audit says so.
    fn read(path: &Path) -> Option<Self> {
        let mut file = ExportFile::open(path).ok()?;
        let header = file.header().clone();
        let mut entries = Vec::new();
        while let Some(entry) = file.next_entry().ok()? {
            entries.push(entry);
        }
        Some(Self {
            log: header.log_id,
            author: header.log_key,
            checkpoint: header.checkpoint,
            entries,
        })
    }

    fn prove(&self, fault: &Fault) -> Result<Evidence, ProveError> {
        let note = self.checkpoint.as_deref().ok_or(ProveError::NotCovered {
            size: 0,
            entry: fault.entry,
        })?;
        Evidence::prove(&self.entries, note, &[], fault)
    }

    /// The newest signed checkpoint and the tree over what it covers.
    fn signed_tree(&self) -> Option<(&str, u64, MerkleTree)> {
        let note = self.checkpoint.as_deref()?;
        let signed = SignedCheckpoint::parse_and_verify(note, &self.author).ok()?;
        let size = signed.checkpoint().size;
        let mut tree = MerkleTree::new();
        for entry in self.entries.get(..usize::try_from(size).ok()?)? {
            tree.append(entry);
        }
        Some((note, size, tree))
    }
}

/// Two signed histories of one log.
fn fork(one: &Export, other: &Export) -> Option<Evidence> {
    let (small_note, small, _) = one.signed_tree()?;
    let (large_note, large, tree) = other.signed_tree()?;
    if small > large {
        return None;
    }
    let genesis = one.entries.first()?;
    if small == large {
        return Evidence::two_checkpoints(genesis, small_note, large_note, None).ok();
    }
    let point = ForkPoint {
        root: tree.root_at(small).ok()?,
        hashes: &tree.consistency_proof(small, large).ok()?,
    };
    Evidence::two_checkpoints(genesis, small_note, large_note, Some(point)).ok()
}

/// A statement in another log that names an entry of this one, which holds something else.
fn omission(copy: &Export, other: &Export, fault: &Fault) -> Option<Evidence> {
    let (note, size, tree) = copy.signed_tree()?;
    let genesis = copy.entries.first()?;
    let bytes = copy.entries.entry(fault.entry)?;
    let hashes = tree.inclusion_proof(fault.entry, size).ok()?;
    let entry = SignedEntry {
        bytes: &bytes,
        index: fault.entry,
        checkpoint: note,
        hashes: &hashes,
    };
    let named = |origin: &Origin| origin.log == copy.log && origin.index == fault.entry;
    other
        .entries
        .iter()
        .filter_map(|bytes| Entry::parse(bytes, None).ok())
        .filter_map(|entry| word(&entry.body, &named))
        .find_map(|word| Evidence::broken_word(genesis, &word, entry).ok())
}

/// The received statement of an entry, if it names that place.
fn word(body: &Body, named: &impl Fn(&Origin) -> bool) -> Option<Vec<u8>> {
    macro_rules! received {
        ($received:expr) => {
            named(&$received.record.origin).then(|| $received.statement.bytes().to_vec())
        };
    }
    match body {
        Body::CapabilityReceived(received) => received!(received),
        Body::BidReceived(received) => received!(received),
        Body::AssignmentReceived(received) => received!(received),
        Body::ReceiptReceived(received) => received!(received),
        Body::RevealReceived(received, ..) => received!(received),
        Body::BidIssued(_, beacon) => received!(beacon),
        Body::OpeningIssued(_, call) => received!(call),
        Body::OpeningReceived(received) => received!(received),
        Body::AcknowledgementReceived(received) => received!(received),
        _ => None,
    }
}
