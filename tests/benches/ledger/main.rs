//! `./x bench ledger`: how fast the log is, beside what limits it, in one run.
//!
//! Each row is a median of some runs after a warm-up, with the least and the most; the limit beside it is measured in the same
//! process on the same bytes, so a busy machine slows both, and the ratio stays comparable.
//!
//! Arguments: `--entries N` (the longer log of the memory rows, default 1,000,000), `--quick` (fewer runs, a shorter log),
//! `--only ROWS` (append, verify, replay, proofs, evidence or memory), `--json`.
#![allow(clippy::unwrap_used, reason = "a benchmark")]

mod append;
mod evidence;
#[path = "../../../crates/protocol/tests/kit/mod.rs"]
mod kit;
mod logs;
mod memory;
mod proofs;
mod replay;
mod table;
mod verify;

use table::Table;

/// What `--only` takes.
const ROWS: [&str; 6] = ["append", "verify", "replay", "proofs", "evidence", "memory"];

/// What is asked for.
pub(crate) struct Settings {
    /// Runs of each measurement, after one that does not count.
    pub(crate) runs: usize,
    /// Appends of one run.
    pub(crate) appends: u64,
    /// Tasks of the log that is verified and replayed.
    pub(crate) tasks: u64,
    /// Entries of the longer log of the memory rows.
    pub(crate) entries: u64,
}

fn main() {
    if memory::is_child() {
        return memory::child();
    }
    let mut settings = Settings {
        runs: 7,
        appends: 100_000,
        tasks: 400,
        entries: 1_000_000,
    };
    let (mut json, mut only) = (false, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--entries" => settings.entries = arguments.next().unwrap().parse().unwrap(),
            "--quick" => {
                settings = Settings {
                    runs: 3,
                    appends: 20_000,
                    tasks: 60,
                    entries: 100_000,
                };
            }
            "--only" => only = arguments.next(),
            "--json" => json = true,
            // Cargo says that this is a benchmark.
            "--bench" => {}
            other => panic!("no such argument: {other}"),
        }
    }
    let mut table = Table::new();
    if let Some(only) = &only {
        assert!(
            ROWS.contains(&only.as_str()),
            "no such rows: {only}; there are {ROWS:?}"
        );
    }
    let wanted = |rows: &str| only.as_deref().is_none_or(|only| only == rows);
    if wanted("append") {
        append::rows(&settings, &mut table);
    }
    if wanted("verify") || wanted("replay") {
        let log = logs::coordinator(settings.tasks);
        if wanted("verify") {
            verify::rows(&settings, &log, &mut table);
        }
        if wanted("replay") {
            replay::rows(&settings, &log, &mut table);
        }
    }
    if wanted("proofs") {
        proofs::rows(&mut table);
    }
    if wanted("evidence") {
        evidence::rows(&settings, &mut table);
    }
    if wanted("memory") {
        memory::rows(&settings, &mut table);
    }
    table.print(json);
}
