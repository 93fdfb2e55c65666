//! Commands whose output nobody reads to its end, as in `symphony audit … | head`: what they found decides the exit code all the same.

use std::{
    io::pipe,
    path::Path,
    process::{Command, Stdio},
};

use crate::{cheats::lying_coordinator, network::honest};

/// Runs a command whose reader has left before it begins, with standard error too if `deaf`.
fn unread(folder: &Path, arguments: &[&str], deaf: Stdio) -> Option<i32> {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    Command::new(env!("CARGO_BIN_EXE_symphony"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .stdout(writer)
        .stderr(deaf)
        .status()
        .unwrap()
        .code()
}

/// A standard error that nobody reads either.
fn deaf() -> Stdio {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    writer.into()
}

#[test]
fn replay_13_an_unread_audit_ends_with_the_code_of_its_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let log = honest().log(0);
    log.write(folder.path(), "clean.symlog");
    let (liar, _) = lying_coordinator(&log);
    liar.clone().signed().write(folder.path(), "liar.symlog");
    log.cut(log.entries.len() - 1)
        .write(folder.path(), "short.symlog");
    std::fs::write(folder.path().join("damaged.symlog"), b"symlog").unwrap();
    for (file, code) in [
        ("clean.symlog", 0),
        ("liar.symlog", 3),
        ("short.symlog", 4),
        ("damaged.symlog", 2),
    ] {
        for json in [&[][..], &["--json"]] {
            let arguments = [&["audit", file], json].concat();
            assert_eq!(
                unread(folder.path(), &arguments, Stdio::inherit()),
                Some(code),
                "{arguments:?}"
            );
            assert_eq!(
                unread(folder.path(), &arguments, deaf()),
                Some(code),
                "{arguments:?}"
            );
        }
    }
}

#[test]
fn unread_commands_about_evidence_write_their_files_and_end_with_what_they_found() {
    let folder = tempfile::tempdir().unwrap();
    let log = honest().log(0);
    let (liar, _) = lying_coordinator(&log);
    liar.clone().signed().write(folder.path(), "liar.symlog");
    let audit = ["audit", "liar.symlog", "--evidence", "audited"];
    assert_eq!(unread(folder.path(), &audit, Stdio::inherit()), Some(3));
    let make = ["evidence", "make", "--log", "liar.symlog", "--out", "made"];
    assert_eq!(unread(folder.path(), &make, Stdio::inherit()), Some(3));
    let only = |name: &str| {
        let mut files = std::fs::read_dir(folder.path().join(name)).unwrap();
        let file = files.next().expect("a file").unwrap().path();
        assert!(files.next().is_none(), "one fault");
        file
    };
    let file = only("made");
    assert_eq!(
        std::fs::read(&file).unwrap(),
        std::fs::read(only("audited")).unwrap()
    );
    let verify = |path: &Path| {
        let arguments = ["evidence", "verify", path.to_str().unwrap()];
        unread(folder.path(), &arguments, Stdio::inherit())
    };
    assert_eq!(verify(&file), Some(0));
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    assert_ne!(verify(&file), Some(0));
}

#[test]
fn an_unread_check_of_a_home_ends_with_what_it_found() {
    let folder = tempfile::tempdir().unwrap();
    let init = ["node", "init", "--home", "home", "--difficulty", "0"];
    assert_eq!(unread(folder.path(), &init, Stdio::inherit()), Some(0));
    let fsck = ["log", "fsck", "--home", "home"];
    assert_eq!(unread(folder.path(), &fsck, Stdio::inherit()), Some(0));
    let record = folder.path().join("home/signing/record");
    std::fs::write(record, b"no record").unwrap();
    assert_eq!(unread(folder.path(), &fsck, Stdio::inherit()), Some(2));
}

#[test]
fn an_unread_list_ends_quietly() {
    let folder = tempfile::tempdir().unwrap();
    honest().log(0).write(folder.path(), "log.symlog");
    let show = ["log", "show", "--file", "log.symlog"];
    assert_eq!(unread(folder.path(), &show, Stdio::inherit()), Some(0));
}
