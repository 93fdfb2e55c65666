//! What a handle reads, without asking the owner thread.

use std::sync::Arc;

use symphony_transparency::Digest;
use symphony_transparency::merkle::TreeHead;
use tokio::sync::watch;

use super::Ledger;
use crate::checkpoint::StoredCheckpoint;
use crate::error::LedgerError;
use crate::memo::Memo;
use crate::reader::LogReader;
use crate::tails::Tail;

impl Ledger {
    /// Value of a memo.
    ///
    /// # Errors
    /// [`LedgerError::Read`].
    pub fn memo(&self, key: &[u8]) -> Result<Option<Vec<u8>>, LedgerError> {
        Ok(self.store.memo(key)?)
    }

    /// At most `count_max` memos whose keys begin with `prefix`, in the order of keys, from behind the key `after`.
    /// Fewer mean that there are no more.
    ///
    /// # Errors
    /// [`LedgerError::Read`].
    pub fn memos(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        count_max: usize,
    ) -> Result<Vec<Memo>, LedgerError> {
        Ok(self
            .store
            .memos(prefix, after)
            .take(count_max)
            .collect::<Result<_, _>>()?)
    }

    /// Reads this peer's own log; `None` before entry 0 is on the device.
    pub fn own(&self) -> Option<LogReader> {
        self.tails
            .own()
            .map(|tail| LogReader::new(Arc::clone(&self.store), tail.log))
    }

    /// Reads a stored log, the own or another's; `None` if there is none with this id.
    ///
    /// # Errors
    /// [`LedgerError::Read`].
    pub fn log(&self, log: &Digest) -> Result<Option<LogReader>, LedgerError> {
        let stored = self.store.head(log)?.is_some();
        Ok(stored.then(|| LogReader::new(Arc::clone(&self.store), *log)))
    }

    /// Ids of all stored logs, the own included, by bytes.
    ///
    /// # Errors
    /// [`LedgerError::Read`].
    pub fn logs(&self) -> Result<Vec<Digest>, LedgerError> {
        Ok(self.store.logs()?)
    }

    /// The largest stored checkpoint of a log, whether its entries are stored or not.
    ///
    /// # Errors
    /// [`LedgerError::Read`].
    pub fn latest_checkpoint(&self, log: &Digest) -> Result<Option<StoredCheckpoint>, LedgerError> {
        Ok(self.store.checkpoint_up_to(log, u64::MAX)?)
    }

    /// The largest stored checkpoint of a log with at most `size` entries.
    ///
    /// # Errors
    /// [`LedgerError::Read`].
    pub fn checkpoint_up_to(
        &self,
        log: &Digest,
        size: u64,
    ) -> Result<Option<StoredCheckpoint>, LedgerError> {
        Ok(self.store.checkpoint_up_to(log, size)?)
    }

    /// The stored checkpoint of a log at exactly `size` entries.
    ///
    /// # Errors
    /// [`LedgerError::Read`].
    pub fn checkpoint_at(
        &self,
        log: &Digest,
        size: u64,
    ) -> Result<Option<StoredCheckpoint>, LedgerError> {
        Ok(self.store.checkpoint(log, size)?)
    }

    /// Watches the durable end of this peer's own log. Steps in between may be missed, the last one never.
    pub fn subscribe(&self) -> watch::Receiver<Option<Tail>> {
        self.tails.subscribe()
    }

    /// Watches the durable end of one log; the watch ends when the log is forgotten.
    ///
    /// # Errors
    /// [`LedgerError::UnknownLog`], [`LedgerError::Read`].
    pub fn subscribe_to(&self, log: &Digest) -> Result<watch::Receiver<TreeHead>, LedgerError> {
        self.tails.subscribe_to(&self.store, log)
    }
}
