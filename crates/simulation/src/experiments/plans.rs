//! What plans of planners cost: m planners are asked for a plan of each task, in a whole simulated network.

use std::fmt::Write as _;

use super::{ExperimentError, parallel::in_parallel, statistics::Estimate};
use crate::{Scenario, TaskOutcome};

/// Planners that are asked.
pub const PLANNERS: [u32; 5] = [0, 1, 2, 3, 4];

/// What tasks come to with one number of planners.
#[derive(Clone, Copy, Debug)]
pub struct Planned {
    /// m: planners asked for each task; 0 is the trivial plan.
    pub planners: u32,
    /// Share of tasks with the right answer.
    pub right: Estimate,
    /// Share of tasks that were run by plans of planners.
    pub planned: Estimate,
    /// Messages per task.
    pub messages: Estimate,
    /// Entries of all logs per task.
    pub entries: Estimate,
    /// Bytes of them per task.
    pub log_bytes: Estimate,
    /// Virtual time of the whole run, in seconds.
    pub seconds: Estimate,
}

/// Runs a network of twelve peers, every second of which offers to plan, with so many tasks and seeds.
///
/// # Errors
/// [`ExperimentError::Network`], a defect.
pub fn measure(
    planners: &[u32],
    tasks: u32,
    (first_seed, seeds): (u64, u64),
    workers: usize,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Vec<Planned>, ExperimentError> {
    let seeds = seeds.max(1);
    let cells: Vec<(u32, u64)> = planners
        .iter()
        .flat_map(|planners| (0..seeds).map(|seed| (*planners, first_seed + seed)))
        .collect();
    let figures = in_parallel(cells.len(), workers, progress, |place| {
        let (planners, seed) = cells[place];
        run(planners, tasks, seed)
    })
    .into_iter()
    .collect::<Result<Vec<[f64; 6]>, ExperimentError>>()?;
    let seeds = usize::try_from(seeds).unwrap_or(usize::MAX);
    Ok(planners
        .iter()
        .zip(figures.chunks(seeds))
        .map(|(planners, runs)| {
            let of = |figure: usize| {
                let values: Vec<f64> = runs.iter().map(|run| run[figure]).collect();
                Estimate::of(&values)
            };
            Planned {
                planners: *planners,
                right: of(0),
                planned: of(1),
                messages: of(2),
                entries: of(3),
                log_bytes: of(4),
                seconds: of(5),
            }
        })
        .collect())
}

/// One run: the figures of [`Planned`], in their order.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn run(planners: u32, tasks: u32, seed: u64) -> Result<[f64; 6], ExperimentError> {
    let mut scenario = Scenario {
        seed,
        tasks,
        ..Scenario::default()
    };
    scenario.settings.planners = planners;
    scenario.workers.planner_every = 2;
    let report =
        crate::run(&scenario).map_err(|error| ExperimentError::Network(error.to_string()))?;
    let tasks = f64::from(tasks.max(1));
    let entries: u64 = report.peers.iter().map(|peer| peer.size).sum();
    let bytes: u64 = report.peers.iter().map(|peer| peer.bytes).sum();
    Ok([
        report.count(TaskOutcome::Right) as f64 / tasks,
        report.planned as f64 / tasks,
        report.messages as f64 / tasks,
        entries as f64 / tasks,
        bytes as f64 / tasks,
        report.virtual_ms as f64 / 1000.0,
    ])
}

/// The figures as a table.
pub(super) fn csv(plans: &[Planned]) -> String {
    let mut text = String::from("planners");
    for name in [
        "right",
        "planned",
        "messages",
        "entries",
        "log_bytes",
        "seconds",
    ] {
        let _ = write!(text, ",{name},{name}_half_width_95");
    }
    text.push('\n');
    for one in plans {
        let _ = write!(text, "{}", one.planners);
        for value in [
            one.right,
            one.planned,
            one.messages,
            one.entries,
            one.log_bytes,
            one.seconds,
        ] {
            let _ = write!(text, ",{:.4},{:.4}", value.mean, value.half_width);
        }
        text.push('\n');
    }
    text
}
