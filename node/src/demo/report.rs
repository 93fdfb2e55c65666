//! The report for people.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    baseline::Baseline,
    cast::Part,
    contract::{DemoResult, selections, vote_against_best},
    show::Performance,
    stage::{Sighting, Stage},
    strangers::{AuditLine, EvidenceLine},
};

/// What happened, in words and figures.
pub(super) fn text(
    stage: &Stage,
    performance: &Performance,
    sightings: &[Sighting],
    audits: &[AuditLine],
    baseline: &Baseline,
    result: &DemoResult,
) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_report(
        &mut text,
        stage,
        performance,
        sightings,
        audits,
        baseline,
        result,
    );
    text
}

fn write_report(
    text: &mut String,
    stage: &Stage,
    performance: &Performance,
    sightings: &[Sighting],
    audits: &[AuditLine],
    baseline: &Baseline,
    result: &DemoResult,
) -> std::fmt::Result {
    let processes = stage.actors.len()
        + stage
            .actors
            .iter()
            .filter(|actor| actor.player.model.is_some())
            .count();
    writeln!(
        text,
        "\n{} peers ({processes} processes with their model engines) answered {} questions in {:.1} s.\n",
        stage.actors.len(),
        result.tasks,
        performance.duration.as_secs_f64()
    )?;
    accuracy(text, baseline, result)?;
    who_answered(text, stage, performance)?;
    let (won, lost) = vote_against_best(performance);
    writeln!(
        text,
        "The vote against its best member: right where that one was wrong {won} times, wrong where it was right {lost} times.\n"
    )?;
    death(text, stage, performance)?;
    failures(text, performance)?;
    live(text, sightings)?;
    audit(text, stage, audits)?;
    evidence(text, stage, &result.evidence)
}

fn accuracy(text: &mut String, baseline: &Baseline, result: &DemoResult) -> std::fmt::Result {
    writeln!(text, "Accuracy and latency, by window")?;
    for window in &result.windows {
        writeln!(
            text,
            "  {:>4} to {:>4}   {:>5.1} %   {:>6.0} ms",
            window.first,
            window.first + window.tasks - 1,
            100.0 * window.accuracy,
            window.latency_ms
        )?;
    }
    let accuracy = &result.accuracy;
    writeln!(
        text,
        "\n  routed by the network  {:>5.1} %   (last half {:.1} %)",
        100.0 * accuracy.routed,
        100.0 * accuracy.routed_last_half
    )?;
    writeln!(
        text,
        "  a random model         {:>5.1} %",
        100.0 * accuracy.random
    )?;
    writeln!(
        text,
        "  the best single model  {:>5.1} %",
        100.0 * accuracy.best_single
    )?;
    writeln!(
        text,
        "  any model right        {:>5.1} %",
        100.0 * accuracy.oracle
    )?;
    writeln!(
        text,
        "  (the last three from a table in which each model answered each question once, through its engine, after the run)"
    )?;
    for (model, share) in baseline.by_model() {
        writeln!(text, "    {model:<28} {:>5.1} %", 100.0 * share)?;
    }
    writeln!(text)
}

fn who_answered(text: &mut String, stage: &Stage, performance: &Performance) -> std::fmt::Result {
    let total = performance.asked.len();
    let mut skills: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, asked) in performance.asked.iter().enumerate() {
        skills.entry(asked.tags.join("+")).or_default().push(index);
    }
    writeln!(
        text,
        "Who was picked, first third → last third of the questions of each kind"
    )?;
    for (skill, indices) in &skills {
        let third = (indices.len() / 3).max(1);
        writeln!(text, "  {skill} ({} questions)", indices.len())?;
        for actor in stage
            .actors
            .iter()
            .filter(|actor| actor.player.model.is_some())
        {
            let picks = |part: &[usize]| {
                part.iter()
                    .map(|index| selections(performance, &actor.did_key, *index..*index + 1))
                    .sum::<usize>()
            };
            let (first, last) = (
                picks(&indices[..third]),
                picks(&indices[indices.len() - third..]),
            );
            if first + last > 0 {
                writeln!(
                    text,
                    "    {:<12} {first:>4} → {last:<4} {}",
                    actor.player.name,
                    actor.player.part.describe()
                )?;
            }
        }
    }
    if let Some(claimer) = stage.actor(Part::OverClaimer) {
        let (first, last) = (
            selections(performance, &claimer.did_key, 0..total / 2),
            selections(performance, &claimer.did_key, total / 2..total),
        );
        writeln!(
            text,
            "  {} claims every skill: picked {first} times in the first half, {last} times in the last.",
            claimer.player.name
        )?;
    }
    writeln!(text)
}

fn death(text: &mut String, stage: &Stage, performance: &Performance) -> std::fmt::Result {
    let (Some(actor), Some(at)) = (stage.actor(Part::Mortal), performance.death_at) else {
        return Ok(());
    };
    let after = &performance.outcomes[at..];
    let timeouts = after
        .iter()
        .filter(|outcome| outcome.timeouts.contains(&actor.did_key))
        .count();
    let last = after
        .iter()
        .rposition(|outcome| outcome.executors.contains(&actor.did_key));
    write!(
        text,
        "{} was killed before question {at}: {timeouts} selections timed out on it; ",
        actor.player.name
    )?;
    match last {
        None => writeln!(text, "it was picked no more.")?,
        Some(last) => writeln!(
            text,
            "it was picked for the last time {last} questions later."
        )?,
    }
    let before = kinds_of(actor, performance, 0..at);
    let after = kinds_of(actor, performance, at..performance.asked.len());
    writeln!(
        text,
        "  Its kind of questions: {:.1} % right in {:.0} ms before, {:.1} % in {:.0} ms after.\n",
        100.0 * before.0,
        before.1,
        100.0 * after.0,
        after.1
    )
}

