//! Suspicion: a peer signed entries that nobody can get. This observer challenges others to show them. It is its own state, ends
//! when anyone answers, and never exposes anybody. Spec: REPLAY-4, EVIDENCE-14 to EVIDENCE-16, NET-65, NET-66.

use std::time::Duration;

use symphony_network::{AnsweredEntry, PeerId, Request, Response, follow::Outcome};
use symphony_protocol::records::{CHALLENGED_ENTRIES_MAX, Challenge, Entry};
use symphony_transparency::{
    ChainEnd, Checkpoint, Digest, NodeHash, SignedNote, StatementKind, entry_digest, leaf_hash,
    sign_statement, verify_inclusion,
};

use super::{Auditor, AuditorCommand, TIMEOUT, followed::Followed};
use crate::runtime::{pump::challenge::given, view::Verdict};

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
        let retired = &self.retired;
        // What is missing of a log that has ended is no reason for suspicion. Spec: STORE-25.
        for (log, followed) in self
            .logs
            .iter_mut()
            .filter(|(log, _)| !retired.contains_key(*log))
        {
            let before = followed.verdict;
            if let Some(round) = watch(followed, now, patience) {
                let others: Vec<PeerId> = connected
                    .iter()
                    .filter(|(other, _)| other != log)
                    .map(|(_, peer)| *peer)
                    .collect();
                let mut helpers = in_turn(&others, round);
                if followed.full_tail().is_some() && followed.connected {
                    helpers.insert(0, followed.peer);
                }
                asked.push((*log, helpers));
            }
            self.changed |= before != followed.verdict;
        }
        for (log, helpers) in asked {
            tracing::info!(
                log = log.fmt_short(),
                helpers = helpers.len(),
                "suspected: others are challenged to show signed entries"
            );
            if let Some(challenge) = self.challenge(&log) {
                self.ask_with(challenge, helpers);
            }
        }
    }

    /// The demand for the first entries of a log that its author signed for and that do not come. If more follows a fault than is
    /// kept, it is the one for the faulty entry and the one before it, which that one must name.
    pub(super) fn challenge(&self, log: &Digest) -> Option<Challenge> {
        let followed = self.logs.get(log)?;
        let stored = self.parts.ledger.latest_checkpoint(log).ok()??;
        let (have, count) = match followed.full_tail() {
            Some(tail) => (tail.fault.entry.checked_sub(1)?, 2),
            None => (followed.have(), CHALLENGED_ENTRIES_MAX.into()),
        };
        let end = stored.checkpoint.size.min(have.saturating_add(count));
        let note = SignedNote::parse(stored.text.as_bytes()).ok()?;
        let note = note.with_lines_of(&stored.checkpoint.origin());
        Challenge::new(note, have..end).ok()
    }

    /// Challenges these peers in turn, until one answers.
    fn ask_with(&self, challenge: Challenge, helpers: Vec<PeerId>) {
        let Some(commands) = self.own_commands.upgrade() else {
            return;
        };
        let statement = sign_statement(
            &self.parts.secret,
            &self.parts.network_id,
            StatementKind::Challenge,
            challenge.encode(),
        )
        .into_bytes();
        let network = self.parts.network.clone();
        tokio::spawn(async move {
            for peer in helpers {
                let request = Request::Challenge {
                    statement: statement.clone(),
                };
                if let Ok(Response::Answer { entries }) =
                    network.request(peer, request, TIMEOUT).await
                {
                    // The auditor may have stopped.
                    let _ = commands
                        .send(AuditorCommand::ChallengeAnswered {
                            challenge: Box::new(challenge),
                            peer,
                            entries,
                        })
                        .await;
                    return;
                }
            }
        });
    }

    /// Takes an answer, whoever gives it, if each entry is proven to be the author's. Whoever had these may have the rest.
    pub(super) async fn challenge_answered(
        &mut self,
        challenge: Challenge,
        peer: PeerId,
        entries: Vec<AnsweredEntry>,
    ) {
        let log = challenge.log();
        let Some(followed) = self.logs.get(&log) else {
            return;
        };
        let (author, key) = (followed.peer, followed.replay.author());
        if let Err(error) = challenge.check_answer(&key, &given(&entries)) {
            tracing::debug!(%peer, log = log.fmt_short(), %error, "no answer to a challenge");
            return;
        }
        tracing::info!(
            log = log.fmt_short(),
            entries = entries.len(),
            "a challenge was answered"
        );
        if self.judge_shown(&challenge, &entries).await {
            return;
        }
        let entries = entries.into_iter().map(|answered| answered.entry).collect();
        if let Outcome::Advanced(have) = self.replay(log, challenge.indices().start, entries).await
        {
            self.follow.took(&log, have);
            let now = self.began.elapsed();
            let _ = self.follow.set_helpers(&log, &author, &[peer], now);
        }
    }
}

/// Takes one look at a log; gives the number of the round if others are to be asked now.
fn watch(followed: &mut Followed, now: Duration, patience: Duration) -> Option<usize> {
    let replayed = followed.replay.size();
    let signed = followed.newest.map_or(0, |newest| newest.size);
    if followed.verdict == Verdict::Exposed || signed <= replayed {
        followed.missing = None;
        if followed.verdict == Verdict::Suspected && followed.conflicting.is_none() {
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
pub(in crate::runtime) fn in_turn(peers: &[PeerId], round: usize) -> Vec<PeerId> {
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
