//! Nodes of the tree, shared between maps and each with its digest once computed.
//!
//! Recursion follows the bits of a 256-bit digest, so it is at most 256 deep.

use std::sync::{Arc, OnceLock};

use symphony_transparency::{Digest, Domain, digest};

use crate::map::proof::{Proof, Terminal};

/// A subtree; `None` is the empty one.
pub(super) type Link = Option<Arc<Node>>;

/// Two halves or one leaf. A subtree with exactly one leaf is always [`Node::Leaf`].
#[derive(Clone)]
pub(super) enum Node {
    Leaf(Leaf),
    Inner(Inner),
}

/// One key with its value.
#[derive(Clone)]
pub(super) struct Leaf {
    place: Digest,
    key: Vec<u8>,
    value: Vec<u8>,
    digest: OnceLock<Digest>,
}

/// Two halves that hold at least two leaves together.
#[derive(Clone, Default)]
pub(super) struct Inner {
    /// Left is the half with bit 0.
    children: [Link; 2],
    digest: OnceLock<Digest>,
}

impl Leaf {
    pub(super) fn new(place: Digest, key: Vec<u8>, value: Vec<u8>) -> Self {
        Self {
            place,
            key,
            value,
            digest: OnceLock::new(),
        }
    }

    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }

    pub(super) fn value(&self) -> &[u8] {
        &self.value
    }
}

impl Node {
    fn digest(&self) -> Digest {
        match self {
            Self::Leaf(leaf) => *leaf
                .digest
                .get_or_init(|| leaf_digest(&leaf.place, &value_digest(&leaf.value))),
            Self::Inner(inner) => *inner.digest.get_or_init(|| {
                let [left, right] = &inner.children;
                inner_digest(&digest_of(left), &digest_of(right))
            }),
        }
    }
}

/// The digest of a subtree.
pub(super) fn digest_of(link: &Link) -> Digest {
    link.as_ref().map_or(Digest::ZERO, |node| node.digest())
}

/// Spec: STATE-4.
pub(super) fn value_digest(value: &[u8]) -> Digest {
    digest(Domain::StateValue, value)
}

/// Spec: STATE-4.
pub(super) fn leaf_digest(place: &Digest, value: &Digest) -> Digest {
    digest(Domain::StateLeaf, &joined(place, value))
}

/// Spec: STATE-4.
pub(super) fn inner_digest(left: &Digest, right: &Digest) -> Digest {
    digest(Domain::StateNode, &joined(left, right))
}

fn joined(left: &Digest, right: &Digest) -> [u8; 2 * Digest::LENGTH] {
    let mut bytes = [0; 2 * Digest::LENGTH];
    bytes[..Digest::LENGTH].copy_from_slice(left.as_bytes());
    bytes[Digest::LENGTH..].copy_from_slice(right.as_bytes());
    bytes
}

/// Bit `depth` of a place, 0 being the highest bit of byte 0: which half the place lies in.
pub(super) fn bit(place: &Digest, depth: usize) -> usize {
    usize::from(place.as_bytes()[depth / 8] >> (7 - depth % 8) & 1)
}

pub(super) fn find<'a>(root: &'a Link, place: &Digest) -> Option<&'a Leaf> {
    let mut link = root;
    for depth in 0.. {
        match link.as_deref()? {
            Node::Leaf(leaf) => return (leaf.place == *place).then_some(leaf),
            Node::Inner(inner) => link = &inner.children[bit(place, depth)],
        }
    }
    None
}

/// Puts a leaf into the subtree at `depth`, and gives back the value that it replaced.
pub(super) fn insert(link: &mut Link, depth: usize, leaf: Leaf) -> Option<Vec<u8>> {
    match link.as_mut() {
        None => {
            *link = Some(Arc::new(Node::Leaf(leaf)));
            None
        }
        Some(node) => match Arc::make_mut(node) {
            Node::Leaf(held) if held.place == leaf.place => {
                held.digest = OnceLock::new();
                Some(std::mem::replace(&mut held.value, leaf.value))
            }
            Node::Leaf(_) => {
                let held = link.take();
                *link = Some(Arc::new(split(held, leaf, depth)));
                None
            }
            Node::Inner(inner) => {
                inner.digest = OnceLock::new();
                let side = bit(&leaf.place, depth);
                insert(&mut inner.children[side], depth + 1, leaf)
            }
        },
    }
}

/// The inner node that holds a leaf (`held`) and another one with a different place.
fn split(held: Link, leaf: Leaf, depth: usize) -> Node {
    let mut inner = Inner::default();
    let side = bit(&leaf.place, depth);
    match held.as_deref() {
        Some(Node::Leaf(other)) if bit(&other.place, depth) == side => {
            inner.children[side] = Some(Arc::new(split(held, leaf, depth + 1)));
        }
        _ => {
            inner.children[1 - side] = held;
            inner.children[side] = Some(Arc::new(Node::Leaf(leaf)));
        }
    }
    Node::Inner(inner)
}

/// Takes a leaf out of the subtree at `depth`, and lets a leaf that is left alone rise in its place.
pub(super) fn remove(link: &mut Link, depth: usize, place: &Digest) -> Option<Vec<u8>> {
    let inner = match Arc::make_mut(link.as_mut()?) {
        Node::Leaf(leaf) => {
            if leaf.place != *place {
                return None;
            }
            let value = std::mem::take(&mut leaf.value);
            *link = None;
            return Some(value);
        }
        Node::Inner(inner) => inner,
    };
    let side = bit(place, depth);
    let value = remove(&mut inner.children[side], depth + 1, place)?;
    inner.digest = OnceLock::new();
    if let Some(risen) = lone_leaf(inner) {
        *link = Some(risen);
    }
    Some(value)
}

/// The only leaf below a node, if there is but one.
fn lone_leaf(inner: &mut Inner) -> Link {
    let [left, right] = &mut inner.children;
    let half = match (&left, &right) {
        (Some(_), None) => left,
        (None, Some(_)) => right,
        _ => return None,
    };
    match half.as_deref() {
        Some(Node::Leaf(_)) => half.take(),
        _ => None,
    }
}

pub(super) fn prove(root: &Link, place: &Digest) -> Proof {
    let mut siblings = Vec::new();
    let mut link = root;
    loop {
        match link.as_deref() {
            None => return Proof::from_parts(siblings, Terminal::Empty),
            Some(Node::Leaf(leaf)) => {
                let terminal = Terminal::Leaf {
                    place: leaf.place,
                    value: value_digest(&leaf.value),
                };
                return Proof::from_parts(siblings, terminal);
            }
            Some(Node::Inner(inner)) => {
                let side = bit(place, siblings.len());
                siblings.push(digest_of(&inner.children[1 - side]));
                link = &inner.children[side];
            }
        }
    }
}

/// The leaves of a tree by ascending place.
pub(super) struct Leaves<'a> {
    /// Subtrees still to visit, the next one last; at most one for each level.
    waiting: Vec<&'a Node>,
}

impl<'a> Leaves<'a> {
    pub(super) fn new(root: &'a Link) -> Self {
        Self {
            waiting: root.as_deref().into_iter().collect(),
        }
    }
}

impl<'a> Iterator for Leaves<'a> {
    type Item = &'a Leaf;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.waiting.pop()? {
                Node::Leaf(leaf) => return Some(leaf),
                Node::Inner(inner) => {
                    let [left, right] = &inner.children;
                    self.waiting.extend(right.as_deref());
                    self.waiting.extend(left.as_deref());
                }
            }
        }
    }
}
