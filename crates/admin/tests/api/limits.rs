//! What breaks a limit is refused before the backend sees it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use symphony_admin::v1::log_client::LogClient;
use symphony_admin::v1::tasks_client::TasksClient;
use symphony_admin::v1::{
    CheckpointRequest, GetEntriesRequest, LogStatusRequest, ProveConsistencyRequest,
    ProveInclusionRequest, SubmitRequest,
};
use symphony_admin::{ErrorKind, LogName, REQUEST_SIZE_MAX, SelectionQuery};
use tonic::Code;

use crate::backend::NEVER;
use crate::harness::{Harness, in_time, question};

#[tokio::test]
async fn an_oversized_message_is_refused_by_the_server() {
    let harness = Harness::start().await;
    let mut tasks = TasksClient::new(harness.stock_channel().await);
    let status = tasks
        .submit(question(&"x".repeat(REQUEST_SIZE_MAX)))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);
    let error = harness
        .client()
        .await
        .submit(question(&"x".repeat(REQUEST_SIZE_MAX)))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MessageTooLarge);
    assert_eq!(harness.backend.submitted.load(Ordering::Relaxed), 0);
    // The connection is still good.
    assert!(tasks.submit(question("x")).await.is_ok());
}

#[tokio::test]
async fn a_task_that_breaks_a_limit_never_reaches_the_backend() {
    let harness = Harness::start().await;
    let client = harness.client().await;
    for request in [
        SubmitRequest::default(),
        question(""),
        question(&"x".repeat(20_000)),
    ] {
        assert_eq!(
            client.submit(request).await.unwrap_err().kind(),
            ErrorKind::InvalidArgument
        );
    }
    assert_eq!(harness.backend.submitted.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn sizes_and_ids_of_logs_are_checked() {
    let harness = Harness::start().await;
    let mut log = LogClient::new(harness.stock_channel().await);
    let wrong = "AB".repeat(32);
    let codes = [
        log.status(LogStatusRequest {
            log_id: wrong.clone(),
        })
        .await
        .unwrap_err()
        .code(),
        log.checkpoint(CheckpointRequest { log_id: wrong })
            .await
            .unwrap_err()
            .code(),
        log.get(GetEntriesRequest {
            start: 4,
            end: 4,
            ..GetEntriesRequest::default()
        })
        .await
        .unwrap_err()
        .code(),
        log.prove_inclusion(ProveInclusionRequest {
            index: 4,
            size: 4,
            ..ProveInclusionRequest::default()
        })
        .await
        .unwrap_err()
        .code(),
        log.prove_consistency(ProveConsistencyRequest::default())
            .await
            .unwrap_err()
            .code(),
        log.prove_consistency(ProveConsistencyRequest {
            old_size: 3,
            new_size: 2,
            ..ProveConsistencyRequest::default()
        })
        .await
        .unwrap_err()
        .code(),
    ];
    assert_eq!(codes, [Code::InvalidArgument; 6]);
}

#[tokio::test]
async fn a_backend_that_does_not_answer_is_given_up() {
    let patience = Duration::from_millis(20);
    let harness = Harness::start_with(|server| server.with_answer_timeout(patience)).await;
    let client = harness.client().await;
    let call = client.explain(
        LogName::Own,
        SelectionQuery {
            entry: NEVER,
            slot: None,
        },
    );
    assert_eq!(
        in_time(call).await.unwrap_err().kind(),
        ErrorKind::DeadlineExceeded
    );
}
