//! The program `symphony-engine` from the outside: exit codes, messages, and its life under a supervisor.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

use crate::support::model_folder;
use crate::temporary::TemporaryFolder;

fn engine(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_symphony-engine"));
    command.args(arguments).env("NO_COLOR", "1");
    command
}

fn run(arguments: &[&str]) -> Output {
    let folder = TemporaryFolder::new();
    engine(arguments)
        .env("HOME", folder.path())
        .env_remove("XDG_CACHE_HOME")
        .output()
        .expect("started")
}

fn refusal(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(
        output.status.code(),
        Some(2),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stderr).expect("text")
}

#[test]
fn a_missing_model_folder_is_named_and_no_hub_is_asked() {
    let text = refusal(&["--model", "organisation/name", "--socket", "unused"]);
    assert!(text.contains("no model at organisation/name"), "{text}");
}

#[test]
fn a_folder_without_weights_is_named() {
    let folder = TemporaryFolder::new();
    for name in ["config.json", "tokenizer.json"] {
        std::fs::write(folder.path().join(name), "{}").expect("written");
    }
    let path = folder.path().to_str().expect("text");
    let text = refusal(&["--model", path, "--socket", "unused"]);
    assert!(text.contains("has no weights (*.safetensors)"), "{text}");
}

#[test]
fn weights_that_are_none_are_refused() {
    let folder = TemporaryFolder::new();
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        std::fs::write(folder.path().join(name), "{}").expect("written");
    }
    let path = folder.path().to_str().expect("text");
    let output = run(&["--model", path, "--socket", "unused"]);
    assert!(
        matches!(output.status.code(), Some(2 | 101)),
        "{:?}",
        output.status
    );
}

#[cfg(not(feature = "cuda"))]
#[test]
fn a_device_that_was_not_built_is_refused_with_the_command_that_builds_it() {
    let Some(folder) = model_folder() else {
        println!("skipped: no model in models/ and no SYMPHONY_TEST_MODEL");
        return;
    };
    let text = refusal(&[
        "--model",
        folder.to_str().expect("text"),
        "--socket",
        "unused",
        "--device",
        "cuda",
    ]);
    assert!(text.contains("./x engine cuda"), "{text}");
}

#[test]
fn describing_a_model_prints_one_object() {
    let Some(folder) = model_folder() else {
        println!("skipped: no model in models/ and no SYMPHONY_TEST_MODEL");
        return;
    };
    let output = run(&["describe", "--model", folder.to_str().expect("text")]);
    assert!(output.status.success());
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one object");
    assert_eq!(value["model_digest"].as_str().map(str::len), Some(64));
    assert!(value["weights_size"].as_u64().is_some_and(|size| size > 0));
}

struct Serving {
    child: Child,
    socket: std::path::PathBuf,
    _folder: TemporaryFolder,
}

fn serve() -> Option<Serving> {
    let Some(model) = model_folder() else {
        println!("skipped: no model in models/ and no SYMPHONY_TEST_MODEL");
        return None;
    };
    let folder = TemporaryFolder::new();
    let socket = folder.path().join("e.sock");
    let mut child = engine(&["--supervised", "--model", model.to_str().expect("text")])
        .arg("--socket")
        .arg(&socket)
        .arg("--data-dir")
        .arg(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("piped"))
        .read_line(&mut line)
        .expect("readable");
    assert_eq!(line, format!("ready {}\n", socket.display()));
    Some(Serving {
        child,
        socket,
        _folder: folder,
    })
}

#[test]
fn an_engine_ends_cleanly_when_its_supervisor_goes() {
    let Some(mut serving) = serve() else { return };
    drop(serving.child.stdin.take());
    assert!(serving.child.wait().expect("ended").success());
    assert!(!serving.socket.exists());
}

#[test]
fn a_terminated_engine_ends_cleanly() {
    let Some(mut serving) = serve() else { return };
    let stdin = serving.child.stdin.take();
    let killed = Command::new("kill")
        .arg(serving.child.id().to_string())
        .status()
        .expect("kill runs");
    assert!(killed.success());
    assert!(serving.child.wait().expect("ended").success());
    assert!(!serving.socket.exists());
    drop(stdin);
}
