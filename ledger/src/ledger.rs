//! The handle through which everything is asked.

mod reads;

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::thread;

use symphony_transparency::merkle::TreeHead;
use symphony_transparency::{Digest, SignedCheckpoint};
use tokio::sync::{mpsc, oneshot};

use crate::command::{
    APPEND_BYTES_MAX, APPEND_ENTRIES_MAX, Appended, Command, HEAL_BYTES_MAX, Release, Reply,
};
use crate::error::{LedgerError, OpenError};
use crate::memo::MemoWrite;
use crate::open::{self, Limits, OpenOptions, Opened, Recovered};
use crate::store::Store;
use crate::tails::{Tail, Tails};
use crate::writer::{Committer, Shared, Writer};

/// A handle to an open ledger. Clones share it; the data directory is free again when it was [closed](Ledger::close) and
/// all clones and readers are dropped.
///
/// Writes go to one owner thread, in the order in which they are queued, and are answered when they are on the device. A
/// future that is dropped before it was queued asked for nothing; one that is dropped later leaves its request running.
#[derive(Clone)]
pub struct Ledger {
    owner: Arc<Owner>,
    store: Arc<Store>,
    tails: Arc<Tails>,
    network: Digest,
}

/// The way to the owner thread. Dropping the last handle waits for the thread's end: a process that went on to exit while
/// RocksDB's threads still ran would be aborted by them.
struct Owner {
    commands: Option<mpsc::Sender<Command>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Owner {
    fn commands(&self) -> &mpsc::Sender<Command> {
        self.commands.as_ref().expect("only drop takes it away")
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // Without a sender left, the thread finishes what is queued and ends.
        drop(self.commands.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was answered by closing every request's channel.
            let _ = thread.join();
        }
    }
}

/// The answer to a queued request: resolves when the request is on the device, or was refused. Dropping it does not take the
/// request back.
#[derive(Debug)]
#[must_use = "a request that is not waited for may have been refused"]
pub struct Pending<T>(oneshot::Receiver<Result<T, LedgerError>>);

impl<T> Future for Pending<T> {
    type Output = Result<T, LedgerError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0)
            .poll(context)
            .map(|answer| answer.unwrap_or(Err(LedgerError::Closed)))
    }
}

impl Ledger {
    /// Opens the ledger of a data directory, and makes one where there is none.
    ///
    /// The caller becomes its only owner. The end of each log is checked; nothing is repaired. Blocks while RocksDB replays
    /// its write-ahead log (at most 64 MiB).
    ///
    /// # Errors
    /// [`OpenError`]; nothing was changed.
    ///
    /// Spec: STORE-8, STORE-9, STORE-10, STORE-14.
    pub fn open(directory: &Path, options: OpenOptions) -> Result<(Self, Recovered), OpenError> {
        let Opened {
            store,
            record,
            own,
            heads,
            checkpoint_sizes,
            recovered,
        } = open::open(directory, &options)?;
        let store = Arc::new(store);
        let tail = recovered.own.as_ref().map(|own| Tail {
            log: own.log,
            head: own.head,
        });
        let tails = Arc::new(Tails::new(tail));
        let damaged = recovered
            .damaged
            .iter()
            .filter_map(|(log, damages)| Some((*log, damages.listed().first()?.clone())))
            .collect();
        let shared = Shared {
            store: Arc::clone(&store),
            record: Arc::new(Mutex::new(record)),
            tails: Arc::clone(&tails),
            stopped: Arc::default(),
        };
        let (commands, queue) = mpsc::channel(options.queue_length.max(1));
        let committer = Committer::start(shared.clone(), commands.downgrade())?;
        let writer = Writer {
            shared,
            network: options.network,
            limits: Limits {
                followed_logs_count_max: options.followed_logs_count_max,
                followed_log_bytes_max: options.followed_log_bytes_max,
            },
            own,
            standing: recovered.standing,
            heads,
            damaged,
            checkpoint_sizes,
        };
        let thread = thread::Builder::new()
            .name("symphony-ledger".to_owned())
            .spawn(move || writer.run(queue, committer))
            .map_err(OpenError::Thread)?;
        let owner = Owner {
            commands: Some(commands),
            thread: Some(thread),
        };
        Ok((
            Self {
                owner: Arc::new(owner),
                store,
                tails,
                network: options.network,
            },
            recovered,
        ))
    }

    /// The network that the ledger belongs to.
    pub fn network(&self) -> &Digest {
        &self.network
    }

