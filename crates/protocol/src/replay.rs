//! Replay: folding the exact bytes of a log into its state. Spec: REPLAY-1 to REPLAY-5.

use symphony_transparency::{ChainEnd, ChainError, Checkpoint, Digest, Link, PublicKey};

use crate::{
    fault::{Breach, Fault, Rule, hex},
    prepared::{Parts, PreparedEntry},
    records::{Body, Entry, RecordError, Signatures, leading_zero_bits},
    state::{Applied, State},
};

pub use symphony_transparency::Frontier;

/// Why replay stopped.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Stop {
    /// The input is no log that this auditor can judge: nobody is exposed by it.
    #[error("unusable log: {0}")]
    Unusable(#[from] Unusable),
    /// The log's author broke a rule.
    #[error("{0}")]
    Exposed(Fault),
}

/// Why an input is no log that this auditor can judge. Spec: REPLAY-4.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Unusable {
    /// Entry 0 cannot be read.
    #[error("entry 0: {0}")]
    Entry0(#[from] RecordError),
    /// Entry 0 is no beginning of a log.
    #[error("entry 0: expected a genesis at index 0 without a previous entry, found {found}")]
    NotGenesis {
        /// What it is.
        found: &'static str,
    },
    /// The log follows rules that this auditor does not know.
    #[error("rules revision {found}; this auditor knows revision {known}")]
    Revision {
        /// The revision that this crate implements.
        known: u32,
        /// The revision that entry 0 names.
        found: u32,
    },
    /// The log's stamp does not admit it to its network.
    #[error("log id with {found} leading zero bits; its network asks for {needed}")]
    Stamp {
        /// Bits that the network asks for.
        needed: u32,
        /// Bits that the log id has.
        found: u32,
    },
    /// The log belongs to another network.
    #[error("log of network {found}; expected network {expected}")]
    Network {
        /// The auditor's network.
        expected: Digest,
        /// The log's network.
        found: Digest,
    },
}

/// A log as far as it was replayed: chain, tree and state.
#[derive(Clone, Debug)]
pub struct Replay {
    state: State,
    end: ChainEnd,
    tree: Frontier,
}

impl Replay {
    /// Begins with the exact bytes of entry 0. `network` restricts to one network, if given.
    ///
    /// # Errors
    /// [`Unusable`] for anything that is no log of a network that this crate can judge.
    pub fn begin(entry_0: &[u8], network: Option<&Digest>) -> Result<Self, Unusable> {
        let entry = Entry::parse(entry_0, None)?;
        let Body::Genesis(genesis) = &entry.body else {
            return Err(Unusable::NotGenesis {
                found: entry.body.name(),
            });
        };
        let end = ChainEnd::EMPTY
            .follow(&link(&entry), entry_0)
            .map_err(|_| Unusable::NotGenesis {
                found: "another place in a log",
            })?;
        let (known, found) = (
            crate::records::RULES_REVISION,
            genesis.params.rules_revision(),
        );
        if known != found {
            return Err(Unusable::Revision { known, found });
        }
        let state = State::begin(genesis, &entry, entry_0);
        let (needed, found) = (
            genesis.params.admission_difficulty_bits(),
            leading_zero_bits(&state.log()),
        );
        if found < needed {
            return Err(Unusable::Stamp { needed, found });
        }
        if let Some(expected) = network
            && *expected != state.network()
        {
            return Err(Unusable::Network {
                expected: *expected,
                found: state.network(),
            });
        }
        let mut tree = Frontier::new();
        tree.append(entry_0);
        Ok(Self { state, end, tree })
    }

    /// Applies the next entry's exact bytes.
    ///
    /// # Errors
    /// The author's fault. The replay is then as it was before and must not be continued with other bytes.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(Entry, Applied), Fault> {
        let parts = Parts::of(bytes, &self.state.network(), Signatures::Verify);
        self.take(parts)
    }

    /// Applies the next entry, which was prepared before its turn.
    ///
    /// # Errors
    /// As [`Replay::push`].
    pub fn push_prepared(&mut self, prepared: PreparedEntry) -> Result<(Entry, Applied), Fault> {
        let parts = prepared.into_parts(&self.state.network());
        self.take(parts)
    }

    fn take(&mut self, parts: Parts) -> Result<(Entry, Applied), Fault> {
        let (index, author) = (self.end.size, self.state.author());
        let at = |breach: Breach| breach.at(author, index);
        let entry = parts.parsed.map_err(|error| at(malformed(&error)))?;
        let end = self
            .end
            .follow_digest(&link(&entry), parts.digest)
            .map_err(|error| at(chain_breach(&error)))?;
        let applied = self.state.apply(&entry)?;
        self.end = end;
        self.tree.append_leaf_hash(parts.leaf_hash);
        Ok((entry, applied))
    }

    /// Compares a checkpoint of exactly this size with what was replayed. Its signature is the caller's to verify.
    ///
    /// # Errors
    /// A fault of the author: another tree root, or another state root. Spec: REPLAY-12, REPLAY-42, REPLAY-44.
    pub fn check(&mut self, checkpoint: &Checkpoint) -> Result<(), Fault> {
        let (author, index) = (self.state.author(), self.end.size.saturating_sub(1));
        let tree = self.tree.root();
        if checkpoint.size == self.end.size && checkpoint.root != tree {
            return Err(
                Breach::new(Rule::TreeRoot, hex(&tree), hex(&checkpoint.root)).at(author, index),
            );
        }
        let state_root = self.state.root();
        if checkpoint.size == self.end.size && checkpoint.state_root != state_root {
            return Err(
                Breach::new(Rule::StateRoot, state_root, checkpoint.state_root).at(author, index),
            );
        }
        Ok(())
    }

    /// Number of entries.
    pub fn size(&self) -> u64 {
        self.end.size
    }

    /// The end of the chain: what the next entry must continue.
    pub fn end(&self) -> &ChainEnd {
        &self.end
    }

    /// The Merkle tree over the entries' exact bytes.
    pub fn tree(&self) -> &Frontier {
        &self.tree
    }

    /// The state.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The state, to ask for its root or a decision.
    pub fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    /// Log key of the author.
    pub fn author(&self) -> PublicKey {
        self.state.author()
    }

    /// The checkpoint that an honest author would sign now.
    pub fn checkpoint(&mut self) -> Checkpoint {
        Checkpoint {
            network: self.state.network(),
            log: self.state.log(),
            size: self.end.size,
            root: self.tree.root(),
            state_root: self.state.root(),
        }
    }
}

pub(crate) fn link(entry: &Entry) -> Link {
    Link {
        index: entry.index,
        previous: entry.previous,
        time_ms: entry.time_ms,
    }
}

pub(crate) fn malformed(error: &RecordError) -> Breach {
    Breach::new(
        Rule::Malformed,
        "a canonical entry with valid statements",
        error,
    )
}

pub(crate) fn chain_breach(error: &ChainError) -> Breach {
    match error {
        ChainError::Index { expected, actual } => Breach::new(
            Rule::Chain,
            format_args!("index {expected}"),
            format_args!("index {actual}"),
        ),
        ChainError::Previous {
            expected, actual, ..
        } => Breach::new(
            Rule::Chain,
            format_args!("previous {expected}"),
            format_args!("previous {actual}"),
        ),
        ChainError::Time {
            expected, actual, ..
        } => Breach::new(
            Rule::Chain,
            format_args!("a time from {expected} ms"),
            format_args!("{actual} ms"),
        ),
        error => Breach::new(Rule::Chain, "a continued chain", error),
    }
}
