//! Opening a ledger: what must be right before anything is written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use symphony_transparency::merkle::TreeHead;
use symphony_transparency::{ChainEnd, Digest};

use crate::batch::Batch;
use crate::check::{Damages, check_log};
use crate::damage::{Damage, StorageError};
use crate::error::OpenError;
use crate::head::Head;
use crate::keys::FORMAT_VERSION;
use crate::signing::SigningRecord;
use crate::standing::Standing;
use crate::store::{Access, Store};

/// What to do when the log has entries that the signing record does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingRecord {
    /// Refuse to open: the record was lost, and a backup of the data directory may be what is left.
    Refuse,
    /// Take the stored log as all that was ever signed. Only its operator can know that.
    Adopt,
}

/// How a ledger is opened. All of it is local: nothing here changes what an entry means.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// The network; a ledger belongs to one.
    pub network: Digest,
    /// The signing record, which should lie outside of what is backed up with the data. Without one, the ledger follows
    /// other peers and has no log of its own.
    pub signing_record: Option<PathBuf>,
    /// What to do when the signing record does not know the log.
    pub missing_record: MissingRecord,
    /// Entries at the end of each log that are checked against chain, tree and head; `u64::MAX` checks all.
    pub entries_checked_max: u64,
    /// Most logs of other peers.
    pub followed_logs_count_max: usize,
    /// Most bytes of entries of one other peer's log.
    pub followed_log_bytes_max: u64,
    /// Requests that may wait for the owner thread; more wait in their callers.
    pub queue_length: usize,
}

impl OpenOptions {
    /// The defaults: 64 checked entries, 1,024 followed logs of 1 GiB each, a queue of 1,024 requests, no signing record.
    pub fn new(network: Digest) -> Self {
        Self {
            network,
            signing_record: None,
            missing_record: MissingRecord::Refuse,
            entries_checked_max: 64,
            followed_logs_count_max: 1024,
            followed_log_bytes_max: 1 << 30,
            queue_length: 1024,
        }
    }

    /// Sets the path of the signing record.
    #[must_use]
    pub fn with_signing_record(mut self, path: impl Into<PathBuf>) -> Self {
        self.signing_record = Some(path.into());
        self
    }

    /// Checks every entry of every log on opening.
    #[must_use]
    pub fn checking_everything(mut self) -> Self {
        self.entries_checked_max = u64::MAX;
        self
    }
}

/// A log that was found on opening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveredLog {
    /// Id of the log.
    pub log: Digest,
    /// Size and root.
    pub head: TreeHead,
    /// The end that the next entry must continue.
    pub chain: ChainEnd,
    /// How many entries at its end were checked.
    pub entries_checked: u64,
}

/// What was found on opening. Nothing was repaired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// This peer's own log, if it has begun one. It is intact as far as it was checked; a damaged one does not open.
    pub own: Option<RecoveredLog>,
    /// Whether this peer may go on with its log.
    pub standing: Standing,
    /// Intact logs of other peers, by id.
    pub followed: Vec<RecoveredLog>,
    /// Damaged logs of other peers: they take no more entries. Forget and fetch them anew.
    pub damaged: Vec<(Digest, Damages)>,
    /// Logs that were signed by this peer and are not its own log now: retired ones, or one whose data is lost.
    pub other_signed_logs: Vec<(Digest, TreeHead)>,
}

/// The limits on other peers' logs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) followed_logs_count_max: usize,
    pub(crate) followed_log_bytes_max: u64,
}

/// Everything that the owner thread begins with.
pub(crate) struct Opened {
    pub(crate) store: Store,
    pub(crate) record: Option<SigningRecord>,
    pub(crate) own: Option<Digest>,
    pub(crate) heads: BTreeMap<Digest, Head>,
    pub(crate) checkpoint_sizes: BTreeMap<Digest, BTreeSet<u64>>,
    pub(crate) recovered: Recovered,
}

pub(crate) fn open(directory: &Path, options: &OpenOptions) -> Result<Opened, OpenError> {
    let store = Store::open(directory, Access::Write)?;
    check_format(&store, &options.network)?;
    let mut record = match &options.signing_record {
        Some(path) => Some(SigningRecord::open(path, &options.network)?),
        None => None,
    };

    let own = store.own()?;
    let mut heads = BTreeMap::new();
    let mut recovered = Recovered {
        own: None,
        standing: if record.is_some() {
            Standing::Good
        } else {
            Standing::Unrecorded
        },
        followed: Vec::new(),
        damaged: Vec::new(),
        other_signed_logs: Vec::new(),
    };
    for log in store.logs()? {
        let head = match store.head(&log) {
            Ok(Some(head)) => head,
            Ok(None) => continue,
            Err(StorageError::Damaged { damage, .. }) if own != Some(log) => {
                let mut damages = Damages::default();
                damages.add(damage);
                recovered.damaged.push((log, damages));
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let first = head.size().saturating_sub(options.entries_checked_max);
        let damages = check_log(&store, &log, &head, first, &mut |_| {});
        let found = RecoveredLog {
            log,
            head: head.tree_head(),
            chain: head.chain,
            entries_checked: head.size() - first,
        };
        if own == Some(log) {
            if let Some(damage) = damages.listed().first() {
                return Err(StorageError::Damaged {
                    log,
                    damage: damage.clone(),
                }
                .into());
            }
            recovered.own = Some(found);
        } else if damages.is_empty() {
            recovered.followed.push(found);
        } else {
            recovered.damaged.push((log, damages));
        }
        heads.insert(log, head);
    }

    if let Some(log) = own {
        let Some(head) = heads.get(&log) else {
            let damage = Damage::HeadUnreadable {
                reason: "it is missing".to_owned(),
            };
            return Err(StorageError::Damaged { log, damage }.into());
        };
        if let Some(record) = &mut record {
            recovered.standing = standing(&store, &log, head, record, options.missing_record)?;
        }
    }
    if let Some(record) = &record {
        recovered.other_signed_logs = record
            .logs()
            .filter(|(log, _)| own != Some(**log))
            .map(|(log, head)| (*log, *head))
            .collect();
    }
    let checkpoint_sizes = store.all_checkpoint_sizes()?;
    Ok(Opened {
        store,
        record,
        own,
        heads,
        checkpoint_sizes,
        recovered,
    })
}

fn check_format(store: &Store, network: &Digest) -> Result<(), OpenError> {
    match store.format()? {
        None => {
            let mut batch = Batch::new(store);
            batch.put_format(network);
            Ok(store.commit(batch.into_changes())?)
        }
        Some((actual, _)) if actual != FORMAT_VERSION => Err(OpenError::Format {
            expected: FORMAT_VERSION,
            actual,
        }),
        Some((_, actual)) if actual != *network => Err(OpenError::OtherNetwork {
            expected: *network,
            actual,
        }),
        Some(_) => Ok(()),
    }
}

fn standing(
    store: &Store,
    log: &Digest,
    head: &Head,
    record: &mut SigningRecord,
    missing: MissingRecord,
) -> Result<Standing, OpenError> {
    if record.signed(log).is_none() {
        match missing {
            MissingRecord::Refuse => {
                return Err(OpenError::SigningRecordMissing {
                    log: *log,
                    size: head.size(),
                });
            }
            MissingRecord::Adopt => record.advance(log, head.tree_head())?,
        }
    }
    Ok(Standing::of(store, log, head, record))
}
