//! The authenticated map: a replayed state has one root, and any part of it has a short proof.
//!
//! A compact sparse Merkle tree over the digests of keys. Its shape depends on what it holds and on nothing else: a subtree
//! with one leaf *is* that leaf, an empty one is the zero digest. Nodes are shared between clones and remember their digest,
//! so a clone costs nothing, a change costs its path, and a root costs the paths changed since the last one.
//!
//! Spec: STATE-1 to STATE-6.

mod node;
mod proof;
mod pruned;

use symphony_transparency::{Digest, Domain, digest};

use node::{Found, Hashers, Link, Slot};
pub use proof::{Proof, ProofError, Terminal};
pub use pruned::{Opening, OpeningsError, Unopened, Wanted};

/// A map from byte strings to byte strings with a root digest.
///
/// `Clone` is cheap: the clones share every node until one of them changes it.
///
/// Spec: STATE-1.
#[derive(Clone, Default)]
pub struct StateMap {
    root: Link,
    count: usize,
    /// What the first change or look-up needed that a pruned map does not open: its root means nothing any more.
    unopened: Option<Unopened>,
}

/// What a map says of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup<'a> {
    /// The key has this value.
    Present(&'a [u8]),
    /// The key has no value.
    Absent,
    /// The map is pruned and does not open this key.
    Unopened(Unopened),
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
        self.change(key, |held| std::mem::replace(held, value))
    }

    /// [`StateMap::insert`] by copying into the memory of the value that stood there.
    pub fn set(&mut self, key: &[u8], value: &[u8]) {
        self.change(key, |held| {
            held.clear();
            held.extend_from_slice(value);
        });
    }

    /// Changes the value of a key, which is empty if the key is new. Nothing comes back then, nor from a key that is not open.
    fn change<T>(&mut self, key: &[u8], change: impl FnOnce(&mut Vec<u8>) -> T) -> Option<T> {
        match node::value_mut(&mut self.root, &place(key), key) {
            Ok(Slot::Held(value)) => Some(change(value)),
            Ok(Slot::New(value)) => {
                change(value);
                self.count += 1;
                None
            }
            Err(pruned) => {
                self.unopened.get_or_insert_with(|| Unopened::key(&pruned));
                None
            }
        }
    }

    /// Removes a key. Gives back its value, or `None` if it was not there, in which case nothing changes.
    pub fn remove(&mut self, key: &[u8]) -> Option<Vec<u8>> {
        let place = place(key);
        // A path that leads nowhere is left as it is, so that its digests and its sharing with clones remain.
        if matches!(node::find(&self.root, &place), Found::Absent) {
            return None;
        }
        let value = node::remove(&mut self.root, 0, &place);
        match value {
            Ok(Some(value)) => {
                self.count -= 1;
                Some(value)
            }
            Ok(None) => None,
            Err(pruned) => {
                self.unopened.get_or_insert_with(|| {
                    if pruned.place == place {
                        Unopened::key(&pruned)
                    } else {
                        Unopened::node(&pruned)
                    }
                });
                None
            }
        }
    }

    /// What the first change needed that this map, being pruned, does not open. Its content and root mean nothing then.
    ///
    /// Spec: EVIDENCE-12.
    pub fn unopened(&self) -> Option<&Unopened> {
        self.unopened.as_ref()
    }

    /// What the map says of a key. Only a pruned map may leave it open.
    ///
    /// Spec: EVIDENCE-12.
    pub fn look_up(&self, key: &[u8]) -> Lookup<'_> {
        let place = place(key);
        match node::find(&self.root, &place) {
            Found::Leaf(leaf) => Lookup::Present(leaf.value()),
            Found::Absent => Lookup::Absent,
            Found::Pruned => Lookup::Unopened(Unopened::at(place)),
        }
    }

    /// The value of a key; nothing if it has none, or if this map is pruned and does not open it.
    pub fn get(&self, key: &[u8]) -> Option<&[u8]> {
        match self.look_up(key) {
            Lookup::Present(value) => Some(value),
            Lookup::Absent | Lookup::Unopened(_) => None,
        }
    }

    /// The root: the same for every map with the same content, in whatever order it came about.
    ///
    /// What changed since the last [`StateMap::settled_root`], of this map or of the clone that it came from, is hashed each time.
    ///
    /// Spec: STATE-3.
    pub fn root(&self) -> Digest {
        node::digest_of(&self.root)
    }

    /// [`StateMap::root`], remembered: what does not change is not hashed again.
    ///
    /// Spec: STATE-3.
    pub fn settled_root(&mut self) -> Digest {
        node::settle(&mut self.root, &mut Hashers::new())
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
