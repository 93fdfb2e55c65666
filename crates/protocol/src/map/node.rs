//! Nodes of the tree, shared between maps and each with its digest once settled.
//!
//! Recursion follows the bits of a 256-bit digest, so it is at most 256 deep.

use std::sync::Arc;

use symphony_transparency::{Digest, Domain, DomainHasher, digest};

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
    digest: Option<Digest>,
}

/// Two halves that hold at least two leaves together.
#[derive(Clone, Default)]
pub(super) struct Inner {
    /// Left is the half with bit 0.
    children: [Link; 2],
    digest: Option<Digest>,
}

impl Leaf {
    pub(super) fn new(place: Digest, key: Vec<u8>, value: Vec<u8>) -> Self {
        Self {
            place,
            key,
            value,
            digest: None,
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
            digest: None,
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
            Self::Leaf(leaf) => leaf
                .digest
                .unwrap_or_else(|| leaf_digest(&leaf.place, &value_digest(&leaf.value))),
            Self::Inner(inner) => inner.digest.unwrap_or_else(|| {
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

/// What hashes one tree: a hasher is several times as large as what it hashes here, so each is made once.
pub(super) struct Hashers {
    value: DomainHasher,
    leaf: DomainHasher,
    inner: DomainHasher,
}

impl Hashers {
    pub(super) fn new() -> Self {
        Self {
            value: DomainHasher::new(Domain::StateValue),
            leaf: DomainHasher::new(Domain::StateLeaf),
            inner: DomainHasher::new(Domain::StateNode),
        }
    }
}

/// The digest of a subtree, kept in each of its nodes. A node that changed and is shared with a clone is copied for that.
pub(super) fn settle(link: &mut Link, hashers: &mut Hashers) -> Digest {
    let Some(node) = link else {
        return Digest::ZERO;
    };
    match &**node {
        Node::Leaf(Leaf {
            digest: Some(digest),
            ..
        })
        | Node::Inner(Inner {
            digest: Some(digest),
            ..
        })
        | Node::Hidden(digest) => return *digest,
        Node::HiddenLeaf { place, value } => return leaf_digest(place, value),
        Node::Leaf(_) | Node::Inner(_) => {}
    }
    match Arc::make_mut(node) {
        Node::Leaf(leaf) => {
            let value = hashers.value.digest(&leaf.value);
            let digest = hashers.leaf.digest(&joined(&leaf.place, &value));
            leaf.digest = Some(digest);
            digest
        }
        Node::Inner(inner) => {
            let [left, right] = &mut inner.children;
            let (left, right) = (settle(left, hashers), settle(right, hashers));
            let digest = hashers.inner.digest(&joined(&left, &right));
            inner.digest = Some(digest);
            digest
        }
        known @ (Node::HiddenLeaf { .. } | Node::Hidden(_)) => known.digest(),
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

/// The value of a key, to be written.
pub(super) enum Slot<'a> {
    /// It stands there.
    Held(&'a mut Vec<u8>),
    /// The key was not there, or its value was not known: it is empty.
    New(&'a mut Vec<u8>),
}

/// The value of a key, added where it is new. The key is copied only then.
pub(super) fn value_mut<'a>(
    mut link: &'a mut Link,
    place: &Digest,
    key: &[u8],
) -> Result<Slot<'a>, Pruned> {
    let mut new = false;
    let mut depth = 0;
    loop {
        let other = match link.as_deref() {
            Some(Node::Leaf(Leaf { place, .. }) | Node::HiddenLeaf { place, .. }) => Some(*place),
            Some(Node::Inner(_) | Node::Hidden(_)) | None => None,
        };
        match other {
            // Both lie below: at this level, and at the next one again if they part further down.
            Some(other) if other != *place => {
                let mut inner = Inner::default();
                inner.children[bit(&other, depth)] = link.take();
                *link = Some(Arc::new(Node::Inner(inner)));
            }
            _ if matches!(link.as_deref(), None | Some(Node::HiddenLeaf { .. })) => {
                let leaf = Leaf::new(*place, key.to_vec(), Vec::new());
                *link = Some(Arc::new(Node::Leaf(leaf)));
                new = true;
            }
            _ => {}
        }
        let current = link;
        match current.as_mut().map(Arc::make_mut) {
            Some(Node::Inner(inner)) => {
                inner.digest = None;
                link = &mut inner.children[bit(place, depth)];
                depth += 1;
            }
            Some(Node::Leaf(leaf)) => {
                leaf.digest = None;
                return Ok(if new {
                    Slot::New(&mut leaf.value)
                } else {
                    Slot::Held(&mut leaf.value)
                });
            }
            Some(Node::HiddenLeaf { .. } | Node::Hidden(_)) | None => {
                return Err(Pruned {
                    place: *place,
                    depth,
                });
            }
        }
    }
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
    inner.digest = None;
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