/// Share of right answers and mean latency in milliseconds of the questions that a peer could have answered.
fn kinds_of(
    actor: &super::stage::Actor,
    performance: &Performance,
    range: std::ops::Range<usize>,
) -> (f64, f64) {
    let indices: Vec<usize> = range
        .filter(|index| {
            let tags = &performance.asked[*index].tags;
            tags.iter()
                .all(|tag| actor.player.tags.contains(&tag.as_str()))
        })
        .collect();
    let right = indices
        .iter()
        .filter(|index| performance.right(**index) == Some(true))
        .count();
    let millis: f64 = indices
        .iter()
        .map(|index| performance.outcomes[*index].latency.as_secs_f64() * 1_000.0)
        .sum();
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of questions are far below 2^53"
    )]
    let count = indices.len().max(1) as f64;
    (super::show::share(right, indices.len()), millis / count)
}

fn failures(text: &mut String, performance: &Performance) -> std::fmt::Result {
    let failures: Vec<&str> = performance
        .outcomes
        .iter()
        .filter_map(|outcome| outcome.failure.as_deref())
        .collect();
    if let Some(first) = failures.first() {
        writeln!(
            text,
            "{} questions failed; the first: {first}\n",
            failures.len()
        )?;
    }
    Ok(())
}

fn live(text: &mut String, sightings: &[Sighting]) -> std::fmt::Result {
    writeln!(
        text,
        "Found live, by ordinary peers that follow the others' logs"
    )?;
    let mut told: Vec<&str> = Vec::new();
    for sighting in sightings {
        if told.contains(&sighting.accused.as_str()) {
            continue;
        }
        told.push(&sighting.accused);
        let others = sightings
            .iter()
            .filter(|other| other.accused == sighting.accused)
            .count()
            - 1;
        writeln!(
            text,
            "  {} exposed {} after {:.1} s: {} at entry {} (and {others} others did)",
            sighting.seen_by,
            sighting.accused,
            sighting.after.as_secs_f64(),
            sighting.rule,
            sighting.entry
        )?;
        writeln!(
            text,
            "    expected {}\n    found    {}",
            sighting.expected, sighting.found
        )?;
    }
    if told.is_empty() {
        writeln!(text, "  nobody was exposed")?;
    }
    writeln!(text)
}

fn audit(text: &mut String, stage: &Stage, audits: &[AuditLine]) -> std::fmt::Result {
    writeln!(
        text,
        "Audit of the exported logs, by a separate process that read nothing else"
    )?;
    writeln!(
        text,
        "  peer          verdict  entries  selections  settled  void  time-outs  entries/s  state root"
    )?;
    for line in audits {
        let root = line.state_root.as_deref().unwrap_or("");
        let signed =
            if line.claimed_state_root.is_some() && line.claimed_state_root == line.state_root {
                "= signed"
            } else {
                ""
            };
        writeln!(
            text,
            "  {:<12}  {:<7}  {:>7}  {:>10}  {:>7}  {:>4}  {:>9}  {:>9.0}  {} {signed}",
            line.peer
                .as_deref()
                .map_or_else(|| "unknown".to_owned(), |peer| stage.name_of(peer)),
            line.verdict,
            line.entries,
            line.selections,
            line.settlements,
            line.void_settlements,
            line.timeouts,
            line.entries_per_second,
            root.get(..16).unwrap_or(root)
        )?;
    }
    for fault in audits.iter().filter_map(|line| line.fault.as_ref()) {
        writeln!(
            text,
            "  {} broke {} at entry {}",
            stage.name_of(&fault.peer),
            fault.rule,
            fault.entry
        )?;
        writeln!(
            text,
            "    expected {}\n    found    {}",
            fault.expected, fault.found
        )?;
    }
    Ok(())
}

fn evidence(text: &mut String, stage: &Stage, lines: &[EvidenceLine]) -> std::fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "\nEach fault is now a file that proves it to anyone, without a log, a node or a network (`symphony evidence verify FILE`):"
    )?;
    for line in lines {
        let name = line
            .file
            .file_name()
            .map(|name| name.to_string_lossy().chars().take(12).collect::<String>())
            .unwrap_or_default();
        let (peer, rule) = (line.peer.as_deref(), line.rule.as_deref());
        writeln!(
            text,
            "  {name}…  {} bytes  {}: {} broke {}",
            line.size,
            if line.valid {
                "proves"
            } else {
                "does not prove"
            },
            peer.map_or_else(|| "nobody".to_owned(), |peer| stage.name_of(peer)),
            rule.unwrap_or("nothing"),
        )?;
    }
    if let Some(first) = lines.iter().find(|line| line.valid) {
        writeln!(text, "  The first one in words: {}", first.explanation)?;
    }
    Ok(())
}
