//! Our linear bandits, measured.

use std::hint::black_box;
use std::time::Duration;

use symphony_protocol::policy::{DIMENSION, LinUcb, PolicyParameters};

use crate::clock::Processor;
use crate::stream::{CANDIDATES, Random, Round};

/// How long selections take.
pub(crate) struct Selection {
    pub(crate) p99_ms: f64,
    pub(crate) median_ms: f64,
}

/// What a run over the stream gave.
pub(crate) struct Played {
    pub(crate) choices: Vec<usize>,
    pub(crate) reward: f64,
    pub(crate) time: Duration,
}

/// A width of 1·√(xᵀA⁻¹x) whatever was seen, and a ridge of 1: the settings that MABWiser has.
pub(crate) const CONSTANT_WIDTH: PolicyParameters = PolicyParameters {
    alpha_ppm: 0,
    ..PolicyParameters::SHARED
};

pub(crate) fn selections<const D: usize>(candidates: usize, count: usize) -> Selection {
    let mut random = Random(3);
    let mut model = LinUcb::<D>::new(&PolicyParameters::SHARED);
    for _ in 0..200 {
        model.observe(&random.context(), random.next());
    }
    let contexts: Vec<[f64; D]> = (0..candidates).map(|_| random.context()).collect();
    let mut times: Vec<f64> = (0..count)
        .map(|_| {
            let began = Processor::now();
            black_box(best(&model, black_box(&contexts)));
            began.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    Selection {
        p99_ms: times[count * 99 / 100],
        median_ms: times[count / 2],
    }
}

/// The first of those with the highest score.
fn best<const D: usize>(model: &LinUcb<D>, contexts: &[[f64; D]]) -> usize {
    first_best(model.assess(contexts).iter().map(|bound| bound.score))
}

fn first_best(scores: impl Iterator<Item = f64>) -> usize {
    let mut best = (0, f64::NEG_INFINITY);
    for (place, score) in scores.enumerate() {
        if score > best.1 {
            best = (place, score);
        }
    }
    best.0
}

/// A choice counted and its reward learned, in microseconds: the median of blocks of 1,000.
pub(crate) fn update_us<const D: usize>() -> f64 {
    const BLOCK: usize = 1_000;
    let mut random = Random(5);
    let mut model = LinUcb::<D>::new(&PolicyParameters::SHARED);
    let contexts: Vec<[f64; D]> = (0..BLOCK).map(|_| random.context()).collect();
    let mut times: Vec<f64> = (0..21)
        .map(|_| {
            let began = Processor::now();
            for x in &contexts {
                model.observe(black_box(x), 0.5);
            }
            began.elapsed().as_secs_f64() * 1e6 / BLOCK as f64
        })
        .collect();
    black_box(&model);
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// One model for all candidates, each with a context of its own.
pub(crate) fn play_shared(rounds: &[Round]) -> Played {
    let mut model = LinUcb::<DIMENSION>::new(&PolicyParameters {
        exploration_ppm: 100_000,
        ..PolicyParameters::SHARED
    });
    play(rounds, |round| {
        let choice = best(&model, &round.contexts);
        model.observe(&round.contexts[choice], round.rewards[choice]);
        choice
    })
}

/// A model for each arm, and the first candidate's context for all: what MABWiser's LinUCB is. As there, each arm has learned
/// once before its first choice.
pub(crate) fn play_disjoint(rounds: &[Round]) -> Played {
    let mut models = [(); CANDIDATES].map(|()| LinUcb::<DIMENSION>::new(&CONSTANT_WIDTH));
    let (warm_up, rounds) = rounds.split_at(CANDIDATES);
    for (arm, round) in warm_up.iter().enumerate() {
        models[arm].observe(&round.contexts[0], round.rewards[arm]);
    }
    play(rounds, |round| {
        let x = [round.contexts[0]];
        let choice = first_best(models.iter().map(|model| model.assess(&x)[0].score));
        models[choice].observe(&x[0], round.rewards[choice]);
        choice
    })
}

fn play(rounds: &[Round], mut choose: impl FnMut(&Round) -> usize) -> Played {
    let began = Processor::now();
    let choices: Vec<usize> = rounds.iter().map(&mut choose).collect();
    let time = began.elapsed();
    let reward: f64 = rounds
        .iter()
        .zip(&choices)
        .map(|(round, choice)| round.rewards[*choice])
        .sum();
    Played {
        reward: reward / rounds.len() as f64,
        choices,
        time,
    }
}
