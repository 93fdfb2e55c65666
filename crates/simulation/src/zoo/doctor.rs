//! A cheating peer: a real one, whose entries and statements are changed on their way out.
//!
//! The peer inside proposes as the rules ask. What the world sees is the *shown* log: the same entries, some of them changed,
//! chained again from there on, under checkpoints that the cheat signs with the peer's own key. Changes keep the number of
//! entries, so that everything else that the peer says names the right places.

use std::collections::{BTreeMap, BTreeSet};

use symphony_protocol::{
    records::{Acknowledgement, Entry, Issued, Origin, StatementRecord},
    replay::Replay,
};
use symphony_transparency::{
    Checkpoint, Digest, MerkleTree, PublicKey, SecretKey, SignedCheckpoint, StatementKind,
    VerifiedStatement, entry_digest, sign_statement, statement_digest,
};

use super::cheat::Cheat;

/// A log as it is shown.
pub(crate) struct Shown {
    pub(crate) entries: Vec<Vec<u8>>,
    pub(crate) tree: MerkleTree,
    last: Digest,
}

/// Bytes that show a deed: it is in the open once an honest peer has one of each set.
pub(crate) type Offence = Vec<BTreeSet<Digest>>;

/// What a cheating peer makes of a message to it.
pub(crate) enum Heard {
    /// It is for the peer inside.
    PassOn,
    /// It is answered with this statement, and the peer inside never hears of it.
    Answer(Vec<u8>),
}

/// A peer's double face.
pub(crate) struct Doctor {
    pub(crate) cheat: Cheat,
    pub(super) secret: SecretKey,
    pub(super) network: Digest,
    pub(super) log: Digest,
    /// What the peer inside wrote, as far as it is durable.
    pub(super) inside: Replay,
    /// What an auditor makes of the shown log, up to its first fault.
    pub(super) outside: Option<Replay>,
    /// The log as it is shown, to the one half of the peers and to the other. The second begins with a fork.
    shown: Shown,
    second: Option<Shown>,
    /// What an auditor makes of the second, up to its first fault.
    outside_second: Option<Replay>,
    /// Chances to cheat that are let pass first.
    pub(super) patience: u32,
    pub(super) begun: bool,
    /// Own statements that were changed, by the digest of what the peer inside signed.
    pub(super) changed: BTreeMap<Digest, VerifiedStatement>,
    /// Deeds so far, by the index of the entry that each is about.
    pub(super) offences: BTreeMap<u64, Offence>,
    pub(super) memory: super::entries::Memory,
}

/// What becomes of an entry.
pub(super) enum Change {
    /// It is shown as it is.
    Keep,
    /// It is shown like this.
    Entry(Entry),
    /// It is shown as these bytes, chained like the entry, to whoever can read them.
    Bytes(Entry, Vec<u8>),
    /// The other half of the peers is shown this one.
    Fork(Entry),
}

impl Doctor {
    pub(crate) fn new(
        cheat: Cheat,
        secret: [u8; 32],
        entry_0: &[u8],
        patience: u32,
    ) -> Option<Self> {
        let inside = Replay::begin(entry_0, None).ok()?;
        let (network, log) = (inside.state().network(), inside.state().log());
        let mut tree = MerkleTree::new();
        tree.append(entry_0);
        Some(Self {
            cheat,
            secret: SecretKey::from_bytes(secret),
            network,
            log,
            outside: Some(inside.clone()),
            inside,
            shown: Shown {
                entries: vec![entry_0.to_vec()],
                tree,
                last: entry_digest(entry_0),
            },
            second: None,
            outside_second: None,
            patience,
            begun: false,
            changed: BTreeMap::new(),
            offences: BTreeMap::new(),
            memory: super::entries::Memory::default(),
        })
    }

    /// What shows each deed so far.
    pub(crate) fn offences(&self) -> impl Iterator<Item = &Offence> {
        self.offences.values()
    }

    /// Shows entries that are durable now.
    pub(crate) fn append(&mut self, entries: &[Vec<u8>]) {
        for bytes in entries {
            let Ok(entry) = Entry::parse(bytes, Some(&self.network)) else {
                continue;
            };
            let change = self.change(&entry);
            self.show(&entry, change);
            // The peer inside is honest: its own entries always continue its own log.
            let _ = self.inside.push(bytes);
        }
    }

    fn show(&mut self, entry: &Entry, change: Change) {
        let (first, second) = match change {
            Change::Keep => (self.shown.chain(entry.clone()), None),
            Change::Entry(changed) => (self.shown.chain(changed), None),
            Change::Bytes(changed, tail) => {
                let mut bytes = self.shown.chain(changed);
                bytes.extend(tail);
                (bytes, None)
            }
            Change::Fork(other) => {
                if self.second.is_none() {
                    self.outside_second = self.outside.clone();
                }
                let second = self.second.get_or_insert_with(|| self.shown.again());
                let second = second.chain(other);
                (self.shown.chain(entry.clone()), Some(second))
            }
        };
        if let (Some(other), None) = (&self.second, &second) {
            let bytes = other.chain(entry.clone());
            self.push_second(bytes);
        }
        self.note_entry(entry, &first, second.as_deref());
        self.shown.push(first);
        if let Some(bytes) = second {
            self.push_second(bytes);
        }
    }

