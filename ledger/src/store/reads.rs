//! Typed reads of the tables.

use std::collections::{BTreeMap, BTreeSet};

use rocksdb::{ColumnFamily, Direction, IteratorMode, ReadOptions};
use symphony_transparency::Digest;
use symphony_transparency::merkle::NodeHash;

use super::Store;
use crate::checkpoint::StoredCheckpoint;
use crate::damage::{Damage, StorageError};
use crate::head::Head;
use crate::keys;
use crate::memo::Memo;

/// A record as RocksDB's iterators give it.
type KeyAndValue = (Box<[u8]>, Box<[u8]>);

impl Store {
    /// Version of the layout and the network, if the database has been used.
    pub(crate) fn format(&self) -> Result<Option<(u32, Digest)>, StorageError> {
        let Some(value) = self
            .database
            .get_cf(self.families().records, keys::FORMAT)?
        else {
            return Ok(None);
        };
        let damaged = StorageError::Record {
            record: "the format",
        };
        let (version, network) = value.split_first_chunk::<4>().ok_or(damaged.clone())?;
        let network = Digest::from_slice(network).map_err(|_| damaged)?;
        Ok(Some((u32::from_be_bytes(*version), network)))
    }

    /// Id of this peer's own log, if it has begun one.
    pub(crate) fn own(&self) -> Result<Option<Digest>, StorageError> {
        let Some(value) = self.database.get_cf(self.families().records, keys::OWN)? else {
            return Ok(None);
        };
        let log = Digest::from_slice(&value).map_err(|_| StorageError::Record {
            record: "the own log",
        })?;
        Ok(Some(log))
    }

    /// End of a log, if it is stored.
    pub(crate) fn head(&self, log: &Digest) -> Result<Option<Head>, StorageError> {
        let Some(value) = self
            .database
            .get_cf(self.families().records, keys::head(log))?
        else {
            return Ok(None);
        };
        let head = Head::from_bytes(&value).map_err(|error| StorageError::Damaged {
            log: *log,
            damage: Damage::HeadUnreadable {
                reason: error.to_string(),
            },
        })?;
        Ok(Some(head))
    }

    /// Ids of all stored logs, by bytes.
    pub(crate) fn logs(&self) -> Result<Vec<Digest>, StorageError> {
        let mut logs = Vec::new();
        let end = keys::end_of_prefix(&[keys::TABLE_HEAD]);
        for item in self.scan(self.families().records, &[keys::TABLE_HEAD], end) {
            let (key, _) = item?;
            if let Some(keys::ParsedKey::Head { log }) = keys::parse(keys::FAMILY_RECORDS, &key) {
                logs.push(log);
            }
        }
        Ok(logs)
    }

