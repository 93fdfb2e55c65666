//! Replays that several followers share.
//!
//! Replay is a function of bytes: what one follower computed from a log's first entries holds for every other follower that
//! has the same bytes. A follower still judges by nothing but the bytes that reached it.

use std::{collections::BTreeMap, rc::Rc};

use symphony_protocol::{
    Fault,
    records::Entry,
    replay::{Replay, Unusable},
};
use symphony_transparency::{
    Digest, MerkleTree, NodeHash, UnverifiedStatement, VerifiedStatement, statement_digest,
};

/// An entry, and what replay made of it.
pub(crate) struct Learned {
    pub(crate) bytes: Vec<u8>,
    /// What it says; nothing if it is malformed.
    pub(crate) entry: Option<Entry>,
    /// Faults of other peers that it shows.
    pub(crate) findings: Vec<Fault>,
    /// The state's root after it; nothing from a fault on.
    pub(crate) state_root: Option<Digest>,
}

/// One history of a log.
struct Branch {
    entries: Vec<Rc<Learned>>,
    tree: MerkleTree,
    replay: Replay,
    fault: Option<Fault>,
}

/// How far a follower is: the first `size` entries of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    branch: usize,
    pub(crate) size: usize,
}

/// What was computed so far.
pub(crate) struct Memo {
    network: Digest,
    branches: Vec<Branch>,
    statements: BTreeMap<Digest, Option<Rc<VerifiedStatement>>>,
}

impl Memo {
    pub(crate) fn new(network: Digest) -> Self {
        Self {
            network,
            branches: Vec::new(),
            statements: BTreeMap::new(),
        }
    }

    /// Verifies a statement, once for all who hear it.
    pub(crate) fn statement(&mut self, bytes: &[u8]) -> Option<Rc<VerifiedStatement>> {
        let network = self.network;
        self.statements
            .entry(statement_digest(bytes))
            .or_insert_with(|| {
                let statement = UnverifiedStatement::parse(bytes).ok()?;
                statement.verify(&network).ok().map(Rc::new)
            })
            .clone()
    }

    /// Takes entry 0 of a log.
    pub(crate) fn begin(&mut self, entry_0: &[u8]) -> Result<Position, Unusable> {
        let known = self.branches.iter().position(|branch| {
            branch
                .entries
                .first()
                .is_some_and(|learned| learned.bytes == entry_0)
        });
        let branch = match known {
            Some(branch) => branch,
            None => {
                let branch = Branch::begin(entry_0, &self.network)?;
                self.branches.push(branch);
                self.branches.len() - 1
            }
        };
        Ok(Position { branch, size: 1 })
    }

    /// Takes the next entry of a log.
    pub(crate) fn learn(&mut self, position: Position, bytes: &[u8]) -> Position {
        let Position { branch, size } = position;
        let next = |branch| Position {
            branch,
            size: size + 1,
        };
        match self.branches[branch].entries.get(size) {
            Some(learned) if learned.bytes == bytes => return next(branch),
            None => {
                self.branches[branch].push(bytes);
                return next(branch);
            }
            Some(_) => {}
        }
        let same = |other: &Branch| {
            other
                .entries
                .get(size)
                .is_some_and(|learned| learned.bytes == bytes)
                && other.entries[..size]
                    .iter()
                    .zip(&self.branches[branch].entries)
                    .all(|(one, two)| one.bytes == two.bytes)
        };
        if let Some(other) = self.branches.iter().position(same) {
            return next(other);
        }
        let entry_0 = self.branches[branch].entries[0].bytes.clone();
        let mut other = Branch::begin(&entry_0, &self.network).expect("it was begun before");
        for learned in &self.branches[branch].entries[1..size] {
            other.push(&learned.bytes);
        }
        other.push(bytes);
        self.branches.push(other);
        next(self.branches.len() - 1)
    }

    /// An entry before this position.
    pub(crate) fn entry(&self, position: Position, index: usize) -> Option<&Rc<Learned>> {
        self.branches[position.branch].entries[..position.size].get(index)
    }

    /// The entries before this position.
    pub(crate) fn entries(&self, position: Position) -> &[Rc<Learned>] {
        &self.branches[position.branch].entries[..position.size]
    }

    /// The tree of this history, which may be longer than the position.
    pub(crate) fn tree(&self, position: Position) -> &MerkleTree {
        &self.branches[position.branch].tree
    }

    /// Root of the tree at a size up to this position's.
    pub(crate) fn root_at(&self, position: Position, size: u64) -> Option<NodeHash> {
        let known = u64::try_from(position.size).is_ok_and(|most| size <= most);
        known
            .then(|| self.branches[position.branch].tree.root_at(size).ok())
            .flatten()
    }

    /// The fault of the log's author before this position.
    pub(crate) fn fault(&self, position: Position) -> Option<&Fault> {
        self.branches[position.branch]
            .fault
            .as_ref()
            .filter(|fault| usize::try_from(fault.entry).is_ok_and(|entry| entry < position.size))
    }
}

impl Branch {
    fn begin(entry_0: &[u8], network: &Digest) -> Result<Self, Unusable> {
        let mut replay = Replay::begin(entry_0, Some(network))?;
        let mut tree = MerkleTree::new();
        tree.append(entry_0);
        let learned = Learned {
            bytes: entry_0.to_vec(),
            entry: Entry::parse(entry_0, None).ok(),
            findings: Vec::new(),
            state_root: Some(replay.state_mut().root()),
        };
        Ok(Self {
            entries: vec![Rc::new(learned)],
            tree,
            replay,
            fault: None,
        })
    }

    fn push(&mut self, bytes: &[u8]) {
        self.tree.append(bytes);
        let mut learned = Learned {
            bytes: bytes.to_vec(),
            entry: None,
            findings: Vec::new(),
            state_root: None,
        };
        if self.fault.is_none() {
            match self.replay.push(bytes) {
                Ok((entry, applied)) => {
                    learned.entry = Some(entry);
                    learned.findings = applied.findings;
                    learned.state_root = Some(self.replay.state_mut().root());
                }
                Err(fault) => self.fault = Some(fault),
            }
        }
        if learned.entry.is_none() {
            // What stands at a fault or behind it is not judged, but words on it still are.
            let network = self.replay.state().network();
            learned.entry = Entry::parse(bytes, Some(&network)).ok();
        }
        self.entries.push(Rc::new(learned));
    }
}
