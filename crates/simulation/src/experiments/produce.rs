//! From a request to the files of a report: the whole of `./x experiments`.

use std::fmt::Write as _;

use super::{
    ExperimentError,
    arm::Arm,
    catalogue::{Experiment, policies},
    coordinator::Signing,
    course::Course,
    goals::{Goal, goals},
    plans::{self, Planned},
    published::{Profiles, run_published},
    report,
    scaling::{self, Scale},
    shock::{Shock, recovery},
    statistics::Estimate,
    study::{Finding, Study, StudyOptions},
    trial::{TrialOptions, run_trial},
};

/// Seed of the authors' shock experiment.
const PUBLISHED_SEED: u32 = 42;

/// A whole network takes as long as a hundred courses.
const PLAN_SEEDS: u64 = 20;

/// What to run.
#[derive(Clone, Debug)]
pub struct Request {
    /// The experiments.
    pub experiments: Vec<Experiment>,
    /// Also how much work and traffic a decision is, by the size of the pool.
    pub scaling: bool,
    /// Also what plans of planners cost, by the number of planners.
    pub plans: bool,
    /// The first seed.
    pub first_seed: u64,
    /// How many.
    pub seeds: u64,
    /// Runs at once.
    pub workers: usize,
    /// Divides the rounds of what is not the paper's own.
    pub shorter: usize,
    /// What the report says about where it comes from: commit, machine.
    pub origin: String,
}

/// A file of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its content.
    pub content: String,
}

/// Runs everything and writes the report. `progress` is told the experiment, and how many of its runs are done.
///
/// # Errors
/// [`ExperimentError`] of the first run that could not be run.
pub fn produce(
    request: &Request,
    progress: &(dyn Fn(&str, usize, usize) + Sync),
) -> Result<Vec<File>, ExperimentError> {
    let mut study = Study::new(StudyOptions {
        first_seed: request.first_seed,
        seeds: request.seeds,
        workers: request.workers,
        trial: TrialOptions::standard()?,
    });
    let mut files = Vec::new();
    let mut sections = String::new();
    let mut all: Vec<(Experiment, Vec<Finding>)> = Vec::new();
    for experiment in &request.experiments {
        let name = experiment.name();
        let cells = experiment.cells(request.shorter);
        let findings = study.run(&cells, request.seeds, &|done, total| {
            progress(name, done, total);
        })?;
        let note = format!(
            "Mean and 95 % interval over {} seeds. Grey and broken lines: in the simulation alone.",
            request.seeds
        );
        for (file, chart) in report::charts(*experiment, &findings, &note) {
            files.push(File {
                name: format!("{file}.svg"),
                content: chart.svg(),
            });
        }
        files.push(File {
            name: format!("{name}.csv"),
            content: report::csv(*experiment, &findings, request.seeds),
        });
        files.push(File {
            name: format!("{name}.json"),
            content: report::json(*experiment, &findings, (request.first_seed, request.seeds)),
        });
        section(&mut sections, *experiment, &findings, study.options())?;
        all.push((*experiment, findings));
    }
    if request.scaling {
        let scales = scaling::measure(
            &scaling::POOLS,
            100 / request.shorter.max(1),
            &|done, total| {
                progress("scaling", done, total);
            },
        )?;
        sections.push_str(&scaling_section(&scales));
        files.push(File {
            name: "scaling.csv".to_owned(),
            content: scaling::csv(&scales),
        });
    }
    if request.plans {
        let seeds = (request.first_seed, request.seeds.min(PLAN_SEEDS));
        let tasks = 60 / u32::try_from(request.shorter.max(1)).unwrap_or(1);
        let plans = plans::measure(
            &plans::PLANNERS,
            tasks,
            seeds,
            request.workers,
            &|done, total| progress("plans", done, total),
        )?;
        sections.push_str(&plans_section(&plans, tasks, seeds.1));
        files.push(File {
            name: "plans.csv".to_owned(),
            content: plans::csv(&plans),
        });
    }
    let report = head(request, &goals(&all)) + &sections;
    files.push(File {
        name: "report.md".to_owned(),
        content: report,
    });
    Ok(files)
}

fn head(request: &Request, goals: &[Goal]) -> String {
    let last = request.first_seed + request.seeds.saturating_sub(1);
    let mut text = format!(
        "# The paper's experiments, redone\n\n\
         Written by `./x experiments`; every number and every chart below comes from that one run. {}\n\n\
         Seeds {} to {last}: no setting was chosen by looking at them. Policies that meet the \
         same seed meet the same tasks and the same chance. `mean ± half-width` is a 95 % interval over the seeds (Student's t). \
         A star marks what exists in the simulation alone: it knows the world, or nobody would put it into a log.\n\n\
         The coordinator is the one that a node runs: the same `Peer`, its log, `State::apply`, the standard parameters and the \
         default policy of `symphony`. The executors are the simulation's: they bid, answer and open their ballots with loads, \
         times and successes that the published world draws (`crates/simulation/src/experiments`). A published match `m` is a \
         similarity of `0.05 + 0.9·m`.\n\n",
        request.origin, request.first_seed
    );
    if goals.is_empty() {
        return text;
    }
    text.push_str("## Goals\n\nThe default policy, one setting for everything.\n\n| goal | bar | measured | | bound |\n|---|---|---|---|---|\n");
    for goal in goals {
        let met = if goal.met { "met" } else { "**missed**" };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {met} | {} |",
            goal.name,
            goal.bar,
            report::shown(goal.measured, 3),
            goal.bound
        );
    }
    text.push('\n');
    text
}

