//! Nodes of the tree, shared between maps and each with its digest once computed.
//!
//! Recursion follows the bits of a 256-bit digest, so it is at most 256 deep.

use std::sync::{Arc, OnceLock};

use symphony_transparency::{Digest, Domain, digest};

use crate::map::proof::{Proof, Terminal};

/// A subtree; `None` is the empty one.
pub(super) type Link = Option<Arc<Node>>;

/// Two halves or one leaf. A subtree with exactly one leaf is never [`Node::Inner`].
///
/// In a pruned tree, parts of it are known by their digests alone.
#[derive(Clone)]
pub(super) enum Node {
    Leaf(Leaf),
    Inner(Inner),
    /// A leaf whose value is not known.
    HiddenLeaf {
        place: Digest,
        value: Digest,
    },
    /// A subtree of which nothing is known but that it is not empty.
    Hidden(Digest),
}

/// A pruned tree does not hold what a change or a look-up needs: the node at `depth` on the way to `place`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pruned {
    pub(super) place: Digest,
    pub(super) depth: usize,
}

/// What a tree says of a place.
pub(super) enum Found<'a> {
    Leaf(&'a Leaf),
    Absent,
    /// A part of the tree that is not known would say it.
    Pruned,
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

    pub(super) fn place(&self) -> &Digest {
        &self.place
    }

    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }

    pub(super) fn value(&self) -> &[u8] {
        &self.value
    }
}

impl Inner {
    pub(super) fn new(children: [Link; 2]) -> Self {
        Self {
            children,
            digest: OnceLock::new(),
        }
    }

    pub(super) fn children(&self) -> &[Link; 2] {
        &self.children
    }
}