    fn push_second(&mut self, bytes: Vec<u8>) {
        let outside = self.outside_second.as_mut();
        if outside.is_some_and(|outside| outside.push(&bytes).is_err()) {
            self.outside_second = None;
        }
        if let Some(second) = &mut self.second {
            second.push(bytes);
        }
    }

    /// Which face a peer sees, by its number.
    pub(crate) fn face(&self, to: usize) -> &Shown {
        match &self.second {
            Some(second) if to % 2 == 1 => second,
            _ => &self.shown,
        }
    }

    /// The newest checkpoint for a peer.
    pub(crate) fn checkpoint(&mut self, to: usize) -> Option<SignedCheckpoint> {
        let odd = to % 2 == 1;
        let leaf = self.cheat == Cheat::ForkLeaf && self.second.is_some();
        let size = self.face(to).tree.size();
        // The two halves never see one size, so that no two checkpoints contradict each other by themselves.
        if leaf && (size % 2 == 1) != odd {
            return None;
        }
        let face = self.face(to);
        let (size, root) = (face.tree.size(), face.tree.root());
        // Up to its first fault each shown log has a state of its own; the cheat knows it, and signs for it.
        let outside = match (&self.second, odd) {
            (Some(_), true) => &mut self.outside_second,
            _ => &mut self.outside,
        };
        let state_root = match outside {
            Some(outside) => outside.state_mut().root(),
            None => self.inside.state_mut().root(),
        };
        let mut checkpoint = Checkpoint {
            network: self.network,
            log: self.log,
            size,
            root,
            state_root,
        };
        if self.cheat == Cheat::WrongCheckpointRoot {
            self.patience = self.patience.saturating_sub(1);
            if self.patience == 0 {
                checkpoint.state_root = flipped(&checkpoint.state_root);
                self.begun = true;
            }
        }
        let signed = checkpoint.sign(&self.secret);
        if self.begun && self.cheat == Cheat::WrongCheckpointRoot {
            self.note(size, 0, signed.text().as_bytes());
        }
        Some(signed)
    }

    /// Statements in place of one that the peer inside sends.
    pub(crate) fn send(&mut self, statement: &VerifiedStatement) -> Vec<VerifiedStatement> {
        if let Some(changed) = self.changed.get(&statement.payload_digest()) {
            return vec![changed.clone()];
        }
        match self.second_statement(statement) {
            Some((entry, second)) => {
                self.note(entry, 0, statement.bytes());
                self.note(entry, 1, second.bytes());
                vec![statement.clone(), second]
            }
            None => vec![statement.clone()],
        }
    }

    /// To whom a statement goes instead.
    pub(crate) fn redirected(&self, statement: &VerifiedStatement) -> Option<PublicKey> {
        if self.cheat != Cheat::AssignmentAgainst || statement.kind() != StatementKind::Assignment {
            return None;
        }
        let order = symphony_protocol::records::Assignment::parse(statement.payload()).ok()?;
        Some(order.executor)
    }

    /// Takes a statement that arrived. `next` is the index of the entry that the peer inside writes next.
    pub(crate) fn hear(&mut self, statement: &VerifiedStatement, next: u64) -> Heard {
        if self.cheat != Cheat::AcknowledgedMissing || statement.kind() != StatementKind::Bid {
            return Heard::PassOn;
        }
        if self.patience > 0 {
            self.patience -= 1;
            return Heard::PassOn;
        }
        self.begun = true;
        let acknowledgement = self.sign(&Issued::new(Acknowledgement {
            origin: Origin {
                log: self.log,
                index: next,
            },
            statement: statement.payload_digest(),
        }));
        self.note(next, 0, acknowledgement.bytes());
        self.memory.hidden.insert(next);
        Heard::Answer(acknowledgement.into_bytes())
    }

    pub(super) fn sign<R: StatementRecord>(&self, issued: &Issued<R>) -> VerifiedStatement {
        sign_statement(&self.secret, &self.network, R::KIND, issued.payload.clone())
    }

    /// Notes bytes as one of those that show the deed about this entry.
    pub(super) fn note(&mut self, entry: u64, part: usize, bytes: &[u8]) {
        let parts = self.offences.entry(entry).or_default();
        while parts.len() <= part {
            parts.push(BTreeSet::new());
        }
        parts[part].insert(statement_digest(bytes));
    }
}

impl Shown {
    /// The bytes of an entry as the next one here.
    fn chain(&self, mut entry: Entry) -> Vec<u8> {
        entry.previous = self.last;
        entry.encode()
    }

    fn push(&mut self, bytes: Vec<u8>) {
        self.last = entry_digest(&bytes);
        self.tree.append(&bytes);
        self.entries.push(bytes);
    }

    fn again(&self) -> Self {
        Self {
            entries: self.entries.clone(),
            tree: self.tree.clone(),
            last: self.last,
        }
    }
}

pub(super) fn flipped(digest: &Digest) -> Digest {
    let mut bytes = *digest.as_bytes();
    bytes[0] ^= 1;
    Digest::from_bytes(bytes)
}
