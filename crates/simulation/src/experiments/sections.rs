//! The sections of the report, in Markdown.

use std::fmt::Write as _;

use super::{
    ExperimentError,
    arm::Arm,
    catalogue::Experiment,
    coordinator::Signing,
    course::Course,
    goals::Goal,
    offpolicy::{METHODS, OffPolicyFinding},
    plans::Planned,
    produce::Request,
    published::{Profiles, run_published},
    report,
    scaling::Scale,
    shock::{Shock, recovery},
    study::{Finding, StudyOptions},
    trial::{TrialOptions, run_trial},
    weights,
};

/// Seed of the authors' shock experiment.
const PUBLISHED_SEED: u32 = 42;

pub(super) fn head(request: &Request, goals: &[Goal]) -> String {
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

pub(super) fn section(
    text: &mut String,
    (experiment, fewer_seeds): (Experiment, Option<u64>),
    findings: &[Finding],
    options: &StudyOptions,
) -> Result<(), ExperimentError> {
    let words = report::words(experiment);
    let seeds = fewer_seeds.map_or(String::new(), |seeds| format!(" The first {seeds} seeds."));
    let _ = write!(text, "## {}\n\n{}{seeds}\n\n", words.title, words.text);
    let mut pictures = String::new();
    for (file, chart) in report::charts(experiment, findings, "") {
        let _ = write!(text, "![{}]({file}.svg)\n\n", chart.title);
        let _ = write!(pictures, ", [{file}.png]({file}.png)");
    }
    text.push_str(&match experiment {
        Experiment::Weights => weights::table(findings),
        _ => report::table(experiment, findings),
    });
    let name = experiment.name();
    let _ = write!(
        text,
        "\nAll figures: [{name}.csv]({name}.csv), [{name}.json]({name}.json){}.\n\n",
        pictures
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
        "Once with all signatures and once without any, {} tasks under `{}`: {} (state root {root}…).\n\n",
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

pub(super) fn scaling_section(scales: &[Scale]) -> String {
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

pub(super) fn plans_section(plans: &[Planned], tasks: u32, seeds: u64) -> String {
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

pub(super) fn off_policy_section(findings: &[OffPolicyFinding], course: &Course) -> String {
    let mut text = format!(
        "## What a log says of other policies\n\n\
         A coordinator runs {} tasks of a calm world (half of them hard, L {}, P 1) under a policy that leaves something to chance, and \
         writes its log. From the log alone, as `symphony policy counterfactual` does, it is estimated what another policy, the target, \
         would have earned at the same votes; a target that learns does so from the log (`--learn all`). The truth is the world's: what each candidate would have earned in \
         expectation, by the target's choices. Bias is estimate less truth, error the root of its mean square, width that of the interval of \
         95 %, and the last column in how many of the logs the interval holds the truth. Effective votes: as many of the target's own \
         would say as much.\n\n\
         ![What a log says of policies that did not write it](offpolicy.svg)\n\n\
         | log of | target | truth | the log's own | effective votes | method | bias | error | width | holds the truth |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
        course.rounds, course.shortlist
    );
    for finding in findings {
        for (place, method) in METHODS.iter().enumerate() {
            let (width, covered) = match (finding.width[place], finding.covered[place]) {
                (Some(width), Some(covered)) => (
                    format!("{:.3}", width.mean),
                    format!("{covered} of {}", finding.logs),
                ),
                _ => ("no interval".to_owned(), String::new()),
            };
            let _ = writeln!(
                text,
                "| {} | {} | {:.3} | {:.3} | {:.0} | {method} | {} | {:.3} | {width} | {covered} |",
                finding.log,
                finding.target,
                finding.truth.mean,
                finding.logged.mean,
                finding.effective_votes.mean,
                report::shown(finding.bias[place], 3),
                finding.error[place],
            );
        }
    }
    text.push_str(
        "\nAll figures: [offpolicy.csv](offpolicy.csv), [offpolicy.png](offpolicy.png).\n\n",
    );
    text
}
