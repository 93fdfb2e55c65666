//! Cross-checking several logs, so that an omission on either side shows. Spec: REPLAY-14, REPLAY-45.
//!
//! A statement names the place where it stands in its author's log; an acknowledgement names the place where the
//! acknowledged statement stands in the log of the peer that acknowledges. Both are signed. Where the log itself is at
//! hand and holds something else there, its author has dropped or rewritten an entry.

use std::collections::BTreeMap;

use symphony_transparency::{Checkpoint, Digest, PublicKey};

use crate::{
    fault::{Breach, Fault, Rule, hex},
    records::{Body, Entry, Origin, Received, StatementRecord},
};

/// A signed word on what stands at a place of a log. It binds that log's author alone: anyone can sign one on anyone's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// Who signed.
    pub signer: PublicKey,
    /// The place.
    pub place: Origin,
    /// Digest of the statement that stands there.
    pub statement: Digest,
    /// How it stands there.
    pub standing: Standing,
}

/// Whether a statement in a log is its author's own or one that it received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// The author's own.
    Issued,
    /// Another peer's.
    Received,
}

impl Word {
    /// The word of another peer that an entry holds: the origin of a statement, or what an acknowledgement says.
    ///
    /// Spec: REPLAY-14.
    pub fn in_entry(body: &Body) -> Option<Self> {
        word(body)
    }

    /// Exact bytes of the statement in which an entry holds that word.
    pub fn statement_of(body: &Body) -> Option<Vec<u8>> {
        Some(match body {
            Body::BidIssued(_, beacon) => beacon.statement.bytes().to_vec(),
            Body::OpeningIssued(_, call) => call.statement.bytes().to_vec(),
            Body::OpeningReceived(received) => received.statement.bytes().to_vec(),
            Body::CapabilityReceived(received) => received.statement.bytes().to_vec(),
            Body::RevocationReceived(received) => received.statement.bytes().to_vec(),
            Body::BidReceived(received) => received.statement.bytes().to_vec(),
            Body::AssignmentReceived(received) => received.statement.bytes().to_vec(),
            Body::ReceiptReceived(received) => received.statement.bytes().to_vec(),
            Body::RevealReceived(received, ..) => received.statement.bytes().to_vec(),
            Body::AcknowledgementReceived(received) => received.statement.bytes().to_vec(),
            _ => return None,
        })
    }

    /// Whether the entry at that place holds what was said.
    pub fn is_kept_by(&self, body: &Body) -> bool {
        held(body) == Some((self.standing, self.statement))
    }
}

impl std::fmt::Display for Standing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Issued => "issued",
            Self::Received => "received",
        })
    }
}

/// Two histories of one log: checkpoints that its author signed, of one size and with unequal roots. Checkpoints of unequal
/// sizes prove nothing without a consistency proof. Spec: REPLAY-46.
pub fn fork(author: &PublicKey, first: &Checkpoint, second: &Checkpoint) -> Option<Fault> {
    let same = (first.network, first.log, first.size) == (second.network, second.log, second.size);
    (same && first.root != second.root).then(|| {
        Breach::new(
            Rule::Fork,
            format_args!("tree root {}", hex(&first.root)),
            format_args!("tree root {}", hex(&second.root)),
        )
        .at(*author, first.size.saturating_sub(1))
    })
}

/// Collects what logs hold and what they say of each other. Memory grows with the entries added (about 200 bytes each).
#[derive(Clone, Debug, Default)]
pub struct CrossCheck {
    /// Digest of each entry, as the entry after it names it.
    entries: BTreeMap<(Digest, u64), Digest>,
    forks: BTreeMap<(Digest, u64), Fault>,
    logs: BTreeMap<Digest, (PublicKey, u64)>,
    held: BTreeMap<(Digest, u64), (Standing, Digest)>,
    words: Vec<Word>,
}

impl CrossCheck {
    /// Adds the next entry of a log, after it was replayed without a fault.
    pub fn add(&mut self, log: &Digest, author: PublicKey, entry: &Entry) {
        self.note_fork(log, author, entry);
        let size = self.logs.get(log).map_or(0, |(_, size)| *size);
        self.logs
            .insert(*log, (author, size.max(entry.index.saturating_add(1))));
        // Of several copies of a log the first counts; the others can only show a fork.
        if entry.index >= size
            && let Some(held) = held(&entry.body)
        {
            self.held.insert((*log, entry.index), held);
        }
        self.words.extend(word(&entry.body));
    }

