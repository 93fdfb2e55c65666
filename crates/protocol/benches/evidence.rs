//! How long it takes to check evidence, from its bytes.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros make undocumented public items; a bench may fail loudly"
)]

#[path = "../tests/kit/mod.rs"]
mod kit;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use kit::{World, replay};
use symphony_protocol::{
    evidence::Evidence,
    records::{Body, Policy},
};
use symphony_transparency::Digest;

/// A coordinator that settled some tasks of ten bids and three executors each, at a decision that is due.
fn world(until: impl FnOnce(&mut World)) -> World {
    let mut world = World::new(10, Policy::shared());
    world.shortlist = 5;
    world.picked = 3;
    for _ in 0..8 {
        world.whole_task();
        world.pass(1);
    }
    until(&mut world);
    world
}

fn evidence(world: &mut World, falsify: impl FnOnce(&mut Body)) -> Evidence {
    let mut body = world.coordinator.decision();
    falsify(&mut body);
    let author = &world.coordinator;
    let entries = [author.entries.as_slice(), &[author.entry(body).encode()]].concat();
    let fault = replay(&entries).unwrap_err();
    author.prove(&entries, &fault)
}

/// A wrong ranking opens what was measured of every candidate; a wrong reward one step; a wrong root everything since the close.
fn cases() -> Vec<(&'static str, Evidence)> {
    let closing = |world: &mut World| {
        world.open(1).announce(0).take_bids();
    };
    let voted = |world: &mut World| {
        world.until_voted();
    };
    vec![
        (
            "REPLAY-33",
            evidence(&mut world(closing), |body| {
                if let Body::Close(close) = body {
                    close.ranking.swap(0, 1);
                }
            }),
        ),
        (
            "REPLAY-40",
            evidence(&mut world(voted), |body| {
                if let Body::Settlement(settlement) = body {
                    settlement.outcomes[0].reward = 0.25;
                }
            }),
        ),
        (
            "REPLAY-42",
            evidence(&mut world(voted), |body| {
                if let Body::Settlement(settlement) = body {
                    settlement.state_root = Digest::ZERO;
                }
            }),
        ),
    ]
}

fn verify(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("evidence/verify");
    for (rule, evidence) in cases() {
        let bytes = evidence.bytes().to_vec();
        group.bench_function(format!("rule={rule},size={}", bytes.len()), |bencher| {
            bencher.iter(|| {
                Evidence::parse(black_box(&bytes))
                    .and_then(|evidence| evidence.verify())
                    .unwrap()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, verify);
criterion_main!(benches);
