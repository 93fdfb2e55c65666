//! The database: how it is opened, one durable write, and typed reads.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{DirBuilder, File};
use std::path::Path;

use rocksdb::{
    BlockBasedOptions, ColumnFamily, DB, DBCompressionType, DBRecoveryMode, Direction,
    IteratorMode, LogLevel, Options, ReadOptions, WriteOptions,
};
use symphony_transparency::Digest;
use symphony_transparency::merkle::{NodeHash, NodeStore};

use crate::batch::Batch;
use crate::checkpoint::StoredCheckpoint;
use crate::damage::{Damage, StorageError};
use crate::error::OpenError;
use crate::head::Head;
use crate::keys;
use crate::lock::lock_exclusive;
use crate::memo::Memo;

/// File in the data directory whose lock makes one process the owner.
const LOCK_FILE: &str = "ledger.lock";
/// Directory of RocksDB inside the data directory.
const DATABASE_DIRECTORY: &str = "database";

/// Write buffer of each column family in bytes: large enough that the flushes of a busy peer are minutes apart, small enough
/// for a laptop.
const WRITE_BUFFER_SIZE: usize = 16 << 20;
/// The write-ahead log is flushed away beyond this many bytes; bounds the time of a recovery.
const WAL_SIZE_MAX: u64 = 64 << 20;
/// Open table files; stays well below the usual limit of 1,024 descriptors, which sockets need too.
const OPEN_FILES_MAX: i32 = 256;
/// RocksDB's own text log: size of a file in bytes, and number of files.
const INFO_LOG_SIZE_MAX: usize = 1 << 20;
const INFO_LOG_COUNT_MAX: usize = 4;

/// A record as RocksDB's iterators give it.
type KeyAndValue = (Box<[u8]>, Box<[u8]>);

/// Whether the database may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// The owner of the log; creates what is missing.
    Write,
    /// Offline checks; changes nothing.
    Read,
}

/// The column families of an open database.
#[derive(Clone, Copy)]
pub(crate) struct Families<'store> {
    pub(crate) entries: &'store ColumnFamily,
    pub(crate) nodes: &'store ColumnFamily,
    pub(crate) records: &'store ColumnFamily,
}

/// An open database, owned by this process until the value is dropped.
pub(crate) struct Store {
    // Dropped in this order: the lock must outlive the database.
    database: DB,
    _lock: File,
}

impl Store {
    /// Opens the database of a data directory.
    ///
    /// A torn record at the end of the write-ahead log was never acknowledged and is dropped; any other damage to it is an
    /// error, since dropping what follows it would forget acknowledged entries. Spec: STORE-8.
    pub(crate) fn open(directory: &Path, access: Access) -> Result<Self, OpenError> {
        let io = |source| OpenError::Io {
            path: directory.to_owned(),
            source,
        };
        if access == Access::Write {
            create_private_directory(directory).map_err(io)?;
        } else if !directory.join(DATABASE_DIRECTORY).is_dir() {
            return Err(OpenError::NotALedger {
                path: directory.to_owned(),
            });
        }
        let lock = lock_exclusive(&directory.join(LOCK_FILE))?;
        let path = directory.join(DATABASE_DIRECTORY);
        let families = keys::FAMILIES.map(|family| (family, family_options()));
        let database = match access {
            Access::Write => DB::open_cf_with_opts(&database_options(), &path, families),
            Access::Read => {
                DB::open_cf_with_opts_for_read_only(&database_options(), &path, families, false)
            }
        }
        .map_err(StorageError::from)?;
        Ok(Self {
            database,
            _lock: lock,
        })
    }

    pub(crate) fn families(&self) -> Families<'_> {
        let family = |name| {
            self.database
                .cf_handle(name)
                .expect("every family was opened or created")
        };
        Families {
            entries: family(keys::FAMILY_ENTRIES),
            nodes: family(keys::FAMILY_NODES),
            records: family(keys::FAMILY_RECORDS),
        }
    }

    /// Writes a batch and returns when it is on the device. Readers see it only then: RocksDB puts a synced batch into its
    /// memory tables after the sync.
    pub(crate) fn commit(&self, batch: Batch<'_>) -> Result<(), StorageError> {
        let mut options = WriteOptions::default();
        options.set_sync(true);
        Ok(self.database.write_opt(batch.into_changes(), &options)?)
    }

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

    /// Moves everything from memory to table files, so that the write-ahead log is short at the next start.
    pub(crate) fn flush(&self) -> Result<(), StorageError> {
        let Families {
            entries,
            nodes,
            records,
        } = self.families();
        for family in [entries, nodes, records] {
            self.database.flush_cf(family)?;
        }
        Ok(())
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

/// The nodes of one log's tree, for proofs.
pub(crate) struct LogNodes<'store> {
    pub(crate) store: &'store Store,
    pub(crate) log: Digest,
}

impl NodeStore for LogNodes<'_> {
    fn node(&self, level: u8, index: u64) -> Option<NodeHash> {
        self.store.node(&self.log, level, index).ok().flatten()
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

fn database_options() -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    options.set_track_and_verify_wals_in_manifest(true);
    options.set_paranoid_checks(true);
    options.set_max_total_wal_size(WAL_SIZE_MAX);
    options.set_max_open_files(OPEN_FILES_MAX);
    options.set_max_background_jobs(2);
    options.set_log_level(LogLevel::Warn);
    options.set_max_log_file_size(INFO_LOG_SIZE_MAX);
    options.set_keep_log_file_num(INFO_LOG_COUNT_MAX);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    options
}

fn family_options() -> Options {
    let mut tables = BlockBasedOptions::default();
    tables.set_format_version(5);
    let mut options = Options::default();
    options.set_block_based_table_factory(&tables);
    options.set_compression_type(DBCompressionType::None);
    options.set_write_buffer_size(WRITE_BUFFER_SIZE);
    options
}

/// Memos can hold answers, so nobody else on the machine may read the directory.
fn create_private_directory(directory: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}
