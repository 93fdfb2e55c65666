//! `./x bench routing`: how fast a coordinator decides whom to ask and whom to pick, beside what others take for the same.
//!
//! One stream of contexts and rewards is written to a file; our linear bandits, Vowpal Wabbit and MABWiser run over it one
//! after another, on one core each, in this one run. All times are processor time of the thread (of the process, for Python): what
//! else the machine does is not counted. Where settings coincide (MABWiser's LinUCB: a model for each arm, one
//! context a round, a constant width), choices have to be equal, all of them.
//!
//! Arguments: `--rounds N` (default 5,000), `--quick` (1,000). `SYMPHONY_ROUTING_PYTHON` names a Python with
//! `tests/routing/requirements.txt`; without it the rows of others are left out, which is said.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a benchmark"
)]

mod clock;
mod large;
mod others;
mod ours;
mod stream;
mod table;

use table::{Required, Table};

fn main() {
    let mut rounds = 5_000;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rounds" => rounds = arguments.next().unwrap().parse().unwrap(),
            "--quick" => rounds = 1_000,
            // Cargo says that this is a benchmark.
            "--bench" => {}
            other => panic!("no such argument: {other}"),
        }
    }
    let mut table = Table::default();
    let selection = ours::selections::<64>(64, 2_000);
    table.row(
        "selection among 64 candidates, d = 64: 99th percentile",
        selection.p99_ms,
        "ms",
        Required::AtMost(1.0),
    );
    table.row(
        "the same: median",
        selection.median_ms,
        "ms",
        Required::Nothing,
    );
    let selection = ours::selections::<6>(64, 2_000);
    table.row(
        "selection among 64 candidates, d = 6: 99th percentile",
        selection.p99_ms,
        "ms",
        Required::Nothing,
    );
    table.row(
        "update, d = 6",
        ours::update_us::<6>(),
        "µs",
        Required::AtMost(5.0),
    );
    table.row(
        "update, d = 64",
        ours::update_us::<64>(),
        "µs",
        Required::Nothing,
    );
    large::rows(&mut table);
    others::rows(rounds, &mut table);
    table.print();
}