fn section(
    text: &mut String,
    experiment: Experiment,
    findings: &[Finding],
    options: &StudyOptions,
) -> Result<(), ExperimentError> {
    let words = report::words(experiment);
    let _ = write!(text, "## {}\n\n{}\n\n", words.title, words.text);
    for (file, chart) in report::charts(experiment, findings, "") {
        let _ = write!(text, "![{}]({file}.svg)\n\n", chart.title);
    }
    text.push_str(&report::table(experiment, findings));
    let name = experiment.name();
    let _ = write!(
        text,
        "\nAll figures: [{name}.csv]({name}.csv), [{name}.json]({name}.json).\n\n"
    );
    if experiment == Experiment::Exp2 {
        text.push_str(&published_section());
    }
    if let Some(cell) = experiment
        .cells(1)
        .into_iter()
        .find(|cell| !cell.arm.simulation_only())
    {
        text.push_str(&signed(&cell.course, &cell.arm, options)?);
    }
    Ok(())
}

/// One signed run beside an unsigned one.
fn signed(course: &Course, arm: &Arm, options: &StudyOptions) -> Result<String, ExperimentError> {
    let course = Course {
        rounds: course.rounds.min(200),
        ..course.clone()
    };
    let run = |signing| {
        let options = TrialOptions {
            signing,
            ..options.trial.clone()
        };
        run_trial(&course, arm, &options, 1)
    };
    let (unsigned, signed) = (run(Signing::Unsigned)?, run(Signing::Signed)?);
    let equal = unsigned.picks == signed.picks
        && unsigned.success == signed.success
        && unsigned.state_root == signed.state_root;
    let root = signed
        .state_root
        .map(|root| {
            root.iter()
                .take(8)
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        })
        .unwrap_or_default();
    Ok(format!(
        "Signed and unsigned executors, {} tasks under `{}`: {} (state root {root}…).\n\n",
        course.rounds,
        arm.name(),
        if equal {
            "equal choices, equal state roots"
        } else {
            "**unequal**"
        }
    ))
}

/// The shock experiment as its authors ran it, beside the same code with restored profiles.
pub fn published_section() -> String {
    let mut text = String::from(
        "### As published\n\n\
         The authors' own run (seed 42, CPython's generator), with the flaw that its agents' profiles are shared and never \
         restored: each policy starts in a world that the policies before it have left shocked. `linucb` is the fourth, so its \
         world was shocked three times before it began. With the flaw our `LinUcb` gives their committed digits; with profiles \
         restored, and nothing else changed, the published recovery is gone.\n\n\
         | shock | policy | shocks before it began | before / after, as published | picks A B C D E | recovery | before / after, restored | recovery |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    let steps = |success: &[bool]| {
        recovery(success, 500).map_or("never".to_owned(), |steps| format!("{steps} tasks"))
    };
    for shock in Shock::ALL {
        let leaking = run_published(shock, Profiles::Leaking, PUBLISHED_SEED);
        let restored = run_published(shock, Profiles::Restored, PUBLISHED_SEED);
        for (place, (flawed, right)) in leaking.iter().zip(&restored).enumerate() {
            let picks: Vec<String> = flawed.picks.iter().map(u32::to_string).collect();
            let _ = writeln!(
                text,
                "| {} | {} | {place} | {:.3} / {:.3} | {} | {} | {:.3} / {:.3} | {} |",
                shock.letter(),
                flawed.policy.name(),
                flawed.before(),
                flawed.after(),
                picks.join(" "),
                steps(&flawed.success),
                right.before(),
                right.after(),
                steps(&right.success)
            );
        }
    }
    text.push('\n');
    text
}

fn scaling_section(scales: &[Scale]) -> String {
    let mut text = String::from(
        "## Scaling\n\n\
         Default settings (P 3, L 5, ten peers asked), pools of different sizes. The time is the coordinator's own, from a task's \
         submission to its assignments, on the machine named above; it differs from run to run, the traffic does not.\n\n\
         | peers known | time per decision, ms | messages per task | bytes per task | log bytes per task |\n|---|---|---|---|---|\n",
    );
    for scale in scales {
        let _ = writeln!(
            text,
            "| {} | {} | {:.1} | {:.0} | {:.0} |",
            scale.pool,
            report::shown(scale.decision_ms, 2),
            scale.messages,
            scale.message_bytes,
            scale.log_bytes
        );
    }
    text.push('\n');
    text
}

fn plans_section(plans: &[Planned], tasks: u32, seeds: u64) -> String {
    let mut text = format!(
        "## The number of planners\n\n\
         m planners are found by a beacon, and each is asked for a plan of the task; the votes of all plans' last steps decide \
         (PLAN-2). A whole network of twelve peers, every second of which offers to plan, {tasks} tasks, {seeds} seeds. The simulated planners \
         ask the question twice over: what a plan says brings nothing here, one more plan is two more steps, and what is right more often is \
         the larger vote.\n\n\
         | planners asked | right | run by planners' plans | messages per task | entries per task | log bytes per task | virtual time, s |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for one in plans {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            one.planners,
            report::shown(one.right, 3),
            report::shown(one.planned, 3),
            report::shown(one.messages, 0),
            report::shown(one.entries, 0),
            report::shown(one.log_bytes, 0),
            report::shown(one.seconds, 1),
        );
    }
    text.push_str("\nAll figures: [plans.csv](plans.csv).\n\n");
    text
}

/// The name of the default arm.
pub(super) fn default_name() -> String {
    policies()
        .first()
        .map_or(String::new(), |arm| arm.name().to_owned())
}

/// Zero, for a figure that was not measured.
pub(super) const NOTHING: Estimate = Estimate {
    mean: 0.0,
    half_width: 0.0,
};
