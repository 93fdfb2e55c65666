//! Where a test can change what a node does. The release binary passes [`Hooks::faithful`].

use std::sync::Arc;

use symphony_executor::Executor;
use symphony_transparency::SecretKey;

/// What leaves a node: entries on their way to the ledger, statements on their way to peers.
pub trait Outgoing: Send {
    /// The bytes of an entry, as they are appended.
    fn entry(&mut self, bytes: Vec<u8>, secret: &SecretKey) -> Vec<u8>;
    /// The bytes of an own statement, as they are sent.
    fn statement(&mut self, bytes: Vec<u8>, secret: &SecretKey) -> Vec<u8>;
}

/// A moment at which a process may die, between two of which nothing becomes durable and nothing leaves. In the order in
/// which one entry passes them. Spec: STORE-12.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Boundary {
    /// Entries are about to be handed to the ledger.
    Append,
    /// The ledger has them; whether they are durable is not known yet.
    Appended,
    /// They are durable, and so is the signing record that covers them.
    Synced,
    /// A size and a root are about to be written into the signing record, because they will be signed.
    Sign,
    /// The signing record has them; the signature has not been made.
    Recorded,
    /// Bytes are about to be handed to the network.
    Send,
    /// The network has reported what became of them.
    Sent,
}

impl Boundary {
    /// All of them, in order.
    pub const ALL: [Self; 7] = [
        Self::Append,
        Self::Appended,
        Self::Synced,
        Self::Sign,
        Self::Recorded,
        Self::Send,
        Self::Sent,
    ];

    /// One word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Appended => "appended",
            Self::Synced => "synced",
            Self::Sign => "sign",
            Self::Recorded => "recorded",
            Self::Send => "send",
            Self::Sent => "sent",
        }
    }
}

/// Who is told that a boundary is passed.
pub trait Boundaries: Send + Sync {
    /// The node is at this boundary. Returning lets it go on.
    fn pass(&self, boundary: Boundary);
}

/// Changes nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faithful;

impl Outgoing for Faithful {
    fn entry(&mut self, bytes: Vec<u8>, _secret: &SecretKey) -> Vec<u8> {
        bytes
    }

    fn statement(&mut self, bytes: Vec<u8>, _secret: &SecretKey) -> Vec<u8> {
        bytes
    }
}

impl Boundaries for Faithful {
    fn pass(&self, _boundary: Boundary) {}
}

/// Changes an executor.
pub type WrapExecutor = Box<dyn FnOnce(Arc<dyn Executor>) -> Arc<dyn Executor> + Send>;

/// What a test changes about a node.
pub struct Hooks {
    /// What leaves the node.
    pub outgoing: Box<dyn Outgoing>,
    /// What answers.
    pub wrap_executor: WrapExecutor,
    /// What happens at boundaries.
    pub boundaries: Arc<dyn Boundaries>,
}

impl Hooks {
    /// Changes nothing.
    pub fn faithful() -> Self {
        Self {
            outgoing: Box::new(Faithful),
            wrap_executor: Box::new(|executor| executor),
            boundaries: Arc::new(Faithful),
        }
    }
}
