//! The one type through which everything is written.

use rocksdb::WriteBatch;
use symphony_transparency::merkle::NodeHash;
use symphony_transparency::{Digest, SignedCheckpoint};

use crate::head::Head;
use crate::keys;
use crate::memo::MemoWrite;
use crate::store::{Families, Store};

/// Changes that become durable together or not at all. Spec: STORE-7.
pub(crate) struct Batch<'store> {
    families: Families<'store>,
    changes: WriteBatch,
}

impl<'store> Batch<'store> {
    /// An empty batch for this store.
    pub(crate) fn new(store: &'store Store) -> Self {
        Self {
            families: store.families(),
            changes: WriteBatch::default(),
        }
    }

    /// True if there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Hands the changes to the store.
    pub(crate) fn into_changes(self) -> WriteBatch {
        self.changes
    }

    /// The network that the database belongs to, and the version of its layout.
    pub(crate) fn put_format(&mut self, network: &Digest) {
        let mut value = keys::FORMAT_VERSION.to_be_bytes().to_vec();
        value.extend_from_slice(network.as_bytes());
        self.changes
            .put_cf(self.families.records, keys::FORMAT, value);
    }

    /// Which log is this peer's own.
    pub(crate) fn put_own(&mut self, log: &Digest) {
        self.changes
            .put_cf(self.families.records, keys::OWN, log.as_bytes());
    }

    /// An entry's exact bytes.
    pub(crate) fn put_entry(&mut self, log: &Digest, index: u64, entry: &[u8]) {
        self.changes
            .put_cf(self.families.entries, keys::entry(log, index), entry);
    }

    /// A complete node of a log's tree.
    pub(crate) fn put_node(&mut self, log: &Digest, level: u8, index: u64, hash: &NodeHash) {
        self.changes
            .put_cf(self.families.nodes, keys::node(log, level, index), hash);
    }

    /// The new end of a log.
    pub(crate) fn put_head(&mut self, log: &Digest, head: &Head) {
        self.changes
            .put_cf(self.families.records, keys::head(log), head.to_bytes());
    }

    /// A checkpoint under its log and size.
    pub(crate) fn put_checkpoint(&mut self, signed: &SignedCheckpoint) {
        let checkpoint = signed.checkpoint();
        let key = keys::checkpoint(&checkpoint.log, checkpoint.size);
        self.changes
            .put_cf(self.families.records, key, signed.text());
    }

    /// Drops a checkpoint.
    pub(crate) fn delete_checkpoint(&mut self, log: &Digest, size: u64) {
        self.changes
            .delete_cf(self.families.records, keys::checkpoint(log, size));
    }

    /// Changes a memo, whose limits were checked.
    pub(crate) fn write_memo(&mut self, write: &MemoWrite) {
        match write {
            MemoWrite::Put { key, value } => {
                self.changes
                    .put_cf(self.families.records, keys::memo(key), value)
            }
            MemoWrite::Delete { key } => self
                .changes
                .delete_cf(self.families.records, keys::memo(key)),
        }
    }

    /// Drops everything that is stored of a log.
    pub(crate) fn delete_log(&mut self, log: &Digest) {
        for (family, table) in [
            (self.families.entries, keys::TABLE_ENTRY),
            (self.families.nodes, keys::TABLE_NODE),
            (self.families.records, keys::TABLE_CHECKPOINT),
        ] {
            let range = keys::range_of_log(table, log);
            self.changes.delete_range_cf(family, range.start, range.end);
        }
        self.changes
            .delete_cf(self.families.records, keys::head(log));
    }
}
