//! Two verifiers, one of them in Python and written from `spec/` alone, must agree (`tests/reference/README.md`).
//!
//! `SYMPHONY_REFERENCE_PYTHON` names a Python with the packages of `tests/reference/requirements.txt`; `./x test` makes one.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::Context;
use serde_json::Value;
use symphony_protocol::evidence::{Conviction, Evidence, EvidenceError};

/// About 110 logs of honest peers ...
const NETWORKS: &str = "20";
/// ... and so many that somebody changed, with more than a thousand files of evidence.
const CHANGES: &str = "300";
/// A seed whose networks also hold closes without candidates, replacements, voids and findings.
const SEED: &str = "3";

fn python() -> Option<OsString> {
    let python = std::env::var_os("SYMPHONY_REFERENCE_PYTHON");
    if python.is_none() {
        println!("skipped: SYMPHONY_REFERENCE_PYTHON names no Python for the second verifier");
    }
    python
}

/// A script of the second verifier.
fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("reference")
        .join(name)
}

/// A program of the workspace, which cargo puts beside this package's programs.
fn program(name: &str) -> anyhow::Result<PathBuf> {
    let path = Path::new(env!("CARGO_BIN_EXE_scripted-answerer")).with_file_name(name);
    anyhow::ensure!(
        path.is_file(),
        "{} is missing: build it with `cargo build --workspace --bins`",
        path.display()
    );
    Ok(path)
}

fn succeeds(command: &mut Command) -> anyhow::Result<Output> {
    let output = command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .with_context(|| format!("{command:?}"))?;
    anyhow::ensure!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    Ok(output)
}

#[test]
fn the_second_verifier_agrees_with_every_vector() -> anyhow::Result<()> {
    let Some(python) = python() else {
        return Ok(());
    };
    let output = succeeds(Command::new(python).arg(script("vectors.py")))?;
    println!("{}", String::from_utf8_lossy(&output.stdout));
    Ok(())
}

#[test]
fn two_verifiers_agree_on_random_logs_on_changed_ones_and_on_evidence() -> anyhow::Result<()> {
    let Some(python) = python() else {
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    succeeds(
        Command::new(program("random-logs")?)
            .arg(folder.path())
            .args([NETWORKS, CHANGES, SEED]),
    )?;
    let output = succeeds(
        Command::new(&python)
            .arg(script("compare.py"))
            .arg(folder.path())
            .arg("--symphony")
            .arg(program("symphony")?),
    )?;
    println!("{}", String::from_utf8_lossy(&output.stdout));
    compare_evidence(&python, &folder.path().join("evidence"))
}

/// Evidence is verified here in this process, and there by one run of the second verifier.
fn compare_evidence(python: &OsString, folder: &Path) -> anyhow::Result<()> {
    let mut files = fs::read_dir(folder)?
        .map(|file| Ok(file?.path()))
        .collect::<anyhow::Result<Vec<PathBuf>>>()?;
    files.sort();
    let output = Command::new(python)
        .current_dir(script(""))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .args(["-m", "symphony_reference", "evidence", "--json"])
        .args(&files)
        .output()?;
    let said: Vec<Value> = String::from_utf8(output.stdout)?
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    anyhow::ensure!(
        said.len() == files.len() && !files.is_empty(),
        "{} files, {} answers: {}",
        files.len(),
        said.len(),
        String::from_utf8_lossy(&output.stderr)
    );
    let (mut convictions, mut other_rules) = (0, 0);
    for (file, theirs) in files.iter().zip(&said) {
        let ours = Evidence::parse(&fs::read(file)?).and_then(|evidence| evidence.verify());
        anyhow::ensure!(
            agree(&ours, theirs),
            "{}: {ours:?} here, {theirs} there",
            file.display()
        );
        if let Ok(conviction) = ours {
            convictions += 1;
            other_rules += usize::from(theirs["rule"] != conviction.fault.rule.id());
        }
    }
    println!(
        "{} files of evidence, {convictions} convict, {other_rules} other rules",
        files.len()
    );
    anyhow::ensure!(convictions > 50, "evidence that convicts is missing");
    Ok(())
}

/// Who is convicted at which entry; of a rule, where an entry breaks several, each may name another (CONV-9).
fn agree(ours: &Result<Conviction, EvidenceError>, theirs: &Value) -> bool {
    match ours {
        Err(_) => theirs["valid"] == false,
        Ok(conviction) => {
            theirs["valid"] == true
                && theirs["peer"] == conviction.fault.peer.to_string()
                && theirs["entry"] == conviction.fault.entry
        }
    }
}
