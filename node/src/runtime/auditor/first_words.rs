//! First words: of each signer the first statement that was heard, which names the log that it calls its own. A later one that names
//! another log convicts it, whenever it comes and whatever became of the entry that held the first: so the statement itself is kept,
//! for longer than this run. Spec: REPLAY-50.

use std::collections::BTreeMap;

use symphony_ledger::{Memo, MemoWrite};
use symphony_protocol::{cross_check::Word, evidence::Evidence, records::Body};
use symphony_transparency::{Digest, PublicKey};

use super::Auditor;

/// Table of the memos: then the signer's key. The value is the id of the log that it named, and the statement.
const TABLE: &[u8] = b"first-word\0";
/// Memos read at once at a start.
const PAGE: usize = 64;
/// Signers whose first statement is kept at most. The authors of followed logs stay; others make room.
const SIGNERS_MAX: usize = 1_024;

/// The logs that signers named first.
#[derive(Debug, Default)]
pub(super) struct FirstWords {
    logs: BTreeMap<PublicKey, Digest>,
    /// Statements that are not written yet; nothing for a signer that made room.
    unwritten: BTreeMap<PublicKey, Option<Vec<u8>>>,
}

impl FirstWords {
    /// How many signers are remembered.
    #[cfg(test)]
    pub(super) fn signers(&self) -> usize {
        self.logs.len()
    }
}

impl Auditor {
    /// Evidence of a word that names another log than the first one of its signer did.
    pub(super) fn two_logs(&mut self, word: &Word, body: &Body) -> Option<Evidence> {
        let (signer, log) = (word.signer, word.place.log);
        let Some(first) = self.words.first.logs.get(&signer).copied() else {
            self.note_first(signer, log, Word::statement_of(body)?);
            return None;
        };
        let is_proven = self
            .exposed
            .get(&signer)
            .is_some_and(|exposure| exposure.proven);
        if first == log || is_proven {
            return None;
        }
        let one = self.first_statement(&signer)?;
        let other = Word::statement_of(body)?;
        Evidence::two_logs(&one, &other)
            .inspect_err(|error| tracing::debug!(peer = %signer, %error, "no evidence of two logs"))
            .ok()
    }

    fn first_statement(&self, signer: &PublicKey) -> Option<Vec<u8>> {
        if let Some(unwritten) = self.words.first.unwritten.get(signer) {
            return unwritten.clone();
        }
        let read = self.parts.ledger.memo(&key_of(signer));
        let value = read
            .inspect_err(|error| tracing::warn!(%error, "a first statement cannot be read"))
            .ok()??;
        value.get(Digest::LENGTH..).map(<[u8]>::to_vec)
    }

    /// Remembers a signer's first statement, in the place of one whose log nobody follows if there is no room.
    fn note_first(&mut self, signer: PublicKey, log: Digest, statement: Vec<u8>) {
        if self.words.first.logs.len() >= SIGNERS_MAX {
            let known = self.known_authors();
            let first = &mut self.words.first;
            let Some(stranger) = first.logs.keys().find(|key| !known.contains(*key)).copied()
            else {
                return;
            };
            first.logs.remove(&stranger);
            first.unwritten.insert(stranger, None);
        }
        let first = &mut self.words.first;
        first.logs.insert(signer, log);
        first.unwritten.insert(signer, Some(statement));
    }

    /// Writes what is new, all of it at once: whoever fills its log with new signers must not cost a synced write for each.
    pub(super) async fn keep_first_words(&mut self) {
        let unwritten = std::mem::take(&mut self.words.first.unwritten);
        let writes: Vec<MemoWrite> = unwritten
            .into_iter()
            .map(|(signer, statement)| {
                let key = key_of(&signer);
                match (self.words.first.logs.get(&signer), statement) {
                    (Some(log), Some(statement)) => {
                        MemoWrite::put(key, [log.as_bytes(), statement.as_slice()].concat())
                    }
                    _ => MemoWrite::delete(key),
                }
            })
            .collect();
        if writes.is_empty() {
            return;
        }
        if let Err(error) = self.parts.ledger.write_memos(writes).await {
            tracing::warn!(%error, "first statements are not kept");
        }
    }

    /// Remembers what earlier runs heard.
    pub(super) fn recall_first_words(&mut self) {
        let mut after = None;
        loop {
            let page = self.parts.ledger.memos(TABLE, after.as_deref(), PAGE);
            let page = page.unwrap_or_else(|error| {
                tracing::warn!(%error, "the first statements that were heard cannot be read");
                Vec::new()
            });
            let Some(last) = page.last() else { break };
            after = Some(last.key.clone());
            let read = page.into_iter().filter_map(|Memo { key, value }| {
                let signer = key.get(TABLE.len()..)?.try_into().ok()?;
                let log = value.get(..Digest::LENGTH)?.try_into().ok()?;
                Some((PublicKey::from_bytes(signer).ok()?, Digest::from_bytes(log)))
            });
            self.words.first.logs.extend(read);
        }
    }
}

fn key_of(signer: &PublicKey) -> Vec<u8> {
    [TABLE, signer.as_bytes()].concat()
}
