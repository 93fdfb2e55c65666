//! Checks a whole data directory while no node runs on it.

mod record;

use std::collections::BTreeMap;
use std::path::Path;

use symphony_transparency::Digest;
use symphony_transparency::merkle::TreeHead;

use crate::check::{Damages, check_log};
use crate::damage::{Damage, StorageError};
use crate::error::OpenError;
use crate::head::Head;
use crate::keys::{self, FORMAT_VERSION, ParsedKey};
use crate::store::{Access, Store};
use record::Record;

/// What a check of one log found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogCheck {
    /// Id of the log.
    pub log: Digest,
    /// Size and root that the head record states; `None` if it cannot be read.
    pub head: Option<TreeHead>,
    /// What is wrong with it.
    pub damages: Damages,
}

/// What a check of a data directory found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FsckReport {
    /// The network of the ledger; `None` if the directory was never used.
    pub network: Option<Digest>,
    /// This peer's own log.
    pub own: Option<Digest>,
    /// Each stored log, by id.
    pub logs: Vec<LogCheck>,
    /// Damage that belongs to no log: keys without a log, tables that cannot be read.
    pub elsewhere: Damages,
}

impl FsckReport {
    /// True if nothing is damaged.
    pub fn is_clean(&self) -> bool {
        self.elsewhere.is_empty() && self.logs.iter().all(|log| log.damages.is_empty())
    }

    /// Number of damages.
    pub fn damages_count(&self) -> u64 {
        let of_logs = self.logs.iter().map(|log| log.damages.count()).sum::<u64>();
        of_logs.saturating_add(self.elsewhere.count())
    }
}

/// Checks every entry, the chain, every node of the tree, the head and the checkpoints of every stored log, and that
/// nothing else lies in the tables. Changes nothing.
///
/// # Errors
/// [`OpenError`] if a node runs on the directory, there is no ledger in it, or its layout is of another version.
///
/// Spec: STORE-11.
pub fn fsck(directory: &Path) -> Result<FsckReport, OpenError> {
    fsck_with_progress(directory, None, &mut |_, _| {})
}

/// As [`fsck`]; with the path of a signing record, also checks that record, and that the own log has all that was signed.
/// Calls `progress(log, entries checked)` after each entry.
///
/// # Errors
/// As [`fsck`].
pub fn fsck_with_progress(
    directory: &Path,
    signing_record: Option<&Path>,
    progress: &mut dyn FnMut(&Digest, u64),
) -> Result<FsckReport, OpenError> {
    let record = signing_record.map(Record::inspect);
    let mut report = match Store::open(directory, Access::Read) {
        Ok(store) => check_store(&store, record.as_ref(), progress)?,
        Err(OpenError::Storage(StorageError::Database { reason })) => {
            let mut elsewhere = Damages::default();
            elsewhere.add(Damage::DatabaseUnreadable {
                file: file_in(&reason),
                reason,
            });
            FsckReport {
                network: None,
                own: None,
                logs: Vec::new(),
                elsewhere,
            }
        }
        Err(error) => return Err(error),
    };
    if let Some(record) = record {
        record
            .damages
            .into_iter()
            .for_each(|damage| report.elsewhere.add(damage));
    }
    Ok(report)
}

/// The file that the database names in its reason, if it names one.
fn file_in(reason: &str) -> Option<String> {
    reason
        .split(|letter: char| letter.is_whitespace() || letter == '/' || letter == ':')
        .map(|word| word.trim_end_matches([',', '.', ';']))
        .find(|word| {
            *word == "CURRENT"
                || word.starts_with("MANIFEST-")
                || word.starts_with("OPTIONS-")
                || word.split_once('.').is_some_and(|(number, kind)| {
                    number.chars().all(|letter| letter.is_ascii_digit())
                        && matches!(kind, "sst" | "log" | "blob")
                })
        })
        .map(str::to_owned)
}

