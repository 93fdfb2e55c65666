//! Go's readers of transparency logs, in a program that knows nothing of ours (`tests/standard/verify_log.go`).
//!
//! `SYMPHONY_TEST_GO` names the program; `./x test` builds it with Debian's packages and sets it. Without it the tests that
//! need it say that they were skipped.

use std::{
    ffi::{OsStr, OsString},
    process::Command,
};

use anyhow::{Result, ensure};
use serde_json::Value;

/// The program, if there is one.
pub(crate) fn program() -> Option<OsString> {
    let program = std::env::var_os("SYMPHONY_TEST_GO");
    if program.is_none() {
        println!(
            "skipped: SYMPHONY_TEST_GO names no program built from tests/standard/verify_log.go"
        );
    }
    program
}

/// Lets Go verify a log; its findings, or what it objects to.
pub(crate) fn verify(
    program: &OsStr,
    verifier_key: &str,
    location: &OsStr,
    older: Option<&OsStr>,
) -> Result<Value> {
    let output = Command::new(program)
        .arg(verifier_key)
        .arg(location)
        .args(older)
        .output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}
