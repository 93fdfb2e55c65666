//! The thread that owns everything written: it drains the queue, checks each request against the state that the requests
//! before it leave, writes one batch, syncs once, and answers all.

mod plan;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use symphony_transparency::Digest;
use symphony_transparency::merkle::TreeHead;
use tokio::sync::mpsc;

use crate::command::{Command, Release, Reply};
use crate::damage::Damage;
use crate::error::{FatalError, LedgerError};
use crate::group::Group;
use crate::head::Head;
use crate::open::Limits;
use crate::signing::SigningRecord;
use crate::standing::Standing;
use crate::store::Store;
use crate::tails::{Tail, Tails};

/// The state that requests are checked against. It runs ahead of the device by the group in the making; when a write fails
/// it is worth nothing any more, and the ledger stops.
pub(crate) struct Writer {
    pub(crate) store: Arc<Store>,
    pub(crate) network: Digest,
    pub(crate) limits: Limits,
    pub(crate) own: Option<Digest>,
    pub(crate) standing: Standing,
    pub(crate) record: Option<SigningRecord>,
    pub(crate) heads: BTreeMap<Digest, Head>,
    pub(crate) damaged: BTreeMap<Digest, Damage>,
    pub(crate) checkpoint_sizes: BTreeMap<Digest, BTreeSet<u64>>,
    pub(crate) tails: Arc<Tails>,
    pub(crate) stopped: Option<Arc<FatalError>>,
}

impl Writer {
    /// Serves requests until it is told to close, or until nobody is left to ask.
    pub(crate) fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let store = Arc::clone(&self.store);
        let mut closer = None;
        while closer.is_none() {
            let Some(first) = commands.blocking_recv() else {
                break;
            };
            let mut group = Group::new(&store);
            let mut next = Some(first);
            while let Some(command) = next.take() {
                if let Command::Close { reply } = command {
                    closer = Some(reply);
                    break;
                }
                group.count(command.bytes());
                self.plan(command, &mut group);
                if !group.is_full() {
                    next = commands.try_recv().ok();
                }
            }
            self.commit(group);
        }
        // What is still queued is answered too; nothing new comes in.
        commands.close();
        while let Some(command) = commands.blocking_recv() {
            command.refuse(LedgerError::Closed);
        }
        if self.stopped.is_none()
            && let Err(error) = store.flush()
        {
            tracing::warn!(%error, "could not flush on close; the next start replays the write-ahead log");
        }
        // The lock must be free when the closer is answered.
        drop(store);
        drop(self);
        if let Some(closer) = closer {
            // A caller that went away needs no answer.
            let _ = closer.send(());
        }
    }

    fn plan(&mut self, command: Command, group: &mut Group<'_>) {
        if let Some(cause) = &self.stopped {
            command.refuse(LedgerError::Stopped {
                cause: Arc::clone(cause),
            });
            return;
        }
        match command {
            Command::Append {
                entries,
                memos,
                release,
                reply,
            } => match self.plan_append(&entries, &memos, group) {
                Ok(appended) => match release {
                    Release::Later => group.answer_after_sync(reply, appended),
                    Release::Now => group.answer_after_record(reply, appended, appended.head),
                },
                Err(error) => drop(reply.send(Err(error))),
            },
            Command::Heal { entries, reply } => {
                let planned = self.plan_heal(&entries, group);
                answer(group, reply, planned);
            }
            Command::AppendFollowed {
                log,
                entries,
                reply,
            } => {
                let planned = self.plan_followed(log, &entries, group);
                answer(group, reply, planned);
            }
            Command::RecordSigning { head, reply } => match self.check_signing(head) {
                Ok(()) => group.answer_after_record(reply, (), head),
                Err(error) => drop(reply.send(Err(error))),
            },
            Command::Signed { log, reply } => {
                let signed = self.record.as_ref().and_then(|record| record.signed(&log));
                // A caller that went away needs no answer.
                drop(reply.send(Ok(signed)));
            }
            Command::PutCheckpoint { signed, reply } => {
                let planned = self.plan_checkpoint(&signed, group);
                answer(group, reply, planned);
            }
            Command::WriteMemos { memos, reply } => {
                memos.iter().for_each(|memo| group.batch.write_memo(memo));
                group.answer_after_sync(reply, ());
            }
            Command::Forget { log, reply } => {
                let planned = self.plan_forget(log, group);
                answer(group, reply, planned);
            }
            Command::Close { .. } => {}
        }
    }

    fn commit(&mut self, group: Group<'_>) {
        let grown = group.grown.clone();
        let forgotten = group.forgotten.clone();
        let to_record = group.to_record;
        let (batch, after_sync, after_record) = group.into_parts();
        if !batch.is_empty()
            && let Err(error) = self.store.commit(batch)
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
        for log in grown {
            let head = self.head(&log).tree_head();
            if self.own == Some(log) {
                self.tails.publish_own(Tail { log, head });
            } else {
                self.tails.publish(&log, head);
            }
        }
        for done in after_sync {
            done(Ok(()));
        }
        let recorded = self.record_signing(to_record);
        for done in after_record {
            done(recorded.clone());
        }
    }

    fn record_signing(&mut self, to_record: Option<TreeHead>) -> Result<(), LedgerError> {
        let Some(head) = to_record else { return Ok(()) };
        let log = self.own.ok_or(LedgerError::NoOwnLog)?;
        let record = self.record.as_mut().ok_or(LedgerError::NoSigningRecord)?;
        if record
            .signed(&log)
            .is_some_and(|recorded| recorded.size >= head.size)
        {
            return Ok(());
        }
        match record.advance(&log, head) {
            Ok(()) => Ok(()),
            Err(error) => Err(self.stop(error)),
        }
    }

    /// From here on, every request that writes gets this error.
    fn stop(&mut self, error: impl Into<FatalError>) -> LedgerError {
        let cause = Arc::new(error.into());
        tracing::error!(%cause, "the ledger stops writing; reads still work");
        self.stopped = Some(Arc::clone(&cause));
        LedgerError::Stopped { cause }
    }

    fn head(&self, log: &Digest) -> Head {
        self.heads.get(log).cloned().unwrap_or_else(Head::empty)
    }
}

fn answer<T: 'static>(group: &mut Group<'_>, reply: Reply<T>, planned: Result<T, LedgerError>) {
    match planned {
        Ok(value) => group.answer_after_sync(reply, value),
        Err(error) => drop(reply.send(Err(error))),
    }
}
