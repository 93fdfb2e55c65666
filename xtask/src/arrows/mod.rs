//! Which crate and which module may use which. The tables stand in `xtask/arrows.toml`.

mod crates;
mod modules;
mod pure;
mod table;

use std::path::Path;

use anyhow::{Context, Result};

use crate::finding::Finding;
use crate::source;
use table::Table;

/// Checks the crates' arrows, the pure crates' closure and sources, and the pure crates' modules.
pub(crate) fn check(root: &Path) -> Result<Vec<Finding>> {
    let table: Table = toml::from_str(&source::read(&root.join("xtask/arrows.toml"))?)
        .context("xtask/arrows.toml")?;
    let workspace = crates::Workspace::of(root)?;
    let mut findings = table.cycles();
    findings.extend(crates::check(&table, &workspace));
    for name in &table.pure.crates {
        findings.extend(pure::check_closure(
            name,
            &pure::closure(root, name)?,
            &table.pure,
        ));
        let folder = workspace
            .folder(name)
            .with_context(|| format!("no crate {name} in the workspace"))?;
        let files = source::files_under(&folder.join("src"), &[".rs"])?
            .into_iter()
            .map(|path| {
                Ok(SourceFile {
                    shown: source::shown(root, &path),
                    below: source::shown(&folder.join("src"), &path),
                    text: source::read(&path)?,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        findings.extend(pure::check_sources(&files, &table.pure));
        findings.extend(modules::check(name, &files, table.modules.get(name)));
    }
    Ok(findings)
}

/// One file of a crate: its path in the repository, its path below `src/`, and its text.
pub(crate) struct SourceFile {
    pub(crate) shown: String,
    pub(crate) below: String,
    pub(crate) text: String,
}

impl SourceFile {
    /// The code that ships: no comments, no literals, no tests (all blanked in place).
    fn shipped(&self) -> String {
        if source::is_test_file(&format!("src/{}", self.below)) {
            return String::new();
        }
        source::without_tests(&source::code_only(&self.text))
    }
}
