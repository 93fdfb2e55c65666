//! Reading one log.

use std::ops::Range;
use std::sync::Arc;

use symphony_transparency::merkle::{
    NodeHash, NodeStore, TreeHead, consistency_proof, inclusion_proof, root_at,
};
use symphony_transparency::{ChainEnd, Digest};

use crate::damage::{Damage, StorageError};
use crate::error::LedgerError;
use crate::head::Head;
use crate::store::{LogNodes, Store};

/// Bytes after which [`Entries`] ends a page: what a reader of a whole log holds in memory.
pub const PAGE_BYTES_MAX: usize = 1 << 20;
const PAGE_COUNT_MAX: usize = 1024;

/// Reads one stored log. Everything that it shows is on the device.
///
/// Entries never change, so what is read below a size that was once shown is the same at any later time. Reads block for
/// the device at most.
#[derive(Clone)]
pub struct LogReader {
    store: Arc<Store>,
    log: Digest,
}

/// Some entries in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Index of the first.
    pub first_index: u64,
    /// Their exact bytes.
    pub entries: Vec<Vec<u8>>,
}

impl LogReader {
    pub(crate) fn new(store: Arc<Store>, log: Digest) -> Self {
        Self { store, log }
    }

    /// Id of the log.
    pub fn log(&self) -> &Digest {
        &self.log
    }

    /// Size and root.
    ///
    /// # Errors
    /// [`LedgerError::UnknownLog`] if it was forgotten, [`LedgerError::Read`].
    pub fn head(&self) -> Result<TreeHead, LedgerError> {
        Ok(self.stored_head()?.tree_head())
    }

    /// Number of entries.
    ///
    /// # Errors
    /// As [`LogReader::head`].
    pub fn size(&self) -> Result<u64, LedgerError> {
        Ok(self.stored_head()?.size())
    }

    /// What the next entry must continue.
    ///
    /// # Errors
    /// As [`LogReader::head`].
    pub fn chain_end(&self) -> Result<ChainEnd, LedgerError> {
        Ok(self.stored_head()?.chain)
    }

    /// Sum of the entries' sizes in bytes.
    ///
    /// # Errors
    /// As [`LogReader::head`].
    pub fn entries_bytes(&self) -> Result<u64, LedgerError> {
        Ok(self.stored_head()?.entries_bytes)
    }

    /// Exact bytes of an entry; `None` at and beyond the log's end.
    ///
    /// # Errors
    /// [`LedgerError::Read`], also for an entry that is lost.
    pub fn entry(&self, index: u64) -> Result<Option<Vec<u8>>, LedgerError> {
        match self.store.entry(&self.log, index)? {
            Some(entry) => Ok(Some(entry)),
            None if index < self.size()? => Err(self.missing(index)),
            None => Ok(None),
        }
    }

    /// Entries from `first` on: at most `count_max`, and no more once they have `bytes_max` bytes together. The first is
    /// always given, so that a reader gets on; none are given only at the log's end.
    ///
    /// # Errors
    /// [`LedgerError::Read`], also for an entry that is lost.
    pub fn range(
        &self,
        first: u64,
        count_max: usize,
        bytes_max: usize,
    ) -> Result<Page, LedgerError> {
        self.page(first, self.size()?, count_max, bytes_max)
    }

    /// All entries with these indices that the log has, page by page: memory for about [`PAGE_BYTES_MAX`] bytes, and no
    /// hold on the database in between.
    pub fn entries(&self, indices: Range<u64>) -> Entries {
        Entries {
            reader: self.clone(),
            next: indices.start,
            end: indices.end,
            page: Vec::new().into_iter(),
        }
    }

    /// Root of the first `size` entries.
    ///
    /// # Errors
    /// [`LedgerError::Proof`] beyond the log's end.
    pub fn root_at(&self, size: u64) -> Result<NodeHash, LedgerError> {
        Ok(root_at(&self.nodes(), size)?)
    }

    /// Proof that entry `index` is in the log of `size` entries, leaf's sibling first.
    ///
    /// # Errors
    /// [`LedgerError::Proof`] for an index or a size that the log does not have.
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Result<Vec<NodeHash>, LedgerError> {
        Ok(inclusion_proof(&self.nodes(), index, size)?)
    }

    /// Proof that the log of `old_size` entries is the beginning of that of `new_size`.
    ///
    /// # Errors
    /// [`LedgerError::Proof`] for sizes that the log does not have, or in the wrong order.
    pub fn consistency_proof(
        &self,
        old_size: u64,
        new_size: u64,
    ) -> Result<Vec<NodeHash>, LedgerError> {
        Ok(consistency_proof(&self.nodes(), old_size, new_size)?)
    }

    fn page(
        &self,
        first: u64,
        end: u64,
        count_max: usize,
        bytes_max: usize,
    ) -> Result<Page, LedgerError> {
        let mut page = Page {
            first_index: first,
            entries: Vec::new(),
        };
        if first >= end || count_max == 0 {
            return Ok(page);
        }
        let mut bytes = 0_usize;
        let stop = end.min(first.saturating_add(count_max as u64));
        let mut stored = self.store.entries(&self.log, first, stop);
        for expected in first..stop {
            let (index, entry) = stored.next().ok_or_else(|| self.missing(expected))??;
            if index != expected {
                return Err(self.missing(expected));
            }
            bytes = bytes.saturating_add(entry.len());
            if bytes > bytes_max && !page.entries.is_empty() {
                break;
            }
            page.entries.push(entry);
        }
        Ok(page)
    }

    fn stored_head(&self) -> Result<Head, LedgerError> {
        self.store
            .head(&self.log)?
            .ok_or(LedgerError::UnknownLog { log: self.log })
    }

    fn nodes(&self) -> LogNodes<'_> {
        LogNodes {
            store: &self.store,
            log: self.log,
        }
    }

    fn missing(&self, index: u64) -> LedgerError {
        StorageError::Damaged {
            log: self.log,
            damage: Damage::EntryMissing { index },
        }
        .into()
    }
}

impl NodeStore for LogReader {
    fn node(&self, level: u8, index: u64) -> Option<NodeHash> {
        self.nodes().node(level, index)
    }
}

/// The entries of a log, in order, with their indices. Ends after the first error.
pub struct Entries {
    reader: LogReader,
    next: u64,
    end: u64,
    page: std::vec::IntoIter<Vec<u8>>,
}

impl Iterator for Entries {
    type Item = Result<(u64, Vec<u8>), LedgerError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.len() == 0 {
            match self.next_page() {
                Ok(page) => self.page = page.into_iter(),
                Err(error) => {
                    self.end = self.next;
                    return Some(Err(error));
                }
            }
        }
        let entry = self.page.next()?;
        let index = self.next;
        self.next += 1;
        Some(Ok((index, entry)))
    }
}

impl Entries {
    fn next_page(&self) -> Result<Vec<Vec<u8>>, LedgerError> {
        if self.next >= self.end {
            return Ok(Vec::new());
        }
        let end = self.end.min(self.reader.size()?);
        Ok(self
            .reader
            .page(self.next, end, PAGE_COUNT_MAX, PAGE_BYTES_MAX)?
            .entries)
    }
}