    /// Queues entries for this peer's own log, together with memos, and returns once they are queued.
    ///
    /// Each entry must state the next index, its predecessor and a time not before it. Entries of one request are
    /// contiguous and become durable together, with the memos. So a caller that queues in order may prepare the next
    /// entries while these are synced.
    ///
    /// # Errors
    /// Here: [`LedgerError::RequestTooLarge`], [`LedgerError::Memo`], [`LedgerError::Closed`]. From the answer:
    /// [`LedgerError::Link`], [`LedgerError::BehindSigningRecord`], [`LedgerError::Diverged`],
    /// [`LedgerError::NoSigningRecord`], [`LedgerError::Stopped`].
    ///
    /// Spec: STORE-6, STORE-7.
    pub async fn submit(
        &self,
        entries: Vec<Vec<u8>>,
        memos: Vec<MemoWrite>,
        release: Release,
    ) -> Result<Pending<Appended>, LedgerError> {
        let command = |reply| Command::Append {
            entries,
            memos,
            release,
            reply,
        };
        self.queue(command).await
    }

    /// Appends entries to this peer's own log; resolves when they are on the device.
    ///
    /// # Errors
    /// As [`Ledger::submit`].
    pub async fn append(&self, entries: Vec<Vec<u8>>) -> Result<Appended, LedgerError> {
        self.submit(entries, Vec::new(), Release::Later)
            .await?
            .await
    }

    /// Appends entries and changes memos, both or neither.
    ///
    /// # Errors
    /// As [`Ledger::submit`].
    pub async fn append_with(
        &self,
        entries: Vec<Vec<u8>>,
        memos: Vec<MemoWrite>,
    ) -> Result<Appended, LedgerError> {
        self.submit(entries, memos, Release::Later).await?.await
    }

    /// Appends entries and changes memos, and covers them in the signing record: when this resolves, statements in the
    /// entries and a checkpoint over them may be released. Costs a second sync, which all requests of a group share.
    ///
    /// # Errors
    /// As [`Ledger::submit`].
    pub async fn append_for_release(
        &self,
        entries: Vec<Vec<u8>>,
        memos: Vec<MemoWrite>,
    ) -> Result<Appended, LedgerError> {
        self.submit(entries, memos, Release::Now).await?.await
    }

    /// Notes that this size and root of this peer's own log are about to be signed; resolves when that is on the device.
    /// Only then may the signature leave the process. Requests that wait together share one sync.
    ///
    /// # Errors
    /// [`LedgerError::WrongRoot`] or [`LedgerError::Proof`] if the log does not have that root;
    /// [`LedgerError::BehindSigningRecord`], [`LedgerError::Diverged`], [`LedgerError::NoSigningRecord`],
    /// [`LedgerError::NoOwnLog`], [`LedgerError::Stopped`], [`LedgerError::Closed`].
    ///
    /// Spec: STORE-12.
    pub async fn record_signing(&self, head: TreeHead) -> Result<(), LedgerError> {
        self.queue(|reply| Command::RecordSigning { head, reply })
            .await?
            .await
    }

    /// Highest size and root of a log in the signing record; size 0 if it was begun and nothing signed, nothing if this peer
    /// never began it.
    ///
    /// # Errors
    /// [`LedgerError::Stopped`], [`LedgerError::Closed`].
    ///
    /// Spec: STORE-12.
    pub async fn signed(&self, log: Digest) -> Result<Option<TreeHead>, LedgerError> {
        self.queue(|reply| Command::Signed { log, reply })
            .await?
            .await
    }

    /// Gives this peer's own log back the entries that a restored backup lacks, from copies that others hold: all from the
    /// log's end to exactly the size in the signing record. They are taken only if they lead to the root that was signed.
    ///
    /// # Errors
    /// [`LedgerError::NotHealed`], [`LedgerError::NothingToHeal`], [`LedgerError::Link`],
    /// [`LedgerError::RequestTooLarge`] beyond [`HEAL_BYTES_MAX`], [`LedgerError::NoSigningRecord`],
    /// [`LedgerError::Stopped`], [`LedgerError::Closed`].
    ///
    /// Spec: STORE-14.
    pub async fn heal(&self, entries: Vec<Vec<u8>>) -> Result<Appended, LedgerError> {
        self.queue(|reply| Command::Heal { entries, reply })
            .await?
            .await
    }

