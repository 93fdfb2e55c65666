//! The supervision of an engine process, with an engine that misbehaves on demand.

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use symphony_executor::{
    DigestBasis, EngineModel, EngineProcess, EngineProcessConfig, ExecuteError, Executor,
    ExecutorKind, Finish, Health, Message, Outcome, Request, Role, Stage,
};
use tokio::io::AsyncReadExt;
use tokio::net::{UnixListener, UnixStream};

/// Longer than any step of these tests takes on a busy machine; nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(60);

fn config(folder: &Path, mode: &str) -> EngineProcessConfig {
    let mut config = EngineProcessConfig::new(EngineModel::Folder(folder.join(mode)));
    config.program = Some(PathBuf::from(env!("CARGO_BIN_EXE_misbehaving-engine")));
    config.supervision.restart_pause_min = Duration::from_millis(1);
    config.supervision.restart_pause_max = Duration::from_millis(10);
    config.supervision.hang_grace = Duration::from_millis(50);
    config.supervision.stop_timeout = PATIENCE;
    config
}

fn start(folder: &Path, mode: &str) -> EngineProcess {
    EngineProcess::start(config(folder, mode)).expect("valid")
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn request(content: &str, deadline: Duration) -> Request {
    let messages = vec![Message {
        role: Role::User,
        content: content.to_owned(),
    }];
    Request {
        id: "1".to_owned(),
        stage: Stage::Execute,
        messages,
        max_tokens: 16,
        deadline,
    }
}

async fn ask(executor: &EngineProcess, content: &str) -> Result<Outcome, ExecuteError> {
    executor.execute(request(content, PATIENCE)).await
}

async fn generation(executor: &EngineProcess) -> String {
    ask(executor, "hello").await.expect("answered").text
}

/// Sees the end of a process that holds its other side.
async fn ended(mut lifeline: UnixStream) {
    let mut byte = [0u8; 1];
    // A killed process resets the connection.
    let _ = lifeline.read(&mut byte).await;
}

#[tokio::test]
async fn an_engine_answers_and_describes_itself() {
    let folder = folder();
    let executor = start(folder.path(), "well");
    let description = executor.describe().await.expect("described");
    assert_eq!(description.kind, ExecutorKind::Engine);
    assert_eq!(description.digest_basis, DigestBasis::Files);
    assert_eq!(description.model_digest.as_bytes(), &[7; 32]);
    assert_eq!(
        (description.device.as_str(), description.threads),
        ("cpu", Some(1))
    );
    assert_eq!(executor.health().await, Health::Ready);
    let outcome = ask(&executor, "hello").await.expect("answered");
    assert_eq!(outcome.text, "generation 1");
    assert_eq!((outcome.prompt_tokens, outcome.output_tokens), (Some(3), 2));
    assert_eq!(
        (outcome.confidence_ppm, outcome.finish),
        (Some(900_000), Finish::Stop)
    );
}

#[tokio::test]
async fn a_crash_fails_its_own_request_and_the_next_is_answered_by_a_new_process() {
    let folder = folder();
    let executor = start(folder.path(), "well");
    let (crashed, answered) = tokio::join!(ask(&executor, "crash"), ask(&executor, "hello"));
    assert_eq!(crashed, Err(ExecuteError::Crashed));
    assert_eq!(
        answered.expect("waited for the restart").text,
        "generation 2"
    );
}

#[tokio::test]
async fn a_hang_ends_at_the_deadline_and_the_process_is_replaced() {
    let folder = folder();
    let lifelines = UnixListener::bind(folder.path().join("lifeline")).expect("bound");
    let executor = start(folder.path(), "well");
    let (lifeline, _) = lifelines.accept().await.expect("connected");
    executor.describe().await.expect("started");
    let deadline = Duration::from_millis(100);
    let hung = executor.execute(request("hang", deadline)).await;
    assert_eq!(hung, Err(ExecuteError::DeadlineExceeded { deadline }));
    ended(lifeline).await;
    assert_eq!(generation(&executor).await, "generation 2");
}

#[tokio::test]
async fn a_deadline_that_the_engine_keeps_itself_costs_no_restart() {
    let folder = folder();
    let executor = start(folder.path(), "well");
    executor.describe().await.expect("started");
    let deadline = Duration::from_millis(50);
    let slow = executor.execute(request("slow", deadline)).await;
    assert_eq!(slow, Err(ExecuteError::DeadlineExceeded { deadline }));
    assert_eq!(generation(&executor).await, "generation 1");
}

#[tokio::test]
async fn a_full_queue_refuses() {
    let folder = folder();
    let mut config = config(folder.path(), "well");
    config.supervision.queue_count_max = 1;
    let executor = EngineProcess::start(config).expect("valid");
    executor.describe().await.expect("started");
    // One runs, one waits: of four at least two find no place, whatever the order in which the tasks run.
    let mut answers: FuturesUnordered<_> = (0..4).map(|_| ask(&executor, "hang")).collect();
    for _ in 0..2 {
        assert_eq!(
            answers.next().await,
            Some(Err(ExecuteError::QueueFull {
                waiting_count_max: 1
            }))
        );
    }
}

#[tokio::test]
async fn an_answer_that_breaks_the_protocol_is_no_answer() {
    let folder = folder();
    let executor = start(folder.path(), "well");
    assert!(matches!(
        ask(&executor, "malformed").await,
        Err(ExecuteError::Protocol { .. })
    ));
}

#[tokio::test]
async fn a_request_beyond_the_limits_never_reaches_the_engine() {
    let folder = folder();
    let executor = start(folder.path(), "unusable");
    assert!(matches!(
        ask(&executor, "").await,
        Err(ExecuteError::Refused { .. })
    ));
}

#[tokio::test]
async fn a_start_that_fails_is_tried_again() {
    let folder = folder();
    let executor = start(folder.path(), "fails-once");
    assert_eq!(generation(&executor).await, "generation 2");
}

#[tokio::test]
async fn an_unusable_model_is_not_tried_again_and_its_reason_reaches_the_caller() {
    let folder = folder();
    let executor = start(folder.path(), "unusable");
    let expected = ExecuteError::Stopped {
        reason: "no model at this place".to_owned(),
    };
    assert_eq!(executor.describe().await, Err(expected.clone()));
    assert_eq!(ask(&executor, "hello").await, Err(expected));
    assert!(matches!(executor.health().await, Health::Failed { .. }));
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named_with_the_command_that_builds_it() {
    let folder = folder();
    let mut config = config(folder.path(), "well");
    config.program = Some(folder.path().join("absent"));
    let executor = EngineProcess::start(config).expect("valid");
    let error = executor
        .describe()
        .await
        .expect_err("not there")
        .to_string();
    assert!(
        error.contains("absent") && error.ends_with("./x engine cpu`"),
        "{error}"
    );
}

#[tokio::test]
async fn a_start_without_end_is_given_up() {
    let folder = folder();
    let mut config = config(folder.path(), "silent");
    config.supervision.start_timeout = Duration::from_millis(50);
    let executor = EngineProcess::start(config).expect("valid");
    let expected = ExecuteError::Unavailable {
        reason: "not ready within 50ms".to_owned(),
    };
    assert_eq!(executor.describe().await, Err(expected));
}

#[tokio::test]
async fn shutting_down_ends_the_process_and_all_requests() {
    let folder = folder();
    let lifelines = UnixListener::bind(folder.path().join("lifeline")).expect("bound");
    let executor = start(folder.path(), "well");
    let (lifeline, _) = lifelines.accept().await.expect("connected");
    executor.describe().await.expect("started");
    let (running, waiting, ()) = tokio::join!(
        ask(&executor, "hang"),
        ask(&executor, "hang"),
        executor.shut_down()
    );
    for answer in [running, waiting] {
        assert!(
            matches!(
                answer,
                Err(ExecuteError::Crashed | ExecuteError::Stopped { .. })
            ),
            "{answer:?}"
        );
    }
    ended(lifeline).await;
    assert_eq!(executor.health().await, Health::Stopped);
    assert!(matches!(
        ask(&executor, "hello").await,
        Err(ExecuteError::Stopped { .. })
    ));
    executor.shut_down().await;
}

#[tokio::test]
async fn a_process_that_does_not_end_by_itself_is_killed() {
    let folder = folder();
    let lifelines = UnixListener::bind(folder.path().join("lifeline")).expect("bound");
    let mut config = config(folder.path(), "stubborn");
    config.supervision.stop_timeout = Duration::from_millis(50);
    let executor = EngineProcess::start(config).expect("valid");
    let (lifeline, _) = lifelines.accept().await.expect("connected");
    executor.describe().await.expect("started");
    executor.shut_down().await;
    ended(lifeline).await;
}

#[tokio::test]
async fn dropping_the_executor_ends_the_process() {
    let folder = folder();
    let lifelines = UnixListener::bind(folder.path().join("lifeline")).expect("bound");
    let executor = start(folder.path(), "well");
    let (lifeline, _) = lifelines.accept().await.expect("connected");
    executor.describe().await.expect("started");
    drop(executor);
    ended(lifeline).await;
}