fn check_store(
    store: &Store,
    record: Option<&Record>,
    progress: &mut dyn FnMut(&Digest, u64),
) -> Result<FsckReport, OpenError> {
    let mut elsewhere = Damages::default();
    let format = found_or_damaged(store.format(), &mut elsewhere).flatten();
    if let Some((actual, _)) = format
        && actual != FORMAT_VERSION
    {
        return Err(OpenError::Format {
            expected: FORMAT_VERSION,
            actual,
        });
    }
    let own = found_or_damaged(store.own(), &mut elsewhere).flatten();
    let mut heads = BTreeMap::new();
    let mut logs = Vec::new();
    for log in found_or_damaged(store.logs(), &mut elsewhere).unwrap_or_default() {
        let check = match store.head(&log) {
            Ok(Some(head)) => {
                let mut damages = check_log(store, &log, &head, 0, &mut |checked| {
                    progress(&log, checked)
                });
                if own == Some(log)
                    && let Some(record) = record
                {
                    record.compare(store, &log, &head, &mut damages);
                }
                let tree_head = head.tree_head();
                heads.insert(log, head);
                LogCheck {
                    log,
                    head: Some(tree_head),
                    damages,
                }
            }
            Ok(None) => continue,
            Err(error) => {
                let mut damages = Damages::default();
                damages.add(unreadable_head(error));
                LogCheck {
                    log,
                    head: None,
                    damages,
                }
            }
        };
        logs.push(check);
    }
    if let Some(own) = own
        && logs.iter().all(|log| log.log != own)
    {
        let mut damages = Damages::default();
        damages.add(Damage::HeadUnreadable {
            reason: "it is missing".to_owned(),
        });
        logs.push(LogCheck {
            log: own,
            head: None,
            damages,
        });
    }
    for family in keys::FAMILIES {
        check_keys(store, family, &heads, &mut elsewhere);
    }
    Ok(FsckReport {
        network: format.map(|(_, network)| network),
        own,
        logs,
        elsewhere,
    })
}

/// What a record outside the logs says; damage to it is listed, and the check goes on without it.
fn found_or_damaged<T>(read: Result<T, StorageError>, damages: &mut Damages) -> Option<T> {
    match read {
        Ok(found) => Some(found),
        Err(StorageError::Record { record }) => {
            damages.add(Damage::RecordUnreadable { record });
            None
        }
        Err(error) => {
            damages.add(crate::check::unreadable_table(&error));
            None
        }
    }
}

fn unreadable_head(error: StorageError) -> Damage {
    match error {
        StorageError::Damaged { damage, .. } => damage,
        other => Damage::HeadUnreadable {
            reason: other.to_string(),
        },
    }
}

/// Each key must have a known shape and belong to a log that reaches so far.
fn check_keys(
    store: &Store,
    family: &'static str,
    heads: &BTreeMap<Digest, Head>,
    damages: &mut Damages,
) {
    let size = |log: &Digest| heads.get(log).map_or(0, Head::size);
    for key in store.keys(family) {
        let key = match key {
            Ok(key) => key,
            Err(error) => {
                damages.add(Damage::TableUnreadable {
                    family,
                    reason: error.to_string(),
                });
                return;
            }
        };
        let belongs = match keys::parse(family, &key) {
            None => {
                damages.add(Damage::Strange {
                    family,
                    key: key.into_vec(),
                });
                continue;
            }
            Some(ParsedKey::Entry { log, index }) => index < size(&log),
            Some(ParsedKey::Node { log, level, index }) => {
                // The node covers the leaves index·2^level .. (index+1)·2^level, all of which must exist.
                let end = u128::from(index) + 1;
                level < 64 && (end << level) <= u128::from(size(&log))
            }
            Some(
                ParsedKey::Format
                | ParsedKey::Own
                | ParsedKey::Head { .. }
                | ParsedKey::Checkpoint { .. }
                | ParsedKey::Memo { .. },
            ) => true,
        };
        if !belongs {
            damages.add(Damage::Orphan {
                key: key.into_vec(),
            });
        }
    }
}
