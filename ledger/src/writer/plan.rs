//! How each request is checked, and what it puts into the batch. A request that is refused changes nothing.

use symphony_transparency::merkle::{NodeHash, TreeHead, root_at};
use symphony_transparency::{Digest, SignedCheckpoint, log_id};

use super::Writer;
use crate::checkpoint::{CHECKPOINTS_COUNT_MAX, StoredCheckpoint};
use crate::command::Appended;
use crate::damage::StorageError;
use crate::error::LedgerError;
use crate::group::Group;
use crate::head::Head;
use crate::link::LinkError;
use crate::memo::MemoWrite;
use crate::standing::Standing;
use crate::store::LogNodes;

impl Writer {
    pub(super) fn plan_append(
        &mut self,
        entries: &[Vec<u8>],
        memos: &[MemoWrite],
        group: &mut Group<'_>,
    ) -> Result<Appended, LedgerError> {
        let log = match (self.own, entries.first()) {
            (Some(log), _) => {
                self.standing.require_good(self.head(&log).size())?;
                log
            }
            (None, Some(entry_0)) => self.begin(entry_0)?,
            (None, None) => return Err(LedgerError::NoOwnLog),
        };
        let grown = grow(self.head(&log), entries)?;
        if self.own.is_none() {
            self.register(&log)?;
            self.own = Some(log);
            group.batch.put_own(&log);
        }
        memos.iter().for_each(|memo| group.batch.write_memo(memo));
        Ok(self.take(log, grown, entries, group))
    }

    /// The id of the log that begins with this entry, if this peer may begin it.
    fn begin(&self, entry_0: &[u8]) -> Result<Digest, LedgerError> {
        let log = log_id(entry_0);
        let recorded = self.recorded(&log)?;
        if self.heads.contains_key(&log) {
            return Err(LedgerError::OwnLog { log });
        }
        match recorded {
            Some(recorded) if recorded.size > 0 => Err(LedgerError::BehindSigningRecord {
                size: 0,
                recorded: recorded.size,
            }),
            _ => Ok(log),
        }
    }

    /// What the signing record says of a log.
    fn recorded(&self, log: &Digest) -> Result<Option<TreeHead>, LedgerError> {
        self.shared.with_record(|record| {
            let record = record.ok_or(LedgerError::NoSigningRecord)?;
            Ok(record.signed(log))
        })
    }

    /// Before entry 0 is written, the record knows the log: a log that it does not know is one whose record was lost.
    fn register(&mut self, log: &Digest) -> Result<(), LedgerError> {
        let registered = self.shared.with_record(|record| {
            let record = record.ok_or(LedgerError::NoSigningRecord)?;
            Ok::<_, LedgerError>(record.register(log))
        })?;
        if let Err(error) = registered {
            return Err(self.shared.stop(error));
        }
        self.standing = Standing::Good;
        Ok(())
    }

    pub(super) fn plan_heal(
        &mut self,
        entries: &[Vec<u8>],
        group: &mut Group<'_>,
    ) -> Result<Appended, LedgerError> {
        self.recorded(&Digest::ZERO)?;
        let log = match (self.own, entries.first()) {
            (Some(log), _) => log,
            (None, Some(entry_0)) => log_id(entry_0),
            (None, None) => return Err(LedgerError::NoOwnLog),
        };
        let before = self.head(&log);
        let recorded = self
            .recorded(&log)?
            .filter(|recorded| recorded.size > before.size());
        let recorded = recorded.ok_or(LedgerError::NothingToHeal)?;
        let grown = grow(before, entries)?;
        if grown.head.tree_head() != recorded {
            return Err(LedgerError::NotHealed {
                expected_size: recorded.size,
                actual_size: grown.head.size(),
            });
        }
        self.own = Some(log);
        self.standing = Standing::Good;
        group.batch.put_own(&log);
        Ok(self.take(log, grown, entries, group))
    }

    pub(super) fn plan_followed(
        &mut self,
        log: Digest,
        entries: &[Vec<u8>],
        group: &mut Group<'_>,
    ) -> Result<Appended, LedgerError> {
        if self.own == Some(log) {
            return Err(LedgerError::OwnLog { log });
        }
        if let Some(damage) = self.damaged.get(&log) {
            return Err(StorageError::Damaged {
                log,
                damage: damage.clone(),
            }
            .into());
        }
        if !self.heads.contains_key(&log) {
            let limit = self.limits.followed_logs_count_max;
            let followed = self.heads.len() - usize::from(self.own.is_some());
            if followed >= limit {
                return Err(LedgerError::TooManyLogs { limit });
            }
            let Some(entry_0) = entries.first() else {
                return Err(LedgerError::UnknownLog { log });
            };
            let actual = log_id(entry_0);
            if actual != log {
                return Err(LinkError::Log {
                    expected: log,
                    actual,
                }
                .into());
            }
        }
        let grown = grow(self.head(&log), entries)?;
        let limit = self.limits.followed_log_bytes_max;
        if grown.head.entries_bytes > limit {
            return Err(LedgerError::LogFull {
                log,
                limit,
                actual: grown.head.entries_bytes,
            });
        }
        Ok(self.take(log, grown, entries, group))
    }

