//! Breaks each listed rule in turn, in a copy of the repository, and expects a test to fail each time.
//!
//! The list is `xtask/mutations.toml`. `all` only looks up that each text still stands in its file exactly once; running the
//! mutations takes minutes each and is done by hand: `cargo run -p xtask -- mutate [NAME...]`.

mod copy;
mod outcome;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::finding::Finding;
use crate::source;
use copy::Copy;
use outcome::Outcome;

const LIST: &str = "xtask/mutations.toml";
/// A mutation may make a test hang: that counts as found, after this time.
const COMMAND_SECONDS_MAX: u64 = 1_200;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(default)]
    mutation: Vec<Mutation>,
}

/// One way to break one rule.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutation {
    /// Short and unique; says which rule breaks: `reward_ignores_latency`.
    name: String,
    /// The file to change, from the repository's root.
    file: String,
    /// Text that stands in the file exactly once.
    find: String,
    /// What stands there instead.
    replace: String,
    /// The command that must pass before and fail after, split at white space: `cargo nextest run -p symphony-protocol`.
    command: String,
}

/// Findings of the list itself; runs nothing.
pub(crate) fn check(root: &Path) -> Result<Vec<Finding>> {
    let list = read_list(root)?;
    let mut names = BTreeSet::new();
    let mut findings = Vec::new();
    for mutation in &list {
        let place = format!("{LIST}: {}", mutation.name);
        if !names.insert(&mutation.name) {
            findings.push(Finding::new(&place, "name is given twice"));
        }
        if mutation.find == mutation.replace {
            findings.push(Finding::new(&place, "changes nothing"));
        }
        match source::read(&root.join(&mutation.file)) {
            Err(error) => findings.push(Finding::new(&place, format!("{error:#}"))),
            Ok(text) => match text.matches(&mutation.find).count() {
                1 => {}
                count => findings.push(Finding::new(
                    &place,
                    format!(
                        "its text stands {count} times in {}, not once",
                        mutation.file
                    ),
                )),
            },
        }
    }
    Ok(findings)
}

/// `mutate [--check] [NAME...]`: runs the named mutations, or all, and says whether a test found each.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<bool> {
    let findings = check(root)?;
    if !findings.is_empty() || arguments.iter().any(|argument| argument == "--check") {
        return Ok(crate::report("mutations", findings));
    }
    let list = chosen(read_list(root)?, arguments)?;
    let copy = Copy::make(root, &work_folder()?.join("worktree"))?;
    let target = work_folder()?.join("target");

    let commands: BTreeSet<&str> = list
        .iter()
        .map(|mutation| mutation.command.as_str())
        .collect();
    for command in commands {
        println!("unbroken: {command}");
        let outcome = run_command(command, copy.folder(), &target)?;
        if outcome != Outcome::Survived {
            bail!(
                "`{command}` does not pass on the unbroken sources ({outcome}): nothing can be learned from it"
            );
        }
    }

    let mut rows = Vec::new();
    for mutation in &list {
        let begun = Instant::now();
        let outcome = run_one(mutation, &copy, &target)?;
        println!(
            "{}: {outcome} ({} s)",
            mutation.name,
            begun.elapsed().as_secs()
        );
        rows.push((mutation.name.clone(), outcome, begun.elapsed().as_secs()));
    }
    print_table(&rows);
    Ok(rows.iter().all(|(_, outcome, _)| outcome.is_found()))
}

fn read_list(root: &Path) -> Result<Vec<Mutation>> {
    let path = root.join(LIST);
    let list: List = toml::from_str(&source::read(&path)?).context(LIST)?;
    Ok(list.mutation)
}

fn chosen(list: Vec<Mutation>, names: &[String]) -> Result<Vec<Mutation>> {
    if let Some(unknown) = names
        .iter()
        .find(|name| list.iter().all(|mutation| mutation.name != **name))
    {
        bail!("no mutation is called {unknown}");
    }
    Ok(list
        .into_iter()
        .filter(|mutation| names.is_empty() || names.contains(&mutation.name))
        .collect())
}

/// Applies one mutation to the copy, runs its command, and takes the mutation back.
fn run_one(mutation: &Mutation, copy: &Copy, target: &Path) -> Result<Outcome> {
    let original = copy.read(&mutation.file)?;
    copy.write(
        &mutation.file,
        &original.replacen(&mutation.find, &mutation.replace, 1),
    )?;
    let outcome = run_command(&mutation.command, copy.folder(), target);
    copy.write(&mutation.file, &original)?;
    outcome
}

