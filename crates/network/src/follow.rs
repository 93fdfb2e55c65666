//! Bookkeeping for following other peers' logs: what to fetch next, from whom, and when again after a failure.
//!
//! This module decides; it sends nothing, replays nothing and has no clock. The node
//!
//! 1. tells it which logs it follows ([`Follow::add`]), who can serve them ([`Follow::add_source`]) and what sizes it hears
//!    of in checkpoints ([`Follow::heard`]),
//! 2. asks for the next step ([`Follow::next`]) and sends it as a [`crate::Request`],
//! 3. gives the entries to its replayer, and reports how far that came ([`Follow::finish`]).
//!
//! | what came of a step | what follows |
//! |---|---|
//! | the log grew | the next range at once, if more is known to exist |
//! | a size | a range, if it is larger than what we have; else the next look after a while |
//! | no answer, or a refusal | the source waits: 250 ms, then twice as long each time, one minute at most |
//! | entries that do not continue the log | the source is dropped: it can only waste time, or is being exposed |
//!
//! At most one step of a log is under way at a time, so entries arrive in order; steps of different logs run side by side,
//! within limits for each peer and for all.
//!
//! Spec: NET-60 to NET-64.

use std::collections::BTreeMap;
use std::time::Duration;

use libp2p::PeerId;
use symphony_transparency::Digest;

use crate::limits::{RANGE_COUNT_MAX, RANGE_SIZE_MAX};
use crate::message::LogRange;

/// Wait after the first failure of a source. Spec: NET-62.
pub const BACKOFF_MIN: Duration = Duration::from_millis(250);

/// Longest wait after a failure of a source. Spec: NET-62.
pub const BACKOFF_MAX: Duration = Duration::from_secs(60);

/// What following may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowLimits {
    /// Logs followed at once. Default 1,024.
    pub logs_max: usize,
    /// Sources remembered for one log: its author and some who follow it too. Default 4.
    pub sources_per_log_max: usize,
    /// Steps under way with one peer. Default 2, so that following leaves room for the node's own requests.
    pub steps_per_peer_max: usize,
    /// Steps under way in all. Default 16.
    pub steps_max: usize,
    /// How often a log that is not known to have grown is asked for its size. Default 5 s.
    pub status_interval: Duration,
}

impl Default for FollowLimits {
    fn default() -> Self {
        Self {
            logs_max: 1024,
            sources_per_log_max: 4,
            steps_per_peer_max: 2,
            steps_max: 16,
            status_interval: Duration::from_secs(5),
        }
    }
}

/// The next thing to ask a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Names the step in [`Follow::finish`].
    pub id: StepId,
    /// Whom to ask.
    pub peer: PeerId,
    /// What to ask.
    pub question: Question,
}

/// What to ask about a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// How long is the log? To be sent as [`crate::Request::LogStatus`].
    Status {
        /// Digest of entry 0 of the log.
        log_id: Digest,
    },
    /// The next entries. To be sent as [`crate::Request::LogRange`].
    Range(LogRange),
}

/// Names one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(u64);

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The peer says that its copy has this many entries.
    Size(u64),
    /// The replayer now has this many entries of the log.
    Advanced(u64),
    /// No answer, or a refusal: ask again later.
    Failed,
    /// The answer does not continue the log: do not ask this peer again for it.
    Wrong,
}

/// Why something cannot be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// So many logs are followed already.
    #[error("{limit} logs are followed already")]
    TooManyLogs {
        /// [`FollowLimits::logs_max`].
        limit: usize,
    },
    /// The log is not followed.
    #[error("the log is not followed")]
    UnknownLog,
}

/// The state of following. Every `now` is the time since one fixed moment, and does not run back.
#[derive(Debug)]
pub struct Follow {
    limits: FollowLimits,
    logs: BTreeMap<Digest, FollowedLog>,
    steps: BTreeMap<StepId, StepUnderWay>,
    next_id: u64,
    /// The log after which the search for the next step begins, so that no log waits for ever.
    last_log: Option<Digest>,
}

#[derive(Debug)]
struct FollowedLog {
    have: u64,
    sources: Vec<Source>,
    is_under_way: bool,
    status_due: Duration,
}

