//! The real engine on a real model of the repository, through its supervisor.
//!
//! Runs where `SYMPHONY_ENGINE` names a built engine, as `./x test` sets it; elsewhere it says that it was skipped.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use symphony_executor::{
    DigestBasis, EngineModel, EngineProcess, EngineProcessConfig, ExecuteError, Executor, Finish,
    Message, Request, Role, Stage,
};

/// Longer than any step of these tests takes on a busy machine; nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(120);
/// Questions that are asked one after another.
const QUESTION_COUNT: u32 = 32;

fn model_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/boolean_expressions")
}

fn engine_is_built() -> bool {
    let built = std::env::var_os("SYMPHONY_ENGINE").is_some_and(|path| Path::new(&path).is_file());
    let ready = built && model_folder().join("model.safetensors").is_file();
    if !ready {
        println!(
            "skipped: SYMPHONY_ENGINE names no engine, or models/boolean_expressions is not there"
        );
    }
    ready
}

fn start(cache: &Path, model: PathBuf) -> EngineProcess {
    let mut config = EngineProcessConfig::new(EngineModel::Folder(model));
    config.data_dir = Some(cache.to_path_buf());
    EngineProcess::start(config).expect("valid")
}

fn value(number: u32, bit: u32) -> bool {
    number >> bit & 1 == 1
}

fn question(number: u32, deadline: Duration) -> Request {
    let text = |bit| if value(number, bit) { "True" } else { "False" };
    let content = format!(
        "not {} and ( {} or {} ) and {} or {} is",
        text(0),
        text(1),
        text(2),
        text(3),
        text(4)
    );
    Request {
        id: number.to_string(),
        stage: Stage::Execute,
        messages: vec![Message {
            role: Role::User,
            content,
        }],
        max_tokens: 256,
        deadline,
    }
}

fn right_answer(number: u32) -> &'static str {
    let value = |bit| value(number, bit);
    let is = !value(0) && (value(1) || value(2)) && value(3) || value(4);
    if is { "Answer: True" } else { "Answer: False" }
}

#[tokio::test]
async fn a_specialist_answers_through_its_supervisor() {
    if !engine_is_built() {
        return;
    }
    let cache = tempfile::tempdir().expect("a temporary folder");
    let executor = start(cache.path(), model_folder());
    let description = executor.describe().await.expect("started");
    assert_eq!(description.digest_basis, DigestBasis::Files);
    assert_eq!(
        (description.device.as_str(), description.dtype.as_deref()),
        ("cpu", Some("f32"))
    );
    assert_eq!(description.context_length_tokens, Some(512));
    let begun = Instant::now();
    let (mut right, mut tokens) = (0, 0);
    for number in 0..QUESTION_COUNT {
        let outcome = executor
            .execute(question(number, PATIENCE))
            .await
            .expect("answered");
        assert_eq!(outcome.finish, Finish::Stop);
        right += u32::from(outcome.text.ends_with(right_answer(number)));
        tokens += outcome.output_tokens;
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{right} of {QUESTION_COUNT} right, {:.1} requests/s, {:.0} tokens/s",
        f64::from(QUESTION_COUNT) / seconds,
        f64::from(tokens) / seconds
    );
    assert!(
        right * 10 >= QUESTION_COUNT * 8,
        "{right} of {QUESTION_COUNT} right"
    );
    executor.shut_down().await;
}

#[tokio::test]
async fn a_deadline_that_is_too_short_leaves_the_engine_answering() {
    if !engine_is_built() {
        return;
    }
    let cache = tempfile::tempdir().expect("a temporary folder");
    let executor = start(cache.path(), model_folder());
    executor.describe().await.expect("started");
    let deadline = Duration::from_millis(1);
    let late = executor.execute(question(0, deadline)).await;
    assert_eq!(late, Err(ExecuteError::DeadlineExceeded { deadline }));
    assert!(executor.execute(question(1, PATIENCE)).await.is_ok());
}

#[tokio::test]
async fn a_model_folder_that_is_not_there_stops_the_executor_with_its_name() {
    if !engine_is_built() {
        return;
    }
    let cache = tempfile::tempdir().expect("a temporary folder");
    let executor = start(cache.path(), cache.path().join("absent"));
    let error = executor.describe().await.expect_err("not there");
    assert!(matches!(error, ExecuteError::Stopped { .. }), "{error}");
    assert!(error.to_string().contains("absent"), "{error}");
}
