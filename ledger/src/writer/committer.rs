//! The thread that writes and syncs: while the device works on one group, the owner thread puts the next one together.

use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rocksdb::WriteBatch;
use symphony_transparency::Digest;
use symphony_transparency::merkle::TreeHead;
use tokio::sync::mpsc::WeakSender;

use crate::command::Command;
use crate::error::{FatalError, LedgerError};
use crate::group::Done;
use crate::signing::SigningRecord;
use crate::store::Store;
use crate::tails::{Tail, Tails};

/// A group that is ready to be written.
pub(crate) struct Work {
    pub(crate) changes: WriteBatch,
    pub(crate) own: Option<Digest>,
    /// Logs that grew, each with its end after this group.
    pub(crate) grown: Vec<(Digest, TreeHead)>,
    pub(crate) forgotten: Vec<Digest>,
    /// What the signing record has to cover once the batch is written.
    pub(crate) to_record: Option<TreeHead>,
    pub(crate) after_sync: Vec<Done>,
    pub(crate) after_record: Vec<Done>,
}

/// What owner and committer share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) store: Arc<Store>,
    pub(crate) record: Arc<Mutex<Option<SigningRecord>>>,
    pub(crate) tails: Arc<Tails>,
    /// Why nothing more is written, once that is so.
    pub(crate) stopped: Arc<OnceLock<Arc<FatalError>>>,
}

impl Shared {
    /// The error that every later request gets, if writing has stopped.
    pub(crate) fn refusal(&self) -> Option<LedgerError> {
        self.stopped.get().map(|cause| LedgerError::Stopped {
            cause: Arc::clone(cause),
        })
    }

    /// From here on, every request that writes gets this error.
    pub(crate) fn stop(&self, error: impl Into<FatalError>) -> LedgerError {
        let cause = self.stopped.get_or_init(|| {
            let cause = Arc::new(error.into());
            tracing::error!(%cause, "the ledger stops writing; reads still work");
            cause
        });
        LedgerError::Stopped {
            cause: Arc::clone(cause),
        }
    }

    /// Runs on the signing record, if there is one.
    pub(crate) fn with_record<T>(&self, run: impl FnOnce(Option<&mut SigningRecord>) -> T) -> T {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        run(record.as_mut())
    }

    /// Commits each group, and says when it is done with it.
    pub(crate) fn run(
        self,
        work: &Receiver<Work>,
        done: &SyncSender<()>,
        owner: &WeakSender<Command>,
    ) {
        for group in work {
            self.commit(group);
            if done.send(()).is_err() {
                return;
            }
            // The owner may sleep. If its queue is full it does not, and looks at `done` before it does.
            if let Some(owner) = owner.upgrade() {
                let _ = owner.try_send(Command::Wake);
            }
        }
    }

    fn commit(&self, work: Work) {
        if let Some(error) = self.refusal() {
            work.answer_all(&Err(error));
            return;
        }
        let Work {
            changes,
            own,
            grown,
            forgotten,
            to_record,
            after_sync,
            after_record,
        } = work;
        if !changes.is_empty()
            && let Err(error) = self.store.commit(changes)
        {
            let error = self.stop(error);
            for done in after_sync.into_iter().chain(after_record) {
                done(Err(error.clone()));
            }
            return;
        }
        for log in forgotten {
            self.tails.end(&log);
        }
        for (log, head) in grown {
            if own == Some(log) {
                self.tails.publish_own(Tail { log, head });
            } else {
                self.tails.publish(&log, head);
            }
        }
        for done in after_sync {
            done(Ok(()));
        }
        let recorded = self.record_signing(own, to_record);
        for done in after_record {
            done(recorded.clone());
        }
    }

    fn record_signing(
        &self,
        own: Option<Digest>,
        to_record: Option<TreeHead>,
    ) -> Result<(), LedgerError> {
        let Some(head) = to_record else { return Ok(()) };
        let log = own.ok_or(LedgerError::NoOwnLog)?;
        let advanced = self.with_record(|record| {
            let record = record.ok_or(LedgerError::NoSigningRecord)?;
            let covered = record
                .signed(&log)
                .is_some_and(|recorded| recorded.size >= head.size);
            Ok::<_, LedgerError>(if covered {
                Ok(())
            } else {
                record.advance(&log, head)
            })
        })?;
        advanced.map_err(|error| self.stop(error))
    }
}

impl Work {
    fn answer_all(self, result: &Result<(), LedgerError>) {
        for done in self.after_sync.into_iter().chain(self.after_record) {
            done(result.clone());
        }
    }
}
