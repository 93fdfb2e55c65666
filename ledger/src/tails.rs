//! Who is told when a log grows.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use symphony_transparency::Digest;
use symphony_transparency::merkle::TreeHead;
use tokio::sync::watch;

use crate::error::LedgerError;
use crate::store::Store;

/// The durable end of this peer's own log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tail {
    /// Id of the log.
    pub log: Digest,
    /// Size and root; everything below is on the device.
    pub head: TreeHead,
}

/// Watches of logs' ends. A slow watcher misses steps in between, never the last one, and holds nobody up.
pub(crate) struct Tails {
    own: watch::Sender<Option<Tail>>,
    followed: Mutex<BTreeMap<Digest, watch::Sender<TreeHead>>>,
}

impl Tails {
    pub(crate) fn new(own: Option<Tail>) -> Self {
        Self {
            own: watch::Sender::new(own),
            followed: Mutex::default(),
        }
    }

    pub(crate) fn own(&self) -> Option<Tail> {
        *self.own.borrow()
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Option<Tail>> {
        self.own.subscribe()
    }

    /// The head is read under the lock that publishing takes, so no step falls between reading and watching.
    pub(crate) fn subscribe_to(
        &self,
        store: &Store,
        log: &Digest,
    ) -> Result<watch::Receiver<TreeHead>, LedgerError> {
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = followed.get(log) {
            return Ok(sender.subscribe());
        }
        let head = store
            .head(log)?
            .ok_or(LedgerError::UnknownLog { log: *log })?;
        let (sender, receiver) = watch::channel(head.tree_head());
        followed.insert(*log, sender);
        Ok(receiver)
    }

    pub(crate) fn publish_own(&self, tail: Tail) {
        self.own.send_replace(Some(tail));
        self.publish(&tail.log, tail.head);
    }

    /// Tells the watchers of a log, and forgets watches that nobody holds any more.
    pub(crate) fn publish(&self, log: &Digest, head: TreeHead) {
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = followed.get(log) else {
            return;
        };
        if sender.send(head).is_err() {
            followed.remove(log);
        }
    }

    /// Ends the watches of a log that is stored no longer.
    pub(crate) fn end(&self, log: &Digest) {
        self.followed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(log);
    }
}
