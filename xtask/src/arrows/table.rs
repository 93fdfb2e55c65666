//! The content of `xtask/arrows.toml`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::finding::Finding;

/// From a crate or module to those that it may use directly.
pub(crate) type Arrows = BTreeMap<String, BTreeSet<String>>;

/// The whole table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    /// Our crates, each with those of ours that it may use in what ships (tests may use any).
    pub(crate) crates: Arrows,
    /// Foreign crates, each with the only packages that may depend on it directly.
    pub(crate) owners: Arrows,
    /// What the pure crates may not do.
    pub(crate) pure: Pure,
    /// The modules of a pure crate, each with those that it may use.
    pub(crate) modules: BTreeMap<String, Arrows>,
}

/// The rules of the pure crates.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pure {
    /// Names of the pure crates.
    pub(crate) crates: Vec<String>,
    /// Packages that they may not reach; a `*` at the end stands for any ending.
    pub(crate) unreachable: Vec<String>,
    /// Words that their sources may not hold, each with the reason.
    pub(crate) banned: BTreeMap<String, String>,
    /// Exceptions, each with its reason.
    #[serde(default)]
    pub(crate) exceptions: Vec<Exception>,
}

/// One banned word that one file may hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exception {
    /// Path in the repository.
    pub(crate) file: String,
    /// The banned word.
    pub(crate) word: String,
    /// Why it is harmless there. Read by people.
    #[expect(
        dead_code,
        reason = "required in the file so that a person reads it there"
    )]
    pub(crate) reason: String,
}

impl Table {
    /// An arrow that leads back to its start makes layers meaningless.
    pub(crate) fn cycles(&self) -> Vec<Finding> {
        let mut findings = cycles_of("crates", &self.crates);
        for (name, arrows) in &self.modules {
            findings.extend(cycles_of(&format!("modules of {name}"), arrows));
        }
        findings
    }
}

fn cycles_of(what: &str, arrows: &Arrows) -> Vec<Finding> {
    arrows
        .keys()
        .filter(|start| reaches(arrows, start, start))
        .map(|start| {
            Finding::new(
                "xtask/arrows.toml",
                format!("{what}: the arrows of {start} lead back to it"),
            )
        })
        .collect()
}

fn reaches(arrows: &Arrows, from: &str, goal: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut waiting: Vec<&str> = vec![from];
    while let Some(name) = waiting.pop() {
        for next in arrows.get(name).into_iter().flatten() {
            if next == goal {
                return true;
            }
            if seen.insert(next.as_str()) {
                waiting.push(next);
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_is_found() {
        let arrows: Arrows = toml::from_str("a = ['b']\nb = ['c']\nc = ['a']\nd = ['a']").unwrap();
        assert_eq!(cycles_of("modules", &arrows).len(), 3);
        let arrows: Arrows = toml::from_str("a = ['b', 'c']\nb = ['c']\nc = []").unwrap();
        assert!(cycles_of("modules", &arrows).is_empty());
    }
}
