//! The figures to beat, and whether the default policy beats them.

use super::{
    catalogue::Experiment,
    produce::{NOTHING, default_name},
    report::figure,
    shock::Shock,
    statistics::Estimate,
    study::Finding,
    weights::{self, Weighing, weighings},
};

/// One figure to beat.
#[derive(Clone, Debug)]
pub struct Goal {
    /// What is asked.
    pub name: String,
    /// The bar.
    pub bar: String,
    /// What was measured.
    pub measured: Estimate,
    /// Whether it is met.
    pub met: bool,
    /// What others reach, or cannot pass.
    pub bound: String,
}

/// All goals of the experiments that were run.
pub fn goals(all: &[(Experiment, Vec<Finding>)]) -> Vec<Goal> {
    let arm = default_name();
    let weighed: Vec<Weighing> = all
        .iter()
        .find(|(experiment, _)| *experiment == Experiment::Weights)
        .map(|(_, findings)| weighings(findings))
        .unwrap_or_default();
    all.iter()
        .flat_map(|(experiment, findings)| match experiment {
            Experiment::Exp1 => exp1(findings, &arm),
            Experiment::Exp2 => exp2(findings, &arm, &weighed),
            Experiment::Exp3 => exp3(findings, &arm),
            Experiment::Delay => delay(findings, &arm),
            Experiment::Liars => liars(findings, &arm),
            _ => Vec::new(),
        })
        .collect()
}

fn exp1(findings: &[Finding], arm: &str) -> Vec<Goal> {
    let own = |name| figure(findings, "exp1", arm, name).unwrap_or(NOTHING);
    let rule = |name| figure(findings, "exp1", "static rule", name).unwrap_or(NOTHING);
    let (success, cost) = (own("success"), own("cost per correct"));
    vec![
        Goal {
            name: "exp1: tasks answered".to_owned(),
            bar: format!("≥ {:.3}", weights::SUCCESS),
            measured: success,
            met: success.mean >= weights::SUCCESS,
            bound: format!("the static rule: {:.3}", rule("success").mean),
        },
        Goal {
            name: "exp1: cost per answered task".to_owned(),
            bar: format!("< {:.3}", weights::COST),
            measured: cost,
            met: cost.mean < weights::COST,
            bound: format!("the static rule: {:.3}", rule("cost per correct").mean),
        },
    ]
}

fn exp2(findings: &[Finding], arm: &str, weighed: &[Weighing]) -> Vec<Goal> {
    let of = |shock: Shock, arm: &str, name| {
        figure(findings, shock.name(), arm, name).unwrap_or(NOTHING)
    };
    let before = of(Shock::Unavailable, arm, "before");
    let mut goals = vec![Goal {
        name: "exp2: before the shock".to_owned(),
        bar: format!("≥ {:.3}", weights::BEFORE),
        measured: before,
        met: before.mean >= weights::BEFORE,
        bound: bound_before(of(Shock::Unavailable, "oracle", "before"), weighed),
    }];
    for (place, shock) in Shock::ALL.into_iter().enumerate() {
        let after = of(shock, arm, "after");
        let (oracle, top) = (
            of(shock, "oracle", "after"),
            of(shock, "oracle in top L", "after"),
        );
        goals.push(Goal {
            name: format!("exp2: after {}", shock.name()),
            bar: format!(
                "≥ {:.3} (90 % of the oracle's {:.3})",
                0.9 * oracle.mean,
                oracle.mean
            ),
            measured: after,
            met: after.mean >= 0.9 * oracle.mean,
            bound: format!(
                "the oracle among the 3 best matches: {:.3}, {:.0} % of the oracle{}",
                top.mean,
                100.0 * top.mean / oracle.mean.max(1e-9),
                weighed.first().map_or(String::new(), |own| format!(
                    "; who knows the world and follows the default's reward: {:.3}",
                    own.after[place].mean
                ))
            ),
        });
    }
    goals
}

