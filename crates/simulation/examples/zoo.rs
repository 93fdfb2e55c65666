//! The attack zoo in its long form: many seeded networks with a cheat each, and many of honest peers in every trouble.
//!
//! ```text
//! cargo run -p symphony-simulation --example zoo -- --runs 1000 --cheat-runs 100 --seed 1
//! ```
//!
//! Prints the table of `docs/attack-zoo.md`; the same arguments give the same bytes. Ends with 1 if an honest peer was exposed,
//! something acknowledged was lost, or a cheat was in the open and not convicted; with 2 for arguments that it does not know.

use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use symphony_simulation::{Cheat, Table, Trial};

struct Arguments {
    runs: u64,
    cheat_runs: u64,
    seed: u64,
    threads: usize,
    only: Option<Cheat>,
}

fn main() -> ExitCode {
    match arguments(std::env::args().skip(1)) {
        Ok(arguments) => run(&arguments),
        Err(reason) => {
            eprintln!("{reason}");
            eprintln!(
                "usage: zoo [--runs N] [--cheat-runs N] [--seed N] [--threads N] [--only CHEAT]"
            );
            ExitCode::from(2)
        }
    }
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments {
        runs: 1_000,
        cheat_runs: 100,
        seed: 1,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        only: None,
    };
    while let Some(name) = given.next() {
        let value = given.next().ok_or(format!("{name}: expected a value"))?;
        let number = || {
            value
                .parse::<u64>()
                .map_err(|_| format!("{name}: expected a number, found {value}"))
        };
        match name.as_str() {
            "--runs" => arguments.runs = number()?,
            "--cheat-runs" => arguments.cheat_runs = number()?,
            "--seed" => arguments.seed = number()?,
            "--threads" => {
                arguments.threads =
                    usize::try_from(number()?).map_err(|error| error.to_string())?;
            }
            "--only" => {
                let cheat = Cheat::ALL.iter().find(|cheat| cheat.name() == value);
                arguments.only = Some(*cheat.ok_or(format!("--only: no cheat {value}"))?);
            }
            _ => return Err(format!("unknown argument {name}")),
        }
    }
    Ok(arguments)
}

fn run(arguments: &Arguments) -> ExitCode {
    let seeds = |count: u64| arguments.seed..arguments.seed.saturating_add(count);
    let mut trials: Vec<Trial> = Vec::new();
    for cheat in Cheat::ALL {
        if arguments.only.is_none_or(|only| only == *cheat) {
            trials.extend(seeds(arguments.cheat_runs).map(|seed| Trial::Cheat(*cheat, seed)));
        }
    }
    if arguments.only.is_none() {
        trials.extend(seeds(arguments.runs).map(Trial::Honest));
    }
    let next = AtomicUsize::new(0);
    let table = Mutex::new(Table::default());
    let defects = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads.max(1) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(trial) = trials.get(number) else {
                        return;
                    };
                    match trial.run() {
                        Ok(outcome) => {
                            if let Ok(mut table) = table.lock() {
                                table.add(&outcome);
                            }
                        }
                        Err(error) => {
                            if let Ok(mut defects) = defects.lock() {
                                defects.push(format!("{trial}: {error}"));
                            }
                        }
                    }
                    progress(number + 1, trials.len());
                }
            });
        }
    });
    let (Ok(table), Ok(mut defects)) = (table.into_inner(), defects.into_inner()) else {
        eprintln!("a trial panicked");
        return ExitCode::FAILURE;
    };
    defects.sort_unstable();
    print!("{}", table.markdown());
    for defect in &defects {
        println!("\n**{defect}**");
    }
    if table.failures().is_empty() && defects.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn progress(done: usize, all: usize) {
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        let _ = write!(stderr, "\r{done} of {all} runs");
    } else if done.is_multiple_of(100) || done == all {
        let _ = writeln!(stderr, "{done} of {all} runs");
    }
}
