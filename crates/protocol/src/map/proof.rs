//! Proofs that a key has a value, or none, under a root.

use symphony_transparency::Digest;

use crate::map::node::{bit, inner_digest, leaf_digest, value_digest};
use crate::map::place;

/// What lies at the end of a key's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminal {
    /// An empty subtree: the key is absent.
    Empty,
    /// A leaf: the key's own, or another's, in which case the key is absent.
    Leaf {
        /// Digest of the leaf's key.
        place: Digest,
        /// Digest of the leaf's value.
        value: Digest,
    },
}

/// What leads from a key to a root.
///
/// Spec: STATE-5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    siblings: Vec<Digest>,
    terminal: Terminal,
}

/// A proof was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// More siblings than a path can have.
    #[error("a proof has at most {limit} siblings, not {actual}")]
    TooLong {
        /// [`Proof::SIBLING_COUNT_MAX`].
        limit: usize,
        /// The count that was given.
        actual: usize,
    },
    /// The proof's path does not end at the key with this value.
    #[error("the proof does not lead to the value that was expected")]
    ValueMismatch,
    /// The proof's path ends at the key, which was to be absent.
    #[error("the proof leads to a value of a key that was to be absent")]
    NotAbsent,
    /// The proof ends at a leaf that cannot lie on the key's path.
    #[error("the proof ends at a leaf that is not on the key's path")]
    OffPath,
    /// The proof's path leads to another root.
    #[error("the proof leads to root {actual}, not {expected}")]
    RootMismatch {
        /// The root that was to be reached.
        expected: Digest,
        /// The root that the proof leads to.
        actual: Digest,
    },
}

impl Proof {
    /// A path has one sibling for each bit of a digest at most.
    pub const SIBLING_COUNT_MAX: usize = 8 * Digest::LENGTH;

    /// A proof of these parts; nothing is checked before [`Proof::verify`].
    pub const fn from_parts(siblings: Vec<Digest>, terminal: Terminal) -> Self {
        Self { siblings, terminal }
    }

    /// Digests of the halves that the path leaves aside, the root's first.
    pub fn siblings(&self) -> &[Digest] {
        &self.siblings
    }

    /// What lies at the end of the path.
    pub const fn terminal(&self) -> &Terminal {
        &self.terminal
    }

    /// Accepts if the map with this root has this value at `key`, or none if `value` is `None`.
    ///
    /// # Errors
    /// [`ProofError`]; all are the fault of the proof's sender.
    ///
    /// Spec: STATE-6.
    pub fn verify(
        &self,
        root: &Digest,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<(), ProofError> {
        let place = place(key);
        self.check_length()?;
        match value {
            Some(value) => self.check_present(&place, value)?,
            None => self.check_absent(&place)?,
        }
        let actual = self.fold(&place);
        if actual != *root {
            return Err(ProofError::RootMismatch {
                expected: *root,
                actual,
            });
        }
        Ok(())
    }

    fn check_length(&self) -> Result<(), ProofError> {
        if self.siblings.len() > Self::SIBLING_COUNT_MAX {
            return Err(ProofError::TooLong {
                limit: Self::SIBLING_COUNT_MAX,
                actual: self.siblings.len(),
            });
        }
        Ok(())
    }

    fn check_present(&self, key: &Digest, value: &[u8]) -> Result<(), ProofError> {
        let expected = Terminal::Leaf {
            place: *key,
            value: value_digest(value),
        };
        if self.terminal == expected {
            Ok(())
        } else {
            Err(ProofError::ValueMismatch)
        }
    }

    fn check_absent(&self, key: &Digest) -> Result<(), ProofError> {
        match &self.terminal {
            Terminal::Empty => Ok(()),
            Terminal::Leaf { place, .. } if place == key => Err(ProofError::NotAbsent),
            // A leaf of another key stands for absence only where both keys share the whole path to it.
            Terminal::Leaf { place, .. } if self.shares_path(place, key) => Ok(()),
            Terminal::Leaf { .. } => Err(ProofError::OffPath),
        }
    }

    fn shares_path(&self, left: &Digest, right: &Digest) -> bool {
        (0..self.siblings.len()).all(|depth| bit(left, depth) == bit(right, depth))
    }

    fn fold(&self, key: &Digest) -> Digest {
        let mut digest = match &self.terminal {
            Terminal::Empty => Digest::ZERO,
            Terminal::Leaf { place, value } => leaf_digest(place, value),
        };
        for (depth, sibling) in self.siblings.iter().enumerate().rev() {
            digest = match bit(key, depth) {
                0 => inner_digest(&digest, sibling),
                _ => inner_digest(sibling, &digest),
            };
        }
        digest
    }
}