#[derive(Debug)]
struct Source {
    peer: PeerId,
    size: u64,
    failures: u32,
    retry_at: Duration,
    asked_at: Duration,
}

#[derive(Debug)]
struct StepUnderWay {
    log_id: Digest,
    peer: PeerId,
}

impl Follow {
    /// Follows nothing yet.
    pub fn new(limits: FollowLimits) -> Self {
        Self {
            limits,
            logs: BTreeMap::new(),
            steps: BTreeMap::new(),
            next_id: 0,
            last_log: None,
        }
    }

    /// Follows a log of which we have the first `have` entries; changes nothing when it is followed already.
    ///
    /// # Errors
    /// [`FollowError::TooManyLogs`].
    pub fn add(&mut self, log_id: Digest, have: u64, now: Duration) -> Result<(), FollowError> {
        if self.logs.contains_key(&log_id) {
            return Ok(());
        }
        if self.logs.len() >= self.limits.logs_max {
            let limit = self.limits.logs_max;
            return Err(FollowError::TooManyLogs { limit });
        }
        let log = FollowedLog {
            have,
            sources: Vec::new(),
            is_under_way: false,
            status_due: now,
        };
        self.logs.insert(log_id, log);
        Ok(())
    }

    /// No longer follows a log: it was exposed, or forgotten. A step of it under way is forgotten too.
    pub fn remove(&mut self, log_id: &Digest) {
        self.logs.remove(log_id);
        self.steps.retain(|_, step| step.log_id != *log_id);
    }

    /// A peer can serve a log: the first one named is preferred, which should be its author. Beyond
    /// [`FollowLimits::sources_per_log_max`] a new source takes the place of the one that fails most, if one fails.
    ///
    /// # Errors
    /// [`FollowError::UnknownLog`].
    pub fn add_source(
        &mut self,
        log_id: &Digest,
        peer: PeerId,
        now: Duration,
    ) -> Result<(), FollowError> {
        let sources_max = self.limits.sources_per_log_max;
        let log = self.logs.get_mut(log_id).ok_or(FollowError::UnknownLog)?;
        if log.sources.iter().any(|source| source.peer == peer) {
            return Ok(());
        }
        if log.sources.len() >= sources_max {
            let worst = (0..log.sources.len()).max_by_key(|index| log.sources[*index].failures);
            match worst.filter(|index| log.sources[*index].failures > 0) {
                Some(index) => drop(log.sources.remove(index)),
                None => return Ok(()),
            }
        }
        log.sources.push(Source {
            peer,
            size: 0,
            failures: 0,
            retry_at: now,
            asked_at: Duration::ZERO,
        });
        log.status_due = now;
        Ok(())
    }

    /// A peer is gone: it is no source any more, and steps with it are forgotten.
    pub fn remove_source(&mut self, peer: &PeerId) {
        for log in self.logs.values_mut() {
            log.sources.retain(|source| source.peer != *peer);
        }
        let gone: Vec<StepId> = self
            .steps
            .iter()
            .filter(|(_, step)| step.peer == *peer)
            .map(|(id, _)| *id)
            .collect();
        for id in gone {
            self.take_step(id);
        }
    }

    /// A checkpoint says that a source's copy of a log has this many entries. Ignored for logs and peers not followed.
    pub fn heard(&mut self, log_id: &Digest, peer: &PeerId, size: u64) {
        if let Some(source) = self.source_mut(log_id, peer) {
            source.size = source.size.max(size);
        }
    }

    /// Entries that we have of a log.
    pub fn have(&self, log_id: &Digest) -> Option<u64> {
        self.logs.get(log_id).map(|log| log.have)
    }

    /// Entries that are known to exist and that we do not have: the lag behind the longest copy.
    pub fn lag(&self, log_id: &Digest) -> Option<u64> {
        let log = self.logs.get(log_id)?;
        Some(log.known_size().saturating_sub(log.have))
    }

