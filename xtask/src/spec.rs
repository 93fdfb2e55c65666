//! Requirements of `spec/` without code or without a test.
//!
//! A requirement is `**LOG-7**` and the text up to the next one, or to the end of its paragraph or list item. If it says MUST, its id has
//! to stand in code that ships, and in a test: in a test's name (`log_7_…`), in a file or item that is compiled for tests only,
//! or in a vector. What is still missing stands in `xtask/spec-allow.txt`, which may only shrink: a line that is no longer
//! needed is a finding too.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;

use crate::finding::Finding;
use crate::source;

const INDEX_FILE: &str = "spec/README.md";
const ALLOW_FILE: &str = "xtask/spec-allow.txt";

/// Folders with sources, from the repository's root.
const SOURCE_FOLDERS: [&str; 5] = ["crates", "ledger", "node", "proto", "tests"];

/// Reads `spec/`, the sources and the allow-list, and prints how many requirements there are and how many are covered.
pub(crate) fn check(root: &Path) -> Result<Vec<Finding>> {
    let mut chapters = Vec::new();
    for path in source::files_under(&root.join("spec"), &[".md"])? {
        let shown = source::shown(root, &path);
        if !shown.starts_with("spec/decisions/") && shown != INDEX_FILE {
            chapters.push((shown, source::read(&path)?));
        }
    }
    let (requirements, mut findings) = requirements(&chapters);
    findings.extend(check_index(
        &chapters,
        &requirements,
        &source::read(&root.join(INDEX_FILE))?,
    ));
    let prefixes: BTreeSet<&str> = requirements.keys().filter_map(|id| prefix_of(id)).collect();

    let mut mentions = Mentions::default();
    for folder in SOURCE_FOLDERS {
        for path in source::files_under(&root.join(folder), &[".rs"])? {
            mentions.add_rust(
                &source::shown(root, &path),
                &source::read(&path)?,
                &prefixes,
            );
        }
    }
    for path in source::files_under(&root.join("tests"), &["", ".txt", ".json", ".toml", ".py"])? {
        let shown = source::shown(root, &path);
        if !shown.ends_with(".rs")
            && let Ok(text) = std::fs::read_to_string(&path)
        {
            mentions.add_test_text(&shown, &text, &prefixes);
        }
    }
    let allowed = std::fs::read_to_string(root.join(ALLOW_FILE)).unwrap_or_default();
    findings.extend(compare(&requirements, &mentions, &allowed));
    Ok(findings)
}

/// One `**LOG-7**` of the spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Requirement {
    place: String,
    must: bool,
}

/// All requirements by id; an id that is given twice is a finding.
fn requirements(chapters: &[(String, String)]) -> (BTreeMap<String, Requirement>, Vec<Finding>) {
    let mut requirements: BTreeMap<String, Requirement> = BTreeMap::new();
    let mut findings = Vec::new();
    for (file, text) in chapters {
        let marks: Vec<(usize, &str)> = marks(text);
        for (position, (offset, id)) in marks.iter().enumerate() {
            let end = marks
                .get(position + 1)
                .map_or(text.len(), |(next, _)| *next);
            let body = &text[*offset..end];
            let body = &body[..paragraph_length(body)];
            let place = format!("{file}:{}", source::line_of(text, *offset));
            let requirement = Requirement {
                place: place.clone(),
                must: !source::word_offsets(body, "MUST").is_empty(),
            };
            if let Some(first) = requirements.insert((*id).to_owned(), requirement) {
                findings.push(Finding::new(
                    place,
                    format!("{id} is given twice, first at {}", first.place),
                ));
            }
        }
    }
    (requirements, findings)
}

/// The index names every chapter and every prefix, and no chapter that does not exist.
fn check_index(
    chapters: &[(String, String)],
    requirements: &BTreeMap<String, Requirement>,
    index: &str,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, _) in chapters {
        let name = file.trim_start_matches("spec/");
        if !index.contains(&format!("({name})")) {
            findings.push(Finding::new(INDEX_FILE, format!("has no link to {name}")));
        }
    }
    for (start, _) in index.match_indices("](") {
        let link = index[start + 2..].split(')').next().unwrap_or_default();
        let is_chapter = link.ends_with(".md") && !link.contains('/');
        if is_chapter
            && !chapters
                .iter()
                .any(|(file, _)| file.trim_start_matches("spec/") == link)
        {
            findings.push(Finding::new(
                INDEX_FILE,
                format!("links to {link}, which does not exist"),
            ));
        }
    }
    let prefixes: BTreeSet<&str> = requirements.keys().filter_map(|id| prefix_of(id)).collect();
    for prefix in prefixes
        .into_iter()
        .filter(|prefix| !index.contains(&format!("`{prefix}`")))
    {
        findings.push(Finding::new(
            INDEX_FILE,
            format!("does not name the ids `{prefix}`"),
        ));
    }
    findings
}

