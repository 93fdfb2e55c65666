//! Charts of what a network is set to, and of who is in it.

use super::rows;
use crate::experiments::{
    plot::{COLOURS, Chart, Dots, Lines, Panel, Row, Series},
    shock::Shock,
    study::Finding,
};

pub(super) fn liars(findings: &[Finding], note: &str) -> Chart {
    let panels = ["nobody lies", "3 of 10 lie"]
        .into_iter()
        .map(|course| {
            let of = findings.iter().filter(|finding| finding.course == course);
            rows(
                of,
                "success",
                &format!("{course}: tasks answered (share)"),
                None,
            )
        })
        .collect();
    Chart {
        title: "Lying about load, price and skills".to_owned(),
        note: note.to_owned(),
        panels,
        columns: 2,
        height: 200.0,
    }
}

pub(super) fn shortlist(findings: &[Finding], note: &str) -> Chart {
    let series = |name: &str, figure: &str, place: usize| Series {
        name: name.to_owned(),
        colour: COLOURS[place],
        dashed: false,
        points: (1..=5)
            .filter_map(|length| {
                let course = format!("L {length}");
                let finding = findings.iter().find(|finding| finding.course == course)?;
                Some((f64::from(length), finding.figure(figure)?))
            })
            .collect(),
    };
    Chart {
        title: "How long the shortlist should be".to_owned(),
        note: note.to_owned(),
        panels: vec![Panel::Lines(Lines {
            title: String::new(),
            x: "L: candidates that screening keeps".to_owned(),
            y: "tasks answered (share)".to_owned(),
            logarithmic: (false, false),
            series: vec![
                series("before the shock", "before", 0),
                series("after the shock", "after", 1),
            ],
            marks: Vec::new(),
            target: None,
        })],
        columns: 1,
        height: 320.0,
    }
}

pub(super) fn executors(findings: &[Finding], note: &str) -> Chart {
    let panel = |figure: &str, title: &str| {
        let rows = findings
            .iter()
            .filter_map(|finding| {
                Some(Row {
                    name: finding.course.clone(),
                    value: finding.figure(figure)?,
                    colour: COLOURS[0],
                })
            })
            .collect();
        Panel::Dots(Dots {
            title: title.to_owned(),
            rows,
            target: None,
        })
    };
    Chart {
        title: "How many executors".to_owned(),
        note: note.to_owned(),
        panels: vec![
            panel("success", "Tasks answered (share)"),
            panel("cost", "Cost per task"),
            panel("p95 latency ms", "p95 latency, ms"),
        ],
        columns: 3,
        height: 120.0,
    }
}

pub(super) fn settings(findings: &[Finding], note: &str) -> Chart {
    let of = |course: &'static str, figure: &str, title: &str, target: Option<(f64, &str)>| {
        let findings = findings
            .iter()
            .filter(move |finding| finding.course == course);
        rows(findings, figure, title, target)
    };
    let shock = Shock::Degraded.name();
    Chart {
        title: "One setting changed at a time: what it buys and what it costs".to_owned(),
        note: note.to_owned(),
        panels: vec![
            of(
                "exp1",
                "cost per correct",
                "exp1: cost per answer",
                Some((0.42, "goal 0.420")),
            ),
            of(
                shock,
                "before",
                "exp2: before the shock",
                Some((0.935, "goal 0.935")),
            ),
            of(shock, "after", "exp2: after shock B", None),
            of(
                "exp3 baseline",
                "p95 latency ms",
                "exp3: p95 latency, ms",
                None,
            ),
        ],
        columns: 4,
        height: 290.0,
    }
}
