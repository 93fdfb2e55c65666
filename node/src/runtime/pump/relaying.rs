//! How many challenges are passed on, and to whom. The questions count against this peer at its neighbours, so whoever challenges
//! must not be able to spend what it may ask them itself. Spec: NET-38.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use symphony_network::PeerId;
use symphony_protocol::records::Challenge;
use symphony_transparency::Digest;

use crate::runtime::auditor::in_turn;

/// Challenges passed on at once, of all challengers together.
const BURST: u32 = 4;
/// Time in which one more is allowed.
const REFILL: Duration = Duration::from_secs(1);
/// Challenges remembered as passed on: as many as a quarter of an hour allows. If more come, the earliest is forgotten.
const PASSED_MAX: usize = 1_024;

/// What is asked: the log, the first entry, and the note whose author signed for it.
type Question = (Digest, u64, String);

/// What was passed on. Every `now` is the time since one fixed moment.
#[derive(Debug)]
pub(in crate::runtime) struct Relaying {
    /// How long a challenge that was passed on is not passed on again.
    pause: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    spent: u32,
    /// When the next spent one is forgiven.
    forgiven_at: Duration,
    /// When each was passed on.
    passed: BTreeMap<Question, Duration>,
    rounds: usize,
}

impl Relaying {
    /// One that passes no challenge on again within this time.
    pub(in crate::runtime) fn new(pause: Duration) -> Self {
        Self {
            pause,
            state: Mutex::default(),
        }
    }

    /// Whom of these to pass a challenge on to, others each time; nobody if it was passed on lately, or too many were.
    pub(super) fn peers_for(
        &self,
        challenge: &Challenge,
        others: &[PeerId],
        now: Duration,
    ) -> Vec<PeerId> {
        // Nothing can panic while it is held.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let question = (
            challenge.log(),
            challenge.indices().start,
            challenge.note().to_owned(),
        );
        let pause = self.pause;
        state.passed.retain(|_, at| now.saturating_sub(*at) < pause);
        if state.passed.contains_key(&question) || !state.take(now) {
            return Vec::new();
        }
        if state.passed.len() >= PASSED_MAX {
            let earliest = state.passed.iter().min_by_key(|(_, at)| **at);
            if let Some(earliest) = earliest.map(|(question, _)| question.clone()) {
                state.passed.remove(&earliest);
            }
        }
        state.passed.insert(question, now);
        let round = state.rounds;
        state.rounds = round.wrapping_add(1);
        in_turn(others, round)
    }
}

impl State {
    fn take(&mut self, now: Duration) -> bool {
        while self.spent > 0 && self.forgiven_at <= now {
            self.spent -= 1;
            self.forgiven_at += REFILL;
        }
        if self.spent == 0 {
            self.forgiven_at = now + REFILL;
        }
        if self.spent >= BURST {
            return false;
        }
        self.spent += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use symphony_transparency::{Checkpoint, SecretKey};

    use super::*;

    const PAUSE: Duration = Duration::from_secs(60);

    fn challenge(first: u64) -> Challenge {
        let checkpoint = Checkpoint {
            network: Digest::ZERO,
            log: Digest::ZERO,
            size: 1_000,
            root: [1; 32],
            state_root: Digest::ZERO,
        };
        let note = checkpoint.sign(&SecretKey::from_bytes([1; 32])).text();
        Challenge::new(note, first..first + 1).expect("a challenge")
    }

    #[test]
    fn net_38_challenges_are_passed_on_once_a_second_and_to_others_each_time() {
        let peers: Vec<PeerId> = (0..16).map(|_| PeerId::random()).collect();
        let relaying = Relaying::new(PAUSE);
        let ask = |first, now| relaying.peers_for(&challenge(first), &peers, now);
        let passed: Vec<Vec<PeerId>> = (0..100)
            .map(|first| ask(first, Duration::ZERO))
            .filter(|peers| !peers.is_empty())
            .collect();
        assert_eq!(passed.len(), 4);
        let mut asked: BTreeSet<PeerId> = passed.concat().into_iter().collect();
        assert_eq!(asked.len(), 12, "nobody is asked twice");
        assert!(ask(100, REFILL / 2).is_empty());
        let one_more = ask(101, REFILL);
        assert_eq!(one_more.len(), 3);
        asked.extend(one_more);
        assert_eq!(asked.len(), 15);
        assert!(ask(102, REFILL).is_empty());
    }

    #[test]
    fn net_38_one_challenge_is_not_passed_on_again_and_again() {
        let peers = [PeerId::random()];
        let relaying = Relaying::new(PAUSE);
        let ask = |first, now| {
            !relaying
                .peers_for(&challenge(first), &peers, now)
                .is_empty()
        };
        let start = Duration::from_secs(1_000);
        assert!(ask(1, start));
        assert!(!ask(1, start + PAUSE / 2));
        assert!(ask(2, start + PAUSE / 2), "another one");
        assert!(ask(1, start + PAUSE));
    }
}