/// Runs without a shell, with a target folder of its own: the mutated binaries must never lie where the real ones are looked for.
fn run_command(command: &str, folder: &Path, target: &Path) -> Result<Outcome> {
    let mut words = command.split_whitespace();
    let program = words.next().context("an empty command")?;
    let output_path = target.with_extension("log");
    if let Some(parent) = output_path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let output =
        std::fs::File::create(&output_path).with_context(|| output_path.display().to_string())?;
    let mut child = Command::new(program)
        .args(words)
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target)
        // Set for this process by `cargo run`; they would mislead a Cargo that works elsewhere.
        .env_remove("CARGO_MANIFEST_DIR")
        .env_remove("CARGO_MANIFEST_PATH")
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
        .with_context(|| program.to_owned())?;
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if begun.elapsed() > Duration::from_secs(COMMAND_SECONDS_MAX) {
            child.kill()?;
            child.wait()?;
            break None;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let text = String::from_utf8_lossy(&std::fs::read(&output_path)?).into_owned();
    Ok(Outcome::of(status.map(|status| status.success()), &text))
}

/// Kept between runs, so that dependencies compile once.
fn work_folder() -> Result<PathBuf> {
    let cache = match std::env::var_os("XDG_CACHE_HOME") {
        Some(cache) => PathBuf::from(cache),
        None => PathBuf::from(std::env::var_os("HOME").context("HOME is not set")?).join(".cache"),
    };
    Ok(cache.join("symphony/mutate"))
}

fn print_table(rows: &[(String, Outcome, u64)]) {
    println!();
    for (name, outcome, seconds) in rows {
        println!("  {name:<56} {:<22} {seconds:>5} s", outcome.to_string());
    }
    let found = rows
        .iter()
        .filter(|(_, outcome, _)| outcome.is_found())
        .count();
    println!(
        "{} mutations: {found} found by a test, {} not",
        rows.len(),
        rows.len() - found
    );
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn mutation(command: &str) -> Mutation {
        Mutation {
            name: "rule".into(),
            file: "src/a.rs".into(),
            find: "x >= 1".into(),
            replace: "x > 1".into(),
            command: command.into(),
        }
    }

    fn repository(text: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("src")).unwrap();
        fs::create_dir_all(root.path().join("xtask")).unwrap();
        fs::write(root.path().join("src/a.rs"), text).unwrap();
        root
    }

    fn outcome_of(command: &str) -> (Outcome, String) {
        let root = repository("if x >= 1 {}\n");
        let copy = Copy::make(root.path(), &root.path().join("copy")).unwrap();
        let outcome = run_one(&mutation(command), &copy, &root.path().join("target")).unwrap();
        assert_eq!(
            fs::read_to_string(root.path().join("src/a.rs")).unwrap(),
            "if x >= 1 {}\n",
            "the original is never touched"
        );
        (outcome, copy.read("src/a.rs").unwrap())
    }

    #[test]
    fn a_command_that_notices_the_change_finds_the_mutation() {
        let (outcome, after) = outcome_of("grep -q >= src/a.rs");
        assert_eq!(outcome, Outcome::Found);
        assert_eq!(after, "if x >= 1 {}\n", "the mutation is taken back");
    }

    #[test]
    fn a_command_that_notices_nothing_lets_the_mutation_survive() {
        assert_eq!(outcome_of("true").0, Outcome::Survived);
    }

    #[test]
    fn the_list_names_texts_that_stand_exactly_once() {
        let list = "[[mutation]]\nname = 'rule'\nfile = 'src/a.rs'\nfind = 'x >= 1'\nreplace = 'x > 1'\ncommand = 'true'\n";
        for (text, count) in [("x >= 1", 0), ("x >= 1 x >= 1", 1), ("", 1)] {
            let root = repository(text);
            fs::write(root.path().join(LIST), list).unwrap();
            assert_eq!(check(root.path()).unwrap().len(), count, "{text}");
        }
        let root = repository("x >= 1");
        fs::write(root.path().join(LIST), list.repeat(2)).unwrap();
        assert_eq!(check(root.path()).unwrap().len(), 1, "a name given twice");
    }

    #[test]
    fn an_unknown_name_is_refused() {
        assert!(chosen(vec![mutation("true")], &["other".into()]).is_err());
        assert_eq!(
            chosen(vec![mutation("true")], &["rule".into()])
                .unwrap()
                .len(),
            1
        );
        assert_eq!(chosen(vec![mutation("true")], &[]).unwrap().len(), 1);
    }
}