    /// The next step, or `None` when nothing is due or the limits are reached. Each step must be finished.
    ///
    /// Spec: NET-60, NET-61.
    pub fn next(&mut self, now: Duration) -> Option<Step> {
        if self.steps.len() >= self.limits.steps_max {
            return None;
        }
        let (log_id, index) = self.find_due(now)?;
        let log = self.logs.get_mut(&log_id).expect("it was just found");
        let source = &mut log.sources[index];
        source.asked_at = now;
        let peer = source.peer;
        let question = if source.size > log.have {
            Question::Range(LogRange {
                log_id,
                first_index: log.have,
                count_max: u32::try_from(source.size - log.have)
                    .unwrap_or(RANGE_COUNT_MAX)
                    .min(RANGE_COUNT_MAX),
                size_max: RANGE_SIZE_MAX,
            })
        } else {
            Question::Status { log_id }
        };
        log.is_under_way = true;
        let id = StepId(self.next_id);
        self.next_id += 1;
        self.steps.insert(id, StepUnderWay { log_id, peer });
        self.last_log = Some(log_id);
        Some(Step { id, peer, question })
    }

    /// What came of a step. Ignored for a step that was forgotten.
    ///
    /// Spec: NET-62, NET-63.
    pub fn finish(&mut self, id: StepId, outcome: Outcome, now: Duration) {
        let Some(step) = self.take_step(id) else {
            return;
        };
        let status_due = now + self.limits.status_interval;
        let Some(log) = self.logs.get_mut(&step.log_id) else {
            return;
        };
        log.status_due = status_due;
        let have_before = log.have;
        if let Outcome::Advanced(have) = outcome {
            log.have = log.have.max(have);
        }
        let has_grown = log.have > have_before;
        let Some(index) = log
            .sources
            .iter()
            .position(|source| source.peer == step.peer)
        else {
            return;
        };
        let source = &mut log.sources[index];
        match outcome {
            Outcome::Wrong => drop(log.sources.remove(index)),
            Outcome::Size(size) => {
                // A copy may be shorter than was heard: its word is what a range is asked by.
                source.size = size;
                source.succeed(now);
            }
            Outcome::Advanced(_) if has_grown => source.succeed(now),
            // It claimed more entries than it sends.
            Outcome::Advanced(_) | Outcome::Failed => source.fail(now),
        }
    }

    /// When [`Follow::next`] may have something again, if nothing is finished or heard before; `None`: not by itself.
    pub fn next_due(&self) -> Option<Duration> {
        self.logs
            .values()
            .filter(|log| !log.is_under_way)
            .flat_map(|log| log.sources.iter().map(|source| source.due(log)))
            .min()
    }

    /// The first log after the last one served that has something due, and the best source for it.
    fn find_due(&self, now: Duration) -> Option<(Digest, usize)> {
        let mut load: BTreeMap<PeerId, usize> = BTreeMap::new();
        for step in self.steps.values() {
            *load.entry(step.peer).or_default() += 1;
        }
        let is_free =
            |peer: &PeerId| load.get(peer).copied().unwrap_or(0) < self.limits.steps_per_peer_max;
        let after = self.last_log.and_then(|last| successor(&last));
        let later = after.map(|start| self.logs.range(start..));
        let in_turn = later.into_iter().flatten().chain(self.logs.iter());
        for (log_id, log) in in_turn {
            if log.is_under_way {
                continue;
            }
            let best = (0..log.sources.len())
                .filter(|index| {
                    let source = &log.sources[*index];
                    source.due(log) <= now && is_free(&source.peer)
                })
                .min_by_key(|index| {
                    let source = &log.sources[*index];
                    let has_more = source.size > log.have;
                    // Sources with entries first; then the ones that work; for a mere status the one asked longest ago.
                    (
                        !has_more,
                        source.failures,
                        if has_more {
                            Duration::ZERO
                        } else {
                            source.asked_at
                        },
                        *index,
                    )
                });
            if let Some(index) = best {
                return Some((*log_id, index));
            }
        }
        None
    }

    fn take_step(&mut self, id: StepId) -> Option<StepUnderWay> {
        let step = self.steps.remove(&id)?;
        if let Some(log) = self.logs.get_mut(&step.log_id) {
            log.is_under_way = false;
        }
        Some(step)
    }

    fn source_mut(&mut self, log_id: &Digest, peer: &PeerId) -> Option<&mut Source> {
        let log = self.logs.get_mut(log_id)?;
        log.sources.iter_mut().find(|source| source.peer == *peer)
    }
}

