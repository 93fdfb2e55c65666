//! Many runs, on all cores, in an order that does not matter: courses × arms × seeds, and what they come to.

use std::collections::BTreeMap;

use super::{
    ExperimentError,
    arm::Arm,
    course::Course,
    parallel::in_parallel,
    statistics::Estimate,
    trial::{Trial, TrialOptions, run_trial},
};

/// Points of a curve.
const POINTS: usize = 100;

/// Which seeds, and how many runs at once.
#[derive(Clone, Debug)]
pub struct StudyOptions {
    /// The first seed.
    pub first_seed: u64,
    /// How many.
    pub seeds: u64,
    /// Runs at once.
    pub workers: usize,
    /// How each is run.
    pub trial: TrialOptions,
}

/// One cell of a study: a course under an arm.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The course.
    pub course: Course,
    /// The arm.
    pub arm: Arm,
}

/// What a cell came to.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Name of the course.
    pub course: String,
    /// Name of the arm.
    pub arm: String,
    /// Whether the arm exists in the simulation alone.
    pub simulation_only: bool,
    /// Figures by name.
    pub figures: BTreeMap<String, Estimate>,
    /// Curves by name: round, and value over the seeds.
    pub curves: BTreeMap<String, Vec<(f64, Estimate)>>,
}

impl Finding {
    /// A figure, if it was measured.
    pub fn figure(&self, name: &str) -> Option<Estimate> {
        self.figures.get(name).copied()
    }
}

/// Runs every cell on every seed. `progress` is told how many of how many runs are done.
///
/// # Errors
/// [`ExperimentError`] of the first run that could not be run.
pub fn run_study(
    cells: &[Cell],
    options: &StudyOptions,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Vec<Finding>, ExperimentError> {
    let seeds = usize::try_from(options.seeds).unwrap_or(usize::MAX);
    let total = cells.len().saturating_mul(seeds);
    let summaries = in_parallel(total, options.workers, progress, |place| {
        let cell = &cells[place / seeds];
        let seed = options.first_seed + (place % seeds) as u64;
        run_trial(&cell.course, &cell.arm, &options.trial, seed).map(|trial| Summary::of(&trial))
    })
    .into_iter()
    .collect::<Result<Vec<Summary>, ExperimentError>>()?;
    Ok(cells
        .iter()
        .zip(summaries.chunks(seeds.max(1)))
        .map(|(cell, summaries)| finding(cell, summaries))
        .collect())
}

/// What is kept of a run.
struct Summary {
    figures: BTreeMap<String, f64>,
    curves: BTreeMap<String, Vec<(f64, f64)>>,
}

impl Summary {
    fn of(trial: &Trial) -> Self {
        let rounds = trial.success.len();
        let mut figures: BTreeMap<String, f64> = trial
            .metrics()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let half = rounds / 2;
        figures.insert("before".to_owned(), trial.share(0..half));
        figures.insert("after".to_owned(), trial.share(half..rounds));
        let selector = sums(&trial.selector_regret);
        let whole = sums(&trial.total_regret);
        let last = |sums: &[f64]| sums.last().copied().unwrap_or(0.0);
        figures.insert("selector regret".to_owned(), last(&selector));
        figures.insert(
            "screening regret".to_owned(),
            last(&whole) - last(&selector),
        );
        figures.insert("total regret".to_owned(), last(&whole));
        figures.insert("growth exponent".to_owned(), exponent(&selector));
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        let (entries, bytes) = (trial.entries as f64, trial.bytes as f64);
        figures.insert("log entries".to_owned(), entries);
        figures.insert("log bytes".to_owned(), bytes);
        let rate = super::shock::moving_rate(&trial.success);
        let screening: Vec<f64> = whole
            .iter()
            .zip(&selector)
            .map(|(whole, selector)| whole - selector)
            .collect();
        let curves = [
            ("success rate", rate),
            ("selector regret", selector),
            ("screening regret", screening),
            ("total regret", whole),
        ]
        .into_iter()
        .map(|(name, values)| (name.to_owned(), sampled(&values)))
        .collect();
        Self { figures, curves }
    }
}

fn sums(values: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    values
        .iter()
        .map(|value| {
            sum += value;
            sum
        })
        .collect()
}

/// The slope of ln R over ln t from a quarter of the run to its end: ½ is the growth of √t, 1 is linear.
fn exponent(sums: &[f64]) -> f64 {
    let (Some(end), Some(quarter)) = (sums.last(), sums.get(sums.len() / 4)) else {
        return 0.0;
    };
    if *quarter <= 0.0 || *end <= 0.0 {
        return 0.0;
    }
    (end / quarter).ln() / 4f64.ln()
}

/// About a hundred points of a curve, the last among them.
#[expect(clippy::cast_precision_loss, reason = "rounds are few")]
fn sampled(values: &[f64]) -> Vec<(f64, f64)> {
    let step = values.len().div_ceil(POINTS).max(1);
    (1..=values.len())
        .filter(|round| round % step == 0)
        .map(|round| (round as f64, values[round - 1]))
        .collect()
}

fn finding(cell: &Cell, summaries: &[Summary]) -> Finding {
    let mut figures = BTreeMap::new();
    let mut curves = BTreeMap::new();
    if let Some(first) = summaries.first() {
        for name in first.figures.keys() {
            let values: Vec<f64> = summaries
                .iter()
                .filter_map(|summary| summary.figures.get(name).copied())
                .collect();
            figures.insert(name.clone(), Estimate::of(&values));
        }
        for (name, points) in &first.curves {
            let curve = points
                .iter()
                .enumerate()
                .map(|(place, (round, _))| {
                    let values: Vec<f64> = summaries
                        .iter()
                        .filter_map(|summary| summary.curves.get(name)?.get(place))
                        .map(|(_, value)| *value)
                        .collect();
                    (*round, Estimate::of(&values))
                })
                .collect();
            curves.insert(name.clone(), curve);
        }
    }
    Finding {
        course: cell.course.name.clone(),
        arm: cell.arm.name().to_owned(),
        simulation_only: cell.arm.simulation_only(),
        figures,
        curves,
    }
}
