//! The database: how it is opened, one durable write, and typed reads.

mod reads;

use std::fs::{DirBuilder, File};
use std::path::Path;

use rocksdb::{
    BlockBasedOptions, ColumnFamily, DB, DBCompressionType, DBRecoveryMode, LogLevel, Options,
    WriteBatch, WriteOptions,
};
use symphony_transparency::Digest;
use symphony_transparency::merkle::{NodeHash, NodeStore};

use crate::damage::StorageError;
use crate::error::OpenError;
use crate::keys;
use crate::lock::lock_exclusive;

/// File in the data directory whose lock makes one process the owner.
pub(crate) const LOCK_FILE: &str = "ledger.lock";
/// Directory of RocksDB inside the data directory.
pub(crate) const DATABASE_DIRECTORY: &str = "database";

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
        if access == Access::Write && has_lost_current(&path).map_err(io)? {
            return Err(StorageError::Database {
                reason: "CURRENT is missing, but tables or write-ahead logs are there".to_owned(),
            }
            .into());
        }
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
    pub(crate) fn commit(&self, changes: WriteBatch) -> Result<(), StorageError> {
        let mut options = WriteOptions::default();
        options.set_sync(true);
        Ok(self.database.write_opt(changes, &options)?)
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

/// Whether the file is gone that says which files count, but not the data. RocksDB would begin an empty database there and
/// remove the data as left over. A creation that was cut short leaves neither. Spec: STORE-10.
fn has_lost_current(database: &Path) -> std::io::Result<bool> {
    if !database.is_dir() || database.join("CURRENT").exists() {
        return Ok(false);
    }
    for item in std::fs::read_dir(database)? {
        let name = item?.file_name();
        let name = name.to_string_lossy();
        if name.ends_with(".sst") || name.ends_with(".log") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Memos can hold answers, so nobody else on the machine may read the directory.
fn create_private_directory(directory: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}
