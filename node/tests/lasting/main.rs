//! What an operator does when a disk failed: find the damage, heal the log from a peer's copy, or end it. By the binary alone.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set its scene fails, and says where"
)]

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use symphony_node::{
    config::{Config, NetworkSettings},
    home::Home,
    retirement::{predecessors, retired},
};

fn symphony(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_symphony"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .output()
        .unwrap()
}

/// Runs a command that must succeed, and gives the JSON that it prints.
fn json(folder: &Path, arguments: &[&str]) -> Value {
    let output = symphony(folder, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn config() -> Config {
    Config {
        network: NetworkSettings {
            name: "lasting".to_owned(),
            admission_difficulty_bits: 1,
        },
        mdns: false,
        ..Config::default()
    }
}

/// Homes of this name in a folder, each with a log of its own.
fn homes(folder: &Path, names: &[&str]) -> Vec<Home> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    names
        .iter()
        .map(|name| {
            let (home, config) = (folder.join(name), config());
            let made = Home::init(&home, &config, |_| {});
            runtime.block_on(made).unwrap().0
        })
        .collect()
}

/// The names of all damages that a check finds.
fn damages(folder: &Path, home: &str) -> Vec<String> {
    let output = symphony(folder, &["log", "fsck", "--home", home, "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of_logs = report["logs"].as_array().unwrap().iter();
    let lists = of_logs
        .map(|log| &log["damages"])
        .chain([&report["elsewhere"]]);
    let found: Vec<String> = lists
        .flat_map(|list| list.as_array().unwrap())
        .map(|damage| damage["name"].as_str().unwrap().to_owned())
        .collect();
    let code = if found.is_empty() { 0 } else { 2 };
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    found
}

fn current(home: &Home) -> PathBuf {
    home.data_folder().join("database").join("CURRENT")
}

#[test]
fn store_14_a_damaged_log_is_found_and_healed_from_a_peers_copy() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let homes = homes(folder, &["own", "peer"]);
    let exported = json(
        folder,
        &["log", "export", "--home", "own", "own.symlog", "--json"],
    );
    let copied = json(
        folder,
        &["log", "import", "--home", "peer", "own.symlog", "--json"],
    );
    assert_eq!(copied["healed"], false);
    let log = copied["log"].as_str().unwrap();
    json(
        folder,
        &[
            "log",
            "export",
            "--home",
            "peer",
            "--log-id",
            log,
            "peers.symlog",
            "--json",
        ],
    );
    assert!(damages(folder, "own").is_empty(), "{exported}");

    std::fs::remove_file(current(&homes[0])).unwrap();
    assert_eq!(damages(folder, "own"), ["database-unreadable"]);
    let healed = json(
        folder,
        &["log", "import", "--home", "own", "peers.symlog", "--json"],
    );
    assert_eq!(
        (&healed["healed"], &healed["log"]),
        (&true.into(), &copied["log"])
    );
    assert!(folder.join(healed["put_aside"].as_str().unwrap()).is_dir());
    assert!(damages(folder, "own").is_empty());

    // Nothing is missing now, and nobody takes one's own log for another's.
    let again = symphony(folder, &["log", "import", "--home", "own", "peers.symlog"]);
    assert_eq!(again.status.code(), Some(1), "{again:?}");
}

#[test]
fn store_24_a_log_that_cannot_be_healed_is_retired_and_its_node_runs_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let homes = homes(folder, &["own", "next", "third"]);
    let network = config().params().unwrap().network_id();
    let retire = [
        "log",
        "retire",
        "--home",
        "own",
        "--successor",
        "next",
        "--json",
    ];
    let refused = symphony(folder, &retire);
    assert_eq!(refused.status.code(), Some(1), "an intact log can go on");
    let itself = [
        "log",
        "retire",
        "--home",
        "own",
        "--successor",
        "own",
        "--although-intact",
    ];
    assert_eq!(symphony(folder, &itself).status.code(), Some(1));
    assert_eq!(retired(&homes[0], &network).unwrap(), None);

    std::fs::remove_file(current(&homes[0])).unwrap();
    let record = json(folder, &retire);
    assert_eq!(record["size"], 1);
    let ended = retired(&homes[0], &network).unwrap().unwrap();
    assert_eq!(record["log"], ended.record.log.to_string());
    assert_eq!(record["successor"], ended.record.successor.to_string());
    assert_eq!(
        *ended.statement.author(),
        homes[0].secret("log").unwrap().public(),
        "the log that ends says so itself"
    );
    assert_eq!(
        predecessors(&homes[1], &network).unwrap(),
        std::slice::from_ref(&ended)
    );
    // The same again changes nothing; another successor is refused.
    json(folder, &retire);
    let other = symphony(
        folder,
        &["log", "retire", "--home", "own", "--successor", "third"],
    );
    assert_eq!(other.status.code(), Some(1), "{other:?}");
    assert_eq!(retired(&homes[0], &network).unwrap(), Some(ended));

    let run = symphony(folder, &["node", "run", "--home", "own"]);
    assert_eq!(run.status.code(), Some(1));
    let reason = String::from_utf8(run.stderr).unwrap();
    assert!(reason.contains("retired"), "{reason}");
}
