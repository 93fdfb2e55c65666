//! How fast entries become durable: 64 callers through the ledger, against RocksDB alone with the same batches.
#![allow(clippy::unwrap_used, reason = "a benchmark")]
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use prost::Message;
use rocksdb::{DB, WriteBatch, WriteOptions};
use symphony_ledger::{Ledger, OpenOptions, Release, follow};
use symphony_proto::log::v1::Entry;
use symphony_transparency::{ChainEnd, Digest};
use tokio::runtime::Runtime;
use tokio::sync::Mutex;

/// Size of an entry's body in bytes: about that of a received bid.
const BODY_SIZE: usize = 300;
const WRITERS: u64 = 64;

fn entry(chain: &ChainEnd) -> Vec<u8> {
    let frame = Entry {
        index: chain.size,
        previous: chain.last.as_bytes().to_vec(),
        time_ms: chain.size,
        body: None,
    };
    let mut bytes = frame.encode_to_vec();
    prost::encoding::bytes::encode(15, &vec![b'b'; BODY_SIZE], &mut bytes);
    bytes
}

/// Appends `rounds` requests of `batch` entries in each of 64 tasks.
async fn append(
    ledger: &Ledger,
    chain: &Arc<Mutex<ChainEnd>>,
    rounds: u64,
    batch: usize,
    release: Release,
) {
    let tasks = (0..WRITERS).map(|_| {
        let (ledger, chain) = (ledger.clone(), Arc::clone(chain));
        tokio::spawn(async move {
            for _ in 0..rounds {
                let mut chain = chain.lock().await;
                let entries = (0..batch)
                    .map(|_| {
                        let entry = entry(&chain);
                        *chain = follow(&chain, &entry).unwrap();
                        entry
                    })
                    .collect();
                let pending = ledger.submit(entries, Vec::new(), release).await.unwrap();
                drop(chain);
                pending.await.unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

fn through_the_ledger(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let mut group = criterion.benchmark_group("ledger/append");
    for (release, name) in [(Release::Later, "synced"), (Release::Now, "recorded")] {
        for batch in [1_usize, 16] {
            let folder = tempfile::tempdir().unwrap();
            let options =
                OpenOptions::new(Digest::ZERO).with_signing_record(folder.path().join("record"));
            let (ledger, _) = Ledger::open(&folder.path().join("data"), options).unwrap();
            let chain = Arc::new(Mutex::new(ChainEnd::EMPTY));
            group.throughput(Throughput::Elements(WRITERS * batch as u64));
            let id = BenchmarkId::from_parameter(format!(
                "writers={WRITERS}/batch={batch}/until={name}"
            ));
            group.bench_function(id, |bencher| {
                bencher.iter_custom(|rounds| {
                    let start = Instant::now();
                    runtime.block_on(append(&ledger, &chain, rounds, batch, release));
                    start.elapsed()
                });
            });
            runtime.block_on(ledger.close()).unwrap();
        }
    }
    group.finish();
}

/// The floor: one synced batch with as many entries, without chain, tree, queue or answers.
fn rocksdb_alone(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ledger/append");
    for batch in [1_usize, 16] {
        let folder = tempfile::tempdir().unwrap();
        let database = DB::open_default(folder.path()).unwrap();
        let mut options = WriteOptions::default();
        options.set_sync(true);
        let entry = entry(&ChainEnd::EMPTY);
        let mut index = 0_u64;
        let count = WRITERS * batch as u64;
        group.throughput(Throughput::Elements(count));
        let id = BenchmarkId::from_parameter(format!("rocksdb-alone/batch={count}"));
        group.bench_function(id, |bencher| {
            bencher.iter(|| {
                let mut changes = WriteBatch::default();
                for _ in 0..count {
                    changes.put(index.to_be_bytes(), &entry);
                    index += 1;
                }
                database.write_opt(changes, &options).unwrap();
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    targets = through_the_ledger, rocksdb_alone
}
criterion_main!(benches);
