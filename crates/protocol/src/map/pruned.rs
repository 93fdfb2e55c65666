//! Pruned maps: a part of a map that has the whole map's root, and can be read and changed where it is open.
//!
//! A part is written as *openings*: the nodes of the tree from the root, each before its halves, the left half first. What is
//! not needed is a digest. Spec: EVIDENCE-10 to EVIDENCE-12.

use std::{collections::BTreeSet, sync::Arc};

use symphony_transparency::Digest;

use super::{
    StateMap,
    node::{Inner, Leaf, Link, Node, Pruned, bit, value_digest},
    place,
};

/// Deepest node of a tree: one level for each bit of a place.
const DEPTH_MAX: usize = 8 * Digest::LENGTH;

/// One node of a part of a map. Spec: EVIDENCE-10.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// A subtree without a key.
    Empty,
    /// A subtree with this digest, which is not opened.
    Hidden(Digest),
    /// A leaf whose value is not opened.
    HiddenLeaf {
        /// Digest of its key.
        place: Digest,
        /// Digest of its value.
        value: Digest,
    },
    /// A key with its value.
    Leaf {
        /// The key.
        key: Vec<u8>,
        /// The value.
        value: Vec<u8>,
    },
    /// Two halves, whose openings follow.
    Inner,
}

/// Why openings are no part of any map. Spec: EVIDENCE-10.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpeningsError {
    /// The list ends before the tree does.
    #[error("{actual} openings end before the tree does")]
    TooFew {
        /// How many there are.
        actual: usize,
    },
    /// The tree ends before the list does.
    #[error("the tree ends after {expected} openings, but there are {actual}")]
    TooMany {
        /// How many the tree has.
        expected: usize,
        /// How many there are.
        actual: usize,
    },
    /// More levels than a place has bits.
    #[error("the tree is deeper than {limit} levels")]
    TooDeep {
        /// 256.
        limit: usize,
    },
    /// A leaf lies where its key does not lead.
    #[error("opening {index} is a leaf off its key's path")]
    OffPath {
        /// Its index in the list.
        index: usize,
    },
}

/// What a pruned map would have to open. Spec: EVIDENCE-12.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unopened {
    /// The key with this place: its value, or that it has none.
    Key(Digest),
    /// Whether the node at this depth, on the way to this place, is a leaf.
    Node(Digest, usize),
}

impl Unopened {
    pub(super) fn at(place: Digest) -> Self {
        Self::Key(place)
    }

    pub(super) fn key(pruned: &Pruned) -> Self {
        Self::Key(pruned.place)
    }

    pub(super) fn node(pruned: &Pruned) -> Self {
        Self::Node(pruned.place, pruned.depth)
    }
}

/// What to open of a map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    keys: BTreeSet<Digest>,
    nodes: BTreeSet<(Digest, usize)>,
}

impl Wanted {
    /// Adds a key.
    pub fn add_key(&mut self, key: &[u8]) {
        self.keys.insert(place(key));
    }

    /// Adds what a pruned map did not open. Returns whether it was not wanted before.
    pub fn add(&mut self, unopened: &Unopened) -> bool {
        match unopened {
            Unopened::Key(place) => self.keys.insert(*place),
            Unopened::Node(place, depth) => self.nodes.insert((*place, *depth)),
        }
    }
}

impl StateMap {
    /// The openings of what is wanted. Spec: EVIDENCE-10.
    pub fn openings(&self, wanted: &Wanted) -> Vec<Opening> {
        let keys: Vec<Digest> = wanted.keys.iter().copied().collect();
        let nodes: Vec<(Digest, usize)> = wanted.nodes.iter().copied().collect();
        let mut openings = Vec::new();
        open(&self.root, 0, &keys, &nodes, &mut openings);
        openings
    }

