//! Preparing entries on all cores, ahead of their turn.
//!
//! Roles: one thread reads batches of entries; one for each further core prepares them ([`PreparedEntry`]: decoding,
//! signatures, digests); the caller takes them in order, and prepares too while the next in order is not ready, so that as
//! many threads work as there are cores, and no more. Properties: the caller sees what one thread would give it, in the same
//! order, so the first fault by index is the one that is found, whoever prepared it; at most [`BATCHES_AHEAD_PER_THREAD`]
//! batches a core are in memory, however long the log is; when the caller stops, everything stops.

use std::{
    num::NonZero,
    ops::ControlFlow,
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, TryRecvError, sync_channel},
    },
    thread,
};

use symphony_protocol::{PreparedEntry, records::Signatures};
use symphony_transparency::Digest;

/// Entries that one thread prepares at a time: some tenths of a millisecond of signatures. Handing over costs little beside
/// it, and at the log's end, where one thread may have a batch and the others none, little is lost.
const BATCH_ENTRIES: usize = 16;
/// Batches in memory for each core: one at work, and some ready.
const BATCHES_AHEAD_PER_THREAD: usize = 16;

/// Entries to prepare, and where they go.
struct Job {
    entries: Vec<Vec<u8>>,
    prepared: SyncSender<Vec<PreparedEntry>>,
}

/// Calls `take` with each entry that `read` gives, prepared, in order, until `read` gives none or `take` breaks. `read` is
/// called on another thread, and a little ahead.
///
/// # Errors
/// What `read` fails with, after every entry before it was taken.
pub fn prepare_ahead<E: Send>(
    network: &Digest,
    signatures: Signatures,
    read: impl FnMut() -> Result<Option<Vec<u8>>, E> + Send,
    take: impl FnMut(PreparedEntry) -> ControlFlow<()>,
) -> Result<(), E> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    prepare_on(threads, network, signatures, read, take)
}

fn prepare_on<E: Send>(
    threads: usize,
    network: &Digest,
    signatures: Signatures,
    read: impl FnMut() -> Result<Option<Vec<u8>>, E> + Send,
    mut take: impl FnMut(PreparedEntry) -> ControlFlow<()>,
) -> Result<(), E> {
    let ahead = BATCHES_AHEAD_PER_THREAD * threads;
    let (jobs, waiting) = sync_channel::<Job>(ahead);
    let (order, mut in_order) = sync_channel(ahead);
    let waiting = Mutex::new(waiting);
    thread::scope(|scope| {
        let reading = scope.spawn(move || read_batches(read, &jobs, &order));
        // At least one: the caller that waits for a batch may find none to prepare.
        for _ in 0..(threads - 1).max(1) {
            scope.spawn(|| prepare_batches(&waiting, network, signatures));
        }
        let help = || {
            // Who holds the lock waits for a batch, so there is none.
            let job = waiting.try_lock().ok()?.try_recv().ok()?;
            job.prepare(network, signatures);
            Some(())
        };
        take_batches(&mut in_order, &help, &mut take);
        // The reader that waits for room sees that nobody takes any more; so do those who prepare.
        drop(in_order);
        reading
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Reads batches, and hands each to whoever is free and its place to the caller.
fn read_batches<E>(
    mut read: impl FnMut() -> Result<Option<Vec<u8>>, E>,
    jobs: &SyncSender<Job>,
    order: &SyncSender<Receiver<Vec<PreparedEntry>>>,
) -> Result<(), E> {
    let mut ended = None;
    while ended.is_none() {
        let mut entries = Vec::with_capacity(BATCH_ENTRIES);
        while entries.len() < BATCH_ENTRIES && ended.is_none() {
            match read() {
                Ok(Some(entry)) => entries.push(entry),
                Ok(None) => ended = Some(Ok(())),
                Err(error) => ended = Some(Err(error)),
            }
        }
        let (prepared, place) = sync_channel(1);
        // Nobody takes any more: then what else there is to read does not matter.
        if order.send(place).is_err() || jobs.send(Job { entries, prepared }).is_err() {
            return Ok(());
        }
    }
    ended.unwrap_or(Ok(()))
}

fn prepare_batches(waiting: &Mutex<Receiver<Job>>, network: &Digest, signatures: Signatures) {
    loop {
        let job = waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        let Ok(job) = job else { return };
        job.prepare(network, signatures);
    }
}

impl Job {
    fn prepare(self, network: &Digest, signatures: Signatures) {
        let batch = self
            .entries
            .into_iter()
            .map(|bytes| PreparedEntry::new(bytes, network, signatures))
            .collect();
        // The caller stopped: the batch is of no use.
        let _ = self.prepared.send(batch);
    }
}

/// Waits for a batch, and prepares others meanwhile.
fn wait_for(
    place: &Receiver<Vec<PreparedEntry>>,
    help: &impl Fn() -> Option<()>,
) -> Option<Vec<PreparedEntry>> {
    loop {
        match place.try_recv() {
            Ok(batch) => return Some(batch),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => {}
        }
        if help().is_none() {
            return place.recv().ok();
        }
    }
}

fn take_batches(
    in_order: &mut Receiver<Receiver<Vec<PreparedEntry>>>,
    help: &impl Fn() -> Option<()>,
    take: &mut impl FnMut(PreparedEntry) -> ControlFlow<()>,
) {
    for place in in_order.iter() {
        let Some(batch) = wait_for(&place, help) else {
            return;
        };
        for entry in batch {
            if take(entry).is_break() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(threads: usize, count: u32, stop_at: u32) -> (Vec<u32>, Result<(), &'static str>) {
        let mut next = 0;
        let mut taken = Vec::new();
        let result = prepare_on(
            threads,
            &Digest::ZERO,
            Signatures::Verify,
            || {
                next += 1;
                match next - 1 {
                    index if index < count => Ok(Some(index.to_be_bytes().to_vec())),
                    _ => Err("the end is torn"),
                }
            },
            |entry| {
                taken.push(u32::from_be_bytes(entry.bytes().try_into().unwrap()));
                if taken.len() as u64 == u64::from(stop_at) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            },
        );
        (taken, result)
    }

    #[test]
    fn replay_1_entries_are_taken_in_order_whoever_prepared_them() {
        for threads in 1..5 {
            for count in [0, 1, 15, 16, 17, 1000] {
                let (taken, result) = prepared(threads, count, u32::MAX);
                assert_eq!(taken, (0..count).collect::<Vec<_>>(), "{threads} threads");
                assert_eq!(result, Err("the end is torn"));
            }
        }
    }

    #[test]
    fn replay_1_nothing_is_taken_after_a_stop() {
        for threads in 1..5 {
            let (taken, _) = prepared(threads, 100_000, 77);
            assert_eq!(taken, (0..77).collect::<Vec<_>>(), "{threads} threads");
        }
    }
}
