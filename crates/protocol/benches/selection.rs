//! How long a coordinator decides: screening, selection, and the state root before each settlement.
#![allow(
    missing_docs,
    reason = "criterion's macros make undocumented public items"
)]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use symphony_protocol::map::StateMap;
use symphony_protocol::policy::{
    Choice, Model, NewcomerRule, PickRules, PolicyParameters, Ridge, pick,
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
                settled_at_close: 0,
                named: false,
            }
        })
        .collect()
}

fn select(criterion: &mut Criterion) {
    let mut policy = Model::new(&PolicyParameters::SHARED);
    let shortlist = candidates(5);
    for candidate in &shortlist {
        let (peer, context) = (candidate.peer, policy.context(candidate));
        let number = policy.choose(peer, context);
        policy.settle(
            &Choice {
                peer,
                context,
                number,
            },
            0.5,
        );
    }
    criterion.bench_function("protocol/select/L=5", |bencher| {
        bencher.iter(|| {
            pick(
                black_box(&policy).clone(),
                black_box(&shortlist),
                &RULES,
                None,
            )
        });
    });
}

/// Numbers in [0, 1) from a written recurrence, as a context of `D` numbers in the unit ball.
fn context<const D: usize>(sequence: &mut u64) -> [f64; D] {
    std::array::from_fn(|_| {
        *sequence = sequence
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (*sequence >> 11) as f64 / 9_007_199_254_740_992.0 / (D as f64).sqrt()
    })
}

/// The code that selects in a log, at another dimension: the best of 64 candidates, and one update.
fn linear<const D: usize>(criterion: &mut Criterion) {
    let mut sequence = 7;
    let discounted = PolicyParameters {
        discount_ppm: 990_000,
        ..PolicyParameters::SHARED
    };
    for (name, parameters) in [
        ("lasting", PolicyParameters::SHARED),
        ("discounted", discounted),
    ] {
        let mut model = Ridge::<D>::new(&parameters);
        let mut number = 0;
        for _ in 0..500 {
            number += 1;
            let x = context(&mut sequence);
            model.observe_choice(&x, number);
            model.observe_reward(&x, number, x[0]);
        }
        let contexts: Vec<[f64; D]> = (0..64).map(|_| context(&mut sequence)).collect();
        criterion.bench_function(
            &format!("protocol/select/candidates=64,d={D},{name}"),
            |bencher| {
                bencher.iter(|| {
                    let bounds = model.assess(black_box(&contexts), number);
                    bounds
                        .iter()
                        .map(|bound| bound.score)
                        .fold(f64::MIN, f64::max)
                });
            },
        );
        let x = context(&mut sequence);
        criterion.bench_function(&format!("protocol/update/d={D},{name}"), |bencher| {
            bencher.iter(|| {
                number += 1;
                model.observe_choice(black_box(&x), number);
                model.observe_reward(black_box(&x), number, 0.5);
            });
        });
    }
}

fn screen(criterion: &mut Criterion) {
    for count in [10, 100] {
        let pool = candidates(count);
        criterion.bench_function(&format!("protocol/rank/candidates={count}"), |bencher| {
            bencher.iter(|| rank(black_box(&pool), &WEIGHTS, 5, Exploration::Newcomers));
        });
    }
}

fn state_root(criterion: &mut Criterion) {
    let mut map: StateMap = (0u32..10_000)
        .map(|number| (number.to_be_bytes(), vec![0; 64]))
        .collect();
    black_box(map.settled_root());
    let mut round = 0u32;
    criterion.bench_function("protocol/state_root/keys=10000,dirty=10", |bencher| {
        let mut map = map.clone();
        bencher.iter(|| {
            for number in 0..10u32 {
                round = round.wrapping_add(7_919);
                let key = ((round.wrapping_add(number)) % 10_000).to_be_bytes();
                map.set(&key, &round.to_be_bytes());
            }
            map.settled_root()
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

criterion_group!(
    selection,
    select,
    linear::<6>,
    linear::<64>,
    screen,
    state_root
);
criterion_main!(selection);
