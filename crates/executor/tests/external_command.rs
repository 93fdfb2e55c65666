//! An external command, played by small shell scripts.

use std::fs;
use std::path::Path;
use std::time::Duration;

use symphony_executor::{
    DigestBasis, ExecuteError, Executor, ExecutorKind, ExternalCommand, ExternalCommandConfig,
    Finish, Message, Request, Role, Stage,
};

/// Longer than any step of these tests takes on a busy machine; nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(60);

/// Takes the id out of the request's line, as a program without a JSON library would.
const READ_ID: &str = r#"id=$(printf '%s' "$line" | sed 's/^{"id":"\([^"]*\)".*/\1/')"#;

fn command(folder: &Path, body: &str) -> ExternalCommandConfig {
    let script = folder.join("answer.sh");
    fs::write(
        &script,
        format!("while IFS= read -r line; do\n{READ_ID}\n{body}\ndone\n"),
    )
    .expect("written");
    let mut config = ExternalCommandConfig::new("sh", "a script");
    config.arguments = vec![script.display().to_string()];
    config.working_dir = Some(folder.to_path_buf());
    config.supervision.restart_pause_min = Duration::from_millis(1);
    config.supervision.restart_pause_max = Duration::from_millis(10);
    config.supervision.hang_grace = Duration::from_millis(50);
    config
}

fn start(folder: &Path, body: &str) -> ExternalCommand {
    ExternalCommand::start(command(folder, body)).expect("valid")
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn request(content: &str) -> Request {
    let messages = vec![Message {
        role: Role::User,
        content: content.to_owned(),
    }];
    Request {
        id: "1".to_owned(),
        stage: Stage::Execute,
        messages,
        max_tokens: 16,
        deadline: PATIENCE,
    }
}

#[tokio::test]
async fn a_script_answers_line_by_line() {
    let folder = folder();
    let body =
        r#"printf '{"id":"%s","text":"Answer: True","output_tokens":2,"finish":"length"}\n' "$id""#;
    let executor = start(folder.path(), body);
    for _ in 0..2 {
        let outcome = executor
            .execute(request("not False"))
            .await
            .expect("answered");
        assert_eq!(
            (outcome.text.as_str(), outcome.output_tokens),
            ("Answer: True", 2)
        );
        assert_eq!(
            (outcome.finish, outcome.confidence_ppm),
            (Finish::Length, None)
        );
    }
    let description = executor.describe().await.expect("described");
    assert_eq!(
        (description.kind, description.digest_basis),
        (ExecutorKind::Command, DigestBasis::Claim)
    );
    assert_eq!(
        (description.model_name.as_str(), description.device.as_str()),
        ("a script", "external")
    );
}

#[tokio::test]
async fn the_whole_request_reaches_the_script() {
    let folder = folder();
    let body = r#"printf '%s\n' "$line" > line.json; printf '{"id":"%s","text":"x"}\n' "$id""#;
    let executor = start(folder.path(), body);
    executor
        .execute(request("one\n\"two\""))
        .await
        .expect("answered");
    let line = fs::read_to_string(folder.path().join("line.json")).expect("written by the script");
    let value: serde_json::Value = serde_json::from_str(&line).expect("one object");
    assert_eq!(
        value["messages"],
        serde_json::json!([{"role": "user", "content": "one\n\"two\""}])
    );
    assert_eq!(value["max_tokens"], 16);
    assert_eq!(value["stage"], "execute");
    assert!(
        value["deadline_ms"]
            .as_u64()
            .is_some_and(|ms| (1..=60_000).contains(&ms))
    );
}

#[tokio::test]
async fn an_error_of_the_script_fails_the_request_only() {
    let folder = folder();
    let executor = start(
        folder.path(),
        r#"printf '{"id":"%s","error":"no idea"}\n' "$id""#,
    );
    for _ in 0..2 {
        let error = executor.execute(request("x")).await.expect_err("failed");
        assert_eq!(
            error,
            ExecuteError::Failed {
                reason: "no idea".to_owned()
            }
        );
    }
}

#[tokio::test]
async fn a_script_that_dies_is_started_anew() {
    let folder = folder();
    // The first process dies at its first request; the marker tells the second one that it is the second.
    let body =
        r#"[ -e died ] || { : > died; exit 1; }; printf '{"id":"%s","text":"alive"}\n' "$id""#;
    let executor = start(folder.path(), body);
    assert_eq!(
        executor.execute(request("x")).await,
        Err(ExecuteError::Crashed)
    );
    assert_eq!(
        executor.execute(request("x")).await.expect("answered").text,
        "alive"
    );
}

#[tokio::test]
async fn a_line_that_is_no_answer_restarts_the_script() {
    let folder = folder();
    let body = r#"[ -e spoke ] || { : > spoke; echo nonsense; continue; }; printf '{"id":"%s","text":"sorry"}\n' "$id""#;
    let executor = start(folder.path(), body);
    assert_eq!(
        executor.execute(request("x")).await,
        Err(ExecuteError::Crashed)
    );
    assert_eq!(
        executor.execute(request("x")).await.expect("answered").text,
        "sorry"
    );
}

#[tokio::test]
async fn a_line_without_end_is_cut_off_and_restarts_the_script() {
    let folder = folder();
    let body = r#"[ -e wrote ] || { : > wrote; head -c 5000000 /dev/zero | tr '\0' x; echo; continue; }
        printf '{"id":"%s","text":"short"}\n' "$id""#;
    let executor = start(folder.path(), body);
    assert_eq!(
        executor.execute(request("x")).await,
        Err(ExecuteError::Crashed)
    );
    assert_eq!(
        executor.execute(request("x")).await.expect("answered").text,
        "short"
    );
}

#[tokio::test]
async fn a_silent_script_is_replaced_after_the_deadline() {
    let folder = folder();
    let body =
        r#"[ -e slept ] || { : > slept; continue; }; printf '{"id":"%s","text":"awake"}\n' "$id""#;
    let executor = start(folder.path(), body);
    executor.describe().await.expect("started");
    let deadline = Duration::from_millis(300);
    let silent = executor
        .execute(Request {
            deadline,
            ..request("x")
        })
        .await;
    assert_eq!(silent, Err(ExecuteError::DeadlineExceeded { deadline }));
    assert_eq!(
        executor.execute(request("x")).await.expect("answered").text,
        "awake"
    );
}

#[tokio::test]
async fn an_answer_to_an_unknown_id_is_ignored() {
    let folder = folder();
    let body = r#"printf '{"id":"no such","text":"old"}\n{"id":"%s","text":"new"}\n' "$id""#;
    let executor = start(folder.path(), body);
    assert_eq!(
        executor.execute(request("x")).await.expect("answered").text,
        "new"
    );
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let config = ExternalCommandConfig::new("/no/such/program", "m");
    let executor = ExternalCommand::start(config).expect("valid");
    let error = executor
        .describe()
        .await
        .expect_err("not there")
        .to_string();
    assert!(
        error.contains("/no/such/program cannot be started"),
        "{error}"
    );
}
