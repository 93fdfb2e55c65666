//! What a study found, as tables, files and charts.

use std::fmt::Write as _;

use super::{
    catalogue::Experiment,
    plot::{COLOURS, Chart, Dots, Lines, MUTED, Panel, Row, Series},
    shock::Shock,
    statistics::Estimate,
    study::Finding,
};

/// A column of a table: the figure, its heading, its digits.
type Column = (&'static str, &'static str, usize);

/// What the report says about an experiment before its table.
pub struct Words {
    /// Heading.
    pub title: &'static str,
    /// What was run.
    pub text: &'static str,
    columns: &'static [Column],
}

/// The words and columns of an experiment.
pub fn words(experiment: Experiment) -> Words {
    const SUCCESS: Column = ("success", "success", 3);
    const BEFORE: Column = ("before", "before", 3);
    const AFTER: Column = ("after", "after", 3);
    const COST: Column = ("cost", "cost per task", 3);
    const CORRECT: Column = ("cost per correct", "cost per correct", 3);
    const LATENCY: Column = ("latency ms", "mean latency, ms", 0);
    const P95: Column = ("p95 latency ms", "p95 latency, ms", 0);
    const CALLS: Column = ("calls", "calls per task", 2);
    const GINI: Column = ("gini", "Gini of picks", 2);
    const SELECTOR: Column = ("selector regret", "selector regret", 1);
    const SCREENING: Column = ("screening regret", "screening regret", 1);
    const TOTAL: Column = ("total regret", "total regret", 1);
    const EXPONENT: Column = ("growth exponent", "growth exponent", 2);
    match experiment {
        Experiment::Exp1 => Words {
            title: "Exp1: efficiency and cost",
            text: "2,000 tasks, 21 % of them hard, L 3, P 1. A call that fails is sent on: by the network to the next candidate on \
                   the shortlist, by the static rule to A.",
            columns: &[SUCCESS, CORRECT, COST, CALLS, LATENCY, GINI],
        },
        Experiment::Exp2 => Words {
            title: "Exp2: robustness under a role shock, corrected",
            text: "1,000 tasks, 70 % of them hard, L 3, P 1; the world changes before task 500 and is restored between runs. A call \
                   that fails stays failed.",
            columns: &[BEFORE, AFTER, CORRECT, SELECTOR, SCREENING],
        },
        Experiment::Exp3 => Words {
            title: "Exp3: heterogeneous latency and bursts of load",
            text: "1,000 tasks, 20 % of them hard, L 3, P 1, in four worlds. A call that fails stays failed.",
            columns: &[SUCCESS, LATENCY, P95, COST, GINI],
        },
        Experiment::Delay => Words {
            title: "Late rewards",
            text: "A calm world, half of the tasks hard. A task's reward is settled so many selections after its choice; what never \
                   comes times out. The regret is in expected successes, over the whole run.",
            columns: &[SUCCESS, SELECTOR, SCREENING, TOTAL],
        },
        Experiment::Join => Words {
            title: "A cold newcomer",
            text: "A calm world without A, the strongest; A joins in the middle, with no settled task to its name.",
            columns: &[BEFORE, AFTER, TOTAL],
        },
        Experiment::Failures => Words {
            title: "A fifth of the agents fails",
            text: "Ten agents; in the middle the strongest and the fastest begin to fail every call. Failed calls are sent on.",
            columns: &[BEFORE, AFTER, CALLS, CORRECT],
        },
        Experiment::Liars => Words {
            title: "Lying bidders",
            text: "Ten agents, three of them poor at everything. Lying, they state no load, no price, and a near-perfect match to \
                   every requirement.",
            columns: &[SUCCESS, BEFORE, AFTER, SCREENING],
        },
        Experiment::Shortlist => Words {
            title: "The length of the shortlist",
            text: "Exp2, shock B, with L from 1 to 5.",
            columns: &[BEFORE, AFTER, SELECTOR, SCREENING],
        },
        Experiment::Executors => Words {
            title: "The number of executors",
            text: "A calm world, L 5, P from 1 to 3. A task counts as answered if one of its executors answers.",
            columns: &[SUCCESS, COST, LATENCY, P95],
        },
        Experiment::Regret => Words {
            title: "Regret, told apart",
            text: "A calm world, a long run. The selector's regret is against the best of its shortlist, the screening's is what the \
                   shortlist leaves out, both in expected successes. The exponent is the slope of ln(selector regret) over ln(tasks) \
                   from a quarter of the run to its end.",
            columns: &[SELECTOR, SCREENING, TOTAL, EXPONENT],
        },
        Experiment::Settings => Words {
            title: "The default's settings, one changed at a time",
            text: "Three of the worlds above. More weight on latency buys lower cost in exp1 and quicker answers in exp3, and pays with \
                   answers before the shock in exp2.",
            columns: &[SUCCESS, BEFORE, AFTER, CORRECT, P95],
        },
    }
}

/// The table of an experiment, in Markdown. Arms that exist in the simulation alone bear a star.
pub fn table(experiment: Experiment, findings: &[Finding]) -> String {
    let words = words(experiment);
    let mut text = String::from("| world | policy |");
    for (_, heading, _) in words.columns {
        let _ = write!(text, " {heading} |");
    }
    text.push_str("\n|---|---|");
    text.push_str(&"---|".repeat(words.columns.len()));
    text.push('\n');
    for finding in findings {
        let star = if finding.simulation_only { " \\*" } else { "" };
        let _ = write!(text, "| {} | {}{star} |", finding.course, finding.arm);
        for (name, _, digits) in words.columns {
            let _ = match finding.figure(name) {
                Some(value) => write!(text, " {} |", shown(value, *digits)),
                None => write!(text, " |"),
            };
        }
        text.push('\n');
    }
    text
}

