//! A followed log.

use std::{collections::BTreeMap, time::Duration};

use symphony_network::PeerId;
use symphony_protocol::{Fault, Rule, replay::Replay};
use symphony_transparency::{Checkpoint, NodeHash, SignedCheckpoint};

use super::suspicion::Missing;
use crate::runtime::view::Verdict;

/// A followed log.
pub(super) struct Followed {
    pub(super) replay: Replay,
    pub(super) peer: PeerId,
    pub(super) connected: bool,
    /// When its author was here last, or its copy grew last, counted from the auditor's start.
    pub(super) used_at: Duration,
    /// Newest checkpoint of the author.
    pub(super) newest: Option<Checkpoint>,
    /// Checkpoints by size, until the replay has reached them: a later one must not hide an earlier one that is wrong.
    pub(super) waiting: BTreeMap<u64, SignedCheckpoint>,
    /// Those that came when the replay was past them already, until their state roots are compared.
    pub(super) late: BTreeMap<u64, SignedCheckpoint>,
    /// When late ones may be compared next, counted from the auditor's start.
    pub(super) late_due: Duration,
    /// The newest one that fits the replayed entries and has not been cosigned.
    pub(super) checked: Option<SignedCheckpoint>,
    /// Entries that its author signed and that do not come.
    pub(super) missing: Option<Missing>,
    /// When a checkpoint of this log was cosigned last, counted from the auditor's start.
    pub(super) cosigned_at: Option<Duration>,
    /// Size of the newest checkpoint that was cosigned here; 0 if none was in this run.
    pub(super) cosigned_size: u64,
    pub(super) verdict: Verdict,
    /// The first faulty entry and what follows it, until a checkpoint of the author covers the fault.
    pub(super) tail: Option<Tail>,
    /// A checkpoint that contradicts the entries, until a larger one of the author covers these.
    pub(super) conflicting: Option<SignedCheckpoint>,
    /// The copy was dropped once, because the author had signed another history.
    pub(super) begun_anew: bool,
    /// The log itself convicts its author: nothing more of it is fetched.
    pub(super) convicted: bool,
    pub(super) reason: String,
}

/// Checkpoints of one log that wait for their entries at most: an author signs every two seconds by default, so this is two minutes of
/// lag. If more come, the earliest stay, which the replay reaches first, and the newest.
pub(super) const WAITING_MAX: usize = 64;
/// Bytes behind a faulty entry that are kept. A checkpoint every few seconds covers a fault long before; if none does, the entry is
/// asked for under a later one.
const BEHIND_SIZE_MAX: usize = 64 << 10;

/// Entries behind the last one that replay took: they are fetched, since only with them the author's signature can be checked
/// against the faulty one.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) fault: Fault,
    pub(super) entries: Vec<Vec<u8>>,
    /// More follows than is kept.
    pub(super) is_full: bool,
}

impl Tail {
    /// Adds entries as far as there is room.
    pub(super) fn extend(&mut self, entries: impl IntoIterator<Item = Vec<u8>>) {
        let mut size: usize = self.entries.iter().skip(1).map(Vec::len).sum();
        for entry in entries {
            size += entry.len();
            self.is_full |= size > BEHIND_SIZE_MAX;
            if self.is_full {
                return;
            }
            self.entries.push(entry);
        }
    }
}

impl Followed {
    /// Entries that are here, those behind a fault included.
    pub(super) fn have(&self) -> u64 {
        let tail = self.tail.as_ref().map_or(0, |tail| tail.entries.len());
        self.replay.size().saturating_add(tail as u64)
    }

    /// Whether something held against its author is open: what it signed for does not come, or what came is at fault or contradicts
    /// what it signed, and no signature of it convicts it yet.
    pub(super) fn is_open(&self) -> bool {
        !self.convicted
            && (self.verdict == Verdict::Suspected
                || self.missing.is_some()
                || self.tail.is_some()
                || self.conflicting.is_some())
    }

    /// The fault behind which more follows than is kept.
    pub(super) fn full_tail(&self) -> Option<&Tail> {
        self.tail.as_ref().filter(|tail| tail.is_full)
    }

    /// Root of the first `size` entries, as far as they are behind the replayed ones; nothing for a size that is not reached or
    /// lies before.
    pub(super) fn root_behind(&self, size: u64) -> Option<NodeHash> {
        let behind = usize::try_from(size.checked_sub(self.replay.size())?).ok()?;
        let entries = self.tail.as_ref()?.entries.get(..behind)?;
        let mut tree = self.replay.tree().clone();
        for entry in entries {
            tree.append(entry);
        }
        Some(tree.root())
    }
}

/// Adds a checkpoint to those that wait for their entries. A second one of a size is a fork, and found where it is stored.
pub(super) fn await_size(waiting: &mut BTreeMap<u64, SignedCheckpoint>, signed: SignedCheckpoint) {
    waiting.entry(signed.checkpoint().size).or_insert(signed);
    if waiting.len() > WAITING_MAX
        && let Some(displaced) = waiting.keys().rev().nth(1).copied()
    {
        waiting.remove(&displaced);
    }
}

/// Checks the waiting checkpoint of exactly the size that the replay has reached, if there is one. A tree root that does not fit
/// is kept as conflicting: by itself it exposes nobody.
pub(super) fn check_waiting(followed: &mut Followed) -> Result<(), Fault> {
    let Some(signed) = followed.waiting.remove(&followed.replay.size()) else {
        return Ok(());
    };
    if let Err(fault) = followed.replay.check(signed.checkpoint()) {
        if fault.rule == Rule::TreeRoot {
            followed.conflicting.get_or_insert(signed);
        }
        return Err(fault);
    }
    followed.checked = Some(signed);
    Ok(())
}

/// The entries of a range without the first ones, which were replayed already: an answer that came after its peer was taken
/// for gone was replayed too, and then the range is asked for once more.
pub(super) fn unknown(entries: Vec<Vec<u8>>, known: u64) -> Vec<Vec<u8>> {
    let known = usize::try_from(known).unwrap_or(usize::MAX);
    entries.into_iter().skip(known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn net_61_what_was_replayed_already_is_not_replayed_again() {
        let entries: Vec<Vec<u8>> = (0..3).map(|byte| vec![byte]).collect();
        assert_eq!(unknown(entries.clone(), 0), entries);
        assert_eq!(unknown(entries.clone(), 2), [[2]]);
        assert!(unknown(entries, 9).is_empty());
    }
}