    /// The part of a map that these openings show; its root is that of the whole map.
    ///
    /// # Errors
    /// [`OpeningsError`].
    ///
    /// Spec: EVIDENCE-10.
    pub fn from_openings(openings: &[Opening]) -> Result<Self, OpeningsError> {
        let mut reader = Reader {
            openings,
            next: 0,
            count: 0,
            path: Vec::new(),
        };
        let root = reader.read()?;
        if reader.next != openings.len() {
            return Err(OpeningsError::TooMany {
                expected: reader.next,
                actual: openings.len(),
            });
        }
        Ok(Self {
            root,
            count: reader.count,
            unopened: None,
        })
    }
}

/// Writes the subtree at `depth`, of which these keys and nodes, in ascending order, are wanted.
fn open(
    link: &Link,
    depth: usize,
    keys: &[Digest],
    nodes: &[(Digest, usize)],
    openings: &mut Vec<Opening>,
) {
    let Some(node) = link.as_deref() else {
        openings.push(Opening::Empty);
        return;
    };
    if keys.is_empty() && nodes.is_empty() {
        openings.push(Opening::Hidden(node.digest()));
        return;
    }
    openings.push(match node {
        Node::Leaf(leaf) if keys.contains(leaf.place()) => Opening::Leaf {
            key: leaf.key().to_vec(),
            value: leaf.value().to_vec(),
        },
        Node::Leaf(leaf) => Opening::HiddenLeaf {
            place: *leaf.place(),
            value: value_digest(leaf.value()),
        },
        Node::HiddenLeaf { place, value } => Opening::HiddenLeaf {
            place: *place,
            value: *value,
        },
        Node::Hidden(digest) => Opening::Hidden(*digest),
        Node::Inner(inner) => {
            openings.push(Opening::Inner);
            let below: Vec<(Digest, usize)> = nodes
                .iter()
                .copied()
                .filter(|(_, wanted)| *wanted > depth)
                .collect();
            let keys_middle = keys.partition_point(|place| bit(place, depth) == 0);
            let below_middle = below.partition_point(|(place, _)| bit(place, depth) == 0);
            let [left, right] = inner.children();
            open(
                left,
                depth + 1,
                &keys[..keys_middle],
                &below[..below_middle],
                openings,
            );
            open(
                right,
                depth + 1,
                &keys[keys_middle..],
                &below[below_middle..],
                openings,
            );
            return;
        }
    });
}

/// Reads a tree from its openings.
struct Reader<'a> {
    openings: &'a [Opening],
    next: usize,
    count: usize,
    /// The half that was taken at each level.
    path: Vec<usize>,
}

impl Reader<'_> {
    fn read(&mut self) -> Result<Link, OpeningsError> {
        let index = self.next;
        let opening = self.openings.get(index).ok_or(OpeningsError::TooFew {
            actual: self.openings.len(),
        })?;
        self.next += 1;
        let node = match opening {
            Opening::Empty => return Ok(None),
            Opening::Hidden(digest) => Node::Hidden(*digest),
            Opening::HiddenLeaf { place, value } => {
                self.check_path(place, index)?;
                Node::HiddenLeaf {
                    place: *place,
                    value: *value,
                }
            }
            Opening::Leaf { key, value } => {
                let place = place(key);
                self.check_path(&place, index)?;
                self.count += 1;
                Node::Leaf(Leaf::new(place, key.clone(), value.clone()))
            }
            Opening::Inner => Node::Inner(Inner::new([self.half(0)?, self.half(1)?])),
        };
        Ok(Some(Arc::new(node)))
    }

    fn half(&mut self, side: usize) -> Result<Link, OpeningsError> {
        if self.path.len() == DEPTH_MAX {
            return Err(OpeningsError::TooDeep { limit: DEPTH_MAX });
        }
        self.path.push(side);
        let half = self.read();
        self.path.pop();
        half
    }

    fn check_path(&self, place: &Digest, index: usize) -> Result<(), OpeningsError> {
        let fits = self
            .path
            .iter()
            .enumerate()
            .all(|(depth, side)| bit(place, depth) == *side);
        if fits {
            Ok(())
        } else {
            Err(OpeningsError::OffPath { index })
        }
    }
}
