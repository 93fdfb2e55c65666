//! How much work and traffic a decision is, by the size of the pool.

use std::{fmt::Write as _, time::Instant};

use symphony_coordination::TaskSettings;
use symphony_protocol::records::{Params, Policy};

use super::{
    ExperimentError,
    coordinator::{Coordinator, Failure, Setup, Signing},
    statistics::Estimate,
    world::{Agent, Chance, Kind, PUBLISHED, World},
};
use crate::random::Random;

/// Sizes of the pool. A peer remembers the capabilities of 16,384 others.
pub const POOLS: [usize; 9] = [5, 10, 20, 50, 100, 500, 1000, 4000, 10_000];

/// What a decision costs with one pool.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Peers that the coordinator knows.
    pub pool: usize,
    /// The coordinator's time from a task's submission to its assignments, in milliseconds.
    pub decision_ms: Estimate,
    /// Messages per task.
    pub messages: f64,
    /// Bytes of them.
    pub message_bytes: f64,
    /// Bytes that the coordinator's log grows by per task.
    pub log_bytes: f64,
}

/// Runs so many tasks with each pool, signed.
///
/// # Errors
/// [`ExperimentError`], a defect of the coordinator.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub fn measure(
    pools: &[usize],
    tasks: usize,
    progress: &dyn Fn(usize, usize),
) -> Result<Vec<Scale>, ExperimentError> {
    let tasks = tasks.max(2);
    let mut scales = Vec::new();
    for (place, pool) in pools.iter().enumerate() {
        progress(place, pools.len());
        let agents = crowd(*pool);
        let setup = Setup {
            policy: Policy::shared(),
            params: Params::standard("experiments", 0)?,
            settings: TaskSettings::default(),
            failure: Failure::Final,
            signing: Signing::Signed,
        };
        let mut coordinator = Coordinator::new(&agents, setup, 1)?;
        let mut world = World::new(&agents);
        let (mut random, mut chance) = (Random::new(1), Chance::default());
        let claims = vec![0.0; *pool];
        let (entries, messages, message_bytes) = (
            coordinator.bytes,
            coordinator.messages,
            coordinator.message_bytes,
        );
        let mut times = Vec::new();
        for task in 0..tasks {
            let kind = Kind::ALL[task % 2];
            world.begin_round();
            chance.draw(*pool, &mut random);
            let mut first = None;
            let start = Instant::now();
            let step = coordinator.step(kind, &claims, |agent| {
                first.get_or_insert_with(|| start.elapsed());
                world.call(agent, kind, (chance.normal[agent], chance.uniform[agent]))
            })?;
            coordinator.settle(&step)?;
            times.push(1000.0 * first.unwrap_or_default().as_secs_f64());
        }
        let per_task = |now: u64, before: u64| (now - before) as f64 / tasks as f64;
        scales.push(Scale {
            pool: *pool,
            decision_ms: Estimate::of(&times),
            messages: per_task(coordinator.messages, messages),
            message_bytes: per_task(coordinator.message_bytes, message_bytes),
            log_bytes: per_task(coordinator.bytes, entries),
        });
    }
    progress(pools.len(), pools.len());
    Ok(scales)
}

/// The five published agents again and again, each a little different.
fn crowd(size: usize) -> Vec<Agent> {
    let mut random = Random::new(7);
    (0..size)
        .map(|number| {
            let agent = PUBLISHED[number % PUBLISHED.len()];
            let share = 0.9 + 0.1 * random.uniform();
            Agent {
                matched: agent.matched.map(|matched| share * matched),
                success: agent.success.map(|chance| share * chance),
                ..agent
            }
        })
        .collect()
}

/// The figures as a table.
pub(super) fn csv(scales: &[Scale]) -> String {
    let mut text = String::from(
        "pool,decision_ms,decision_ms_half_width_95,messages,message_bytes,log_bytes\n",
    );
    for scale in scales {
        let _ = writeln!(
            text,
            "{},{:.4},{:.4},{:.2},{:.1},{:.1}",
            scale.pool,
            scale.decision_ms.mean,
            scale.decision_ms.half_width,
            scale.messages,
            scale.message_bytes,
            scale.log_bytes
        );
    }
    text
}
