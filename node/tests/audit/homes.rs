//! `symphony node init`, and homes that it did not finish.

use std::{
    path::Path,
    process::{Command, Output},
};

/// Runs a command about the home folder `home`.
fn node(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_symphony"))
        .args(["node", arguments[0], "--home", "home"])
        .args(&arguments[1..])
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_home_with_keys_and_without_settings_is_neither_run_nor_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let init = ["init", "--difficulty", "0"];
    assert!(node(folder.path(), &init).status.success());
    std::fs::remove_file(folder.path().join("home/config.toml")).unwrap();
    let key = std::fs::read(folder.path().join("home/keys/log.key")).unwrap();
    for arguments in [&init[..], &["run"]] {
        let output = node(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(
            said(&output).contains("bring config.toml back"),
            "{output:?}"
        );
    }
    let kept = std::fs::read(folder.path().join("home/keys/log.key")).unwrap();
    assert_eq!(kept, key, "no key is overwritten");
}

/// Spec: BEACON-9: without a tag or a description nothing matches it well enough.
#[test]
fn whoever_can_answer_and_offers_nothing_is_told_so() {
    let answers = [
        "--command",
        "/bin/cat",
        "--model",
        "cat",
        "--difficulty",
        "0",
    ];
    for (offer, warned) in [
        (&["--tag", "general"][..], false),
        (&["--description", "everything"], false),
        (&[], true),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let arguments = [&["init"], &answers[..], offer].concat();
        let output = node(folder.path(), &arguments);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(
            said(&output).contains("offers nothing"),
            warned,
            "{output:?}"
        );
    }
}
