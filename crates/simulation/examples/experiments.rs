//! Runs the paper's experiments and writes their report: `./x experiments [NAMES...] [--seeds N] [--seed S] [--out FOLDER] [--quick]`.
//! The whole report goes to `docs/experiments`; parts of it, and a quick one, to `experiments`, so that they never stand in its place.

use std::{
    io::{IsTerminal as _, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use symphony_simulation::experiments::{Request, Section, produce};

/// The first seed of a report; settings are tried on other seeds, 1 to 40.
const REPORT_SEED: u64 = 1_000_001;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("experiments: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let mut request = Request {
        sections: Vec::new(),
        first_seed: REPORT_SEED,
        seeds: 100,
        workers,
        shorter: 1,
        origin: origin(),
    };
    let mut out = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .ok_or_else(|| format!("{argument} needs a value"))
        };
        match argument.as_str() {
            "--seeds" => request.seeds = value()?.parse()?,
            "--seed" => request.first_seed = value()?.parse()?,
            "--out" => out = Some(PathBuf::from(value()?)),
            "--quick" => {
                request.seeds = 5;
                request.shorter = 5;
            }
            name => request
                .sections
                .push(Section::from_name(name).ok_or_else(|| format!("no experiment {name:?}"))?),
        }
    }
    let whole = request.sections.is_empty() && request.shorter == 1;
    if request.sections.is_empty() {
        request.sections = Section::all();
    }
    let out = out.unwrap_or_else(|| {
        PathBuf::from(if whole {
            "docs/experiments"
        } else {
            "experiments"
        })
    });
    let files = produce(&request, &bar)?;
    std::fs::create_dir_all(&out)?;
    for file in &files {
        std::fs::write(out.join(&file.name), &file.content)?;
    }
    println!("{} files in {}", files.len(), out.display());
    Ok(())
}

/// Commit and machine, for the report's head.
fn origin() -> String {
    let commit = std::env::var("SYMPHONY_COMMIT").unwrap_or_else(|_| "unknown".to_owned());
    let machine = std::env::var("SYMPHONY_MACHINE").unwrap_or_else(|_| "unknown".to_owned());
    format!("Commit {commit}; machine: {machine}.")
}

/// A bar on standard error, if that is a terminal.
fn bar(name: &str, done: usize, total: usize) {
    let stderr = std::io::stderr();
    let last = done == total;
    if !stderr.is_terminal() {
        if last {
            eprintln!("{name}: {total} runs");
        }
        return;
    }
    if !last && !done.is_multiple_of(7) {
        return;
    }
    let filled = 40 * done / total.max(1);
    let mut line = format!(
        "\r{name:10} [{}{}] {done}/{total}",
        "#".repeat(filled),
        " ".repeat(40 - filled)
    );
    if last {
        line.push('\n');
    }
    let _ = stderr.lock().write_all(line.as_bytes());
}
