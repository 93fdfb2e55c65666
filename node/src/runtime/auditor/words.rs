//! Words: what peers signed about places of their own logs, compared with what stands there. A peer that names an entry, or
//! acknowledges that it logged a statement as one, and signs a log that holds something else there has dropped or rewritten it.
//!
//! Words stand in the own log and in the logs followed. Each waits until its signer has signed for the entry that it names:
//! then either it is kept, or both signatures together convict. Words of one signer on two logs of its own convict it at once.
//! Spec: REPLAY-14, REPLAY-45, REPLAY-50.

use std::collections::BTreeMap;

use symphony_ledger::{LogReader, StoredCheckpoint};
use symphony_protocol::{
    cross_check::Word,
    evidence::{Evidence, SignedEntry},
    records::{Entry, Signatures},
};
use symphony_transparency::{Digest, PublicKey};

use super::{Auditor, convicting::MakeError, first_words::FirstWords};

/// Words about one log that wait at most. The one about the latest entry makes room: what is named next is checked first.
const WAITING_MAX: usize = 512;
/// Own entries looked at in one turn, and at a start.
const OWN_ENTRIES_MAX: u64 = 1_024;

/// A word that waits, and the entry in which it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    pub(super) word: Word,
    pub(super) said_in: Digest,
    pub(super) said_at: u64,
}

/// Words that wait, by the log that they are about.
#[derive(Debug, Default)]
pub(super) struct Words {
    waiting: BTreeMap<Digest, BTreeMap<(u64, Digest), Waiting>>,
    /// Own entries that were looked at; nothing before the first look.
    own_seen: Option<u64>,
    pub(super) first: FirstWords,
}

impl Words {
    pub(super) fn add(&mut self, waiting: Waiting) {
        let place = waiting.word.place;
        let of_log = self.waiting.entry(place.log).or_default();
        of_log.insert((place.index, waiting.word.statement), waiting);
        if of_log.len() > WAITING_MAX {
            of_log.pop_last();
        }
    }

    /// Forgets the words about a log: whoever follows it again looks for them again.
    pub(super) fn forget(&mut self, log: &Digest) {
        self.waiting.remove(log);
    }

    /// Whether a word about an entry below `size` waits.
    fn waits_below(&self, log: &Digest, size: u64) -> bool {
        let first = self.waiting.get(log).and_then(BTreeMap::first_key_value);
        first.is_some_and(|((index, _), _)| *index < size)
    }

    /// Takes the words about entries below `size`.
    fn take_below(&mut self, log: &Digest, size: u64) -> Vec<Waiting> {
        let Some(of_log) = self.waiting.get_mut(log) else {
            return Vec::new();
        };
        let later = of_log.split_off(&(size, Digest::ZERO));
        let taken = std::mem::replace(of_log, later);
        if of_log.is_empty() {
            self.waiting.remove(log);
        }
        taken.into_values().collect()
    }
}

impl Auditor {
    /// Notes the word that an entry holds, if its signer speaks of its own log and that log is followed here. Whatever the log: a
    /// signer that names two has signed for both of them.
    pub(super) async fn hear_word(&mut self, entry: &Entry, said_in: Digest) {
        let Some(word) = Word::in_entry(&entry.body) else {
            return;
        };
        if let Some(evidence) = self.two_logs(&word, &entry.body) {
            tracing::warn!(peer = %word.signer, "a key signs for two logs");
            self.made(evidence.bytes().to_vec()).await;
        }
        let is_its_own = self
            .logs
            .get(&word.place.log)
            .is_some_and(|followed| !followed.convicted && followed.replay.author() == word.signer);
        if is_its_own {
            self.words.add(Waiting {
                word,
                said_in,
                said_at: entry.index,
            });
        }
    }

    /// Notes what peers said to this one: their words stand in its own log.
    pub(super) async fn hear_own_log(&mut self) {
        let Some(own) = self.parts.ledger.own() else {
            return;
        };
        let Ok(size) = own.size() else { return };
        let first = self
            .words
            .own_seen
            .unwrap_or(size.saturating_sub(OWN_ENTRIES_MAX))
            .max(1);
        let end = size.min(first.saturating_add(OWN_ENTRIES_MAX));
        let (log, network) = (*own.log(), self.parts.network_id);
        for index in first..end {
            let Some(entry) = entry_of(&own, index, &network) else {
                break;
            };
            self.partners.note(&entry);
            self.hear_word(&entry, log).await;
        }
        if end > first {
            self.words.own_seen = Some(end);
            self.keep_first_words().await;
            let logs: Vec<Digest> = self.words.waiting.keys().copied().collect();
            for log in logs {
                self.judge_words(&log).await;
            }
        }
    }

