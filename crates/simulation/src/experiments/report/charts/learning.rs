//! Charts of what it costs to learn.

use crate::experiments::{
    plot::{COLOURS, Chart, Dots, Lines, Panel, Row, Series},
    report::figure,
    statistics::Estimate,
    study::Finding,
};

pub(super) fn delay(findings: &[Finding], note: &str) -> Chart {
    let of = |arm: &'static str| {
        let rows = findings
            .iter()
            .filter(move |finding| finding.arm == arm && !finding.course.starts_with("P 3"))
            .enumerate()
            .filter_map(|(place, finding)| {
                Some(Row {
                    name: finding.course.clone(),
                    value: finding.figure("total regret")?,
                    colour: COLOURS[usize::from(place > 0)],
                })
            })
            .collect();
        let target = figure(findings, "immediate", arm, "total regret")
            .map(|value| (1.1 * value.mean, "1.1 × immediate".to_owned()));
        Panel::Dots(Dots {
            title: format!("{arm}: lost successes in all"),
            rows,
            target,
        })
    };
    Chart {
        title: "Late rewards: what it costs to learn late".to_owned(),
        note: note.to_owned(),
        panels: vec![of("shared (default)")],
        columns: 1,
        height: 290.0,
    }
}

/// How good a coordinator is in its first half that others told what they measured.
pub(super) fn collective(findings: &[Finding], note: &str) -> Chart {
    let mut arms: Vec<&str> = Vec::new();
    for finding in findings.iter().filter(|finding| !finding.simulation_only) {
        if !arms.contains(&finding.arm.as_str()) {
            arms.push(&finding.arm);
        }
    }
    let panels = arms
        .iter()
        .map(|arm| {
            let of_arm = findings.iter().filter(|finding| finding.arm == *arm);
            let rows = of_arm
                .enumerate()
                .filter_map(|(place, finding)| {
                    Some(Row {
                        name: finding.course.clone(),
                        value: finding.figure("before")?,
                        colour: COLOURS[usize::from(place > 0)],
                    })
                })
                .collect();
            let alone = figure(findings, "alone", arm, "before")
                .map(|value| (value.mean, "alone".to_owned()));
            Panel::Dots(Dots {
                title: (*arm).to_owned(),
                rows,
                target: alone,
            })
        })
        .collect();
    Chart {
        title: "What others measured: tasks answered in the first half".to_owned(),
        note: note.to_owned(),
        panels,
        columns: 2,
        height: 290.0,
    }
}

/// What pending updates cost: the total regret with late rewards, less that with immediate ones, as it grows. The half-widths of both add
/// up.
fn staleness(findings: &[Finding]) -> Panel {
    let curve = |arm: &str, late: bool| {
        let finding = findings.iter().find(|finding| {
            finding.arm == arm && late != (finding.course == "immediate rewards")
        })?;
        finding.curves.get("total regret")
    };
    let series = ["shared (default)", "paper"]
        .into_iter()
        .enumerate()
        .filter_map(|(place, arm)| {
            let (late, now) = (curve(arm, true)?, curve(arm, false)?);
            let points = late
                .iter()
                .zip(now)
                .map(|((round, late), (_, now))| {
                    let difference = Estimate {
                        mean: late.mean - now.mean,
                        half_width: late.half_width + now.half_width,
                    };
                    (*round, difference)
                })
                .collect();
            Some(Series {
                name: arm.to_owned(),
                colour: COLOURS[place],
                dashed: false,
                points,
            })
        })
        .collect();
    Panel::Lines(Lines {
        title: "Staleness: what 50 pending selections cost".to_owned(),
        x: "tasks".to_owned(),
        y: "lost successes".to_owned(),
        logarithmic: (false, false),
        series,
        marks: Vec::new(),
        target: None,
    })
}

pub(super) fn regret(findings: &[Finding], note: &str) -> Chart {
    let panel = |curve: &str, title: &str, y: &str| {
        let series = findings
            .iter()
            .filter(|finding| finding.arm != "oracle in top L")
            .enumerate()
            .filter_map(|(place, finding)| {
                let late = finding.course != "immediate rewards";
                Some(Series {
                    name: if late {
                        format!("{}, 50 late", finding.arm)
                    } else {
                        finding.arm.clone()
                    },
                    colour: COLOURS[place % COLOURS.len()],
                    dashed: late,
                    points: finding
                        .curves
                        .get(curve)?
                        .iter()
                        .filter(|(_, value)| value.low() > 0.0)
                        .copied()
                        .collect(),
                })
            })
            .collect();
        Panel::Lines(Lines {
            title: title.to_owned(),
            x: "tasks".to_owned(),
            y: y.to_owned(),
            logarithmic: (true, true),
            series,
            marks: Vec::new(),
            target: None,
        })
    };
    Chart {
        title: "Regret, told apart".to_owned(),
        note: format!(
            "Cumulative and expected; both axes logarithmic but for the last panel's. Broken: rewards 50 selections late. {note}"
        ),
        panels: vec![
            panel(
                "selector regret",
                "Selector: against the best of the shortlist",
                "lost successes",
            ),
            panel(
                "reward regret",
                "Selector, in the reward that is learned",
                "lost reward",
            ),
            panel(
                "screening regret",
                "Screening: what the shortlist leaves out",
                "lost successes",
            ),
            staleness(findings),
        ],
        columns: 2,
        height: 300.0,
    }
}
