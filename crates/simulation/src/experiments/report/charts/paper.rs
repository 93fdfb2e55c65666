//! Charts of the paper's own experiments.

use super::{curves, dots, rows};
use crate::experiments::{
    plot::{Chart, Panel},
    report::figure,
    shock::Shock,
    study::Finding,
};

pub(super) fn exp1(findings: &[Finding], note: &str) -> Chart {
    Chart {
        title: "Exp1: what an answered task costs, and how many are answered".to_owned(),
        note: note.to_owned(),
        panels: vec![
            dots(
                findings,
                "success",
                "Tasks answered (share)",
                Some((0.989, "goal 0.989")),
            ),
            dots(
                findings,
                "cost per correct",
                "Cost per answered task (A's price is 1)",
                Some((0.42, "goal 0.420")),
            ),
        ],
        columns: 2,
        height: 290.0,
    }
}

pub(super) fn exp2_dots(findings: &[Finding], note: &str) -> Chart {
    let of = |course: &'static str| {
        findings
            .iter()
            .filter(move |finding| finding.course == course)
    };
    let [a, b] = Shock::ALL.map(Shock::name);
    let bar =
        |course: &str| figure(findings, course, "oracle", "after").map(|oracle| 0.9 * oracle.mean);
    let target = |course| bar(course).map(|bar| (bar, "90 % of the oracle"));
    Chart {
        title: "Exp2 corrected: tasks answered before and after the shock".to_owned(),
        note: note.to_owned(),
        panels: vec![
            rows(
                of(a),
                "before",
                "Before the shock (share)",
                Some((0.935, "goal 0.935")),
            ),
            rows(of(a), "after", "After: A unavailable", target(a)),
            rows(of(b), "after", "After: A degraded", target(b)),
        ],
        columns: 3,
        height: 290.0,
    }
}

pub(super) fn exp2_curves(findings: &[Finding], note: &str) -> Chart {
    let panels = Shock::ALL
        .into_iter()
        .map(|shock| {
            let kept = findings
                .iter()
                .filter(|finding| {
                    finding.course == shock.name()
                        && !matches!(
                            finding.arm.as_str(),
                            "random" | "always A" | "oracle in top L"
                        )
                })
                .collect();
            let mut panel = curves(
                kept,
                "success rate",
                (shock.name(), "tasks", "success rate"),
            );
            if let Panel::Lines(lines) = &mut panel {
                lines.marks = vec![(500.0, "shock".to_owned())];
            }
            panel
        })
        .collect();
    Chart {
        title: "Exp2 corrected: how the share of answered tasks moves".to_owned(),
        note: format!("Share of the last 50 tasks that were answered. {note}"),
        panels,
        columns: 2,
        height: 320.0,
    }
}

pub(super) fn exp3(findings: &[Finding], note: &str) -> Chart {
    let worlds = [
        "baseline",
        "latency_heterogeneous",
        "load_burst",
        "combined",
    ];
    let of = |world: &'static str| {
        findings
            .iter()
            .filter(move |finding| finding.course == world && finding.arm != "always A")
    };
    let mut panels: Vec<Panel> = worlds
        .into_iter()
        .map(|world| {
            let title = format!("{}: answered", short(world));
            rows(of(world), "success", &title, Some((0.9, "goal 0.90")))
        })
        .collect();
    panels.extend(worlds.into_iter().map(|world| {
        let target = figure(findings, world, "random in top L", "p95 latency ms")
            .map(|value| (value.mean, "random in top L"));
        let title = format!("{}: p95, ms", short(world));
        rows(of(world), "p95 latency ms", &title, target)
    }));
    Chart {
        title: "Exp3: answered tasks and slow answers (95 % are quicker), in four worlds"
            .to_owned(),
        note: note.to_owned(),
        panels,
        columns: 4,
        height: 240.0,
    }
}

/// A world's name as a panel has room for it.
fn short(world: &str) -> &str {
    match world {
        "latency_heterogeneous" => "uneven latency",
        "load_burst" => "bursts of load",
        other => other,
    }
}
