//! A followed log: its entries as far as they are known, and what their author signed of it.

use std::{collections::BTreeMap, rc::Rc};

use symphony_protocol::{Fault, Rule, cross_check::fork};
use symphony_transparency::{Checkpoint, PublicKey, SignedCheckpoint};

use super::memo::{Memo, Position};

use super::auditor::{Basis, Exposure};

/// A followed log.
pub(super) struct Followed {
    pub(super) author: PublicKey,
    pub(super) genesis: Rc<[u8]>,
    pub(super) position: Option<Position>,
    /// The checkpoint that the position was last taken at.
    pub(super) covered: Option<SignedCheckpoint>,
    pub(super) checkpoints: BTreeMap<u64, SignedCheckpoint>,
    /// Findings up to here were taken.
    pub(super) told: usize,
}

impl Followed {
    /// Faults in the entries that are new, and the state that their author claims after them.
    pub(super) fn judge(
        &self,
        position: Position,
        checkpoint: &SignedCheckpoint,
        memo: &Memo,
    ) -> Vec<Exposure> {
        let basis = Basis::Log {
            position,
            checkpoint: checkpoint.clone(),
        };
        let findings = (self.told..position.size)
            .filter_map(|index| memo.entry(position, index))
            .flat_map(|learned| learned.findings.clone());
        memo.fault(position)
            .cloned()
            .into_iter()
            .chain(findings)
            .map(|fault| Exposure {
                fault,
                basis: basis.clone(),
            })
            .collect()
    }

    /// Compares a checkpoint with the entries that are known, if it lies within them.
    pub(super) fn check(&self, signed: &SignedCheckpoint, memo: &Memo) -> Option<Exposure> {
        let (position, covered) = (self.position?, self.covered.as_ref()?);
        let checkpoint: &Checkpoint = signed.checkpoint();
        let root = memo.root_at(position, checkpoint.size)?;
        if root != checkpoint.root {
            return Some(Exposure {
                fault: Fault {
                    peer: self.author,
                    rule: Rule::Fork,
                    entry: checkpoint.size.saturating_sub(1),
                    expected: "the tree that a newer checkpoint continues".to_owned(),
                    found: "another tree".to_owned(),
                },
                basis: Basis::Fork {
                    position: Some(position),
                    first: covered.clone(),
                    second: signed.clone(),
                },
            });
        }
        let last = usize::try_from(checkpoint.size.checked_sub(1)?).ok()?;
        let state_root = memo.entry(position, last)?.state_root?;
        (state_root != checkpoint.state_root).then(|| Exposure {
            fault: Fault {
                peer: self.author,
                rule: Rule::StateRoot,
                entry: checkpoint.size.saturating_sub(1),
                expected: state_root.to_string(),
                found: checkpoint.state_root.to_string(),
            },
            basis: Basis::Log {
                position,
                checkpoint: signed.clone(),
            },
        })
    }
}

pub(super) fn forked(
    author: &PublicKey,
    position: Option<Position>,
    first: &SignedCheckpoint,
    second: &SignedCheckpoint,
) -> Option<Exposure> {
    let fault = fork(author, first.checkpoint(), second.checkpoint())?;
    Some(Exposure {
        fault,
        basis: Basis::Fork {
            position,
            first: first.clone(),
            second: second.clone(),
        },
    })
}
