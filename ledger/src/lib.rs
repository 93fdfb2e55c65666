//! The durable log of one peer, and its copies of the logs that it follows.
//!
//! The ledger keeps exact entry bytes, in order, and never loses one that it acknowledged. It decides whether bytes continue
//! a log (index, previous digest, time) and whether a signature may be released; what an entry *means* is decided by
//! `symphony-protocol`. It never repairs, rewrites or drops entries, and it never signs.
//!
//! - [`Ledger`] is the handle: one thread checks all writes, another one writes and syncs many requests at once (group commit).
//! - [`LogReader`] reads one log: entries, ranges, roots and proofs.
//! - [`SigningRecord`] guards against forking one's own log after a restored backup.
//! - [`symlog`] is the portable file of a log; it needs no database.
//! - [`fsck`] checks a whole data directory offline and names each damage.
//!
//! Reads block the calling thread for a read of the device at most; in async code, long ones belong in `spawn_blocking`.
//!
//! Spec: chapter 15 (storage and export).
//!
//! ```
//! use prost::Message;
//! use symphony_ledger::{Ledger, OpenOptions};
//! use symphony_proto::log::v1::Entry;
//! use symphony_transparency::{Digest, Domain, digest};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let home = tempfile::tempdir()?;
//! let network = digest(Domain::NetworkId, b"canonical bytes of the network's parameters");
//! let options = OpenOptions::new(network).with_signing_record(home.path().join("signing-record"));
//! let (ledger, recovered) = Ledger::open(&home.path().join("data"), options)?;
//! assert!(recovered.own.is_none());
//!
//! // A real entry has a body; the ledger reads only its place.
//! let entry = Entry { index: 0, previous: Digest::ZERO.as_bytes().to_vec(), time_ms: 1, body: None }.encode_to_vec();
//! let appended = ledger.append(vec![entry.clone()]).await?;
//!
//! // Only now may a signature over this size and root be released.
//! ledger.record_signing(appended.head()).await?;
//! assert_eq!(ledger.own().expect("entry 0 began it").entry(0)?, Some(entry));
//! ledger.close().await?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })
//! # }
//! ```

mod aside;
mod batch;
mod check;
mod checkpoint;
mod command;
mod damage;
mod error;
mod export;
mod fsck;
mod group;
mod head;
mod import;
mod keys;
mod ledger;
mod link;
mod lock;
mod memo;
mod open;
mod reader;
mod signing;
mod standing;
mod store;
pub mod symlog;
mod tails;
mod writer;

pub use aside::put_aside;
pub use check::Damages;
pub use checkpoint::{CHECKPOINTS_COUNT_MAX, StoredCheckpoint};
pub use command::{APPEND_BYTES_MAX, APPEND_ENTRIES_MAX, Appended, HEAL_BYTES_MAX, Release};
pub use damage::{Damage, StorageError};
pub use error::{ErrorClass, FatalError, LedgerError, OpenError};
pub use export::{ExportAbout, ExportError};
pub use fsck::{FsckReport, LogCheck, fsck, fsck_with_progress};
pub use head::HeadError;
pub use import::{ImportError, ImportKind, Imported};
pub use ledger::{Ledger, Pending};
pub use link::{LinkError, follow, read_link};
pub use lock::LockError;
pub use memo::{MEMO_KEY_SIZE_MAX, MEMO_VALUE_SIZE_MAX, Memo, MemoError, MemoWrite};
pub use open::{MissingRecord, OpenOptions, Recovered, RecoveredLog};
pub use reader::{Entries, LogReader, PAGE_BYTES_MAX, Page};
pub use signing::{SIGNING_RECORD_LOGS_COUNT_MAX, SigningRecord, SigningRecordError};
pub use standing::Standing;
pub use symphony_transparency::ENTRY_SIZE_MAX;
pub use tails::Tail;
