//! The charts of each experiment.

mod learning;
mod offpolicy;
mod paper;
mod shape;
mod weights;

pub use offpolicy::off_policy_chart;

use super::words;
use crate::experiments::{
    catalogue::Experiment,
    plot::{COLOURS, Chart, Dots, Lines, MUTED, Panel, Row, Series},
    study::Finding,
};

/// The charts of an experiment, by file name.
pub fn charts(experiment: Experiment, findings: &[Finding], note: &str) -> Vec<(String, Chart)> {
    let name = |part: &str| format!("{}{part}", experiment.name());
    let grey = format!("{note} Grey dots and broken lines: what exists in the simulation alone.");
    match experiment {
        Experiment::Exp1 => vec![(name(""), paper::exp1(findings, &grey))],
        Experiment::Exp2 => vec![
            (name(""), paper::exp2_dots(findings, &grey)),
            (name("-curves"), paper::exp2_curves(findings, &grey)),
        ],
        Experiment::Exp3 => vec![(name(""), paper::exp3(findings, &grey))],
        Experiment::Delay => vec![(name(""), learning::delay(findings, note))],
        Experiment::Collective => vec![(name(""), learning::collective(findings, note))],
        Experiment::Join | Experiment::Failures => vec![(
            name(""),
            Chart {
                title: words(experiment).title.to_owned(),
                note: format!("Share of the last 50 tasks that were answered. {grey}"),
                panels: vec![curves(
                    findings.iter().collect(),
                    "success rate",
                    ("", "tasks", "success rate"),
                )],
                columns: 1,
                height: 340.0,
            },
        )],
        Experiment::Liars => vec![(name(""), shape::liars(findings, &grey))],
        Experiment::Shortlist => vec![(name(""), shape::shortlist(findings, note))],
        Experiment::Executors => vec![(name(""), shape::executors(findings, note))],
        Experiment::Regret => vec![(name(""), learning::regret(findings, note))],
        Experiment::Settings => vec![(name(""), shape::settings(findings, note))],
        Experiment::Weights => vec![(name(""), weights::weights(findings, note))],
    }
}

fn colour(place: usize, finding: &Finding) -> &'static str {
    if finding.simulation_only {
        MUTED
    } else {
        COLOURS[place % COLOURS.len()]
    }
}

fn dots(findings: &[Finding], figure: &str, title: &str, target: Option<(f64, &str)>) -> Panel {
    rows(findings.iter(), figure, title, target)
}

fn rows<'a>(
    findings: impl Iterator<Item = &'a Finding>,
    figure: &str,
    title: &str,
    target: Option<(f64, &str)>,
) -> Panel {
    let rows = findings
        .enumerate()
        .filter_map(|(place, finding)| {
            Some(Row {
                name: finding.arm.clone(),
                value: finding.figure(figure)?,
                colour: colour(place, finding),
            })
        })
        .collect();
    Panel::Dots(Dots {
        title: title.to_owned(),
        rows,
        target: target.map(|(value, name)| (value, name.to_owned())),
    })
}

/// Curves of one figure, one per finding.
fn curves(findings: Vec<&Finding>, curve: &str, (title, x, y): (&str, &str, &str)) -> Panel {
    let series = findings
        .iter()
        .enumerate()
        .filter_map(|(place, finding)| {
            Some(Series {
                name: finding.arm.clone(),
                colour: COLOURS[place % COLOURS.len()],
                dashed: finding.simulation_only,
                points: finding.curves.get(curve)?.clone(),
            })
        })
        .collect();
    Panel::Lines(Lines {
        title: title.to_owned(),
        x: x.to_owned(),
        y: y.to_owned(),
        logarithmic: (false, false),
        series,
        marks: Vec::new(),
        target: None,
    })
}
