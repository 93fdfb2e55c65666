//! Letting go: the table of followed logs is bounded, and whoever pays for an admission may come once and leave. So a newcomer takes the
//! place of the log that was least needed for longest: never of one whose author is here, of one that this peer works with, or of one
//! against which evidence is in preparation; and of one with an open suspicion only where these are too many. What its author
//! signed last is kept, so that a flood of newcomers makes no peer's signature forgotten. Spec: NET-64, NET-69.

use std::collections::{BTreeSet, VecDeque};

use symphony_ledger::{Memo, MemoWrite};
use symphony_protocol::records::{Body, Entry};
use symphony_transparency::{Digest, PublicKey, SignedCheckpoint};

use super::Auditor;

/// Own entries that say with whom this peer works. Each order takes two at least, so they name at most half as many peers.
const PARTNERS_ENTRIES: u64 = 1_024;
/// Of so many logs one with something open keeps its place: a quarter of the table. With the connections (128 by default) and the partners
/// that is less than the table, so there is always a place for somebody.
const OPEN_PART: usize = 4;
/// Logs let go of which the last checkpoint is kept.
const LET_GO_MAX: usize = 4_096;
/// Table of the memos: then the log that was let go. The value is the newest checkpoint of its author.
const TABLE: &[u8] = b"let-go\0";
/// Memos read at once at a start.
const PAGE: usize = 64;

/// With whom this peer works: whom it gave orders lately, and whose orders it took. A bid is no work: anyone can make this peer bid, or
/// bid on what it announces.
#[derive(Debug, Default)]
pub(super) struct Partners(VecDeque<(u64, PublicKey)>);

impl Partners {
    /// Notes whom an own entry names.
    pub(super) fn note(&mut self, entry: &Entry) {
        let partner = match &entry.body {
            Body::AssignmentIssued(issued) => Some(issued.record.executor),
            Body::AssignmentReceived(received) => Some(*received.statement.author()),
            _ => None,
        };
        self.0.extend(partner.map(|partner| (entry.index, partner)));
        let is_old =
            |(index, _): &(u64, PublicKey)| index.saturating_add(PARTNERS_ENTRIES) <= entry.index;
        while self.0.front().is_some_and(is_old) {
            self.0.pop_front();
        }
    }

    fn keys(&self) -> BTreeSet<PublicKey> {
        self.0.iter().map(|(_, partner)| *partner).collect()
    }
}

impl Auditor {
    /// Makes room for another log if there is none. Says whether there is.
    pub(super) async fn has_room(&mut self) -> bool {
        if self.logs.len() < self.parts.follow_limits.logs_max {
            return true;
        }
        let Some(log) = self.least_needed() else {
            return false;
        };
        self.let_go(log).await;
        true
    }

    /// The log to let go. Whose fault is proven goes first: its file says all that its log would.
    fn least_needed(&self) -> Option<Digest> {
        let partners = self.partners.keys();
        let open = self.logs.values().filter(|followed| followed.is_open());
        let too_many_open = open.count() > self.parts.follow_limits.logs_max / OPEN_PART;
        let may_go = self.logs.iter().filter(|(log, followed)| {
            !followed.connected
                && !self.proving.is_under_way(log)
                && !partners.contains(&followed.replay.author())
                && (too_many_open || !followed.is_open())
        });
        let least = may_go.min_by_key(|(_, followed)| {
            let exposure = self.exposed.get(&followed.replay.author());
            let is_proven = exposure.is_some_and(|exposure| exposure.proven);
            (
                !is_proven,
                !(too_many_open && followed.is_open()),
                followed.used_at,
            )
        });
        least.map(|(log, _)| *log)
    }

    /// Follows a log no longer, and drops the copy; what its author signed last is kept.
    async fn let_go(&mut self, log: Digest) {
        let ledger = self.parts.ledger.clone();
        tracing::info!(log = log.fmt_short(), "let go: a newcomer needs the place");
        self.logs.remove(&log);
        self.follow.remove(&log);
        self.words.forget(&log);
        self.proving.forget(&log);
        self.changed = true;
        let newest = ledger.latest_checkpoint(&log).unwrap_or_else(|error| {
            tracing::warn!(%error, "a checkpoint cannot be read");
            None
        });
        let mut writes = Vec::new();
        if let Some(newest) = newest {
            writes.push(MemoWrite::put(key_of(&log), newest.text));
            self.let_go.push_back(log);
            while self.let_go.len() > LET_GO_MAX {
                let oldest = self.let_go.pop_front();
                writes.extend(oldest.map(|oldest| MemoWrite::delete(key_of(&oldest))));
            }
        }
        if let Err(error) = ledger.write_memos(writes).await {
            tracing::warn!(%error, "a checkpoint is not kept");
        }
        if let Err(error) = ledger.forget(log).await {
            tracing::warn!(%error, "a copy cannot be dropped");
        }
    }

    /// A log that was let go is followed again: what its author signed before counts.
    pub(super) async fn take_up_again(&mut self, log: &Digest) {
        let Some(place) = self.let_go.iter().position(|known| known == log) else {
            return;
        };
        let kept = self.parts.ledger.memo(&key_of(log));
        let author = self.logs.get(log).map(|followed| followed.replay.author());
        if let (Ok(Some(note)), Some(author)) = (kept, author)
            && let Ok(note) = String::from_utf8(note)
            && let Ok(signed) = SignedCheckpoint::parse_and_verify(&note, &author)
        {
            self.checkpoint(signed).await;
        }
        self.let_go.remove(place);
        let done = vec![MemoWrite::delete(key_of(log))];
        if let Err(error) = self.parts.ledger.write_memos(done).await {
            tracing::debug!(%error, "a checkpoint is kept twice");
        }
    }

    /// Remembers what earlier runs let go.
    pub(super) fn recall_let_go(&mut self) {
        let mut after = None;
        loop {
            let page = self.parts.ledger.memos(TABLE, after.as_deref(), PAGE);
            let page = page.unwrap_or_else(|error| {
                tracing::warn!(%error, "the logs that were let go cannot be listed");
                Vec::new()
            });
            let Some(last) = page.last() else { break };
            after = Some(last.key.clone());
            let logs = page.into_iter().filter_map(|Memo { key, .. }| {
                let log = key.get(TABLE.len()..)?.try_into().ok()?;
                Some(Digest::from_bytes(log))
            });
            self.let_go.extend(logs);
        }
    }
}

fn key_of(log: &Digest) -> Vec<u8> {
    [TABLE, log.as_bytes()].concat()
}