    /// Compares the words about entries of a log that its author has signed for, and whose bytes are here.
    pub(super) async fn judge_words(&mut self, log: &Digest) {
        let Some(followed) = self.logs.get(log) else {
            return;
        };
        let (replayed, author) = (followed.replay.size(), followed.replay.author());
        if followed.convicted || !self.words.waits_below(log, replayed) {
            return;
        }
        let Ok(Some(covering)) = self.parts.ledger.checkpoint_up_to(log, replayed) else {
            return;
        };
        if !self.words.waits_below(log, covering.checkpoint.size)
            || self.fits(&covering.checkpoint) != Some(true)
        {
            return;
        }
        let Ok(Some(reader)) = self.parts.ledger.log(log) else {
            return;
        };
        for waiting in self.words.take_below(log, covering.checkpoint.size) {
            match self.broken(&reader, &covering, &waiting, &author) {
                Ok(None) => {}
                Ok(Some(evidence)) => {
                    tracing::warn!(
                        log = log.fmt_short(),
                        entry = waiting.word.place.index,
                        "an entry that its author vouched for is missing or changed"
                    );
                    if let Some(followed) = self.logs.get_mut(log) {
                        followed.convicted = true;
                    }
                    return self.made(evidence.bytes().to_vec()).await;
                }
                Err(error) => {
                    tracing::debug!(log = log.fmt_short(), %error, "a word was not compared");
                }
            }
        }
    }

    /// The evidence that a word was broken; nothing if it was kept.
    fn broken(
        &self,
        reader: &LogReader,
        covering: &StoredCheckpoint,
        waiting: &Waiting,
        author: &PublicKey,
    ) -> Result<Option<Evidence>, MakeError> {
        let (word, network) = (&waiting.word, &self.parts.network_id);
        debug_assert_eq!(word.signer, *author, "others' words were not noted");
        let bytes = reader.entry(word.place.index)?.ok_or(MakeError::NotHeld)?;
        let stands = Entry::parse_with(&bytes, Some(network), Signatures::AssumeVerified).ok();
        if stands.is_some_and(|entry| word.is_kept_by(&entry.body)) {
            return Ok(None);
        }
        let said = self.parts.ledger.log(&waiting.said_in)?;
        let statement = said
            .and_then(|said| entry_of(&said, waiting.said_at, network))
            .and_then(|entry| Word::statement_of(&entry.body))
            .ok_or(MakeError::NotHeld)?;
        let genesis = reader.entry(0)?.ok_or(MakeError::NotHeld)?;
        let hashes = reader.inclusion_proof(word.place.index, covering.checkpoint.size)?;
        let evidence = Evidence::broken_word(
            &genesis,
            &statement,
            SignedEntry {
                bytes: &bytes,
                index: word.place.index,
                checkpoint: &covering.text,
                hashes: &hashes,
            },
        )?;
        Ok(Some(evidence))
    }
}

/// An entry that was verified before it was stored.
fn entry_of(reader: &LogReader, index: u64, network: &Digest) -> Option<Entry> {
    let bytes = reader.entry(index).ok()??;
    Entry::parse_with(&bytes, Some(network), Signatures::AssumeVerified).ok()
}

#[cfg(test)]
mod tests {
    use symphony_protocol::{cross_check::Standing, records::Origin};
    use symphony_transparency::SecretKey;

    use super::*;

    fn waiting(index: u64) -> Waiting {
        let signer = SecretKey::from_bytes([1; 32]).public();
        Waiting {
            word: Word {
                signer,
                place: Origin {
                    log: Digest::ZERO,
                    index,
                },
                statement: Digest::ZERO,
                standing: Standing::Issued,
            },
            said_in: Digest::ZERO,
            said_at: 1,
        }
    }

    #[test]
    fn replay_45_a_word_waits_until_its_entry_is_signed_for() {
        let mut words = Words::default();
        for index in [7, 3, 5] {
            words.add(waiting(index));
        }
        assert!(!words.waits_below(&Digest::ZERO, 3));
        assert!(words.waits_below(&Digest::ZERO, 4));
        let taken: Vec<u64> = words
            .take_below(&Digest::ZERO, 6)
            .iter()
            .map(|waiting| waiting.word.place.index)
            .collect();
        assert_eq!(taken, [3, 5]);
        assert!(words.waits_below(&Digest::ZERO, 8));
    }

    #[test]
    fn replay_45_words_about_entries_far_ahead_displace_none_about_the_next() {
        let mut words = Words::default();
        words.add(waiting(1));
        for index in 0..2 * WAITING_MAX as u64 {
            words.add(waiting(1_000 + index));
        }
        assert_eq!(words.take_below(&Digest::ZERO, u64::MAX).len(), WAITING_MAX);
        words.add(waiting(1));
        assert!(words.waits_below(&Digest::ZERO, 2));
    }
}
