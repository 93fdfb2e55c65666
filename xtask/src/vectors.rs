//! Vectors of `tests/vectors/`: one case a file, each with a header that says what to expect, which requirement it checks and why.
//!
//! `xtask/vectors.toml` lists the folders that must hold vectors, one for each format and rule.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::finding::Finding;
use crate::source;

const FOLDER: &str = "tests/vectors";
const HEADER: [&str; 3] = ["expect", "spec", "comment"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    /// Folders under `tests/vectors/` that must hold at least one vector each.
    required: BTreeSet<String>,
}

/// Checks that all required folders hold vectors and that each vector has its header.
pub(crate) fn check(root: &Path) -> Result<Vec<Finding>> {
    let table: Table = toml::from_str(&source::read(&root.join("xtask/vectors.toml"))?)
        .context("xtask/vectors.toml")?;
    let mut vectors = BTreeMap::new();
    for path in source::files_under(&root.join(FOLDER), &[""])? {
        let name = source::shown(&root.join(FOLDER), &path);
        if !name
            .rsplit('/')
            .next()
            .is_some_and(|file| file.starts_with("README"))
        {
            vectors.insert(name, source::read(&path)?);
        }
    }
    println!("vectors: {} files", vectors.len());
    Ok(lint(&table, &vectors))
}

fn lint(table: &Table, vectors: &BTreeMap<String, String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for folder in &table.required {
        let beginning = format!("{folder}/");
        if !vectors.keys().any(|name| name.starts_with(&beginning)) {
            findings.push(Finding::new(
                format!("{FOLDER}/{folder}"),
                "holds no vector",
            ));
        }
    }
    for (name, text) in vectors {
        for key in HEADER {
            if header_value(text, key).is_none_or(str::is_empty) {
                findings.push(Finding::new(
                    format!("{FOLDER}/{name}"),
                    format!("has no `{key}:` line in its header"),
                ));
            }
        }
    }
    findings
}

/// The value of `key: value` among the lines before the first empty line.
fn header_value<'text>(text: &'text str, key: &str) -> Option<&'text str> {
    text.lines()
        .take_while(|line| !line.trim().is_empty())
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(required: &str, name: &str, text: &str) -> Vec<String> {
        let table = Table {
            required: [required.to_owned()].into(),
        };
        let vectors = [(name.to_owned(), text.to_owned())].into();
        lint(&table, &vectors)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_vector_with_its_header_is_silent() {
        assert!(
            findings(
                "vote",
                "vote/a.txt",
                "expect: ok\nspec: VOTE-1\ncomment: c\n\nbytes: 00"
            )
            .is_empty()
        );
    }

    #[test]
    fn a_missing_or_late_header_line_is_found() {
        assert_eq!(
            findings("vote", "vote/a.txt", "expect: ok\nspec:\n\ncomment: late").len(),
            2
        );
    }

    #[test]
    fn an_empty_folder_is_found() {
        assert_eq!(
            findings("log", "vote/a.txt", "expect: ok\nspec: VOTE-1\ncomment: c"),
            ["tests/vectors/log: holds no vector"]
        );
    }
}