/// What stops a policy before the shock: success alone, and success under a reward that also keeps exp1 cheap.
fn bound_before(oracle: Estimate, weighed: &[Weighing]) -> String {
    let mut bound = format!("the oracle: {:.3}", oracle.mean);
    let (Some(own), Some(best)) = (weighed.first(), weights::best_before(weighed)) else {
        return bound;
    };
    bound.push_str(&if best.is_strong_before() {
        format!(
            "; no bound found: for who knows the world, a weighing passes this bar and exp1's ({}: {:.3})",
            best.name, best.before.mean
        )
    } else {
        format!(
            "; who knows the world and weighs success, price and latency so that exp1's bars are passed: at most {:.3} ({})",
            best.before.mean, best.name
        )
    });
    bound.push_str(&format!(
        "; by the default's reward: {:.3}",
        own.before.mean
    ));
    bound
}

fn exp3(findings: &[Finding], arm: &str) -> Vec<Goal> {
    [
        "baseline",
        "latency_heterogeneous",
        "load_burst",
        "combined",
    ]
    .into_iter()
    .flat_map(|world| {
        let own = |name| figure(findings, world, arm, name).unwrap_or(NOTHING);
        let of = |arm, name| figure(findings, world, arm, name).unwrap_or(NOTHING);
        let (success, p95) = (own("success"), own("p95 latency ms"));
        let random = of("random in top L", "p95 latency ms");
        [
            Goal {
                name: format!("exp3 {world}: tasks answered"),
                bar: "≥ 0.90".to_owned(),
                measured: success,
                met: success.mean >= 0.90,
                bound: clairvoyant(findings, world, random.mean),
            },
            Goal {
                name: format!("exp3 {world}: p95 latency, ms"),
                bar: format!("< {:.0}", random.mean),
                measured: p95,
                met: p95.mean < random.mean,
                bound: format!(
                    "random in top L answers {:.3}",
                    of("random in top L", "success").mean
                ),
            },
        ]
    })
    .collect()
}

/// The most that any of the clairvoyant rules answers with a p95 below the bar.
fn clairvoyant(findings: &[Finding], world: &str, bar_ms: f64) -> String {
    let best = findings
        .iter()
        .filter(|finding| finding.course == world && finding.arm.starts_with("oracle"))
        .filter_map(|finding| {
            Some((
                finding.figure("success")?.mean,
                finding.figure("p95 latency ms")?.mean,
            ))
        })
        .filter(|(_, p95_ms)| *p95_ms < bar_ms)
        .max_by(|left, right| left.0.total_cmp(&right.0));
    match best {
        Some((success, p95_ms)) => format!(
            "of the rules that know the world, the best with a p95 below the bar: {success:.3} at {p95_ms:.0} ms"
        ),
        None => "no rule that knows the world has a p95 below the bar".to_owned(),
    }
}

fn delay(findings: &[Finding], arm: &str) -> Vec<Goal> {
    let regret = |course| figure(findings, course, arm, "total regret").unwrap_or(NOTHING);
    let reward = |course| figure(findings, course, arm, "reward regret").unwrap_or(NOTHING);
    let (late, now) = (regret("50 late"), regret("immediate"));
    vec![Goal {
        name: "regret with rewards 50 selections late".to_owned(),
        bar: format!(
            "≤ {:.1} (1.1 × {:.1} of immediate ones)",
            1.1 * now.mean,
            now.mean
        ),
        measured: late,
        met: late.mean <= 1.1 * now.mean,
        bound: format!(
            "no bound found; in the reward that is learned, {:.1} after {:.1}",
            reward("50 late").mean,
            reward("immediate").mean
        ),
    }]
}

fn liars(findings: &[Finding], arm: &str) -> Vec<Goal> {
    let success = |course| figure(findings, course, arm, "success").unwrap_or(NOTHING);
    let (honest, lying) = (success("nobody lies"), success("3 of 10 lie"));
    vec![Goal {
        name: "tasks answered with 30 % liars".to_owned(),
        bar: format!(
            "≥ {:.3} (2 points below {:.3})",
            honest.mean - 0.02,
            honest.mean
        ),
        measured: lying,
        met: lying.mean >= honest.mean - 0.02,
        bound: String::new(),
    }]
}
