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

mod limits;
mod source;
mod step;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use libp2p::PeerId;
use symphony_transparency::Digest;

pub use self::limits::{BACKOFF_MAX, BACKOFF_MIN, FollowLimits};
use self::source::{FollowedLog, Source};
pub use self::step::{Outcome, Question, Step, StepId};
use crate::limits::{RANGE_COUNT_MAX, RANGE_SIZE_MAX};
use crate::message::LogRange;

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
        log.sources.push(Source::new(peer, now));
        log.status_due = now;
        Ok(())
    }

    /// Lets these peers serve a log beside its first source, in the place of those who did before: whoever follows the log
    /// too may have what its author does not give. Bounded by [`FollowLimits::sources_per_log_max`].
    ///
    /// # Errors
    /// [`FollowError::UnknownLog`].
    ///
    /// Spec: NET-65.
    pub fn set_helpers(
        &mut self,
        log_id: &Digest,
        author: &PeerId,
        helpers: &[PeerId],
        now: Duration,
    ) -> Result<(), FollowError> {
        let sources_max = self.limits.sources_per_log_max;
        let log = self.logs.get_mut(log_id).ok_or(FollowError::UnknownLog)?;
        log.sources
            .retain(|source| source.peer == *author || helpers.contains(&source.peer));
        for helper in helpers {
            let is_known = log.sources.iter().any(|source| source.peer == *helper);
            if !is_known && log.sources.len() < sources_max {
                log.sources.push(Source::new(*helper, now));
                log.status_due = now;
            }
        }
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

    /// Entries of a log came by another way than a step: we have this many now.
    pub fn took(&mut self, log_id: &Digest, have: u64) {
        if let Some(log) = self.logs.get_mut(log_id) {
            log.have = log.have.max(have);
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
