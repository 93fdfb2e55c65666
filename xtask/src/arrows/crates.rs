//! Arrows between our crates, and who may depend on a foreign one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::table::Table;
use crate::finding::Finding;

/// What `cargo metadata` says, as far as it matters here.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
    resolve: Resolve,
}

#[derive(Debug, Deserialize)]
struct Package {
    id: String,
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    dependencies: Vec<String>,
}

impl Workspace {
    /// Asks Cargo. With a lock file and a filled registry cache it needs no network.
    pub(crate) fn of(root: &Path) -> Result<Self> {
        let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["metadata", "--format-version", "1", "--locked"])
            .current_dir(root)
            .output()
            .context("cargo metadata")?;
        if !output.status.success() {
            bail!(
                "cargo metadata: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Self::parse(&output.stdout)
    }

    fn parse(json: &[u8]) -> Result<Self> {
        serde_json::from_slice(json).context("the output of cargo metadata")
    }

    /// The folder of one of our crates.
    pub(crate) fn folder(&self, name: &str) -> Option<PathBuf> {
        let package = self.ours().find(|package| package.name == name)?;
        package.manifest_path.parent().map(Path::to_owned)
    }

    fn ours(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .iter()
            .filter(|package| self.workspace_members.contains(&package.id))
    }
}

/// Each arrow that the table does not allow, each crate that it does not know, and each owner's right that another took.
pub(crate) fn check(table: &Table, workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    let our_names: BTreeSet<&str> = workspace
        .ours()
        .map(|package| package.name.as_str())
        .collect();
    for package in workspace.ours() {
        let Some(allowed) = table.crates.get(&package.name) else {
            findings.push(Finding::new(
                &package.name,
                "not in [crates] of xtask/arrows.toml",
            ));
            continue;
        };
        for dependency in &package.dependencies {
            let ships = dependency.kind.as_deref() != Some("dev");
            if ships
                && our_names.contains(dependency.name.as_str())
                && !allowed.contains(&dependency.name)
            {
                findings.push(Finding::new(
                    &package.name,
                    format!("may not depend on {}", dependency.name),
                ));
            }
        }
    }
    for stale in table
        .crates
        .keys()
        .filter(|name| !our_names.contains(name.as_str()))
    {
        findings.push(Finding::new(
            "xtask/arrows.toml",
            format!("[crates] names {stale}, which does not exist"),
        ));
    }
    findings.extend(check_owners(table, workspace));
    findings
}

fn check_owners(table: &Table, workspace: &Workspace) -> Vec<Finding> {
    let names: BTreeMap<&str, &str> = workspace
        .packages
        .iter()
        .map(|package| (package.id.as_str(), package.name.as_str()))
        .collect();
    let name_of = |id: &str| names.get(id).copied().unwrap_or("?").to_owned();
    let mut findings = Vec::new();
    for node in &workspace.resolve.nodes {
        let user = name_of(&node.id);
        for used in node.dependencies.iter().map(|id| name_of(id)) {
            if let Some(owners) = table.owners.get(&used)
                && !owners.contains(&user)
            {
                findings.push(Finding::new(
                    &user,
                    format!("may not depend on {used}: only {owners:?} may"),
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(dependency: &str, kind: &str) -> Workspace {
        let json = format!(
            r#"{{"packages":[
                {{"id":"1","name":"shell","manifest_path":"/r/shell/Cargo.toml","dependencies":[]}},
                {{"id":"2","name":"core","manifest_path":"/r/core/Cargo.toml",
                  "dependencies":[{{"name":"{dependency}","kind":{kind}}}]}},
                {{"id":"3","name":"rocksdb","manifest_path":"/x/Cargo.toml","dependencies":[]}}],
              "workspace_members":["1","2"],
              "resolve":{{"nodes":[{{"id":"1","dependencies":["3"]}},{{"id":"2","dependencies":["3"]}},
                                   {{"id":"3","dependencies":[]}}]}}}}"#
        );
        Workspace::parse(json.as_bytes()).unwrap()
    }

    fn table(crates: &str, owners: &str) -> Table {
        toml::from_str(&format!(
            "[crates]\n{crates}\n[owners]\n{owners}\n[pure]\ncrates = []\nunreachable = []\n[pure.banned]\n[modules]"
        ))
        .unwrap()
    }

    #[test]
    fn an_arrow_outside_the_table_is_found() {
        let table = table("shell = ['core']\ncore = []", "");
        let findings = check(&table, &workspace("shell", "null"));
        assert_eq!(findings, [Finding::new("core", "may not depend on shell")]);
        assert_eq!(check(&table, &workspace("shell", "\"build\"")).len(), 1);
        assert!(
            check(&table, &workspace("shell", "\"dev\"")).is_empty(),
            "tests may use any crate"
        );
    }

    #[test]
    fn an_unknown_and_a_stale_crate_are_found() {
        let findings = check(
            &table("core = ['shell']\nold = []", ""),
            &workspace("shell", "null"),
        );
        assert_eq!(findings.len(), 2, "{findings:?}");
    }

    #[test]
    fn a_dependency_that_has_an_owner_is_found_elsewhere() {
        let table = table("shell = []\ncore = ['shell']", "rocksdb = ['shell']");
        let findings = check(&table, &workspace("shell", "null"));
        assert_eq!(findings.len(), 1);
        assert!(
            findings[0]
                .to_string()
                .starts_with("core: may not depend on rocksdb"),
            "{findings:?}"
        );
    }

    #[test]
    fn the_folder_of_a_crate_is_its_manifests() {
        assert_eq!(
            workspace("shell", "null").folder("core").unwrap(),
            Path::new("/r/core")
        );
    }
}
