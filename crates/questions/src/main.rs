//! Prints generated questions as JSON lines: what trains the models of `models/`.
//!
//! ```text
//! symphony-questions generate --skill navigate --count 1000 --seed 7 --split train
//! ```
//!
//! Exit codes: 0 done, 2 wrong arguments, 1 the output could not be written.

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use symphony_questions::{Questions, Skill, Split, distinct_questions};

const USAGE: &str = "usage: symphony-questions generate --skill NAME --count N [--seed N] [--split train|demo] [--distinct]
skills: boolean_expressions, navigate, web_of_lies, dyck_languages, object_counting";

/// Most questions of one call: a typing error must not fill a disk.
const COUNT_MAX: usize = 10_000_000;

struct Arguments {
    skill: Skill,
    count: usize,
    seed: u64,
    split: Split,
    distinct: bool,
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
    if command != "generate" {
        return Err(format!(
            "unknown command {command:?}, expected \"generate\""
        ));
    }
    let (mut skill, mut count, mut seed, mut split, mut distinct) =
        (None, None, 0, Split::Train, false);
    let mut options = options.iter();
    while let Some(option) = options.next() {
        if option == "--distinct" {
            distinct = true;
            continue;
        }
        let value = options
            .next()
            .ok_or_else(|| format!("{option} needs a value"))?;
        let invalid = |reason: &dyn std::fmt::Display| format!("{option} {value:?}: {reason}");
        match option.as_str() {
            "--skill" => skill = Some(value.parse::<Skill>().map_err(|error| invalid(&error))?),
            "--count" => count = Some(value.parse::<usize>().map_err(|error| invalid(&error))?),
            "--seed" => seed = value.parse::<u64>().map_err(|error| invalid(&error))?,
            "--split" => split = value.parse::<Split>().map_err(|error| invalid(&error))?,
            _ => return Err(format!("unknown option {option:?}")),
        }
    }
    let count = count.ok_or("--count is missing")?;
    if count > COUNT_MAX {
        return Err(format!("--count is {count}, expected at most {COUNT_MAX}"));
    }
    Ok(Arguments {
        skill: skill.ok_or("--skill is missing")?,
        count,
        seed,
        split,
        distinct,
    })
}

fn print(arguments: &Arguments) -> std::io::Result<()> {
    let mut output = BufWriter::new(std::io::stdout().lock());
    let Arguments {
        skill,
        count,
        seed,
        split,
        distinct,
    } = *arguments;
    if distinct {
        for question in distinct_questions(skill, split, seed, count) {
            serde_json::to_writer(&mut output, &question)?;
            output.write_all(b"\n")?;
        }
    } else {
        for question in Questions::new(skill, split, seed).take(count) {
            serde_json::to_writer(&mut output, &question)?;
            output.write_all(b"\n")?;
        }
    }
    output.flush()
}
