//! How long a coordinator decides: screening, selection, and the state root before each settlement.
#![allow(
    missing_docs,
    reason = "criterion's macros make undocumented public items"
)]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use symphony_protocol::map::StateMap;
use symphony_protocol::policy::{
    LinUcb, NewcomerRule, PickRules, PolicyParameters, features, pick,
};
use symphony_protocol::screening::{Candidate, Exploration, Weights, rank};
use symphony_transparency::SecretKey;

const WEIGHTS: Weights = Weights {
    similarity_ppm: 500_000,
    prior_ppm: 350_000,
    stability_ppm: 150_000,
};

const RULES: PickRules = PickRules {
    executors: 3,
    newcomers: NewcomerRule::AtMostOne,
    exploration: Exploration::Off,
};

/// Candidates whose numbers all differ.
fn candidates(count: u8) -> Vec<Candidate> {
    (0..count)
        .map(|number| {
            let share = f64::from(number) / f64::from(count);
            Candidate {
                peer: SecretKey::from_bytes([number; 32]).public(),
                bid_index: u64::from(number),
                similarity: 0.5 + share / 2.0,
                prior: 0.4,
                load: share,
                latency: 1.0 - share,
                availability: 0.9,
                reputation: share,
                newcomer: number % 7 == 6,
            }
        })
        .collect()
}

fn select(criterion: &mut Criterion) {
    let mut policy = LinUcb::new(&PolicyParameters::SHARED);
    let shortlist = candidates(5);
    for candidate in &shortlist {
        policy.observe(&features(policy.kind(), candidate), 0.5);
    }
    criterion.bench_function("protocol/select/L=5", |bencher| {
        bencher.iter(|| pick(black_box(&policy), black_box(&shortlist), &RULES));
    });
}

fn screen(criterion: &mut Criterion) {
    for count in [10, 100] {
        let pool = candidates(count);
        criterion.bench_function(&format!("protocol/rank/candidates={count}"), |bencher| {
            bencher.iter(|| rank(black_box(&pool), &WEIGHTS, 5, Exploration::On));
        });
    }
}

fn state_root(criterion: &mut Criterion) {
    let map: StateMap = (0u32..10_000)
        .map(|number| (number.to_be_bytes(), vec![0; 64]))
        .collect();
    black_box(map.root());
    let mut round = 0u32;
    criterion.bench_function("protocol/state_root/keys=10000,dirty=10", |bencher| {
        let mut map = map.clone();
        bencher.iter(|| {
            for number in 0..10u32 {
                round = round.wrapping_add(7_919);
                let key = ((round.wrapping_add(number)) % 10_000).to_be_bytes();
                map.insert(&key, round.to_be_bytes().to_vec());
            }
            map.root()
        });
    });
    criterion.bench_function("protocol/state_proof/keys=10000", |bencher| {
        bencher.iter_batched(
            || map.clone(),
            |map| map.prove(black_box(&77u32.to_be_bytes())),
            BatchSize::SmallInput,
        );
    });
}

criterion_group!(selection, select, screen, state_root);
criterion_main!(selection);
