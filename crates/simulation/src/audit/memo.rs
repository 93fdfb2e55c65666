//! Replays and verifications that several followers share.
//!
//! Replay is a function of bytes: what one follower computed from a log's first entries holds for every other follower that
//! has the same bytes. So is a signature: bytes that were verified once, on whatever way they came, are not verified again. A
//! follower still judges by nothing but the bytes that reached it.

use std::{collections::BTreeMap, rc::Rc};

use symphony_protocol::{
    Fault, PreparedEntry,
    records::{Entry, Signatures},
    replay::{Replay, Unusable},
};
use symphony_transparency::{
    Digest, MerkleTree, NodeHash, PublicKey, SignedCheckpoint, UnverifiedStatement,
    VerifiedStatement, statement_digest,
};

use super::words::foreign;

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
    /// By author and exact text.
    checkpoints: BTreeMap<(PublicKey, String), Option<SignedCheckpoint>>,
}

impl Memo {
    pub(crate) fn new(network: Digest) -> Self {
        Self {
            network,
            branches: Vec::new(),
            statements: BTreeMap::new(),
            checkpoints: BTreeMap::new(),
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

    /// Verifies an author's checkpoint, once for all who see it.
    pub(crate) fn checkpoint(
        &mut self,
        note: &str,
        author: &PublicKey,
    ) -> Option<SignedCheckpoint> {
        self.checkpoints
            .entry((*author, note.to_owned()))
            .or_insert_with(|| SignedCheckpoint::parse_and_verify(note, author).ok())
            .clone()
    }

    /// Reads an entry for its replay. The statement of another peer in it is verified, unless the very same bytes were before.
    pub(crate) fn prepare(&self, bytes: &[u8]) -> PreparedEntry {
        let verified = Entry::parse_with(bytes, Some(&self.network), Signatures::AssumeVerified)
            .ok()
            .and_then(|entry| foreign(&entry.body).map(|one| statement_digest(one.bytes())))
            .is_some_and(|digest| matches!(self.statements.get(&digest), Some(Some(_))));
        let signatures = if verified {
            Signatures::AssumeVerified
        } else {
            Signatures::Verify
        };
        PreparedEntry::new(bytes.to_vec(), &self.network, signatures)
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
                let prepared = self.prepare(bytes);
                self.branches[branch].push(prepared);
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
            other.push(self.prepare(&learned.bytes));
        }
        other.push(self.prepare(bytes));
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

    fn push(&mut self, prepared: PreparedEntry) {
        let bytes = prepared.bytes().to_vec();
        self.tree.append_leaf_hash(prepared.leaf_hash());
        let mut learned = Learned {
            bytes,
            entry: None,
            findings: Vec::new(),
            state_root: None,
        };
        if self.fault.is_none() {
            match self.replay.push_prepared(prepared) {
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
            learned.entry = Entry::parse(&learned.bytes, Some(&network)).ok();
        }
        self.entries.push(Rc::new(learned));
    }
}

#[cfg(test)]
mod tests {
    use symphony_protocol::{Rule, records::Entry, replay::Replay};
    use symphony_transparency::Digest;

    use super::{Memo, foreign};
    use crate::{Scenario, Simulation};

    /// A log with a statement of another peer in it, the index of that entry, and the network.
    fn log() -> (Vec<Vec<u8>>, usize, Digest) {
        let scenario = Scenario {
            peers: 3,
            tasks: 2,
            ..Scenario::default()
        };
        let mut simulation = Simulation::new(&scenario).expect("a network");
        simulation.run().expect("honest peers keep to the rules");
        let log = simulation.logs().next().expect("a log").1.to_vec();
        let network = Replay::begin(&log[0], None)
            .expect("a genesis")
            .state()
            .network();
        let holds = |bytes: &Vec<u8>| {
            Entry::parse(bytes, Some(&network)).is_ok_and(|entry| foreign(&entry.body).is_some())
        };
        let place = log.iter().position(holds).expect("something arrived");
        (log, place, network)
    }

    #[test]
    fn what_was_never_verified_is_verified_in_a_log() {
        let (log, place, network) = log();
        let entry = Entry::parse(&log[place], Some(&network)).expect("an honest entry");
        let signed = foreign(&entry.body).expect("a statement").bytes().to_vec();
        let start = log[place]
            .windows(signed.len())
            .position(|part| part == signed)
            .expect("the entry holds it");
        let mut forged = log.clone();
        // A statement ends with its signature.
        forged[place][start + signed.len() - 1] ^= 1;
        for heard_before in [false, true] {
            let mut memo = Memo::new(network);
            if heard_before {
                assert!(memo.statement(&signed).is_some());
            }
            let follow = |memo: &mut Memo, log: &[Vec<u8>]| {
                let begun = memo.begin(&log[0]).expect("a genesis");
                let end = log[1..=place]
                    .iter()
                    .fold(begun, |position, bytes| memo.learn(position, bytes));
                memo.fault(end).map(|fault| (fault.rule, fault.entry))
            };
            assert_eq!(follow(&mut memo, &log), None);
            let fault = follow(&mut memo, &forged);
            assert_eq!(fault, Some((Rule::Malformed, place as u64)));
        }
    }
}
