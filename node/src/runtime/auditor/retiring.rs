//! Logs that have ended. What a retirement says is remembered for longer than this run: its author does not say it again.
//! Spec: STORE-25.

use symphony_coordination::Event;
use symphony_ledger::{Memo, MemoWrite};
use symphony_protocol::records::{Received, Retirement};
use symphony_transparency::{Digest, UnverifiedStatement};

use super::Auditor;
use crate::runtime::{core::CoreCommand, view::Verdict};

/// Table of the memos: then the log that has ended. The value is the statement that ends it.
const TABLE: &[u8] = b"retirement\0";
/// Memos read at once at a start.
const PAGE: usize = 64;
/// Retired logs remembered at most. Only those of logs held here count, so it is far more than can come.
const RETIRED_MAX: usize = 16_384;

impl Auditor {
    /// A log has ended: nothing more of it is asked for, and its peer gets no more work. What it signed before still counts.
    /// The first word counts.
    pub(super) async fn retire(&mut self, retirement: &Received<Retirement>) {
        let log = retirement.record.log;
        if !self.note_retirement(retirement).await {
            return;
        }
        tracing::info!(
            log = log.fmt_short(),
            successor = retirement.record.successor.fmt_short(),
            "retired"
        );
        let write = MemoWrite::put(key_of(&log), retirement.statement.bytes());
        if let Err(error) = self.parts.ledger.write_memos(vec![write]).await {
            tracing::warn!(%error, "a retirement is not kept");
        }
    }

    /// Notes again what earlier runs heard.
    pub(super) async fn recall_retirements(&mut self) {
        let (network, mut after) = (self.parts.network_id, None);
        loop {
            let page = self.parts.ledger.memos(TABLE, after.as_deref(), PAGE);
            let page = page.unwrap_or_else(|error| {
                tracing::warn!(%error, "the retirements that were heard cannot be read");
                Vec::new()
            });
            let Some(last) = page.last() else { break };
            after = Some(last.key.clone());
            for Memo { value, .. } in page {
                let retirement = UnverifiedStatement::parse(&value)
                    .ok()
                    .and_then(|statement| statement.verify(&network).ok())
                    .and_then(|statement| Received::from_statement(statement).ok());
                if let Some(retirement) = retirement {
                    self.note_retirement(&retirement).await;
                }
            }
        }
    }

    /// Says whether it is the first word.
    async fn note_retirement(&mut self, retirement: &Received<Retirement>) -> bool {
        let record = retirement.record;
        if self.retired.contains_key(&record.log) || self.retired.len() >= RETIRED_MAX {
            return false;
        }
        self.retired.insert(record.log, record);
        self.follow.remove(&record.log);
        if let Some(followed) = self.logs.get_mut(&record.log) {
            followed.missing = None;
            if followed.verdict == Verdict::Suspected && followed.conflicting.is_none() {
                followed.verdict = Verdict::Clean;
                followed.reason.clear();
            }
        }
        self.changed = true;
        let peer = *retirement.statement.author();
        let _ = self
            .parts
            .core
            .send(CoreCommand::Event(Event::Retired { peer }))
            .await;
        true
    }
}

fn key_of(log: &Digest) -> Vec<u8> {
    [TABLE, log.as_bytes()].concat()
}

/// Why nothing more comes of a log, for people.
pub(super) fn ended(retirement: &Retirement) -> String {
    format!(
        "retired at {} signed entries; its successor is log {}",
        retirement.size, retirement.successor
    )
}