impl Node {
    pub(super) fn digest(&self) -> Digest {
        match self {
            Self::HiddenLeaf { place, value } => leaf_digest(place, value),
            Self::Hidden(digest) => *digest,
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

/// The digest of a subtree whose changed nodes nobody else holds: as [`digest_of`], without the care that a first
/// computation of a shared node takes.
pub(super) fn settle(link: &mut Link) -> Digest {
    let Some(node) = link else {
        return Digest::ZERO;
    };
    match Arc::get_mut(node) {
        Some(Node::Leaf(leaf)) if leaf.digest.get().is_none() => {
            let digest = leaf_digest(&leaf.place, &value_digest(&leaf.value));
            leaf.digest = OnceLock::from(digest);
            digest
        }
        Some(Node::Inner(inner)) if inner.digest.get().is_none() => {
            let [left, right] = &mut inner.children;
            let digest = inner_digest(&settle(left), &settle(right));
            inner.digest = OnceLock::from(digest);
            digest
        }
        _ => node.digest(),
    }
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

pub(super) fn find<'a>(root: &'a Link, place: &Digest) -> Found<'a> {
    let mut link = root;
    for depth in 0.. {
        match link.as_deref() {
            None => return Found::Absent,
            Some(Node::Leaf(leaf)) if leaf.place == *place => return Found::Leaf(leaf),
            Some(Node::HiddenLeaf { place: other, .. }) if other == place => return Found::Pruned,
            Some(Node::Leaf(_) | Node::HiddenLeaf { .. }) => return Found::Absent,
            Some(Node::Inner(inner)) => link = &inner.children[bit(place, depth)],
            Some(Node::Hidden(_)) => return Found::Pruned,
        }
    }
    Found::Absent
}

/// Sets the value of a key in the subtree at `depth`, and gives back the value that it replaced, if it is known. The key is
/// copied only where it is new.
pub(super) fn insert(
    link: &mut Link,
    depth: usize,
    place: &Digest,
    key: &[u8],
    value: Vec<u8>,
) -> Result<Option<Vec<u8>>, Pruned> {
    let leaf = |value| Leaf::new(*place, key.to_vec(), value);
    match link.as_mut() {
        None => {
            *link = Some(Arc::new(Node::Leaf(leaf(value))));
            Ok(None)
        }
        Some(node) => match Arc::make_mut(node) {
            Node::Leaf(held) if held.place == *place => {
                held.digest = OnceLock::new();
                Ok(Some(std::mem::replace(&mut held.value, value)))
            }
            Node::HiddenLeaf { place: other, .. } if other == place => {
                *link = Some(Arc::new(Node::Leaf(leaf(value))));
                Ok(None)
            }
            Node::Leaf(_) | Node::HiddenLeaf { .. } => {
                let held = link.take();
                *link = Some(Arc::new(split(held, leaf(value), depth)));
                Ok(None)
            }
            Node::Hidden(_) => Err(Pruned {
                place: *place,
                depth,
            }),
            Node::Inner(inner) => {
                inner.digest = OnceLock::new();
                let side = bit(place, depth);
                insert(&mut inner.children[side], depth + 1, place, key, value)
            }
        },
    }
}

/// The inner node that holds a leaf (`held`) and another one with a different place.
fn split(held: Link, leaf: Leaf, depth: usize) -> Node {
    let mut inner = Inner::default();
    let side = bit(&leaf.place, depth);
    let other = match held.as_deref() {
        Some(Node::Leaf(other)) => Some(other.place),
        Some(Node::HiddenLeaf { place, .. }) => Some(*place),
        Some(Node::Inner(_) | Node::Hidden(_)) | None => None,
    };
    match other {
        Some(other) if bit(&other, depth) == side => {
            inner.children[side] = Some(Arc::new(split(held, leaf, depth + 1)));
        }
        _ => {
            inner.children[1 - side] = held;
            inner.children[side] = Some(Arc::new(Node::Leaf(leaf)));
        }
    }
    Node::Inner(inner)
}

/// Takes a leaf with a known value out of the subtree at `depth`, and lets a leaf that is left alone rise in its place.
pub(super) fn remove(
    link: &mut Link,
    depth: usize,
    place: &Digest,
) -> Result<Option<Vec<u8>>, Pruned> {
    let Some(node) = link.as_mut() else {
        return Ok(None);
    };
    let inner = match Arc::make_mut(node) {
        Node::Leaf(leaf) => {
            if leaf.place != *place {
                return Ok(None);
            }
            let value = std::mem::take(&mut leaf.value);
            *link = None;
            return Ok(Some(value));
        }
        Node::HiddenLeaf { place: other, .. } if other != place => return Ok(None),
        Node::HiddenLeaf { .. } | Node::Hidden(_) => {
            return Err(Pruned {
                place: *place,
                depth,
            });
        }
        Node::Inner(inner) => inner,
    };
    let side = bit(place, depth);
    let Some(value) = remove(&mut inner.children[side], depth + 1, place)? else {
        return Ok(None);
    };
    inner.digest = OnceLock::new();
    if inner.children[side].is_none()
        && matches!(inner.children[1 - side].as_deref(), Some(Node::Hidden(_)))
    {
        // Whether it rises depends on whether it is a leaf.
        return Err(Pruned {
            place: flipped(place, depth),
            depth: depth + 1,
        });
    }
    if let Some(risen) = lone_leaf(inner) {
        *link = Some(risen);
    }
    Ok(Some(value))
}

/// A place with the bit at `depth` turned: a way to the other half.
fn flipped(place: &Digest, depth: usize) -> Digest {
    let mut bytes = *place.as_bytes();
    bytes[depth / 8] ^= 1 << (7 - depth % 8);
    Digest::from_bytes(bytes)
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
        Some(Node::Leaf(_) | Node::HiddenLeaf { .. }) => half.take(),
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
            Some(Node::HiddenLeaf { place, value }) => {
                let terminal = Terminal::Leaf {
                    place: *place,
                    value: *value,
                };
                return Proof::from_parts(siblings, terminal);
            }
            // A pruned tree proves nothing below what it knows: this proof leads to another root.
            Some(Node::Hidden(_)) => return Proof::from_parts(siblings, Terminal::Empty),
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
                Node::HiddenLeaf { .. } | Node::Hidden(_) => {}
                Node::Inner(inner) => {
                    let [left, right] = &inner.children;
                    self.waiting.extend(right.as_deref());
                    self.waiting.extend(left.as_deref());
                }
            }
        }
    }
}
