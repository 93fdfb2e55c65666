//! How fast an auditor replays: settled selections a second, from bytes with all signatures, and without.
#![allow(
    missing_docs,
    reason = "criterion's macros make undocumented public items"
)]

#[path = "../tests/kit/mod.rs"]
mod kit;

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use kit::{World, params};
use symphony_protocol::{
    records::{Entry, Policy},
    replay::Replay,
};

/// Tasks in the log: enough that measures and matrices are not those of the start.
const TASKS: u64 = 64;

/// A coordinator's log with ten bids a step, of which five are kept and three are picked.
fn log() -> (Vec<Vec<u8>>, u64) {
    let mut world = World::new(10, Policy::shared());
    world.shortlist = 5;
    world.picked = 3;
    for _ in 0..TASKS {
        world.whole_task();
        world.pass(1);
    }
    let settled = world.coordinator.replay.state().counters().settlements;
    (world.coordinator.entries, settled)
}

fn replay(criterion: &mut Criterion) {
    let (entries, settled) = log();
    let network = params().network_id();
    let first = Replay::begin(&entries[0], None).expect("a genesis");
    let mut group = criterion.benchmark_group("protocol/replay");
    group.throughput(Throughput::Elements(settled));
    group.bench_function("L=5,P=3,signatures=verified", |bencher| {
        bencher.iter_batched(
            || first.clone(),
            |mut replay| {
                for bytes in &entries[1..] {
                    replay.push(black_box(bytes)).expect("sound");
                }
                replay
            },
            BatchSize::LargeInput,
        );
    });
    let parsed: Vec<Entry> = entries[1..]
        .iter()
        .map(|bytes| Entry::parse(bytes, Some(&network)).expect("an entry"))
        .collect();
    group.bench_function("L=5,P=3,signatures=none", |bencher| {
        bencher.iter_batched(
            || first.clone(),
            |mut replay| {
                for entry in &parsed {
                    replay.state_mut().apply(black_box(entry)).expect("sound");
                }
                replay
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, replay);
criterion_main!(benches);
