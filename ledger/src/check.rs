//! Compares a stored log with itself: entries, chain, tree, head and checkpoints. One pass serves recovery and `fsck`.

use symphony_transparency::merkle::{Frontier, NodeHash, leaf_hash, root_at};
use symphony_transparency::{ChainEnd, Digest, entry_digest, log_id};

use crate::damage::{Damage, StorageError};
use crate::head::Head;
use crate::link::{LinkError, follow, read_link};
use crate::store::{LogNodes, Store};

/// Damages that a check lists; beyond, it only counts them. A lost disk would otherwise fill the memory.
pub(crate) const DAMAGES_COUNT_MAX: usize = 1000;

/// The damages that a check found, in the order of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Damages {
    listed: Vec<Damage>,
    count: u64,
}

impl Damages {
    pub(crate) fn add(&mut self, damage: Damage) {
        self.count = self.count.saturating_add(1);
        if self.listed.len() < DAMAGES_COUNT_MAX {
            self.listed.push(damage);
        }
    }

    /// The first thousand.
    pub fn listed(&self) -> &[Damage] {
        &self.listed
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// True if nothing is damaged.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// Checks entries `first..` of a log whose head is `head`, and that they lead to the head; then the checkpoints.
///
/// `first` = 0 checks everything. Otherwise what lies before is taken from the stored tree, which commits to it.
pub(crate) fn check_log(
    store: &Store,
    log: &Digest,
    head: &Head,
    first: u64,
    progress: &mut dyn FnMut(u64),
) -> Damages {
    let mut check = Check {
        store,
        log,
        head,
        damages: Damages::default(),
        chain: None,
        tree: None,
    };
    check.start(first);
    for index in first..head.size() {
        check.entry(index);
        progress(index + 1);
    }
    check.end();
    check.checkpoints();
    check.damages
}

struct Check<'check> {
    store: &'check Store,
    log: &'check Digest,
    head: &'check Head,
    damages: Damages,
    /// The chain up to here; `None` behind a damage, where the next intact entry is believed.
    chain: Option<ChainEnd>,
    /// The tree up to here; `None` once it cannot be known any more.
    tree: Option<Frontier>,
}

impl Check<'_> {
    fn start(&mut self, first: u64) {
        if first == 0 {
            self.chain = Some(ChainEnd::EMPTY);
            self.tree = Some(Frontier::new());
            return;
        }
        self.chain = self.read(first - 1).and_then(|entry| {
            let link = read_link(first - 1, &entry).ok()?;
            Some(ChainEnd {
                size: first,
                last: entry_digest(&entry),
                time_ms: link.time_ms,
            })
        });
        self.tree = self.frontier(first);
    }

    /// The frontier of the first `size` entries from stored nodes: one for each 1 bit of the size, largest first.
    fn frontier(&mut self, size: u64) -> Option<Frontier> {
        let mut hashes = Vec::new();
        let mut position = 0_u64;
        for level in (0..64_u8).rev().filter(|level| size >> level & 1 == 1) {
            hashes.push(self.node(level, position >> level)?);
            position += 1 << level;
        }
        Frontier::from_parts(size, hashes).ok()
    }

    fn entry(&mut self, index: u64) {
        let stored_leaf = self.node(0, index);
        let Some(entry) = self.read(index) else {
            self.chain = None;
            self.grow(stored_leaf);
            return;
        };
        let leaf = leaf_hash(&entry);
        match stored_leaf {
            Some(expected) if expected != leaf && !self.is_named_by_next(index, &entry) => {
                self.damages.add(Damage::EntryChanged {
                    index,
                    expected,
                    found: leaf,
                });
                self.chain = None;
                self.grow(stored_leaf);
                return;
            }
            _ => {}
        }
        self.follow(index, &entry);
        self.grow(Some(leaf));
    }

    /// True if the next entry, or the head, names this entry as its predecessor: then the entry is right and the tree wrong.
    fn is_named_by_next(&self, index: u64, entry: &[u8]) -> bool {
        let digest = entry_digest(entry);
        if index + 1 == self.head.size() {
            return self.head.chain.last == digest;
        }
        let next = self.store.entry(self.log, index + 1).ok().flatten();
        next.and_then(|next| read_link(index + 1, &next).ok())
            .is_some_and(|link| link.previous == digest)
    }

