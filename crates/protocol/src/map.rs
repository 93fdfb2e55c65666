//! The authenticated map: a replayed state has one root, and any part of it has a short proof.
//!
//! A compact sparse Merkle tree over the digests of keys. Its shape depends on what it holds and on nothing else: a subtree
//! with one leaf *is* that leaf, an empty one is the zero digest. Nodes are shared between clones and remember their digest,
//! so a clone costs nothing, a change costs its path, and a root costs the paths changed since the last one.
//!
//! Spec: STATE-1 to STATE-6.

mod node;
mod proof;

use symphony_transparency::{Digest, Domain, digest};

use node::{Leaf, Link};
pub use proof::{Proof, ProofError, Terminal};

/// A map from byte strings to byte strings with a root digest.
///
/// `Clone` is cheap: the clones share every node until one of them changes it.
///
/// Spec: STATE-1.
#[derive(Clone, Default)]
pub struct StateMap {
    root: Link,
    count: usize,
}

impl StateMap {
    /// The empty map; its root is [`Digest::ZERO`].
    pub fn new() -> Self {
        Self::default()
    }

    /// How many keys it holds.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Sets the value of a key. Gives back the value that stood there.
    pub fn insert(&mut self, key: &[u8], value: Vec<u8>) -> Option<Vec<u8>> {
        let leaf = Leaf::new(place(key), key.to_vec(), value);
        let before = node::insert(&mut self.root, 0, leaf);
        if before.is_none() {
            self.count += 1;
        }
        before
    }

    /// Removes a key. Gives back its value, or `None` if it was not there, in which case nothing changes.
    pub fn remove(&mut self, key: &[u8]) -> Option<Vec<u8>> {
        let place = place(key);
        // A path that leads nowhere is left as it is, so that its digests and its sharing with clones remain.
        node::find(&self.root, &place)?;
        let value = node::remove(&mut self.root, 0, &place);
        if value.is_some() {
            self.count -= 1;
        }
        value
    }

    /// The value of a key.
    pub fn get(&self, key: &[u8]) -> Option<&[u8]> {
        node::find(&self.root, &place(key)).map(Leaf::value)
    }

    /// The root: the same for every map with the same content, in whatever order it came about.
    ///
    /// Only what changed since the last root, of this map or of the clone that it came from, is hashed.
    ///
    /// Spec: STATE-3.
    pub fn root(&self) -> Digest {
        node::digest_of(&self.root)
    }

    /// Keys and values in the order of the keys' digests.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        node::Leaves::new(&self.root).map(|leaf| (leaf.key(), leaf.value()))
    }

    /// A proof of what this map says of a key: its value, or that it is absent.
    ///
    /// Spec: STATE-5.
    pub fn prove(&self, key: &[u8]) -> Proof {
        node::prove(&self.root, &place(key))
    }
}

/// Shows the size and the root: contents may be large and are no one's business in a log line.
impl std::fmt::Debug for StateMap {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("StateMap")
            .field("len", &self.count)
            .field("root", &self.root())
            .finish()
    }
}

impl PartialEq for StateMap {
    fn eq(&self, other: &Self) -> bool {
        self.count == other.count && self.root() == other.root()
    }
}

impl Eq for StateMap {}

impl<K: AsRef<[u8]>> FromIterator<(K, Vec<u8>)> for StateMap {
    fn from_iter<I: IntoIterator<Item = (K, Vec<u8>)>>(pairs: I) -> Self {
        let mut map = Self::new();
        for (key, value) in pairs {
            map.insert(key.as_ref(), value);
        }
        map
    }
}

/// The digest of a key, whose bits from the highest of byte 0 lead to its place.
///
/// Spec: STATE-2.
fn place(key: &[u8]) -> Digest {
    digest(Domain::StateKey, key)
}

#[cfg(test)]
mod tests;
