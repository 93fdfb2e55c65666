//! Requests that are written and synced together.

use std::collections::{BTreeMap, BTreeSet};

use symphony_transparency::Digest;
use symphony_transparency::merkle::{Frontier, TreeHead};

use crate::batch::Batch;
use crate::checkpoint::StoredCheckpoint;
use crate::command::Reply;
use crate::error::LedgerError;
use crate::store::Store;

/// Most requests in a group. More only wait for the next sync.
const GROUP_COMMANDS_MAX: usize = 1024;
/// A group that has this many bytes takes in no more requests.
const GROUP_BYTES_MAX: usize = 16 << 20;

/// Answers a request when it is known how the write went.
pub(crate) type Done = Box<dyn FnOnce(Result<(), LedgerError>) + Send>;

/// A head for the signing record; of a group, only the root of the largest is computed.
pub(crate) enum ToRecord {
    /// Its root is known.
    Head(TreeHead),
    /// Its root follows from this.
    Tree(Frontier),
}

impl ToRecord {
    fn size(&self) -> u64 {
        match self {
            Self::Head(head) => head.size,
            Self::Tree(tree) => tree.size(),
        }
    }

    pub(crate) fn head(&self) -> TreeHead {
        match self {
            Self::Head(head) => *head,
            Self::Tree(tree) => tree.head(),
        }
    }
}

/// One batch in the making, and who waits for it.
pub(crate) struct Group<'store> {
    pub(crate) batch: Batch<'store>,
    /// Logs that grew.
    pub(crate) grown: BTreeSet<Digest>,
    /// Logs that were forgotten.
    pub(crate) forgotten: BTreeSet<Digest>,
    /// Checkpoints in the batch, which the store does not show yet.
    pub(crate) checkpoints: BTreeMap<(Digest, u64), StoredCheckpoint>,
    /// What the signing record has to cover once the batch is written.
    pub(crate) to_record: Option<ToRecord>,
    after_sync: Vec<Done>,
    after_record: Vec<Done>,
    commands: usize,
    bytes: usize,
}

impl<'store> Group<'store> {
    pub(crate) fn new(store: &'store Store) -> Self {
        Self {
            batch: Batch::new(store),
            grown: BTreeSet::new(),
            forgotten: BTreeSet::new(),
            checkpoints: BTreeMap::new(),
            to_record: None,
            after_sync: Vec::new(),
            after_record: Vec::new(),
            commands: 0,
            bytes: 0,
        }
    }

    /// Counts a request against the group's limits.
    pub(crate) fn count(&mut self, bytes: usize) {
        self.commands += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// True if there is nothing to write and nobody to answer.
    pub(crate) fn is_empty(&self) -> bool {
        self.batch.is_empty() && self.after_sync.is_empty() && self.after_record.is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.commands >= GROUP_COMMANDS_MAX || self.bytes >= GROUP_BYTES_MAX
    }

    /// Answers with `value` when the batch is on the device.
    pub(crate) fn answer_after_sync<T: Send + 'static>(&mut self, reply: Reply<T>, value: T) {
        self.after_sync.push(answer(reply, value));
    }

    /// Answers with `value` when the batch is on the device and the signing record covers `head`.
    pub(crate) fn answer_after_record<T: Send + 'static>(
        &mut self,
        reply: Reply<T>,
        value: T,
        head: ToRecord,
    ) {
        if self
            .to_record
            .as_ref()
            .is_none_or(|other| other.size() < head.size())
        {
            self.to_record = Some(head);
        }
        self.after_record.push(answer(reply, value));
    }

    /// Gives the batch to be written, and the answers to be given after each of the two steps.
    pub(crate) fn into_parts(self) -> (Batch<'store>, Vec<Done>, Vec<Done>) {
        (self.batch, self.after_sync, self.after_record)
    }
}

fn answer<T: Send + 'static>(reply: Reply<T>, value: T) -> Done {
    // A caller that went away needs no answer.
    Box::new(move |result| drop(reply.send(result.map(|()| value))))
}