    fn follow(&mut self, index: u64, entry: &[u8]) {
        if index == 0 && log_id(entry) != *self.log {
            let error = LinkError::Log {
                expected: *self.log,
                actual: log_id(entry),
            };
            self.damages.add(Damage::Chain(error));
        }
        let before = match (self.chain, read_link(index, entry)) {
            (Some(chain), _) => chain,
            // Behind a damage, what this entry says of its past is all there is.
            (None, Ok(link)) => ChainEnd {
                size: index,
                last: link.previous,
                time_ms: 0,
            },
            (None, Err(error)) => {
                self.damages.add(Damage::Chain(error));
                return;
            }
        };
        match follow(&before, entry) {
            Ok(after) => self.chain = Some(after),
            Err(error) => {
                self.damages.add(Damage::Chain(error));
                self.chain = None;
            }
        }
    }

    /// Adds a leaf to the tree and compares each node that is now complete with the stored one.
    fn grow(&mut self, leaf: Option<NodeHash>) {
        let (Some(leaf), Some(mut tree)) = (leaf, self.tree.take()) else {
            self.tree = None;
            return;
        };
        let mut nodes = Vec::new();
        tree.append_leaf_hash_with(leaf, |level, index, hash| nodes.push((level, index, hash)));
        self.tree = Some(tree);
        for (level, index, expected) in nodes {
            // A missing node is reported where it is read.
            let found = if level == 0 {
                self.store.node(self.log, level, index).ok().flatten()
            } else {
                self.node(level, index)
            };
            if let Some(found) = found.filter(|found| *found != expected) {
                self.damages.add(Damage::NodeWrong {
                    level,
                    index,
                    expected,
                    found,
                });
            }
        }
    }

    fn end(&mut self) {
        let next = self.head.size();
        if let Ok(Some(_)) = self.store.entry(self.log, next) {
            self.damages.add(Damage::Orphan {
                key: crate::keys::entry(self.log, next),
            });
        }
        let chain_differs = self.chain.is_some_and(|chain| chain != self.head.chain);
        let tree_differs = self
            .tree
            .as_ref()
            .is_some_and(|tree| *tree != self.head.tree);
        if chain_differs || tree_differs || self.head.tree.size() != self.head.size() {
            self.damages.add(Damage::HeadWrong {
                size: self.head.size(),
            });
        }
    }

    /// Checkpoints beyond the log's end say nothing about it: they are of entries that have not arrived.
    fn checkpoints(&mut self) {
        let sizes = match self.store.checkpoint_sizes(self.log) {
            Ok(sizes) => sizes,
            Err(error) => {
                self.damages.add(unreadable_table(&error));
                return;
            }
        };
        let nodes = LogNodes {
            store: self.store,
            log: *self.log,
        };
        for size in sizes.into_iter().filter(|size| *size <= self.head.size()) {
            let Ok(Some(stored)) = self.store.checkpoint(self.log, size) else {
                self.damages.add(Damage::CheckpointUnreadable { size });
                continue;
            };
            // A missing node was reported above.
            let Ok(found) = root_at(&nodes, size) else {
                continue;
            };
            if found != stored.checkpoint.root {
                let expected = stored.checkpoint.root;
                self.damages.add(Damage::CheckpointRoot {
                    size,
                    expected,
                    found,
                });
            }
        }
    }

    fn read(&mut self, index: u64) -> Option<Vec<u8>> {
        match self.store.entry(self.log, index) {
            Ok(Some(entry)) => return Some(entry),
            Ok(None) => self.damages.add(Damage::EntryMissing { index }),
            Err(error) => self.damages.add(Damage::EntryUnreadable {
                index,
                reason: error.to_string(),
            }),
        }
        None
    }

    fn node(&mut self, level: u8, index: u64) -> Option<NodeHash> {
        let node = self.store.node(self.log, level, index).ok().flatten();
        if node.is_none() {
            self.damages.add(Damage::NodeMissing { level, index });
        }
        node
    }
}

pub(crate) fn unreadable_table(error: &StorageError) -> Damage {
    Damage::TableUnreadable {
        family: crate::keys::FAMILY_RECORDS,
        reason: error.to_string(),
    }
}
