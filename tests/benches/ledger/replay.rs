//! Replay without signatures on one core: every entry of a settled selection, from its exact bytes. What counts is the time
//! that the core worked for this process, so that others on a busy machine are not counted.

use std::time::{Duration, Instant};

use symphony_protocol::{
    PreparedEntry,
    records::{Entry, Signatures},
    replay::Replay,
};
use symphony_transparency::{Frontier, entry_digest};

use crate::Settings;
use crate::kit::params;
use crate::logs::Log;
use crate::table::{Required, Runs, Table, float, per_second};

/// Passes over the log in one run, so that a run takes some tenths of a second.
const PASSES: u64 = 10;

/// Time of this thread on a core, where the system tells it; else the time on the wall.
struct Clock {
    wall: Instant,
    worked: Option<Duration>,
}

impl Clock {
    fn start() -> Self {
        Self {
            wall: Instant::now(),
            worked: worked(),
        }
    }

    fn elapsed(&self) -> Duration {
        match (self.worked, worked()) {
            (Some(before), Some(now)) => now - before,
            _ => self.wall.elapsed(),
        }
    }
}

fn worked() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split(' ').next()?.parse().ok()?))
}

pub(crate) fn rows(settings: &Settings, log: &Log, table: &mut Table) {
    let network = params().network_id();
    let first = Replay::begin(&log.entries[0], None).unwrap();
    let entries = &log.entries[1..];
    let settled = log.settled * PASSES;
    let whole = Runs::of(settings.runs, || {
        let start = Clock::start();
        for _ in 0..PASSES {
            let mut replay = first.clone();
            for bytes in entries {
                let prepared =
                    PreparedEntry::new(bytes.clone(), &network, Signatures::AssumeVerified);
                replay.push_prepared(prepared).unwrap();
            }
            assert_eq!(replay.state().counters().settlements, log.settled);
        }
        per_second(settled, start.elapsed())
    });
    let parsed: Vec<Entry> = entries
        .iter()
        .map(|bytes| Entry::parse_with(bytes, Some(&network), Signatures::AssumeVerified).unwrap())
        .collect();
    let applied = Runs::of(settings.runs, || {
        let start = Clock::start();
        for _ in 0..PASSES {
            let mut replay = first.clone();
            for entry in &parsed {
                replay.state_mut().apply(entry).unwrap();
            }
        }
        per_second(settled, start.elapsed())
    });
    let hashed = Runs::of(settings.runs, || {
        let start = Clock::start();
        for _ in 0..PASSES {
            let mut tree = Frontier::new();
            for bytes in &log.entries {
                std::hint::black_box(entry_digest(bytes));
                tree.append(bytes);
            }
        }
        per_second(settled, start.elapsed())
    });
    let each = format!(
        "{:.1} entries, {:.0} bytes each",
        float(log.entries.len() as u64) / float(log.settled),
        float(log.bytes) / float(log.settled)
    );
    table.row(
        format!("replay without signatures, one core, L = 5, P = 3, d = 6, 10 bids ({each}): State::apply"),
        &applied,
        "settled selections/s",
        "",
        Required::AtLeast(50_000.0),
    );
    table.row(
        "the same from exact bytes: decoding, canonical form, chain and tree besides",
        &whole,
        "settled selections/s",
        format!("hashing alone: {:.0}", hashed.median()),
        Required::AtLeast(50_000.0),
    );
}
