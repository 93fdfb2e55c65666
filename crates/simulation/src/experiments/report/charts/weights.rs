//! The chart of what a weighing allows.

use crate::experiments::{
    plot::{COLOURS, Chart, Lines, Panel, Series},
    shock::Shock,
    study::Finding,
    weights::{BEFORE, COST, curve, latencies},
};

pub(super) fn weights(findings: &[Finding], note: &str) -> Chart {
    let panel = |course: &str, figure: &str, title: &str, y: &str, target: Option<(f64, &str)>| {
        let series = latencies()
            .into_iter()
            .enumerate()
            .map(|(place, latency)| Series {
                name: format!("latency × {:.2}", f64::from(latency) / 100.0),
                colour: COLOURS[place % COLOURS.len()],
                dashed: false,
                points: curve(findings, course, figure, latency),
            })
            .collect();
        Panel::Lines(Lines {
            title: title.to_owned(),
            x: "weight of the price".to_owned(),
            y: y.to_owned(),
            logarithmic: (false, false),
            series,
            marks: Vec::new(),
            target: target.map(|(value, name)| (value, name.to_owned())),
        })
    };
    let shock = Shock::Degraded.name();
    Chart {
        title: "What one weighing of success, price and latency allows to who knows the world"
            .to_owned(),
        note: note.to_owned(),
        panels: vec![
            panel(
                "exp1",
                "cost per correct",
                "exp1: cost per answered task",
                "cost",
                Some((COST, "goal: below 0.420")),
            ),
            panel(
                shock,
                "before",
                "exp2: before the shock",
                "tasks answered (share)",
                Some((BEFORE, "goal: 0.935")),
            ),
            panel(
                shock,
                "after",
                "exp2: after shock B",
                "tasks answered (share)",
                None,
            ),
        ],
        columns: 3,
        height: 300.0,
    }
}
