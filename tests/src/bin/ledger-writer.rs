//! A process to kill: it uses a ledger as a node does (append, sync, signing record, release) and says what it was
//! acknowledged. Part of the soak; see `symphony_tests::soak`.
//!
//! Usage: `ledger-writer FOLDER SEED [BOUNDARY]`. Lines on standard output:
//! - `opened SIZE`
//! - `released SIZE FIRST DIGEST…`: the entries from index FIRST on, with these digests, may be relied on.
//! - `stopped REASON`: the ledger takes no more, and everything that was acknowledged could still be read.
//!
//! With a boundary, the process ends itself there without a goodbye, at a step that the seed chooses.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use symphony_tests::soak::{Boundary, write_until_killed};

fn main() -> anyhow::Result<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: ledger-writer FOLDER SEED [BOUNDARY]";
    let folder = PathBuf::from(arguments.next().context(usage)?);
    let seed = arguments.next().context(usage)?.parse().context(usage)?;
    let boundary = arguments
        .next()
        .map(|name| Boundary::named(&name).context("no such boundary"))
        .transpose()?;
    write_until_killed(&folder, seed, boundary)?;
    Ok(ExitCode::SUCCESS)
}
