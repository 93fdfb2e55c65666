//! How a server ends.

use symphony_admin::{AdminClient, EntryRange, ErrorKind, LogName};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::harness::{Harness, in_time};

#[tokio::test]
async fn a_shutdown_completes_with_open_streams_and_tells_their_readers() {
    let harness = Harness::start().await;
    let mut over_socket = harness
        .client()
        .await
        .tail(LogName::Own, Some(5))
        .await
        .unwrap();
    let tcp = AdminClient::connect_tcp(harness.address, &crate::harness::auditor_token())
        .await
        .unwrap();
    let mut over_tcp = tcp.tail(LogName::Own, Some(5)).await.unwrap();
    for tail in [&mut over_socket, &mut over_tcp] {
        assert_eq!(in_time(tail.message()).await.unwrap().unwrap().index, 5);
    }
    harness.shutdown.cancel();
    for tail in [&mut over_socket, &mut over_tcp] {
        assert_eq!(
            in_time(tail.message()).await.unwrap_err().kind(),
            ErrorKind::Unavailable
        );
    }
    harness.ended().await;
}

#[tokio::test]
async fn a_caller_that_does_not_read_cannot_hold_a_shutdown_up() {
    let harness = Harness::start().await;
    let endless = harness
        .client()
        .await
        .entries(
            LogName::Own,
            EntryRange {
                start: 0,
                end: None,
            },
        )
        .await
        .unwrap();
    harness.shutdown.cancel();
    harness.ended().await;
    drop(endless);
}

#[tokio::test]
async fn a_watcher_of_health_sees_the_shutdown_and_cannot_hold_it_up() {
    let harness = Harness::start().await;
    let mut health = HealthClient::new(harness.stock_channel().await);
    let mut watch = health
        .watch(HealthCheckRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        in_time(watch.message()).await.unwrap().unwrap().status(),
        ServingStatus::Serving
    );
    harness.shutdown.cancel();
    assert_eq!(
        in_time(watch.message()).await.unwrap().unwrap().status(),
        ServingStatus::NotServing
    );
    harness.ended().await;
    assert!(matches!(in_time(watch.message()).await, Err(status) if status.code() != Code::Ok));
}

#[tokio::test]
async fn after_its_end_nobody_answers_and_the_place_is_free() {
    let harness = Harness::start().await;
    let socket = harness.socket.clone();
    let address = harness.address;
    harness.shutdown.cancel();
    harness.ended().await;
    assert_eq!(
        AdminClient::connect_unix(&socket).await.unwrap_err().kind(),
        ErrorKind::Unavailable
    );
    let token = crate::harness::operator_token();
    assert_eq!(
        AdminClient::connect_tcp(address, &token)
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::Unavailable
    );
}

#[tokio::test]
async fn a_server_that_is_dropped_leaves_no_socket() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("admin.sock");
    let settings = symphony_admin::ListenSettings {
        socket: socket.clone(),
        tcp: None,
    };
    let listeners = symphony_admin::Listeners::bind(settings).await.unwrap();
    assert!(socket.exists());
    drop(listeners);
    assert!(!socket.exists());
}