    /// A root may be signed if the log is good and has it. Smaller sizes than recorded are no fork: it is the same log.
    pub(super) fn check_signing(&self, head: TreeHead) -> Result<(), LedgerError> {
        let log = self.own.ok_or(LedgerError::NoOwnLog)?;
        let current = self.head(&log);
        self.standing.require_good(current.size())?;
        let expected = if head.size == current.size() {
            current.root()
        } else {
            root_at(
                &LogNodes {
                    store: &self.shared.store,
                    log,
                },
                head.size,
            )?
        };
        if head.root != expected {
            return Err(LedgerError::WrongRoot {
                size: head.size,
                expected,
                actual: head.root,
            });
        }
        Ok(())
    }

    pub(super) fn plan_checkpoint(
        &mut self,
        signed: &SignedCheckpoint,
        group: &mut Group<'_>,
    ) -> Result<(), LedgerError> {
        let checkpoint = *signed.checkpoint();
        if checkpoint.network != self.network {
            return Err(LedgerError::CheckpointNetwork {
                expected: self.network,
                actual: checkpoint.network,
            });
        }
        let place = (checkpoint.log, checkpoint.size);
        let known = self.checkpoint_sizes.get(&checkpoint.log);
        if known.is_some_and(|sizes| sizes.contains(&checkpoint.size)) {
            let stored = match group.checkpoints.get(&place) {
                Some(stored) => Some(stored.clone()),
                None => self
                    .shared
                    .store
                    .checkpoint(&checkpoint.log, checkpoint.size)?,
            };
            if let Some(stored) = stored.filter(|stored| stored.checkpoint != checkpoint) {
                return Err(LedgerError::CheckpointConflict {
                    stored: Box::new(stored),
                });
            }
        }
        // Own and followed logs always have room; others only as many as could be followed.
        let limit = self.limits.followed_logs_count_max.saturating_mul(2);
        if known.is_none()
            && !self.heads.contains_key(&checkpoint.log)
            && self.checkpoint_sizes.len() >= limit
        {
            return Err(LedgerError::TooManyLogs { limit });
        }
        group.batch.put_checkpoint(signed);
        group.checkpoints.insert(
            place,
            StoredCheckpoint {
                checkpoint,
                text: signed.text(),
            },
        );
        let sizes = self.checkpoint_sizes.entry(checkpoint.log).or_default();
        sizes.insert(checkpoint.size);
        while sizes.len() > CHECKPOINTS_COUNT_MAX {
            let Some(oldest) = sizes.pop_first() else {
                break;
            };
            group.batch.delete_checkpoint(&checkpoint.log, oldest);
            group.checkpoints.remove(&(checkpoint.log, oldest));
        }
        Ok(())
    }

    pub(super) fn plan_forget(
        &mut self,
        log: Digest,
        group: &mut Group<'_>,
    ) -> Result<(), LedgerError> {
        if self.own == Some(log) {
            return Err(LedgerError::OwnLog { log });
        }
        group.batch.delete_log(&log);
        group.checkpoints.retain(|(of, _), _| *of != log);
        group.grown.remove(&log);
        group.forgotten.insert(log);
        self.heads.remove(&log);
        self.damaged.remove(&log);
        self.checkpoint_sizes.remove(&log);
        Ok(())
    }

    /// Puts checked entries and their nodes into the batch. The new head follows once for all that a group appends.
    fn take(
        &mut self,
        log: Digest,
        growth: Growth,
        entries: &[Vec<u8>],
        group: &mut Group<'_>,
    ) -> Appended {
        let Growth {
            first_index,
            head,
            nodes,
        } = growth;
        for (index, entry) in (first_index..).zip(entries) {
            group.batch.put_entry(&log, index, entry);
        }
        for (level, index, hash) in nodes {
            group.batch.put_node(&log, level, index, &hash);
        }
        group.forgotten.remove(&log);
        group.grown.insert(log);
        let appended = Appended {
            log,
            first_index,
            tree: head.tree.clone(),
        };
        self.heads.insert(log, head);
        appended
    }
}

/// What entries make of a log.
struct Growth {
    first_index: u64,
    head: Head,
    /// Level, index and hash of each node that the entries complete.
    nodes: Vec<(u8, u64, NodeHash)>,
}

/// Adds entries, each of which must continue the log; after an error nothing has changed.
fn grow(mut head: Head, entries: &[Vec<u8>]) -> Result<Growth, LedgerError> {
    let first_index = head.size();
    // Appending n leaves completes fewer than 2n nodes, and those of the levels that the log already had.
    let mut nodes = Vec::with_capacity(2 * entries.len());
    for entry in entries {
        head.push(entry, |level, index, hash| nodes.push((level, index, hash)))?;
    }
    Ok(Growth {
        first_index,
        head,
        nodes,
    })
}
