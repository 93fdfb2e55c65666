//! From what an auditor has of a fault to the file that proves it to anyone. Spec: EVIDENCE-13.

use symphony_protocol::Rule;
use symphony_protocol::evidence::{
    Evidence, EvidenceError, ForkPoint, LogSource, ProveError, SignedEntry,
};
use symphony_transparency::{NodeHash, ProofError, SignedCheckpoint};

use super::{
    auditor::{Basis, Exposure},
    memo::{Memo, Position},
};

/// Why a fault that was found could not be proved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unproved {
    #[error(transparent)]
    Log(#[from] ProveError),
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    #[error("tree: {0}")]
    Tree(#[from] ProofError),
    #[error("a place or a root that is not at hand")]
    Missing,
}

/// The entries before a position.
struct View<'a> {
    memo: &'a Memo,
    position: Position,
}

impl LogSource for View<'_> {
    fn entry(&self, index: u64) -> Option<Vec<u8>> {
        let index = usize::try_from(index).ok()?;
        let learned = self.memo.entry(self.position, index)?;
        Some(learned.bytes.clone())
    }
}

/// Makes the evidence of a fault. `earlier` are checkpoints of the same author, at which a proof may begin.
pub(crate) fn prove(
    exposure: &Exposure,
    genesis: &[u8],
    earlier: &[String],
    memo: &Memo,
) -> Result<Evidence, Unproved> {
    match &exposure.basis {
        Basis::Log {
            position,
            checkpoint,
        } => {
            let view = View {
                memo,
                position: *position,
            };
            let earlier: Vec<&str> = earlier.iter().map(String::as_str).collect();
            let note = checkpoint.text();
            Ok(Evidence::prove(&view, &note, &earlier, &exposure.fault)?)
        }
        Basis::Fork {
            position,
            first,
            second,
        } => {
            let (small, large) = if first.checkpoint().size <= second.checkpoint().size {
                (first, second)
            } else {
                (second, first)
            };
            let fork = fork_point(*position, small, large, memo)?;
            let fork = fork.as_ref().map(|(root, hashes)| ForkPoint {
                root: *root,
                hashes,
            });
            Ok(Evidence::two_checkpoints(
                genesis,
                &small.text(),
                &large.text(),
                fork,
            )?)
        }
        Basis::Pair { first, second } => {
            let make = match exposure.fault.rule {
                Rule::CapabilitySequence => Evidence::two_capabilities,
                Rule::BidTwice => Evidence::two_bids,
                Rule::TwoLogs => Evidence::two_logs,
                _ => Evidence::two_receipts,
            };
            Ok(make(first.bytes(), second.bytes())?)
        }
        Basis::Word {
            word,
            position,
            checkpoint,
        } => {
            let index = word.place.index;
            let entry = usize::try_from(index)
                .ok()
                .and_then(|index| memo.entry(*position, index))
                .ok_or(Unproved::Missing)?;
            let size = checkpoint.checkpoint().size;
            let hashes = memo.tree(*position).inclusion_proof(index, size)?;
            let note = checkpoint.text();
            let signed = SignedEntry {
                bytes: &entry.bytes,
                index,
                checkpoint: &note,
                hashes: &hashes,
            };
            Ok(Evidence::broken_word(
                genesis,
                word.statement.bytes(),
                signed,
            )?)
        }
    }
}

/// What shows that the larger tree, which the position has, does not continue the smaller one; nothing for equal sizes.
fn fork_point(
    position: Option<Position>,
    small: &SignedCheckpoint,
    large: &SignedCheckpoint,
    memo: &Memo,
) -> Result<Option<(NodeHash, Vec<NodeHash>)>, Unproved> {
    let (size, size_large) = (small.checkpoint().size, large.checkpoint().size);
    if size == size_large {
        return Ok(None);
    }
    let position = position.ok_or(Unproved::Missing)?;
    let root = memo.root_at(position, size).ok_or(Unproved::Missing)?;
    let hashes = memo.tree(position).consistency_proof(size, size_large)?;
    Ok(Some((root, hashes)))
}
