//! Durable appends of 64 writers, each acknowledged after its sync, beside RocksDB alone with as many bytes in as many syncs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use prost::Message as _;
use rocksdb::{DB, WriteBatch, WriteOptions};
use symphony_ledger::{Ledger, OpenOptions, Release, follow};
use symphony_proto::log::v1::Entry;
use symphony_transparency::{ChainEnd, Digest};
use tokio::runtime::Runtime;
use tokio::sync::Mutex;

use crate::Settings;
use crate::table::{Required, Runs, Table, per_second};

const WRITERS: u64 = 64;
/// Size of an entry's body in bytes: about that of a received bid.
const BODY_SIZE: usize = 300;
/// Bytes of an entry's key: table, log id, index.
const KEY_SIZE: usize = 1 + 32 + 8;

pub(crate) fn rows(settings: &Settings, table: &mut Table) {
    let runtime = Runtime::new().unwrap();
    let count = settings.appends / WRITERS * WRITERS;
    let mut p99_ms = Vec::new();
    // Both are measured in turn, so that what the machine does besides falls on both alike.
    let mut alone = Vec::new();
    let appended = Runs::of(settings.runs, || {
        alone.push(rocksdb_alone(count));
        let (time, mut waits) = runtime.block_on(through_the_ledger(count, Release::Later));
        waits.sort_unstable();
        p99_ms.push(waits[waits.len() * 99 / 100].as_secs_f64() * 1e3);
        per_second(count, time)
    });
    alone.remove(0);
    p99_ms.remove(0);
    let mut next = alone.into_iter();
    let alone = Runs::of(settings.runs - 1, || next.next().unwrap());
    let mut next = p99_ms.into_iter();
    let p99_ms = Runs::of(settings.runs - 1, || next.next().unwrap());
    let recorded = Runs::of(settings.runs.min(3), || {
        let (time, _) = runtime.block_on(through_the_ledger(count, Release::Now));
        per_second(count, time)
    });
    let bytes = entry(&ChainEnd::EMPTY).len();
    table.row(
        format!(
            "appends acknowledged after sync, {WRITERS} writers, {count} entries of {bytes} bytes"
        ),
        &appended,
        "entries/s",
        "",
        Required::AtLeast(50_000.0),
    );
    table.row(
        format!("RocksDB alone, synced batches of {WRITERS} such entries"),
        &alone,
        "entries/s",
        "",
        Required::Nothing,
    );
    table.single(
        "ratio of the two",
        appended.median() / alone.median(),
        "",
        "RocksDB alone",
        Required::AtLeast(0.6),
    );
    table.row(
        "wait for an acknowledgement, 99th percentile",
        &p99_ms,
        "ms",
        "",
        Required::AtMost(50.0),
    );
    table.row(
        "the same, acknowledged after sync and signing record",
        &recorded,
        "entries/s",
        "two syncs a group",
        Required::Nothing,
    );
}

fn entry(end: &ChainEnd) -> Vec<u8> {
    let mut bytes = Entry {
        index: end.size,
        previous: end.last.as_bytes().to_vec(),
        time_ms: end.size,
        body: None,
    }
    .encode_to_vec();
    prost::encoding::bytes::encode(15, &vec![b'b'; BODY_SIZE], &mut bytes);
    bytes
}

/// Appends one entry at a time in each of 64 tasks; gives the time of all, and each wait.
async fn through_the_ledger(count: u64, release: Release) -> (Duration, Vec<Duration>) {
    let folder = tempfile::tempdir().unwrap();
    let options = OpenOptions::new(Digest::ZERO).with_signing_record(folder.path().join("record"));
    let (ledger, _) = Ledger::open(&folder.path().join("data"), options).unwrap();
    let end = Arc::new(Mutex::new(ChainEnd::EMPTY));
    let start = Instant::now();
    let tasks = (0..WRITERS).map(|_| {
        let (ledger, end) = (ledger.clone(), Arc::clone(&end));
        tokio::spawn(async move {
            let mut waits = Vec::new();
            for _ in 0..count / WRITERS {
                let mut end = end.lock().await;
                let bytes = entry(&end);
                *end = follow(&end, &bytes).unwrap();
                let asked = Instant::now();
                let pending = ledger
                    .submit(vec![bytes], Vec::new(), release)
                    .await
                    .unwrap();
                drop(end);
                pending.await.unwrap();
                waits.push(asked.elapsed());
            }
            waits
        })
    });
    let mut waits = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        waits.extend(task.await.unwrap());
    }
    let time = start.elapsed();
    ledger.close().await.unwrap();
    (time, waits)
}

/// The limit: as many entries under as long keys, 64 to a synced batch, without chain, tree, queue or answers.
fn rocksdb_alone(count: u64) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let database = DB::open_default(folder.path()).unwrap();
    let mut options = WriteOptions::default();
    options.set_sync(true);
    let value = entry(&ChainEnd::EMPTY);
    let mut key = [0; KEY_SIZE];
    let start = Instant::now();
    for first in (0..count).step_by(usize::try_from(WRITERS).unwrap()) {
        let mut changes = WriteBatch::default();
        for index in first..first + WRITERS {
            key[KEY_SIZE - 8..].copy_from_slice(&index.to_be_bytes());
            changes.put(key, &value);
        }
        database.write_opt(changes, &options).unwrap();
    }
    per_second(count, start.elapsed())
}
