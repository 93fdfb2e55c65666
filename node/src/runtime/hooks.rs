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

/// Changes an executor.
pub type WrapExecutor = Box<dyn FnOnce(Arc<dyn Executor>) -> Arc<dyn Executor> + Send>;

/// What a test changes about a node.
pub struct Hooks {
    /// What leaves the node.
    pub outgoing: Box<dyn Outgoing>,
    /// What answers.
    pub wrap_executor: WrapExecutor,
}

impl Hooks {
    /// Changes nothing.
    pub fn faithful() -> Self {
        Self {
            outgoing: Box::new(Faithful),
            wrap_executor: Box::new(|executor| executor),
        }
    }
}
