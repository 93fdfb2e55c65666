//! An event of a task in one line.

use symphony_admin::v1::{TaskEvent, task_event::Kind};

use super::words::{outcome_word, result_word, short, stopped_word};

/// An event in one line.
pub(super) fn event_line(event: &TaskEvent) -> String {
    let entry = event
        .entry
        .map_or_else(String::new, |entry| entry.to_string());
    let said = event.kind.as_ref().map_or_else(String::new, kind_line);
    format!("{entry:>8}  {said}")
}

fn kind_line(kind: &Kind) -> String {
    match kind {
        Kind::Opened(_) => "opened".to_owned(),
        Kind::Beacon(said) => format!(
            "beacon: [{}], {} peers asked",
            said.tags.join(" "),
            said.asked
        ),
        Kind::Bid(said) => format!(
            "bid of {}: match {:.1} %, load {:.0} %",
            short(said.peer.as_ref()),
            f64::from(said.match_ppm) / 10_000.0,
            f64::from(said.load_ppm) / 10_000.0
        ),
        Kind::Closed(said) => {
            let picks: Vec<String> = said
                .selections
                .iter()
                .map(|pick| {
                    format!(
                        "{} ({:.3} ± {:.3})",
                        short(pick.peer.as_ref()),
                        pick.estimate,
                        pick.width
                    )
                })
                .collect();
            format!(
                "closed: {} ranked, picked {}",
                said.ranking.len(),
                picks.join(", ")
            )
        }
        Kind::Assigned(said) => format!("assigned to {}", short(said.peer.as_ref())),
        Kind::Receipt(said) => format!(
            "receipt of {}: {} after {} ms",
            short(said.peer.as_ref()),
            result_word(said.class()),
            said.latency_ms
        ),
        Kind::Reveal(said) => format!(
            "{} answers {:?} with confidence {:.0} %",
            short(said.peer.as_ref()),
            said.answer,
            f64::from(said.confidence_ppm) / 10_000.0
        ),
        Kind::Timeout(said) => format!("{} is silent", short(said.peer.as_ref())),
        Kind::Replacement(said) => format!(
            "{} takes its place",
            short(said.selection.as_ref().and_then(|pick| pick.peer.as_ref()))
        ),
        Kind::Settled(said) => {
            let rewards: Vec<String> = said
                .outcomes
                .iter()
                .map(|outcome| {
                    format!(
                        "{} {} {:.3}",
                        short(outcome.peer.as_ref()),
                        outcome_word(outcome.class()),
                        outcome.reward
                    )
                })
                .collect();
            format!(
                "settled: {:?}, {} supporters; {}",
                said.answer,
                said.supporters,
                rewards.join(", ")
            )
        }
        Kind::Decided(said) => format!("answer: {}", said.answer),
        Kind::Failed(said) => format!("failed: {}", said.reason),
        Kind::Planning(said) => format!("planning, as task {}", said.task),
        Kind::Planned(said) => {
            let whose = if said.by_planners {
                "planned"
            } else {
                "no planner gave a plan; asked as it is"
            };
            let plans: Vec<String> = said
                .plans
                .iter()
                .map(|plan| {
                    let steps: Vec<&str> =
                        plan.steps.iter().map(|step| step.text.as_str()).collect();
                    format!("{steps:?}")
                })
                .collect();
            format!("{whose}: {}", plans.join(" "))
        }
        Kind::Stopped(said) => format!("not carried on: {}", stopped_word(said.by())),
    }
}
