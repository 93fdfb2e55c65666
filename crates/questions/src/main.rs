//! Prints generated questions as JSON lines.
//!
//! ```text
//! symphony-questions generate --skill navigate --count 1000 --seed 7 --split train
//! symphony-questions tasks --skill navigate,web_of_lies --count 300 --seed 7
//! ```
//!
//! `generate` prints questions with their working, for training (`--distinct` leaves repeats out). `tasks` prints a mix of
//! different questions of one or more skills as a task file: for `symphony demo --tasks FILE`.
//!
//! Exit codes: 0 done, 2 wrong arguments, 1 the output could not be written.

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use serde::Serialize;
use symphony_questions::{Questions, Skill, Split, Task, distinct_questions, mixed_questions};

const USAGE: &str = "usage: symphony-questions generate --skill NAME --count N [--seed N] [--split train|demo] [--distinct]
       symphony-questions tasks --skill NAME[,NAME]... --count N [--seed N] [--split train|demo]
skills: boolean_expressions, navigate, web_of_lies, dyck_languages, object_counting
split: train for generate, demo for tasks, unless given";

/// Most questions of one call: a typing error must not fill a disk.
const COUNT_MAX: usize = 10_000_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Command {
    Generate { distinct: bool },
    Tasks,
}

struct Arguments {
    command: Command,
    skills: Vec<Skill>,
    count: usize,
    seed: u64,
    split: Split,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--help" || word == "-h") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let arguments = match parse(&words) {
        Ok(arguments) => arguments,
        Err(reason) => {
            eprintln!("error: {reason}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match print(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        // A reader that has seen enough (`| head`) is no failure.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(words: &[String]) -> Result<Arguments, String> {
    let (command, options) = words.split_first().ok_or("a command is missing")?;
    let mut command = match command.as_str() {
        "generate" => Command::Generate { distinct: false },
        "tasks" => Command::Tasks,
        _ => {
            return Err(format!(
                "unknown command {command:?}, expected \"generate\" or \"tasks\""
            ));
        }
    };
    let (mut skills, mut count, mut seed, mut split) = (Vec::new(), None, 0, None);
    let mut options = options.iter();
    while let Some(option) = options.next() {
        if let ("--distinct", Command::Generate { distinct }) = (option.as_str(), &mut command) {
            *distinct = true;
            continue;
        }
        let value = options
            .next()
            .ok_or_else(|| format!("{option} needs a value"))?;
        let invalid = |reason: &dyn std::fmt::Display| format!("{option} {value:?}: {reason}");
        match option.as_str() {
            "--skill" => {
                let parsed: Result<Vec<Skill>, _> = value.split(',').map(str::parse).collect();
                skills = parsed.map_err(|error| invalid(&error))?;
            }
            "--count" => count = Some(value.parse::<usize>().map_err(|error| invalid(&error))?),
            "--seed" => seed = value.parse::<u64>().map_err(|error| invalid(&error))?,
            "--split" => split = Some(value.parse::<Split>().map_err(|error| invalid(&error))?),
            _ => return Err(format!("unknown option {option:?}")),
        }
    }
    let count = count.ok_or("--count is missing")?;
    if count > COUNT_MAX {
        return Err(format!("--count is {count}, expected at most {COUNT_MAX}"));
    }
    if skills.is_empty() {
        return Err("--skill is missing".to_owned());
    }
    if command != Command::Tasks && skills.len() > 1 {
        return Err(format!(
            "--skill names {} skills, expected one",
            skills.len()
        ));
    }
    let split = split.unwrap_or(if command == Command::Tasks {
        Split::Demo
    } else {
        Split::Train
    });
    Ok(Arguments {
        command,
        skills,
        count,
        seed,
        split,
    })
}

fn print(arguments: &Arguments) -> std::io::Result<()> {
    let Arguments {
        command,
        ref skills,
        count,
        seed,
        split,
    } = *arguments;
    match (command, skills.first()) {
        (Command::Tasks, _) => print_lines(
            mixed_questions(skills, split, seed, count)
                .into_iter()
                .map(Task::from),
        ),
        (Command::Generate { distinct: true }, Some(&skill)) => {
            print_lines(distinct_questions(skill, split, seed, count))
        }
        (Command::Generate { distinct: false }, Some(&skill)) => {
            print_lines(Questions::new(skill, split, seed).take(count))
        }
        (Command::Generate { .. }, None) => Ok(()),
    }
}

fn print_lines(items: impl IntoIterator<Item = impl Serialize>) -> std::io::Result<()> {
    let mut output = BufWriter::new(std::io::stdout().lock());
    for item in items {
        serde_json::to_writer(&mut output, &item)?;
        output.write_all(b"\n")?;
    }
    output.flush()
}
