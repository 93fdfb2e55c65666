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

impl Cell {
    /// Whether both are the same run, whatever they are called.
    fn is_run_like(&self, other: &Self) -> bool {
        let unnamed = |course: &Course| Course {
            name: String::new(),
            ..course.clone()
        };
        let same_arm = match (&self.arm, &other.arm) {
            (Arm::Network { policy: one, .. }, Arm::Network { policy: two, .. }) => one == two,
            (one, two) => one == two,
        };
        same_arm && unnamed(&self.course) == unnamed(&other.course)
    }
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

/// Studies one after another. What a coordinator did in a cell is kept: where another study asks for the same under another
/// name, it is not run again.
pub struct Study {
    options: StudyOptions,
    kept: Vec<(Cell, Vec<Summary>)>,
}

impl Study {
    /// Before the first.
    pub fn new(options: StudyOptions) -> Self {
        Self {
            options,
            kept: Vec::new(),
        }
    }

    /// How runs are made.
    pub fn options(&self) -> &StudyOptions {
        &self.options
    }

    /// Runs every cell on the first so many seeds. `progress` is told how many of how many runs are done.
    ///
    /// # Errors
    /// [`ExperimentError`] of the first run that could not be run.
    pub fn run(
        &mut self,
        cells: &[Cell],
        seeds: u64,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Vec<Finding>, ExperimentError> {
        let seeds = usize::try_from(seeds).unwrap_or(usize::MAX).max(1);
        let known: Vec<Option<usize>> = cells.iter().map(|cell| self.known(cell, seeds)).collect();
        let missing: Vec<&Cell> = cells
            .iter()
            .zip(&known)
            .filter(|(_, known)| known.is_none())
            .map(|(cell, _)| cell)
            .collect();
        let total = missing.len().saturating_mul(seeds);
        if total == 0 {
            progress(0, 0);
        }
        let options = &self.options;
        let mut runs = in_parallel(total, options.workers, progress, |place| {
            let cell = missing[place / seeds];
            let seed = options.first_seed + (place % seeds) as u64;
            run_trial(&cell.course, &cell.arm, &options.trial, seed)
                .map(|trial| Summary::of(&trial))
        })
        .into_iter()
        .collect::<Result<Vec<Summary>, ExperimentError>>()?
        .into_iter();
        let mut findings = Vec::new();
        for (cell, known) in cells.iter().zip(known) {
            if let Some(place) = known {
                findings.push(finding(cell, &self.kept[place].1[..seeds]));
                continue;
            }
            let summaries: Vec<Summary> = runs.by_ref().take(seeds).collect();
            findings.push(finding(cell, &summaries));
            // What only the simulation can follow is run in no time, and is many.
            if !cell.arm.simulation_only() {
                self.kept.push((cell.clone(), summaries));
            }
        }
        Ok(findings)
    }

    fn known(&self, cell: &Cell, seeds: usize) -> Option<usize> {
        self.kept
            .iter()
            .position(|(kept, runs)| kept.is_run_like(cell) && runs.len() >= seeds)
    }
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
        let rewards = sums(&trial.reward_regret);
        figures.insert("reward regret".to_owned(), last(&rewards));
        figures.insert("growth exponent in reward".to_owned(), exponent(&rewards));
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
            ("reward regret", rewards),
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
        arm: cell.arm.name().into_owned(),
        simulation_only: cell.arm.simulation_only(),
        figures,
        curves,
    }
}

#[cfg(test)]
mod tests {
    use symphony_protocol::records::Policy;

    use super::{Cell, Finding, Study, StudyOptions};
    use crate::experiments::{Arm, Course, TrialOptions};

    fn study() -> Study {
        Study::new(StudyOptions {
            first_seed: 7,
            workers: 1,
            trial: TrialOptions::standard().expect("standard parameters"),
        })
    }

    fn cell(course: &str, arm: &str, policy: Policy) -> Cell {
        Cell {
            course: Course {
                name: course.to_owned(),
                rounds: 40,
                ..Course::exp1()
            },
            arm: Arm::network(arm, policy),
        }
    }

    fn figures(findings: &[Finding]) -> Vec<String> {
        findings
            .iter()
            .map(|finding| format!("{:?} {:?}", finding.figures, finding.curves))
            .collect()
    }

    #[test]
    fn a_run_under_another_name_is_not_repeated_and_comes_to_the_same() {
        let cells = [
            cell("one", "default", Policy::shared()),
            cell("one", "other", Policy::paper()),
        ];
        let again = [
            cell("two", "the same", Policy::shared()),
            cell("two", "of the paper", Policy::paper()),
        ];
        let runs = std::sync::atomic::AtomicUsize::new(0);
        let count = |_, total| {
            runs.store(total, std::sync::atomic::Ordering::Relaxed);
        };
        let mut both = study();
        let first = both.run(&cells, 2, &count).expect("runs");
        assert_eq!(runs.load(std::sync::atomic::Ordering::Relaxed), 4);
        let second = both.run(&again, 2, &count).expect("runs");
        assert_eq!(runs.load(std::sync::atomic::Ordering::Relaxed), 0);
        assert_eq!(figures(&first), figures(&second));
        assert_ne!(figures(&first[..1]), figures(&first[1..]));
        assert_eq!(second[0].course, "two");
        // Fewer seeds are the first ones; more are run.
        let one = both.run(&again[..1], 1, &count).expect("runs");
        assert_eq!(
            figures(&one),
            figures(&study().run(&again[..1], 1, &count).expect("runs"))
        );
        both.run(&again[..1], 3, &count).expect("runs");
        assert_eq!(runs.load(std::sync::atomic::Ordering::Relaxed), 3);
    }
}
