//! The repository's checks of itself: which crate and module may use which, the schema's lint, requirements without code or
//! test, vectors, and mutations that a test must find.
//!
//! `cargo run -p xtask -- all` runs what CI runs. Each check returns findings; one finding fails the run.

mod arrows;
mod finding;
mod mutate;
mod schema;
mod source;
mod spec;
mod vectors;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::finding::Finding;

const USAGE: &str = "\
usage: cargo run -p xtask -- COMMAND
  all       arrows, schema, spec, vectors and mutations (not run, only looked up): what CI runs
  arrows    which crate and module may use which (xtask/arrows.toml)
  schema    lint of proto/symphony
  spec      each MUST of spec/ without code or without test (xtask/spec-allow.txt)
  vectors   headers of tests/vectors
  mutate    [--check] [NAME...]  break each rule of xtask/mutations.toml in turn: a test must fail (minutes each)";

type Check = fn(&Path) -> Result<Vec<Finding>>;

const CHECKS: [(&str, Check); 5] = [
    ("arrows", arrows::check),
    ("schema", schema::check),
    ("spec", spec::check),
    ("vectors", vectors::check),
    ("mutations", mutate::check),
];

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Runs the command and says whether it found nothing.
fn run(arguments: &[String]) -> Result<bool> {
    let root = repository_root()?;
    match arguments.first().map(String::as_str) {
        Some("all") => {
            let mut clean = true;
            for (name, check) in CHECKS {
                clean &= report(name, check(&root).with_context(|| name.to_owned())?);
            }
            Ok(clean)
        }
        Some("mutate") => mutate::run(&root, &arguments[1..]),
        Some(name) => match CHECKS.iter().find(|(known, _)| *known == name) {
            Some((name, check)) => Ok(report(name, check(&root)?)),
            None => bail!("no such command: {name}\n{USAGE}"),
        },
        None => bail!("no command given\n{USAGE}"),
    }
}

/// Prints the findings of one check and says whether there was none.
fn report(name: &str, findings: Vec<Finding>) -> bool {
    for finding in &findings {
        println!("{name}: {finding}");
    }
    match findings.len() {
        0 => println!("{name}: ok"),
        count => println!("{name}: {count} finding(s)"),
    }
    findings.is_empty()
}

/// The folder that holds `spec/` and `proto/`: the parent of this crate.
fn repository_root() -> Result<PathBuf> {
    let manifest_dir = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    let root = manifest_dir
        .parent()
        .context("xtask has no parent folder")?;
    Ok(root.to_owned())
}
