//! `symphony task submit` and a node that is yet to start.

use std::{
    io::{BufRead as _, BufReader, Read as _, pipe},
    path::Path,
    process::{Command, Stdio},
};

fn symphony(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_symphony"));
    command
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .env("SYMPHONY_HOME", folder.join("home"))
        .env("SYMPHONY_CONFIG_MDNS", "false")
        .env("SYMPHONY_CONFIG_GATHER_TIMEOUT", "10ms");
    command
}

fn home() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let made = symphony(folder.path())
        .args(["node", "init", "--difficulty", "0"])
        .args(["--listen", "/ip4/127.0.0.1/tcp/0"])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    folder
}

#[test]
fn a_task_that_may_not_wait_says_at_once_what_to_do() {
    let folder = home();
    let output = symphony(folder.path())
        .args(["task", "submit", "--wait-ms", "0", "1 + 1 = ?"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("`symphony node run`"), "{said}");
    assert!(!said.contains("waiting"), "{said}");
}

#[test]
fn a_task_waits_for_a_node_that_is_starting_and_says_so() {
    let folder = home();
    let mut task = symphony(folder.path())
        .args(["task", "submit", "--wait-ms", "60000", "1 + 1 = ?"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(task.stderr.take().unwrap());
    let mut first = String::new();
    said.read_line(&mut first).unwrap();
    assert!(first.contains("waiting up to 60 s"), "{first}");
    let mut node = symphony(folder.path())
        .args(["node", "run"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let status = task.wait().unwrap();
    node.kill().unwrap();
    node.wait().unwrap();
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    // It is alone: nobody answers the question, and the node was asked.
    assert_eq!(status.code(), Some(5), "{rest}");
    assert!(rest.contains("no peer gave a valid answer"), "{rest}");
}

/// As in `symphony node run 2>&1 | head`.
#[test]
fn a_node_whose_log_nobody_reads_works_on() {
    let folder = home();
    let (reader, unread) = pipe().unwrap();
    drop(reader);
    let mut node = symphony(folder.path())
        .args(["node", "run", "--log", "debug"])
        .stderr(unread)
        .spawn()
        .unwrap();
    let task = symphony(folder.path())
        .args(["task", "submit", "--wait-ms", "60000", "1 + 1 = ?"])
        .output()
        .unwrap();
    let ended = node.try_wait().unwrap();
    node.kill().unwrap();
    node.wait().unwrap();
    assert_eq!(ended, None, "the node ended by itself");
    assert_eq!(task.status.code(), Some(5), "{task:?}");
}
