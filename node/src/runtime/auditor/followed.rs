//! A followed log.

use symphony_network::PeerId;
use symphony_protocol::{Fault, replay::Replay};
use symphony_transparency::Checkpoint;

use crate::runtime::view::Verdict;

/// A followed log.
pub(super) struct Followed {
    pub(super) replay: Replay,
    pub(super) peer: PeerId,
    pub(super) connected: bool,
    /// Newest checkpoint of the author, and those that the replay has not reached yet (at most one: the newest).
    pub(super) newest: Option<Checkpoint>,
    pub(super) waiting: Option<Checkpoint>,
    pub(super) verdict: Verdict,
    /// A fault in this very log that no checkpoint of its author covers yet.
    pub(super) uncovered: Option<Fault>,
    pub(super) reason: String,
}

/// Checks the waiting checkpoint if the replay has reached exactly its size.
pub(super) fn check_waiting(followed: &mut Followed) -> Result<(), Fault> {
    match followed.waiting {
        Some(checkpoint) if checkpoint.size == followed.replay.size() => {
            followed.waiting = None;
            followed.replay.check(&checkpoint)
        }
        _ => Ok(()),
    }
}

/// The entries of a range without the first ones, which were replayed already: an answer that came after its peer was taken
/// for gone was replayed too, and then the range is asked for once more.
pub(super) fn unknown(entries: Vec<Vec<u8>>, known: u64) -> Vec<Vec<u8>> {
    let known = usize::try_from(known).unwrap_or(usize::MAX);
    entries.into_iter().skip(known).collect()
}

/// Whether the author signed a checkpoint beyond this entry. Entries come over a connection that proves the author's
/// transport key, but only a checkpoint binds its log key. Spec: REPLAY-7.
pub(super) fn covers(newest: Option<&Checkpoint>, entry: u64) -> bool {
    newest.is_some_and(|newest| newest.size > entry)
}

#[cfg(test)]
mod tests {
    use symphony_transparency::Digest;

    use super::*;

    #[test]
    fn net_61_what_was_replayed_already_is_not_replayed_again() {
        let entries: Vec<Vec<u8>> = (0..3).map(|byte| vec![byte]).collect();
        assert_eq!(unknown(entries.clone(), 0), entries);
        assert_eq!(unknown(entries.clone(), 2), [[2]]);
        assert!(unknown(entries, 9).is_empty());
    }

    #[test]
    fn replay_7_only_what_a_signed_checkpoint_covers_exposes() {
        let checkpoint = Checkpoint {
            network: Digest::ZERO,
            log: Digest::ZERO,
            size: 10,
            root: [0; 32],
            state_root: Digest::ZERO,
        };
        assert!(!covers(None, 0), "nothing signed, nobody exposed");
        assert!(covers(Some(&checkpoint), 9), "the last entry is covered");
        assert!(!covers(Some(&checkpoint), 10), "what follows is not");
    }
}