impl FollowedLog {
    fn known_size(&self) -> u64 {
        self.sources
            .iter()
            .map(|source| source.size)
            .max()
            .unwrap_or(0)
    }
}

impl Source {
    /// When this source may next be asked about this log.
    fn due(&self, log: &FollowedLog) -> Duration {
        if self.size > log.have {
            self.retry_at
        } else {
            self.retry_at.max(log.status_due)
        }
    }

    fn succeed(&mut self, now: Duration) {
        self.failures = 0;
        self.retry_at = now;
    }

    fn fail(&mut self, now: Duration) {
        // Beyond 8 doublings the wait is the longest anyway.
        let doublings = self.failures.min(8);
        self.failures = self.failures.saturating_add(1);
        self.retry_at = now + (BACKOFF_MIN * (1 << doublings)).min(BACKOFF_MAX);
    }
}

/// The digest after this one in byte order, or `None` after the last.
fn successor(digest: &Digest) -> Option<Digest> {
    let mut bytes = *digest.as_bytes();
    for byte in bytes.iter_mut().rev() {
        let (next, has_overflowed) = byte.overflowing_add(1);
        *byte = next;
        if !has_overflowed {
            return Some(Digest::from_bytes(bytes));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::from_secs(1000);

    fn log(byte: u8) -> Digest {
        Digest::from_bytes([byte; 32])
    }

    fn following(logs: &[u8], peer: PeerId) -> Follow {
        let mut follow = Follow::new(FollowLimits::default());
        for byte in logs {
            follow.add(log(*byte), 0, START).unwrap();
            follow.add_source(&log(*byte), peer, START).unwrap();
        }
        follow
    }

    #[test]
    fn net_60_a_log_is_asked_for_its_size_and_then_fetched_to_its_end() {
        let peer = PeerId::random();
        let mut follow = following(&[1], peer);
        let status = follow.next(START).unwrap();
        assert_eq!(status.question, Question::Status { log_id: log(1) });
        assert_eq!(follow.next(START), None, "one step of a log at a time");
        follow.finish(status.id, Outcome::Size(5000), START);
        assert_eq!(follow.lag(&log(1)), Some(5000));
        let first = follow.next(START).unwrap();
        let range = |first_index, count_max| {
            Question::Range(LogRange {
                log_id: log(1),
                first_index,
                count_max,
                size_max: RANGE_SIZE_MAX,
            })
        };
        assert_eq!(first.question, range(0, RANGE_COUNT_MAX));
        follow.finish(first.id, Outcome::Advanced(4096), START);
        let second = follow.next(START).unwrap();
        assert_eq!(second.question, range(4096, 904));
        follow.finish(second.id, Outcome::Advanced(5000), START);
        assert_eq!(follow.next(START), None);
        let due = follow.next_due().unwrap();
        assert_eq!(due, START + FollowLimits::default().status_interval);
        assert!(matches!(
            follow.next(due).unwrap().question,
            Question::Status { .. }
        ));
    }

    #[test]
    fn net_60_a_checkpoint_that_is_heard_saves_the_question() {
        let peer = PeerId::random();
        let mut follow = following(&[1], peer);
        follow.heard(&log(1), &peer, 3);
        follow.heard(&log(1), &PeerId::random(), 9);
        assert!(matches!(
            follow.next(START).unwrap().question,
            Question::Range(range) if range.count_max == 3
        ));
    }

    #[test]
    fn net_61_steps_are_limited_for_each_peer_and_logs_take_turns() {
        let peer = PeerId::random();
        let mut follow = following(&[1, 2, 3], peer);
        let first = follow.next(START).unwrap();
        let second = follow.next(START).unwrap();
        assert_eq!(follow.next(START), None, "two steps a peer");
        follow.finish(first.id, Outcome::Size(10), START);
        let third = follow.next(START).unwrap();
        assert_eq!(third.question, Question::Status { log_id: log(3) });
        follow.finish(second.id, Outcome::Size(0), START);
        assert!(matches!(
            follow.next(START).unwrap().question,
            Question::Range(_)
        ));
    }

    #[test]
    fn net_62_a_failing_source_waits_twice_as_long_each_time() {
        let peer = PeerId::random();
        let mut follow = following(&[1], peer);
        follow.heard(&log(1), &peer, 3);
        let mut now = START;
        let mut waits = Vec::new();
        for _ in 0..10 {
            let step = follow.next(now).unwrap();
            follow.finish(step.id, Outcome::Failed, now);
            assert_eq!(follow.next(now), None);
            let due = follow.next_due().unwrap();
            waits.push(due - now);
            now = due;
        }
        assert_eq!(waits[0], BACKOFF_MIN);
        assert_eq!(waits[1], 2 * BACKOFF_MIN);
        assert_eq!(waits[9], BACKOFF_MAX);
        let step = follow.next(now).unwrap();
        follow.finish(step.id, Outcome::Advanced(1), now);
        assert!(follow.next(now).is_some(), "success ends the waiting");
    }

    #[test]
    fn net_62_another_source_serves_while_one_waits() {
        let (author, follower) = (PeerId::random(), PeerId::random());
        let mut follow = following(&[1], author);
        follow.add_source(&log(1), follower, START).unwrap();
        follow.heard(&log(1), &author, 3);
        follow.heard(&log(1), &follower, 3);
        let step = follow.next(START).unwrap();
        assert_eq!(step.peer, author);
        follow.finish(step.id, Outcome::Failed, START);
        assert_eq!(follow.next(START).unwrap().peer, follower);
    }

    #[test]
    fn net_62_a_source_that_sends_nothing_although_it_claims_more_waits() {
        let peer = PeerId::random();
        let mut follow = following(&[1], peer);
        follow.heard(&log(1), &peer, 3);
        let step = follow.next(START).unwrap();
        follow.finish(step.id, Outcome::Advanced(0), START);
        assert_eq!(follow.next(START), None);
    }

    #[test]
    fn net_63_a_source_of_wrong_entries_is_not_asked_again() {
        let peer = PeerId::random();
        let mut follow = following(&[1], peer);
        let step = follow.next(START).unwrap();
        follow.finish(step.id, Outcome::Wrong, START);
        assert_eq!(follow.next(START + BACKOFF_MAX), None);
        assert_eq!(follow.next_due(), None);
    }

    #[test]
    fn net_64_everything_is_bounded() {
        let mut follow = Follow::new(FollowLimits {
            logs_max: 1,
            sources_per_log_max: 2,
            ..FollowLimits::default()
        });
        follow.add(log(1), 0, START).unwrap();
        assert_eq!(follow.add(log(1), 0, START), Ok(()));
        assert_eq!(
            follow.add(log(2), 0, START),
            Err(FollowError::TooManyLogs { limit: 1 })
        );
        let peers = [PeerId::random(), PeerId::random(), PeerId::random()];
        for peer in peers {
            follow.add_source(&log(1), peer, START).unwrap();
        }
        assert_eq!(follow.logs[&log(1)].sources.len(), 2);
        let step = follow.next(START).unwrap();
        follow.finish(step.id, Outcome::Failed, START);
        follow.add_source(&log(1), peers[2], START).unwrap();
        assert!(
            follow.logs[&log(1)]
                .sources
                .iter()
                .any(|source| source.peer == peers[2])
        );
    }

    #[test]
    fn a_peer_that_leaves_takes_its_steps_along() {
        let peer = PeerId::random();
        let mut follow = following(&[1], peer);
        let step = follow.next(START).unwrap();
        follow.remove_source(&peer);
        follow.finish(step.id, Outcome::Size(9), START);
        assert_eq!(follow.lag(&log(1)), Some(0));
        follow.add_source(&log(1), peer, START).unwrap();
        assert!(follow.next(START).is_some());
        follow.remove(&log(1));
        assert_eq!(follow.next(START), None);
        assert_eq!(follow.have(&log(1)), None);
    }

    #[test]
    fn the_search_starts_after_the_last_log_and_wraps() {
        assert_eq!(successor(&Digest::from_bytes([0xFF; 32])), None);
        let mut expected = [0; 32];
        expected[30] = 1;
        let mut start = [0; 32];
        start[31] = 0xFF;
        assert_eq!(
            successor(&Digest::from_bytes(start)),
            Some(Digest::from_bytes(expected))
        );
    }
}
