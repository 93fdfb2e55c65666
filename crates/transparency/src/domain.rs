//! The uses of digests.

use std::fmt;

macro_rules! domains {
    ($($(#[$attribute:meta])* $variant:ident = $context:literal,)*) => {
        /// What a digest is of. Equal bytes under two domains have unrelated digests, so a digest that was made for one
        /// purpose is never accepted for another.
        ///
        /// A context is never reused for another purpose and never changed: that would be a new domain.
        ///
        /// Spec: BYTES-12, which lists every context.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Domain {
            $($(#[$attribute])* $variant,)*
        }

        impl Domain {
            /// Every domain, in the order of the specification's table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The domain's position in [`Domain::ALL`].
            pub(crate) const fn position(self) -> usize {
                self as usize
            }

            /// The BLAKE3 context string.
            pub const fn context(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!("symphony/v1 ", $context),)*
                }
            }
        }
    };
}

domains! {
    /// Exact bytes of a log entry; names the entry in the next entry's `previous`.
    Entry = "entry",
    /// Exact bytes of entry 0; the log's id, which survives a rotation of keys.
    LogId = "log-id",
    /// Exact bytes of a statement's envelope.
    Statement = "statement",
    /// A statement's type and payload: what its signature covers.
    Payload = "payload",
    /// The three keys of a peer: what binds them to each other.
    KeyBinding = "key-binding",
    /// Canonical bytes of the agreed parameters: the network's id.
    NetworkId = "network-id",
    /// Canonical bytes of a policy.
    Policy = "policy",
    /// Canonical bytes of a task.
    Task = "task",
    /// Canonical bytes of a plan.
    Plan = "plan",
    /// Commitment to a task key.
    TaskKey = "task-key",
    /// Keyed: the text of a prompt.
    Prompt = "prompt",
    /// Keyed: the text that a model gave.
    Output = "output",
    /// Keyed: an answer in its answer form.
    Answer = "answer",
    /// Commitment to a ballot.
    Ballot = "ballot",
    /// Place of a value in the state's map.
    StateKey = "state-key",
    /// Leaf of the state's tree.
    StateLeaf = "state-leaf",
    /// Inner node of the state's tree.
    StateNode = "state-node",
    /// Value in the state's map.
    StateValue = "state-value",
    /// Files of a model: its identity in a receipt.
    ModelFiles = "model-files",
    /// Proof-of-work stamp on a log id.
    Admission = "admission",
    /// Commitment to a bidder's nonce.
    Nonce = "nonce",
    /// Commitment to a coordinator's secret.
    Secret = "secret",
    /// Recomputable chance, from opened secrets and nonces.
    Seed = "seed",
    /// Stream of numbers that a seed gives for one pick.
    Draw = "draw",
    /// Keyed: a bidder's nonce for a beacon, from its own secret.
    OwnNonce = "own-nonce",
    /// Keyed: a coordinator's secret for a beacon, from its own secret.
    OwnSecret = "own-secret",
    /// Requirement bucket of a beacon.
    Bucket = "bucket",
    /// Hashed features of an embedding.
    Embedding = "embedding",
    /// Canonical bytes of an evidence file.
    Evidence = "evidence",
    /// Content of an exported log file.
    Export = "export",
    /// Token of a further hop of a gossiped beacon.
    Hop = "hop",
    /// Keyed: the seed of a beacon's hop tokens, from its author's own secret.
    HopSeed = "hop-seed",
}

impl fmt::Display for Domain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.context())
    }
}