    /// Appends entries to the copy of another peer's log, which begins with its entry 0. The caller has judged them; here
    /// only their order is checked.
    ///
    /// # Errors
    /// [`LedgerError::Link`] (the author's fault, or that of whoever sent them), [`LedgerError::LogFull`],
    /// [`LedgerError::TooManyLogs`], [`LedgerError::UnknownLog`] for no entries of a log that is not stored,
    /// [`LedgerError::OwnLog`], [`LedgerError::Read`] for a damaged copy, [`LedgerError::RequestTooLarge`],
    /// [`LedgerError::Stopped`], [`LedgerError::Closed`].
    ///
    /// Spec: STORE-17.
    pub async fn append_followed(
        &self,
        log: Digest,
        entries: Vec<Vec<u8>>,
    ) -> Result<Appended, LedgerError> {
        self.queue(|reply| Command::AppendFollowed {
            log,
            entries,
            reply,
        })
        .await?
        .await
    }

    /// Drops everything stored of another peer's log, its checkpoints included.
    ///
    /// # Errors
    /// [`LedgerError::OwnLog`], [`LedgerError::Stopped`], [`LedgerError::Closed`].
    pub async fn forget(&self, log: Digest) -> Result<(), LedgerError> {
        self.queue(|reply| Command::Forget { log, reply })
            .await?
            .await
    }

    /// Keeps a verified checkpoint, of this peer's own log or of any other's. The same checkpoint with other cosignatures
    /// replaces the stored one; of each log the largest [`CHECKPOINTS_COUNT_MAX`](crate::CHECKPOINTS_COUNT_MAX) stay.
    ///
    /// # Errors
    /// [`LedgerError::CheckpointConflict`] with the stored one, if both are of one size and differ;
    /// [`LedgerError::CheckpointNetwork`], [`LedgerError::TooManyLogs`], [`LedgerError::Stopped`],
    /// [`LedgerError::Closed`].
    ///
    /// Spec: STORE-18.
    pub async fn put_checkpoint(&self, signed: SignedCheckpoint) -> Result<(), LedgerError> {
        let signed = Box::new(signed);
        self.queue(|reply| Command::PutCheckpoint { signed, reply })
            .await?
            .await
    }

    /// Changes memos, all or none.
    ///
    /// # Errors
    /// [`LedgerError::Memo`], [`LedgerError::RequestTooLarge`], [`LedgerError::Stopped`], [`LedgerError::Closed`].
    pub async fn write_memos(&self, memos: Vec<MemoWrite>) -> Result<(), LedgerError> {
        self.queue(|reply| Command::WriteMemos { memos, reply })
            .await?
            .await
    }

    /// Finishes what is queued, flushes, and stops the owner thread. Later requests of clones get
    /// [`LedgerError::Closed`]; the directory is free as soon as clones and readers are dropped, too.
    ///
    /// # Errors
    /// [`LedgerError::Closed`] if a clone was closed before.
    pub async fn close(self) -> Result<(), LedgerError> {
        let (reply, answer) = oneshot::channel();
        self.owner
            .commands()
            .send(Command::Close { reply })
            .await
            .map_err(|_| LedgerError::Closed)?;
        answer.await.map_err(|_| LedgerError::Closed)
    }

    async fn queue<T>(
        &self,
        command: impl FnOnce(Reply<T>) -> Command,
    ) -> Result<Pending<T>, LedgerError> {
        let (reply, answer) = oneshot::channel();
        let command = command(reply);
        check_request(&command)?;
        self.owner
            .commands()
            .send(command)
            .await
            .map_err(|_| LedgerError::Closed)?;
        Ok(Pending(answer))
    }
}

/// Limits are checked before anything is queued, so that the queue's memory is bounded.
fn check_request(command: &Command) -> Result<(), LedgerError> {
    let (entries, entries_limit, bytes_limit) = match command {
        Command::Append { entries, .. } | Command::AppendFollowed { entries, .. } => {
            (entries.len(), APPEND_ENTRIES_MAX, APPEND_BYTES_MAX)
        }
        Command::Heal { entries, .. } => (entries.len(), usize::MAX, HEAL_BYTES_MAX),
        _ => (0, 0, APPEND_BYTES_MAX),
    };
    let bytes = command.bytes();
    if entries > entries_limit || bytes > bytes_limit {
        return Err(LedgerError::RequestTooLarge {
            entries,
            bytes,
            entries_limit,
            bytes_limit,
        });
    }
    if let Command::Append { memos, .. } | Command::WriteMemos { memos, .. } = command {
        memos.iter().try_for_each(MemoWrite::check)?;
    }
    Ok(())
}
