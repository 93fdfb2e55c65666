//! Vowpal Wabbit and MABWiser over the same stream, in a process of Python.

use std::process::Command;

use crate::ours;
use crate::stream;
use crate::table::{Required, Table};

/// What `others.py` says of one learner.
struct Said {
    seconds: f64,
    reward: f64,
    choices: Vec<usize>,
}

pub(crate) fn rows(count: usize, table: &mut Table) {
    let rounds = stream::rounds(count);
    let (shared, disjoint) = (ours::play_shared(&rounds), ours::play_disjoint(&rounds));
    let per_second = |seconds: f64| count as f64 / seconds;
    let (shared_speed, disjoint_speed) = (
        per_second(shared.time.as_secs_f64()),
        per_second(disjoint.time.as_secs_f64()),
    );
    table.row(
        &format!(
            "rounds of {} candidates, d = 6, choice and update: shared LinUCB",
            stream::CANDIDATES
        ),
        shared_speed,
        "rounds/s",
        Required::Nothing,
    );
    table.row("its mean reward", shared.reward, "", Required::Nothing);
    let Some(python) = std::env::var_os("SYMPHONY_ROUTING_PYTHON") else {
        println!("SYMPHONY_ROUTING_PYTHON is not set: no rows of Vowpal Wabbit and MABWiser");
        return;
    };
    let path = std::env::temp_dir().join(format!("symphony-routing-{}", std::process::id()));
    std::fs::write(&path, stream::text(&rounds)).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/routing/others.py");
    let output = Command::new(python)
        .arg(script)
        .arg(&path)
        // One core: the process's time is then that of its one thread.
        .env("OMP_NUM_THREADS", "1")
        .env("OPENBLAS_NUM_THREADS", "1")
        .output();
    std::fs::remove_file(&path).unwrap();
    let output = output.expect("Python starts");
    assert!(
        output.status.success(),
        "others.py: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let (vowpal_wabbit, mabwiser) = (said(&text, "vowpalwabbit"), said(&text, "mabwiser"));
    let speed = per_second(vowpal_wabbit.seconds);
    table.row(
        "the same: Vowpal Wabbit, --cb_explore_adf, parsing of its examples left out",
        speed,
        "rounds/s",
        Required::Nothing,
    );
    table.row(
        "its mean reward",
        vowpal_wabbit.reward,
        "",
        Required::Nothing,
    );
    table.row(
        "ours beside it",
        shared_speed / speed,
        "times",
        Required::Nothing,
    );
    table.row(
        "one context a round, a model for each of 5 arms: disjoint LinUCB",
        disjoint_speed,
        "rounds/s",
        Required::Nothing,
    );
    let speed = per_second(mabwiser.seconds);
    table.row(
        "the same: MABWiser, LinUCB",
        speed,
        "rounds/s",
        Required::Nothing,
    );
    table.row(
        "ours beside it",
        disjoint_speed / speed,
        "times",
        Required::Nothing,
    );
    assert_eq!(disjoint.choices.len(), mabwiser.choices.len());
    let equal = disjoint
        .choices
        .iter()
        .zip(&mabwiser.choices)
        .filter(|(ours, theirs)| ours == theirs)
        .count();
    table.row(
        "choices that are equal to MABWiser's (α = 1, ridge 1)",
        equal as f64,
        "",
        Required::Exactly(disjoint.choices.len() as f64),
    );
    println!("versions: {}", value(&text, "versions"));
}

fn said(text: &str, learner: &str) -> Said {
    let number = |what: &str| value(text, &format!("{learner}.{what}")).parse().unwrap();
    Said {
        seconds: number("seconds"),
        reward: number("reward"),
        choices: value(text, &format!("{learner}.choices"))
            .split(' ')
            .map(|choice| choice.parse().unwrap())
            .collect(),
    }
}

/// The rest of the line that begins with this word.
fn value<'a>(text: &'a str, key: &str) -> &'a str {
    text.lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))
        .unwrap_or_else(|| panic!("others.py says nothing of {key}"))
}