/// Offsets and ids of all `**ID**`.
fn marks(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (offset, _) in text.match_indices("**") {
        let rest = &text[offset + 2..];
        if let Some(end) = rest.find("**")
            && is_id(&rest[..end])
        {
            found.push((offset, &rest[..end]));
        }
    }
    found
}

/// A requirement's text ends at an empty line, unless the next line goes on indented (a list item's second paragraph).
fn paragraph_length(text: &str) -> usize {
    let mut from = 0;
    while let Some(found) = text[from..].find("\n\n") {
        let end = from + found;
        if !text[end + 2..].starts_with("  ") {
            return end;
        }
        from = end + 2;
    }
    text.len()
}

fn is_id(text: &str) -> bool {
    text.rsplit_once('-').is_some_and(|(prefix, number)| {
        !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && prefix.starts_with(|first: char| first.is_ascii_uppercase())
            && prefix
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    })
}

fn prefix_of(id: &str) -> Option<&str> {
    id.rsplit_once('-').map(|(prefix, _)| prefix)
}

/// Where ids are named, each with its first place.
#[derive(Debug, Default)]
struct Mentions {
    code: BTreeMap<String, String>,
    tests: BTreeMap<String, String>,
}

impl Mentions {
    fn add_rust(&mut self, file: &str, text: &str, prefixes: &BTreeSet<&str>) {
        let code = source::code_only(text);
        let regions = if source::is_test_file(file) {
            vec![(0, text.len())]
        } else {
            source::test_regions(&code)
        };
        for (offset, id) in ids_in(text, prefixes) {
            let place = || format!("{file}:{}", source::line_of(text, offset));
            let in_test = regions
                .iter()
                .any(|(start, end)| (*start..*end).contains(&offset));
            let side = if in_test {
                &mut self.tests
            } else {
                &mut self.code
            };
            side.entry(id).or_insert_with(place);
        }
        for (start, end) in regions {
            for id in test_names(&code[start..end], prefixes) {
                self.tests.entry(id).or_insert_with(|| file.to_owned());
            }
        }
    }

    fn add_test_text(&mut self, file: &str, text: &str, prefixes: &BTreeSet<&str>) {
        for (offset, id) in ids_in(text, prefixes) {
            self.tests
                .entry(id)
                .or_insert_with(|| format!("{file}:{}", source::line_of(text, offset)));
        }
    }
}

/// All ids with a known prefix (so that `SHA-256` is none), with their offsets.
fn ids_in(text: &str, prefixes: &BTreeSet<&str>) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for prefix in prefixes {
        for offset in source::word_offsets(text, prefix) {
            let rest = &text[offset + prefix.len()..];
            let Some(number) = rest.strip_prefix('-') else {
                continue;
            };
            let digits = number.bytes().take_while(u8::is_ascii_digit).count();
            let whole = number
                .as_bytes()
                .get(digits)
                .is_none_or(|byte| !source::is_identifier(*byte));
            if digits > 0 && whole {
                found.push((offset, format!("{prefix}-{}", &number[..digits])));
            }
        }
    }
    found
}

/// Ids in the names of functions, `fn log_7_…`. In `fn log_7_log_8_…` both.
fn test_names(code: &str, prefixes: &BTreeSet<&str>) -> Vec<String> {
    let mut found = Vec::new();
    for offset in source::word_offsets(code, "fn") {
        let name = source::leading_identifier(code[offset + 2..].trim_start());
        let words: Vec<&str> = name.split('_').collect();
        for pair in words.windows(2) {
            let prefix = pair[0].to_ascii_uppercase();
            if prefixes.contains(prefix.as_str())
                && !pair[1].is_empty()
                && pair[1].bytes().all(|byte| byte.is_ascii_digit())
            {
                found.push(format!("{prefix}-{}", pair[1]));
            }
        }
    }
    found
}

