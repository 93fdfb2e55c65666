//! The thread that owns everything written: it drains the queue, checks each request against the state that the requests
//! before it leave, and hands whole groups to the [committer](committer), which writes each in one batch, syncs once, and
//! answers all. While the device works, the next group grows.

mod committer;
mod plan;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use symphony_transparency::Digest;
use tokio::sync::mpsc;

use crate::command::{Command, Release, Reply};
use crate::damage::Damage;
use crate::error::{LedgerError, OpenError};
use crate::group::{Group, ToRecord};
use crate::head::Head;
use crate::open::Limits;
use crate::standing::Standing;

pub(crate) use committer::Shared;
use committer::Work;

/// The state that requests are checked against. It runs ahead of the device by the group that is written and the group in
/// the making; when a write fails it is worth nothing any more, and the ledger stops.
pub(crate) struct Writer {
    pub(crate) shared: Shared,
    pub(crate) network: Digest,
    pub(crate) limits: Limits,
    pub(crate) own: Option<Digest>,
    pub(crate) standing: Standing,
    pub(crate) heads: BTreeMap<Digest, Head>,
    pub(crate) damaged: BTreeMap<Digest, Damage>,
    pub(crate) checkpoint_sizes: BTreeMap<Digest, BTreeSet<u64>>,
}

/// The owner's end of the committer's thread.
pub(crate) struct Committer {
    work: SyncSender<Work>,
    done: Receiver<()>,
    busy: bool,
    thread: thread::JoinHandle<()>,
}

impl Committer {
    /// Starts the thread. It wakes the owner through `owner`, and ends with the owner.
    pub(crate) fn start(
        shared: Shared,
        owner: mpsc::WeakSender<Command>,
    ) -> Result<Self, OpenError> {
        // One group at a time: while it is written, all that arrives shares the next sync.
        let (work, groups) = sync_channel(1);
        let (finished, done) = sync_channel(1);
        let thread = thread::Builder::new()
            .name("symphony-commit".to_owned())
            .spawn(move || shared.run(&groups, &finished, &owner))
            .map_err(OpenError::Thread)?;
        Ok(Self {
            work,
            done,
            busy: false,
            thread,
        })
    }

    /// Whether a group is being written.
    fn is_busy(&mut self) -> bool {
        if self.busy && self.done.try_recv().is_ok() {
            self.busy = false;
        }
        self.busy
    }

    /// Waits until nothing is being written.
    fn wait(&mut self) {
        if self.busy {
            // An error means that the thread is gone, and so is its work.
            let _ = self.done.recv();
            self.busy = false;
        }
    }

    fn hand_over(&mut self, work: Work) {
        self.wait();
        // Without the thread, dropping the answers says that the ledger is closed.
        self.busy = self.work.send(work).is_ok();
    }

    fn end(mut self) {
        self.wait();
        drop(self.work);
        // A panic of the thread was answered by closing every request's channel.
        let _ = self.thread.join();
    }
}

impl Writer {
    /// Serves requests until it is told to close, or until nobody is left to ask.
    pub(crate) fn run(mut self, mut commands: mpsc::Receiver<Command>, mut committer: Committer) {
        let store = std::sync::Arc::clone(&self.shared.store);
        let mut closer = None;
        let mut group = Group::new(&store);
        while closer.is_none() {
            if !group.is_empty() && (group.is_full() || !committer.is_busy()) {
                committer.hand_over(self.work(group));
                group = Group::new(&store);
            }
            // Whatever waits joins the group; then sleep, till something comes or the committer is free.
            let command = match commands.try_recv() {
                Ok(command) => command,
                Err(_) if !group.is_empty() && !committer.is_busy() => continue,
                Err(_) => match commands.blocking_recv() {
                    Some(command) => command,
                    None => break,
                },
            };
            match command {
                Command::Close { reply } => closer = Some(reply),
                Command::Wake => {}
                command => {
                    group.count(command.bytes());
                    if needs_the_device(&command) || self.own.is_none() {
                        committer.wait();
                    }
                    self.plan(command, &mut group);
                }
            }
        }
        if !group.is_empty() {
            committer.hand_over(self.work(group));
        }
        committer.end();
        // What is still queued is answered too; nothing new comes in.
        commands.close();
        while let Some(command) = commands.blocking_recv() {
            command.refuse(LedgerError::Closed);
        }
        if self.shared.refusal().is_none()
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

    /// What the committer has to do for a group.
    fn work(&self, mut group: Group<'_>) -> Work {
        let mut grown = Vec::with_capacity(group.grown.len());
        for log in std::mem::take(&mut group.grown) {
            let head = self.head(&log);
            group.batch.put_head(&log, &head);
            grown.push((log, head.tree_head()));
        }
        let forgotten = group.forgotten.iter().copied().collect();
        let to_record = group.to_record.take().map(|tree| tree.head());
        let (batch, after_sync, after_record) = group.into_parts();
        Work {
            changes: batch.into_changes(),
            own: self.own,
            grown,
            forgotten,
            to_record,
            after_sync,
            after_record,
        }
    }

    fn plan(&mut self, command: Command, group: &mut Group<'_>) {
        if let Some(error) = self.shared.refusal() {
            command.refuse(error);
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
                    Release::Now => {
                        let tree = appended.tree.clone();
                        group.answer_after_record(reply, appended, ToRecord::Tree(tree));
                    }
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
                Ok(()) => group.answer_after_record(reply, (), ToRecord::Head(head)),
                Err(error) => drop(reply.send(Err(error))),
            },
            Command::Signed { log, reply } => {
                let signed = self
                    .shared
                    .with_record(|record| record.and_then(|record| record.signed(&log)));
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
            Command::Close { .. } | Command::Wake => {}
        }
    }

    fn head(&self, log: &Digest) -> Head {
        self.heads.get(log).cloned().unwrap_or_else(Head::empty)
    }
}

/// Whether a request is checked against what is stored, and not only against what the owner remembers.
fn needs_the_device(command: &Command) -> bool {
    matches!(
        command,
        Command::PutCheckpoint { .. }
            | Command::Heal { .. }
            | Command::Forget { .. }
            | Command::Signed { .. }
    )
}

fn answer<T: Send + 'static>(
    group: &mut Group<'_>,
    reply: Reply<T>,
    planned: Result<T, LedgerError>,
) {
    match planned {
        Ok(value) => group.answer_after_sync(reply, value),
        Err(error) => drop(reply.send(Err(error))),
    }
}
