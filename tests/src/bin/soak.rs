//! Kills, damages and starves ledgers, again and again, and compares what is left with what was acknowledged.
//!
//! Usage: `soak [--rounds N] [--nodes N] [--seed S] [--folder DIR]`: so many rounds of a ledger's writer, then so many lives of the
//! node itself. Prints a table of what was done; ends with 1 if anything was lost. A failure names the round, the seed, and the
//! folder in which everything lies as it was.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use symphony_tests::soak::{Soak, SoakSettings, kill_nodes};

/// Rounds if none are asked for: some minutes.
const ROUNDS_DEFAULT: u64 = 2_000;
/// Lives of a node if none are asked for.
const NODES_DEFAULT: u64 = 200;

fn main() -> anyhow::Result<ExitCode> {
    let mut settings = SoakSettings {
        rounds: ROUNDS_DEFAULT,
        seed: 1,
        folder: None,
        writer: beside("ledger-writer")?,
    };
    let mut nodes = NODES_DEFAULT;
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .with_context(|| format!("{name} needs a value"))
        };
        match name.as_str() {
            "--rounds" => settings.rounds = value()?.parse().context("--rounds")?,
            "--nodes" => nodes = value()?.parse().context("--nodes")?,
            "--seed" => settings.seed = value()?.parse().context("--seed")?,
            "--folder" => settings.folder = Some(PathBuf::from(value()?)),
            "--help" | "-h" => {
                println!("soak [--rounds N] [--nodes N] [--seed S] [--folder DIR]");
                return Ok(ExitCode::SUCCESS);
            }
            _ => anyhow::bail!("no such argument: {name}"),
        }
    }
    let (seed, folder) = (settings.seed, settings.folder.clone());
    let counts = Soak::new(settings)?.run(&mut |line| println!("{line}"))?;
    println!("{counts}");
    if nodes > 0 {
        let temporary = tempfile::Builder::new()
            .prefix("symphony-soak-")
            .tempdir()?;
        let folder = folder.unwrap_or_else(|| temporary.path().to_owned());
        let counts = kill_nodes(&beside("symphony")?, &folder.join("node"), nodes, seed)
            .inspect_err(|_| drop(temporary.keep()))?;
        println!(
            "lives of `symphony node run`, killed at work  {:>8}",
            counts.kills
        );
        println!(
            "lives killed while starting                   {:>8}",
            counts.starts
        );
        println!(
            "entries that it showed                        {:>8}",
            counts.shown
        );
        println!(
            "comparisons with the list                     {:>8}",
            counts.compared
        );
        println!(
            "replays of the whole log                      {:>8}",
            counts.replays
        );
        println!("entries lost                                  {:>8}", 0);
    }
    Ok(ExitCode::SUCCESS)
}

/// The programs to kill lie beside this one.
fn beside(name: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    anyhow::ensure!(path.is_file(), "{} is missing", path.display());
    Ok(path)
}
