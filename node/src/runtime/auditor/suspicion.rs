//! Suspicion: a peer signed entries that nobody can get. It is this observer's own state, ends when anyone shows the entries,
//! and never exposes anybody. Spec: REPLAY-4, NET-65, NET-66.

use std::time::Duration;

use symphony_network::PeerId;
use symphony_protocol::records::Entry;
use symphony_transparency::{
    ChainEnd, Checkpoint, Digest, NodeHash, entry_digest, leaf_hash, verify_inclusion,
};

use super::{Auditor, followed::Followed};
use crate::runtime::view::Verdict;

/// Peers asked in one round beside the author.
const HELPERS_MAX: usize = 3;

/// Entries that are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    /// Entries that were there when this began: more end the waiting, or begin it anew.
    replayed: u64,
    /// Since when nothing came, or when helpers were asked last.
    since: Duration,
    /// Rounds of helpers so far.
    rounds: usize,
}

impl Auditor {
    /// Looks for peers whose signed entries do not come, asks others for these entries, and ends suspicions that were
    /// answered.
    pub(super) fn watch_suspects(&mut self) {
        let (now, patience) = (self.began.elapsed(), self.parts.suspect_after);
        let connected: Vec<(Digest, PeerId)> = self
            .logs
            .iter()
            .filter(|(_, followed)| followed.connected)
            .map(|(log, followed)| (*log, followed.peer))
            .collect();
        let mut asked = Vec::new();
        for (log, followed) in &mut self.logs {
            let before = followed.verdict;
            if let Some(round) = watch(followed, now, patience) {
                let others: Vec<PeerId> = connected
                    .iter()
                    .filter(|(other, _)| other != log)
                    .map(|(_, peer)| *peer)
                    .collect();
                asked.push((*log, followed.peer, in_turn(&others, round)));
            }
            self.changed |= before != followed.verdict;
        }
        for (log, author, helpers) in asked {
            tracing::info!(
                log = log.fmt_short(),
                helpers = helpers.len(),
                "suspected: others are asked for signed entries"
            );
            let _ = self.follow.set_helpers(&log, &author, &helpers, now);
        }
    }
}

/// Takes one look at a log; gives the number of the round if others are to be asked now.
fn watch(followed: &mut Followed, now: Duration, patience: Duration) -> Option<usize> {
    let replayed = followed.replay.size();
    let signed = followed.newest.map_or(0, |newest| newest.size);
    if followed.verdict == Verdict::Exposed || signed <= replayed {
        followed.missing = None;
        if followed.verdict == Verdict::Suspected {
            followed.verdict = Verdict::Clean;
            followed.reason.clear();
        }
        return None;
    }
    let missing = match &mut followed.missing {
        Some(missing) if missing.replayed == replayed => missing,
        // Whatever came shows that somebody answers.
        other => {
            *other = Some(Missing {
                replayed,
                since: now,
                rounds: 0,
            });
            return None;
        }
    };
    if now.saturating_sub(missing.since) < patience {
        return None;
    }
    let round = missing.rounds;
    missing.since = now;
    missing.rounds = round.saturating_add(1);
    followed.verdict = Verdict::Suspected;
    followed.reason =
        format!("it signed {signed} entries, and nobody gives those from {replayed} on");
    Some(round)
}

/// A few of these peers, others in each round.
fn in_turn(peers: &[PeerId], round: usize) -> Vec<PeerId> {
    let count = peers.len().min(HELPERS_MAX);
    let start = round.saturating_mul(HELPERS_MAX);
    (0..count)
        .map(|number| peers[start.wrapping_add(number) % peers.len()])
        .collect()
}

/// Whether entries that somebody else than their author gives are the author's: the last one stands in the tree that the
/// author signed, and each names the one before it, up to what is here already. Spec: NET-66.
pub(super) fn are_authentic(
    end: &ChainEnd,
    network: &Digest,
    entries: &[Vec<u8>],
    proof: &[NodeHash],
    signed: &Checkpoint,
) -> bool {
    let mut previous = end.last;
    for (bytes, index) in entries.iter().zip(end.size..) {
        let linked = Entry::parse(bytes, Some(network))
            .is_ok_and(|entry| entry.index == index && entry.previous == previous);
        if !linked {
            return false;
        }
        previous = entry_digest(bytes);
    }
    let (Some(last), Some(index)) = (
        entries.last(),
        (entries.len() as u64)
            .checked_add(end.size)
            .and_then(|size| size.checked_sub(1)),
    ) else {
        return false;
    };
    verify_inclusion(&leaf_hash(last), index, signed.size, proof, &signed.root).is_ok()
}

#[cfg(test)]
mod tests {
    use symphony_protocol::records::Body;
    use symphony_transparency::MerkleTree;

    use super::*;

    fn resumed(index: u64, previous: Digest) -> Vec<u8> {
        Entry {
            index,
            previous,
            time_ms: 1_000 + index,
            body: Body::Resumed,
        }
        .encode()
    }

    #[test]
    fn net_66_only_entries_that_lead_to_a_signed_tree_are_taken_from_others() {
        let (network, mut entries) = (Digest::ZERO, Vec::new());
        let (mut tree, mut previous) = (MerkleTree::new(), Digest::ZERO);
        for index in 0..8 {
            let entry = resumed(index, previous);
            previous = entry_digest(&entry);
            tree.append(&entry);
            entries.push(entry);
        }
        let end = ChainEnd {
            size: 3,
            last: entry_digest(&entries[2]),
            time_ms: 1_002,
        };
        let signed = Checkpoint {
            network,
            log: Digest::ZERO,
            size: 8,
            root: tree.root(),
            state_root: Digest::ZERO,
        };
        let proof = tree.inclusion_proof(5, 8).expect("entry 5 is in the tree");
        let given = entries[3..6].to_vec();
        assert!(are_authentic(&end, &network, &given, &proof, &signed));
        assert!(!are_authentic(&end, &network, &[], &proof, &signed));
        // One entry put in the place of another, with everything behind it as it was.
        for place in 0..given.len() {
            let mut forged = given.clone();
            let index = 3 + place as u64;
            forged[place] = resumed(index, Digest::from_bytes([7; 32]));
            assert!(
                !are_authentic(&end, &network, &forged, &proof, &signed),
                "{place}"
            );
        }
        // A chain of its own, which nobody signed.
        let mut forged = Vec::new();
        let mut previous = end.last;
        for index in 3..6 {
            let mut entry =
                Entry::parse(&resumed(index, previous), Some(&network)).expect("an entry");
            entry.time_ms += 1;
            let entry = entry.encode();
            previous = entry_digest(&entry);
            forged.push(entry);
        }
        assert!(!are_authentic(&end, &network, &forged, &proof, &signed));
        let other = Checkpoint {
            root: [9; 32],
            ..signed
        };
        assert!(!are_authentic(&end, &network, &given, &proof, &other));
    }

    #[test]
    fn net_65_others_are_asked_in_turn() {
        let peers: Vec<PeerId> = (0..5).map(|_| PeerId::random()).collect();
        assert_eq!(in_turn(&peers, 0), peers[..3]);
        assert_eq!(in_turn(&peers, 1), [peers[3], peers[4], peers[0]]);
        assert!(in_turn(&[], 7).is_empty());
        assert_eq!(in_turn(&peers[..1], 9), peers[..1]);
    }
}