/// `mean ± half-width`.
pub fn shown(value: Estimate, digits: usize) -> String {
    format!("{:.digits$} ± {:.digits$}", value.mean, value.half_width)
}

/// All figures, one a line.
pub fn csv(experiment: Experiment, findings: &[Finding], seeds: u64) -> String {
    let mut text =
        String::from("experiment,world,policy,simulation_only,figure,mean,half_width_95,seeds\n");
    for finding in findings {
        for (name, value) in &finding.figures {
            let _ = writeln!(
                text,
                "{},\"{}\",\"{}\",{},{name},{:.6},{:.6},{seeds}",
                experiment.name(),
                finding.course,
                finding.arm,
                finding.simulation_only,
                value.mean,
                value.half_width
            );
        }
    }
    text
}

/// All figures and curves.
pub fn json(experiment: Experiment, findings: &[Finding], seeds: (u64, u64)) -> String {
    let mut text = format!(
        "{{\n  \"experiment\": {},\n  \"first_seed\": {},\n  \"seeds\": {},\n  \"findings\": [",
        quoted(experiment.name()),
        seeds.0,
        seeds.1
    );
    for (place, finding) in findings.iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        let _ = write!(
            text,
            "{comma}\n    {{\n      \"world\": {},\n      \"policy\": {},\n      \"simulation_only\": {},\n      \"figures\": {{",
            quoted(&finding.course),
            quoted(&finding.arm),
            finding.simulation_only
        );
        for (place, (name, value)) in finding.figures.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            let _ = write!(
                text,
                "{comma}\n        {}: {{\"mean\": {:.6}, \"half_width_95\": {:.6}}}",
                quoted(name),
                value.mean,
                value.half_width
            );
        }
        text.push_str("\n      }\n    }");
    }
    text.push_str("\n  ]\n}\n");
    text
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            other if other.is_control() => quoted.push(' '),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// Looks a figure up.
pub fn figure(findings: &[Finding], course: &str, arm: &str, name: &str) -> Option<Estimate> {
    findings
        .iter()
        .find(|finding| finding.course == course && finding.arm == arm)
        .and_then(|finding| finding.figure(name))
}

/// The charts of an experiment, by file name.
pub fn charts(experiment: Experiment, findings: &[Finding], note: &str) -> Vec<(String, Chart)> {
    let name = |part: &str| format!("{}{part}", experiment.name());
    match experiment {
        Experiment::Exp1 => vec![(
            name(""),
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
            },
        )],
        Experiment::Exp2 => vec![
            (name(""), exp2_dots(findings, note)),
            (name("-curves"), exp2_curves(findings, note)),
        ],
        Experiment::Exp3 => vec![(name(""), exp3(findings, note))],
        Experiment::Delay => vec![(name(""), delay(findings, note))],
        Experiment::Join | Experiment::Failures => vec![(
            name(""),
            Chart {
                title: words(experiment).title.to_owned(),
                note: format!("Share of the last 50 tasks that were answered. {note}"),
                panels: vec![curves(
                    findings.iter().collect(),
                    "success rate",
                    ("", "tasks", "success rate"),
                )],
                columns: 1,
                height: 340.0,
            },
        )],
        Experiment::Liars => vec![(name(""), liars(findings, note))],
        Experiment::Shortlist => vec![(name(""), shortlist(findings, note))],
        Experiment::Executors => vec![(name(""), executors(findings, note))],
        Experiment::Regret => vec![(name(""), regret(findings, note))],
        Experiment::Settings => vec![(name(""), settings(findings, note))],
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

fn exp2_dots(findings: &[Finding], note: &str) -> Chart {
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

fn exp2_curves(findings: &[Finding], note: &str) -> Chart {
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

fn exp3(findings: &[Finding], note: &str) -> Chart {
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
            let title = format!("{}: answered", world.replace('_', " "));
            rows(of(world), "success", &title, Some((0.9, "goal 0.90")))
        })
        .collect();
    panels.extend(worlds.into_iter().map(|world| {
        let target = figure(findings, world, "random in top L", "p95 latency ms")
            .map(|value| (value.mean, "random in top L"));
        rows(of(world), "p95 latency ms", "p95 latency, ms", target)
    }));
    Chart {
        title: "Exp3: answered tasks and slow answers, in four worlds".to_owned(),
        note: note.to_owned(),
        panels,
        columns: 4,
        height: 240.0,
    }
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

fn delay(findings: &[Finding], note: &str) -> Chart {
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

fn liars(findings: &[Finding], note: &str) -> Chart {
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

fn shortlist(findings: &[Finding], note: &str) -> Chart {
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

fn executors(findings: &[Finding], note: &str) -> Chart {
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

fn settings(findings: &[Finding], note: &str) -> Chart {
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

fn regret(findings: &[Finding], note: &str) -> Chart {
    let panel = |curve: &str, title: &str| {
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
            y: "lost successes".to_owned(),
            logarithmic: (true, true),
            series,
            marks: Vec::new(),
            target: None,
        })
    };
    Chart {
        title: "Regret, told apart".to_owned(),
        note: format!(
            "Cumulative, in expected successes; both axes logarithmic but for the third panel's. {note}"
        ),
        panels: vec![
            panel(
                "selector regret",
                "Selector: against the best of the shortlist",
            ),
            panel(
                "screening regret",
                "Screening: what the shortlist leaves out",
            ),
            staleness(findings),
        ],
        columns: 3,
        height: 330.0,
    }
}