    /// Exact bytes of an entry.
    pub(crate) fn entry(&self, log: &Digest, index: u64) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self
            .database
            .get_cf(self.families().entries, keys::entry(log, index))?)
    }

    /// Entries `first..end` in order, with the index that each is stored under.
    pub(crate) fn entries(
        &self,
        log: &Digest,
        first: u64,
        end: u64,
    ) -> impl Iterator<Item = Result<(u64, Vec<u8>), StorageError>> + use<'_> {
        self.scan(
            self.families().entries,
            &keys::entry(log, first),
            keys::entry(log, end),
        )
        .map(|item| {
            let (key, value) = item?;
            match keys::parse(keys::FAMILY_ENTRIES, &key) {
                Some(keys::ParsedKey::Entry { index, .. }) => Ok((index, value.into_vec())),
                _ => Err(StorageError::Record { record: "an entry" }),
            }
        })
    }

    /// A complete node of a log's tree.
    pub(crate) fn node(
        &self,
        log: &Digest,
        level: u8,
        index: u64,
    ) -> Result<Option<NodeHash>, StorageError> {
        let Some(value) = self
            .database
            .get_cf(self.families().nodes, keys::node(log, level, index))?
        else {
            return Ok(None);
        };
        let hash = NodeHash::try_from(value).map_err(|_| StorageError::Damaged {
            log: *log,
            damage: Damage::NodeMissing { level, index },
        })?;
        Ok(Some(hash))
    }

    /// The checkpoint of exactly this size.
    pub(crate) fn checkpoint(
        &self,
        log: &Digest,
        size: u64,
    ) -> Result<Option<StoredCheckpoint>, StorageError> {
        let Some(value) = self
            .database
            .get_cf(self.families().records, keys::checkpoint(log, size))?
        else {
            return Ok(None);
        };
        read_checkpoint(log, size, value).map(Some)
    }

    /// The largest checkpoint of at most this size.
    pub(crate) fn checkpoint_up_to(
        &self,
        log: &Digest,
        size: u64,
    ) -> Result<Option<StoredCheckpoint>, StorageError> {
        let range = keys::range_of_log(keys::TABLE_CHECKPOINT, log);
        let mut options = ReadOptions::default();
        options.set_iterate_lower_bound(range.start);
        let from = keys::checkpoint(log, size);
        let mode = IteratorMode::From(&from, Direction::Reverse);
        let Some(item) = self
            .database
            .iterator_cf_opt(self.families().records, options, mode)
            .next()
        else {
            return Ok(None);
        };
        let (key, value) = item?;
        match keys::parse(keys::FAMILY_RECORDS, &key) {
            Some(keys::ParsedKey::Checkpoint { log: found, size }) if found == *log => {
                read_checkpoint(log, size, value.into_vec()).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Sizes of all stored checkpoints of a log, smallest first.
    pub(crate) fn checkpoint_sizes(&self, log: &Digest) -> Result<Vec<u64>, StorageError> {
        let range = keys::range_of_log(keys::TABLE_CHECKPOINT, log);
        let mut sizes = Vec::new();
        for item in self.scan(self.families().records, &range.start, range.end) {
            let (key, _) = item?;
            if let Some(keys::ParsedKey::Checkpoint { size, .. }) =
                keys::parse(keys::FAMILY_RECORDS, &key)
            {
                sizes.push(size);
            }
        }
        Ok(sizes)
    }

    /// Sizes of all stored checkpoints, by log.
    pub(crate) fn all_checkpoint_sizes(
        &self,
    ) -> Result<BTreeMap<Digest, BTreeSet<u64>>, StorageError> {
        let mut sizes: BTreeMap<Digest, BTreeSet<u64>> = BTreeMap::new();
        let end = keys::end_of_prefix(&[keys::TABLE_CHECKPOINT]);
        for item in self.scan(self.families().records, &[keys::TABLE_CHECKPOINT], end) {
            let (key, _) = item?;
            if let Some(keys::ParsedKey::Checkpoint { log, size }) =
                keys::parse(keys::FAMILY_RECORDS, &key)
            {
                sizes.entry(log).or_default().insert(size);
            }
        }
        Ok(sizes)
    }

    /// Value of a memo.
    pub(crate) fn memo(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self
            .database
            .get_cf(self.families().records, keys::memo(key))?)
    }

    /// Memos whose keys begin with `prefix`, in the order of keys, from behind `after`.
    pub(crate) fn memos(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
    ) -> impl Iterator<Item = Result<Memo, StorageError>> + use<'_> {
        let start = match after {
            // The least key behind another is that key with a zero byte.
            Some(after) if after >= prefix => [keys::memo(after).as_slice(), &[0]].concat(),
            _ => keys::memo(prefix),
        };
        let end = keys::end_of_prefix(&keys::memo(prefix));
        self.scan(self.families().records, &start, end).map(|item| {
            let (key, value) = item?;
            Ok(Memo {
                key: key[1..].to_vec(),
                value: value.into_vec(),
            })
        })
    }

    /// Every key of a family, for whole-database checks.
    pub(crate) fn keys(
        &self,
        family: &str,
    ) -> impl Iterator<Item = Result<Box<[u8]>, StorageError>> + '_ {
        let handle = self
            .database
            .cf_handle(family)
            .expect("every family was opened or created");
        self.database
            .iterator_cf(handle, IteratorMode::Start)
            .map(|item| Ok(item.map(|(key, _)| key)?))
    }

    fn scan<'store>(
        &'store self,
        family: &'store ColumnFamily,
        start: &[u8],
        end: Vec<u8>,
    ) -> impl Iterator<Item = Result<KeyAndValue, rocksdb::Error>> + use<'store> {
        let mut options = ReadOptions::default();
        options.set_iterate_upper_bound(end);
        self.database.iterator_cf_opt(
            family,
            options,
            IteratorMode::From(start, Direction::Forward),
        )
    }
}

fn read_checkpoint(
    log: &Digest,
    size: u64,
    value: Vec<u8>,
) -> Result<StoredCheckpoint, StorageError> {
    StoredCheckpoint::from_record(value)
        .filter(|stored| stored.checkpoint.log == *log && stored.checkpoint.size == size)
        .ok_or(StorageError::Damaged {
            log: *log,
            damage: Damage::CheckpointUnreadable { size },
        })
}
