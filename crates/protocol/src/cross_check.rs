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

/// A signed word on what stands at a place of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    /// Who signed.
    pub(crate) signer: PublicKey,
    /// The place.
    pub(crate) place: Origin,
    /// Digest of the statement that stands there.
    pub(crate) statement: Digest,
    /// Whether the statement is the log author's own or one that it received.
    pub(crate) standing: Standing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    Issued,
    Received,
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
    references: Vec<Reference>,
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
        self.references.extend(references(&entry.body));
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
        for reference in &self.references {
            let Some((author, size)) = self.logs.get(&reference.place.log) else {
                continue;
            };
            // Anyone can sign a word on anyone's log; only its own author's word binds it. What lies beyond the part at
            // hand cannot be judged.
            if *author != reference.signer || reference.place.index >= *size {
                continue;
            }
            let expected = (reference.standing, reference.statement);
            let found = self.held.get(&(reference.place.log, reference.place.index));
            if found == Some(&expected) {
                continue;
            }
            let described = found.map_or_else(
                || "no statement".to_owned(),
                |(_, statement)| format!("statement {statement}"),
            );
            let fault = Breach::new(
                Rule::Omission,
                format_args!("statement {}", reference.statement),
                described,
            );
            faults
                .entry((reference.place.log, reference.place.index))
                .or_insert_with(|| fault.at(*author, reference.place.index));
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
        | Body::PolicySet(_)
        | Body::TaskOpened(_)
        | Body::Timeout(_)
        | Body::Resumed
        | Body::Close(_)
        | Body::Replacement(_)
        | Body::Settlement(_)
        | Body::TaskDecided(_)
        | Body::Draw(_) => None,
    }
}

fn references(body: &Body) -> Option<Reference> {
    fn named<R: StatementRecord>(received: &Received<R>, place: Origin) -> Option<Reference> {
        Some(Reference {
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
        Body::AcknowledgementReceived(received) => Some(Reference {
            signer: *received.statement.author(),
            place: received.record.origin,
            statement: received.record.statement,
            standing: Standing::Received,
        }),
        _ => None,
    }
}