fn compare(
    requirements: &BTreeMap<String, Requirement>,
    mentions: &Mentions,
    allowed: &str,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut unused: BTreeSet<&str> = allowed
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let (mut musts, mut without_code, mut without_test) = (0, 0, 0);
    for (id, requirement) in requirements
        .iter()
        .filter(|(_, requirement)| requirement.must)
    {
        musts += 1;
        for (kind, known, missing) in [
            ("code", &mentions.code, &mut without_code),
            ("test", &mentions.tests, &mut without_test),
        ] {
            if known.contains_key(id) {
                continue;
            }
            *missing += 1;
            if !unused.remove(format!("{id} {kind}").as_str()) {
                findings.push(Finding::new(
                    &requirement.place,
                    format!("{id} has no {kind}"),
                ));
            }
        }
    }
    for line in unused {
        findings.push(Finding::new(
            ALLOW_FILE,
            format!("`{line}` is no longer needed: remove the line"),
        ));
    }
    for (id, place) in mentions.code.iter().chain(&mentions.tests) {
        if !requirements.contains_key(id) {
            findings.push(Finding::new(place, format!("{id} is not in spec/")));
        }
    }
    println!(
        "spec: {} requirements, {musts} of them with MUST: {without_code} without code, {without_test} without test",
        requirements.len()
    );
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAPTER: &str = "# Log\n\n- **LOG-1** An index MUST follow its predecessor.\n- **LOG-2** A peer SHOULD sync.\n\n**LOG-3** Bytes.\n\nThis MUST belongs to none.\n\n- **LOG-4** A\n  tree\n\n  MUST be binary. **Not an id** SHA-256\n";

    fn found(code: &str, allowed: &str) -> Vec<String> {
        let (requirements, mut findings) =
            requirements(&[("spec/04-log.md".into(), CHAPTER.into())]);
        let prefixes = ["LOG"].into();
        let mut mentions = Mentions::default();
        mentions.add_rust("crates/a/src/log.rs", code, &prefixes);
        findings.extend(compare(&requirements, &mentions, allowed));
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_must_ends_with_its_paragraph() {
        let (requirements, _) = requirements(&[("spec/04-log.md".into(), CHAPTER.into())]);
        let musts: Vec<&str> = requirements
            .iter()
            .filter(|(_, one)| one.must)
            .map(|(id, _)| id.as_str())
            .collect();
        assert_eq!(musts, ["LOG-1", "LOG-4"]);
        assert_eq!(requirements["LOG-4"].place, "spec/04-log.md:10");
        assert_eq!(requirements.len(), 4);
    }

    #[test]
    fn code_and_test_cover_a_requirement() {
        let code = "/// Spec: LOG-1, LOG-4.\nfn a() {}\n#[cfg(test)]\nmod tests {\n    fn log_1_rejects_a_gap() {}\n    // LOG-4\n}";
        assert_eq!(found(code, ""), Vec::<String>::new());
    }

    #[test]
    fn a_requirement_without_code_or_test_is_found() {
        let findings = found("/// Spec: LOG-1.\nfn log_4_is_no_test() {}", "");
        assert_eq!(
            findings,
            [
                "spec/04-log.md:3: LOG-1 has no test",
                "spec/04-log.md:10: LOG-4 has no code",
                "spec/04-log.md:10: LOG-4 has no test"
            ]
        );
    }

    #[test]
    fn longer_numbers_are_other_ids() {
        assert_eq!(
            found(
                "/// LOG-11, SHA-256, LOG-1x",
                "LOG-1 code\nLOG-1 test\nLOG-4 code\nLOG-4 test"
            )
            .len(),
            1
        );
    }

    #[test]
    fn the_allow_list_may_only_shrink() {
        let allowed = "# reason\nLOG-1 test\nLOG-4 code\nLOG-4 test\n";
        assert_eq!(found("/// LOG-1", allowed), Vec::<String>::new());
        let findings = found(
            "/// LOG-1\n#[cfg(test)]\nmod tests { fn log_1_a() {} }",
            allowed,
        );
        assert_eq!(
            findings,
            ["xtask/spec-allow.txt: `LOG-1 test` is no longer needed: remove the line"]
        );
    }

    #[test]
    fn an_id_that_the_spec_does_not_know_is_found() {
        let findings = found(
            "/// LOG-1 LOG-4 LOG-99\n#[cfg(test)]\nmod tests { fn log_1_log_4_a() {} }",
            "",
        );
        assert_eq!(findings, ["crates/a/src/log.rs:1: LOG-99 is not in spec/"]);
    }

    #[test]
    fn the_index_names_each_chapter_and_prefix() {
        let chapters = [("spec/04-log.md".to_owned(), CHAPTER.to_owned())];
        let (requirements, _) = requirements(&chapters);
        assert_eq!(check_index(&chapters, &requirements, "# Index").len(), 2);
        let index = "[Log](04-log.md) `LOG` [decisions](decisions/README.md)";
        assert!(check_index(&chapters, &requirements, index).is_empty());
        assert_eq!(
            check_index(
                &chapters,
                &requirements,
                &format!("{index} [Vote](09-vote.md)")
            )
            .len(),
            1
        );
    }

    #[test]
    fn an_id_given_twice_is_found() {
        let chapters = [
            ("a.md".into(), "**LOG-1** x".into()),
            ("b.md".into(), "**LOG-1** y".into()),
        ];
        assert_eq!(requirements(&chapters).1.len(), 1);
    }
}
