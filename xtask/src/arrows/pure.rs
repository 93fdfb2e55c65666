//! What a pure crate may not reach and what its sources may not say.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::SourceFile;
use super::table::Pure;
use crate::finding::Finding;
use crate::source;

/// All packages that the crate alone needs at run time. `cargo metadata` would not do: it unites the features that the whole
/// workspace asks for, and so shows optional dependencies that this crate never turns on.
pub(crate) fn closure(root: &Path, name: &str) -> Result<BTreeSet<String>> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "tree",
            "--package",
            name,
            "--edges",
            "normal,no-proc-macro",
            "--target",
            "all",
        ])
        .args(["--prefix", "none", "--format", "{p}", "--locked"])
        .current_dir(root)
        .output()
        .context("cargo tree")?;
    if !output.status.success() {
        bail!(
            "cargo tree --package {name}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let text = String::from_utf8(output.stdout).context("the output of cargo tree")?;
    Ok(text
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect())
}

/// Each package in the closure that the table calls unreachable.
pub(crate) fn check_closure(name: &str, closure: &BTreeSet<String>, rules: &Pure) -> Vec<Finding> {
    closure
        .iter()
        .filter(|package| {
            rules
                .unreachable
                .iter()
                .any(|pattern| matches(pattern, package))
        })
        .map(|package| {
            Finding::new(
                name,
                format!(
                    "is pure but reaches {package} (cargo tree -p {name} -e normal -i {package})"
                ),
            )
        })
        .collect()
}

fn matches(pattern: &str, package: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => package.starts_with(beginning),
        None => package == pattern,
    }
}

/// Each banned word in code that ships, and each exception that nothing needs any more.
pub(crate) fn check_sources(files: &[SourceFile], rules: &Pure) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        let code = file.shipped();
        for (word, reason) in &rules.banned {
            let offsets = source::word_offsets(&code, word);
            let excepted = rules
                .exceptions
                .iter()
                .any(|exception| exception.file == file.shown && exception.word == *word);
            if excepted && offsets.is_empty() {
                findings.push(Finding::new(
                    "xtask/arrows.toml",
                    format!("{} no longer needs the exception {word}", file.shown),
                ));
            }
            if excepted {
                continue;
            }
            for offset in offsets {
                let place = format!("{}:{}", file.shown, source::line_of(&file.text, offset));
                findings.push(Finding::new(
                    place,
                    format!("`{word}` in a pure crate: {reason}"),
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(exceptions: &str) -> Pure {
        toml::from_str(&format!(
            "crates = []\nunreachable = ['tokio', 'rand*']\n{exceptions}\n[banned]\n'std::time' = 'a clock'\n'.ln(' = 'not reproducible'"
        ))
        .unwrap()
    }

    fn file(text: &str) -> SourceFile {
        SourceFile {
            shown: "crates/p/src/a.rs".into(),
            below: "a.rs".into(),
            text: text.into(),
        }
    }

    #[test]
    fn an_unreachable_package_is_found_by_name_and_by_beginning() {
        let closure = ["blake3", "rand_core", "tokio", "tokio-util"]
            .map(str::to_owned)
            .into();
        let findings = check_closure("p", &closure, &rules(""));
        assert_eq!(findings.len(), 2, "{findings:?}");
    }

    #[test]
    fn a_banned_word_is_found_with_its_line() {
        let findings = check_sources(
            &[file(
                "// std::time is fine here\nuse std::time::Duration;\nlet x = y.ln();",
            )],
            &rules(""),
        );
        assert_eq!(findings.len(), 2);
        assert!(
            findings
                .iter()
                .any(|finding| finding.to_string().starts_with("crates/p/src/a.rs:2:")),
            "{findings:?}"
        );
    }

    #[test]
    fn tests_and_strings_may_say_anything() {
        let text =
            "const A: &str = \"std::time\";\n#[cfg(test)]\nmod tests { use std::time::Instant; }";
        assert!(check_sources(&[file(text)], &rules("")).is_empty());
    }

    #[test]
    fn an_exception_holds_for_its_file_and_must_be_needed() {
        let rules =
            rules("exceptions = [{ file = 'crates/p/src/a.rs', word = '.ln(', reason = 'r' }]");
        assert!(check_sources(&[file("y.ln()")], &rules).is_empty());
        assert_eq!(check_sources(&[file("y.abs()")], &rules).len(), 1);
    }
}