    /// Two copies of one log that name different entries as the one before: the author has two histories.
    fn note_fork(&mut self, log: &Digest, author: PublicKey, entry: &Entry) {
        let Some(index) = entry.index.checked_sub(1) else {
            return;
        };
        let first = *self.entries.entry((*log, index)).or_insert(entry.previous);
        if first != entry.previous && self.forks.keys().all(|(forked, _)| forked != log) {
            let fault = Breach::new(
                Rule::Fork,
                format_args!("entry {first}"),
                format_args!("entry {}", entry.previous),
            );
            self.forks.insert((*log, index), fault.at(author, index));
        }
    }

    /// Faults that only several logs together show, one for each wrong place, ordered by log and entry.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = self.forks.clone();
        for word in &self.words {
            let Some((author, size)) = self.logs.get(&word.place.log) else {
                continue;
            };
            // Anyone can sign a word on anyone's log; only its own author's word binds it. What lies beyond the part at
            // hand cannot be judged.
            if *author != word.signer || word.place.index >= *size {
                continue;
            }
            let expected = (word.standing, word.statement);
            let found = self.held.get(&(word.place.log, word.place.index));
            if found == Some(&expected) {
                continue;
            }
            let described = found.map_or_else(
                || "no statement".to_owned(),
                |(_, statement)| format!("statement {statement}"),
            );
            let fault = Breach::new(
                Rule::Omission,
                format_args!("statement {}", word.statement),
                described,
            );
            faults
                .entry((word.place.log, word.place.index))
                .or_insert_with(|| fault.at(*author, word.place.index));
        }
        faults.into_values().collect()
    }
}

/// The statement that an entry holds, and how it stands there.
pub(crate) fn held(body: &Body) -> Option<(Standing, Digest)> {
    let issued = |digest: Digest| Some((Standing::Issued, digest));
    let received = |digest: Digest| Some((Standing::Received, digest));
    match body {
        Body::CapabilityIssued(statement) => issued(statement.digest),
        Body::RevocationIssued(statement) => issued(statement.digest),
        Body::BeaconIssued(statement) => issued(statement.digest),
        Body::BidIssued(statement, _) => issued(statement.digest),
        Body::AssignmentIssued(statement) => issued(statement.digest),
        Body::ReceiptIssued(statement) => issued(statement.digest),
        Body::RevealIssued(statement) => issued(statement.digest),
        Body::CallIssued(statement) => issued(statement.digest),
        Body::OpeningIssued(statement, _) => issued(statement.digest),
        Body::OpeningReceived(statement) => received(statement.digest()),
        Body::CapabilityReceived(statement) => received(statement.digest()),
        Body::RevocationReceived(statement) => received(statement.digest()),
        Body::BidReceived(statement) => received(statement.digest()),
        Body::AssignmentReceived(statement) => received(statement.digest()),
        Body::ReceiptReceived(statement) => received(statement.digest()),
        Body::RevealReceived(statement, ..) => received(statement.digest()),
        Body::AcknowledgementReceived(statement) => received(statement.digest()),
        Body::Genesis(_)
        | Body::PolicySet(..)
        | Body::TaskOpened(_)
        | Body::Timeout(_)
        | Body::Resumed
        | Body::Close(_)
        | Body::Replacement(_)
        | Body::Settlement(_)
        | Body::TaskDecided(_)
        | Body::Draw(_)
        | Body::RootRecorded(_)
        | Body::MeasuresImported(_) => None,
    }
}

fn word(body: &Body) -> Option<Word> {
    fn named<R: StatementRecord>(received: &Received<R>, place: Origin) -> Option<Word> {
        Some(Word {
            signer: *received.statement.author(),
            place,
            statement: received.digest(),
            standing: Standing::Issued,
        })
    }
    match body {
        Body::CapabilityReceived(received) => named(received, received.record.origin),
        Body::RevocationReceived(received) => named(received, received.record.origin),
        Body::BidIssued(_, beacon) => named(beacon, beacon.record.origin),
        Body::BidReceived(received) => named(received, received.record.origin),
        Body::AssignmentReceived(received) => named(received, received.record.origin),
        Body::ReceiptReceived(received) => named(received, received.record.origin),
        Body::RevealReceived(received, ..) => named(received, received.record.origin),
        Body::OpeningIssued(_, call) => named(call, call.record.origin),
        Body::OpeningReceived(received) => named(received, received.record.origin),
        Body::AcknowledgementReceived(received) => Some(Word {
            signer: *received.statement.author(),
            place: received.record.origin,
            statement: received.record.statement,
            standing: Standing::Received,
        }),
        _ => None,
    }
}
