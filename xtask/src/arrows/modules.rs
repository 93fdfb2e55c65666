//! Arrows between the top-level modules of a pure crate, read from `crate::…` and `super::…` paths.

use std::collections::{BTreeMap, BTreeSet};

use super::SourceFile;
use super::table::Arrows;
use crate::finding::Finding;
use crate::source;

/// Each use of a module that the table does not allow, each module that it does not know, and each that does not exist.
/// `lib.rs` wires all modules and is free.
pub(crate) fn check(name: &str, files: &[SourceFile], arrows: Option<&Arrows>) -> Vec<Finding> {
    let present: BTreeSet<&str> = files
        .iter()
        .filter_map(|file| module_of(&file.below))
        .collect();
    let Some(arrows) = arrows else {
        return if present.is_empty() {
            Vec::new()
        } else {
            vec![Finding::new(
                "xtask/arrows.toml",
                format!("[modules.{name}] is missing"),
            )]
        };
    };
    let mut findings = Vec::new();
    for unknown in present
        .iter()
        .filter(|module| !arrows.contains_key(**module))
    {
        findings.push(Finding::new(
            name,
            format!("module {unknown} is not in [modules.{name}] of xtask/arrows.toml"),
        ));
    }
    for stale in arrows
        .keys()
        .filter(|module| !present.contains(module.as_str()))
    {
        findings.push(Finding::new(
            "xtask/arrows.toml",
            format!("[modules.{name}] names {stale}, which does not exist"),
        ));
    }
    let reexports = files
        .iter()
        .find(|file| file.below == "lib.rs")
        .map(reexports)
        .unwrap_or_default();
    for file in files {
        let Some(module) = module_of(&file.below) else {
            continue;
        };
        let Some(allowed) = arrows.get(module) else {
            continue;
        };
        for (offset, used) in uses(&file.shipped(), depth(&file.below)) {
            let used = reexports.get(&used).unwrap_or(&used);
            if present.contains(used.as_str()) && used != module && !allowed.contains(used) {
                let place = format!("{}:{}", file.shown, source::line_of(&file.text, offset));
                findings.push(Finding::new(
                    place,
                    format!("module {module} may not use {used}"),
                ));
            }
        }
    }
    findings
}

/// The top-level module of a path below `src/`: `vote` of `vote.rs`, `vote/mod.rs` and `vote/tally.rs`.
fn module_of(below: &str) -> Option<&str> {
    let first = below.split('/').next()?;
    let module = first.strip_suffix(".rs").unwrap_or(first);
    (!matches!(module, "lib" | "main")).then_some(module)
}

/// How many `super::` lead from the file's module to the crate's root.
fn depth(below: &str) -> usize {
    let parts = below.split('/').count();
    if below.ends_with("/mod.rs") {
        parts - 1
    } else {
        parts
    }
}

/// What the crate's root re-exports: from the name to the module that defines it.
fn reexports(root: &SourceFile) -> BTreeMap<String, String> {
    let code = root.shipped();
    let mut names = BTreeMap::new();
    for offset in source::word_offsets(&code, "pub use") {
        let statement = code[offset + "pub use".len()..]
            .split(';')
            .next()
            .unwrap_or_default()
            .trim();
        let statement = statement
            .trim_start_matches("self::")
            .trim_start_matches("crate::");
        let module = source::leading_identifier(statement);
        let mut rest = &statement[module.len()..];
        while let Some(start) = rest.bytes().position(source::is_identifier) {
            let word = source::leading_identifier(&rest[start..]);
            names.insert(word.to_owned(), module.to_owned());
            rest = &rest[start + word.len()..];
        }
    }
    names
}

/// All first segments after `crate::`, or after as many `super::` as lead to the root, with their offsets.
fn uses(code: &str, depth: usize) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let climb = "super::".repeat(depth);
    for start in ["crate::", climb.as_str()] {
        for offset in source::word_offsets(code, start) {
            if code[..offset].ends_with("::") {
                continue; // a longer climb, or a path that merely contains the word
            }
            let rest = &code[offset + start.len()..];
            if rest.trim_start().starts_with('{') {
                found.extend(
                    group(rest.trim_start())
                        .into_iter()
                        .map(|name| (offset, name)),
                );
            } else {
                found.push((offset, source::leading_identifier(rest).to_owned()));
            }
        }
    }
    found
}

/// The first segments inside `{…}`, however the group is nested and broken into lines.
fn group(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0_usize;
    let mut expecting = false;
    for (offset, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => {
                depth += 1;
                expecting = depth == 1;
            }
            b'}' if depth == 1 => break,
            b'}' => depth -= 1,
            b',' => expecting = depth == 1,
            _ if expecting && source::is_identifier(byte) => {
                names.push(source::leading_identifier(&text[offset..]).to_owned());
                expecting = false;
            }
            _ => {}
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(below: &str, text: &str) -> SourceFile {
        SourceFile {
            shown: format!("src/{below}"),
            below: below.into(),
            text: text.into(),
        }
    }

    fn check_with(files: &[SourceFile]) -> Vec<Finding> {
        let arrows: Arrows =
            toml::from_str("records = []\nvote = ['records']\nstate = ['records', 'vote']")
                .unwrap();
        let mut all = vec![
            file("records.rs", ""),
            file("vote/mod.rs", ""),
            file("state.rs", ""),
        ];
        all.retain(|empty| files.iter().all(|file| file.below != empty.below));
        all.extend(files.iter().map(|one| file(&one.below, &one.text)));
        check("p", &all, Some(&arrows))
    }

    #[test]
    fn an_allowed_use_is_silent() {
        assert!(
            check_with(&[file(
                "state.rs",
                "use crate::{records::{Entry, Kind}, vote};\nuse crate::state::X;"
            )])
            .is_empty()
        );
    }

    #[test]
    fn a_use_against_the_arrows_is_found_in_each_spelling() {
        for text in [
            "use crate::state::State;",
            "fn f() { crate::state::apply() }",
            "use crate::{\n    records::Entry,\n    state,\n};",
            "use super::state::State;",
        ] {
            let findings = check_with(&[file("vote/mod.rs", text)]);
            assert_eq!(findings.len(), 1, "{text}: {findings:?}");
        }
        assert_eq!(
            check_with(&[file("vote/tally.rs", "use super::super::state::State;")]).len(),
            1
        );
        assert!(
            check_with(&[file("vote/tally.rs", "use super::state::Inner;")]).is_empty(),
            "vote::state, a module of its own"
        );
    }

    #[test]
    fn a_reexport_hides_no_arrow() {
        let root = file("lib.rs", "pub use state::{State, apply as go};");
        assert_eq!(
            check_with(&[root, file("records.rs", "use crate::State;")]).len(),
            1
        );
    }

    #[test]
    fn tests_of_a_module_are_free() {
        assert!(
            check_with(&[file(
                "records.rs",
                "#[cfg(test)]\nmod tests { use crate::state::State; }"
            )])
            .is_empty()
        );
    }

    #[test]
    fn an_unknown_and_a_stale_module_are_found() {
        assert_eq!(check_with(&[file("new.rs", "")]).len(), 1);
        assert_eq!(
            check(
                "p",
                &[file("records.rs", "")],
                Some(&toml::from_str("records = []\nold = []").unwrap())
            )
            .len(),
            1
        );
    }
}
