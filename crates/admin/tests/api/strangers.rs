//! What stock gRPC clients need: reflection and health.
//!
//! `SYMPHONY_TEST_PYTHON` names a Python that has the packages grpcio and grpcio-reflection; without it the one test that
//! needs them says so and does nothing more.

use futures::stream;
use symphony_admin::Readiness;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::{v1, v1alpha};

use crate::harness::{Harness, auditor_token, in_time};

const SERVICES: [&str; 8] = [
    "grpc.health.v1.Health",
    "symphony.admin.v1.Audit",
    "symphony.admin.v1.Log",
    "symphony.admin.v1.Node",
    "symphony.admin.v1.Peers",
    "symphony.admin.v1.Policy",
    "symphony.admin.v1.Tasks",
    "grpc.reflection.",
];

async fn reflect(
    channel: Channel,
    question: v1::server_reflection_request::MessageRequest,
) -> v1::server_reflection_response::MessageResponse {
    let mut client = v1::server_reflection_client::ServerReflectionClient::new(channel);
    let request = v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(question),
    };
    let mut answers = client
        .server_reflection_info(stream::iter([request]))
        .await
        .unwrap()
        .into_inner();
    in_time(answers.message())
        .await
        .unwrap()
        .unwrap()
        .message_response
        .unwrap()
}

fn all_listed(names: &[String]) {
    for service in SERVICES {
        assert!(
            names.iter().any(|name| name.starts_with(service)),
            "{service} is missing in {names:?}"
        );
    }
}

#[tokio::test]
async fn reflection_lists_every_service() {
    let harness = Harness::start().await;
    let question = v1::server_reflection_request::MessageRequest::ListServices(String::new());
    let answer = reflect(harness.stock_channel().await, question).await;
    let v1::server_reflection_response::MessageResponse::ListServicesResponse(list) = answer else {
        panic!("{answer:?}");
    };
    all_listed(
        &list
            .service
            .into_iter()
            .map(|service| service.name)
            .collect::<Vec<_>>(),
    );
}

#[tokio::test]
async fn the_older_reflection_lists_every_service_too() {
    let harness = Harness::start().await;
    let channel = harness.stock_channel().await;
    let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(channel);
    let question = v1alpha::server_reflection_request::MessageRequest::ListServices(String::new());
    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(question),
    };
    let mut answers = client
        .server_reflection_info(stream::iter([request]))
        .await
        .unwrap()
        .into_inner();
    let answer = in_time(answers.message())
        .await
        .unwrap()
        .unwrap()
        .message_response
        .unwrap();
    let v1alpha::server_reflection_response::MessageResponse::ListServicesResponse(list) = answer
    else {
        panic!("{answer:?}");
    };
    all_listed(
        &list
            .service
            .into_iter()
            .map(|service| service.name)
            .collect::<Vec<_>>(),
    );
}

#[tokio::test]
async fn reflection_describes_messages_and_what_they_import() {
    let harness = Harness::start().await;
    for symbol in [
        "symphony.admin.v1.TaskEvent",
        "symphony.params.v1.Policy",
        "symphony.log.v1.OutcomeClass",
    ] {
        let question =
            v1::server_reflection_request::MessageRequest::FileContainingSymbol(symbol.to_owned());
        let answer = reflect(harness.stock_channel().await, question).await;
        let v1::server_reflection_response::MessageResponse::FileDescriptorResponse(files) = answer
        else {
            panic!("{symbol}: {answer:?}");
        };
        assert!(!files.file_descriptor_proto.is_empty());
    }
}

#[tokio::test]
async fn health_follows_the_readiness_of_the_node() {
    let harness = Harness::start().await;
    let mut health = HealthClient::new(harness.stock_channel().await);
    let service = "symphony.admin.v1.Tasks".to_owned();
    let request = HealthCheckRequest { service };
    let mut watch = health.watch(request.clone()).await.unwrap().into_inner();
    assert_eq!(
        in_time(watch.message()).await.unwrap().unwrap().status(),
        ServingStatus::Serving
    );
    assert_eq!(
        health.check(request).await.unwrap().into_inner().status(),
        ServingStatus::Serving
    );
    harness.backend.readiness.send_replace(Readiness::Starting);
    assert_eq!(
        in_time(watch.message()).await.unwrap().unwrap().status(),
        ServingStatus::NotServing
    );
    harness.backend.readiness.send_replace(Readiness::Ready);
    assert_eq!(
        in_time(watch.message()).await.unwrap().unwrap().status(),
        ServingStatus::Serving
    );
}

#[tokio::test]
async fn a_stock_client_in_python_lists_and_calls_over_socket_and_tcp() {
    let Some(python) = std::env::var_os("SYMPHONY_TEST_PYTHON") else {
        eprintln!("SYMPHONY_TEST_PYTHON is not set: not tested with a client of another language");
        return;
    };
    let harness = Harness::start().await;
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), auditor_token().expose()).unwrap();
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/clients/grpc_reflection.py"
    );
    let over_socket = vec![format!("unix:{}", harness.socket.display())];
    let over_tcp = vec![
        harness.address.to_string(),
        token.path().display().to_string(),
    ];
    for arguments in [over_socket, over_tcp] {
        let output = tokio::process::Command::new(&python)
            .arg(script)
            .args(arguments)
            .output();
        let output = in_time(output).await.unwrap();
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(output.status.success(), "{out}{err}");
        for part in [
            "\"health\": \"SERVING\"",
            "\"log_size\": 5",
            "\"version\": \"0.1.0\"",
            "\"ProveInclusion\"",
        ] {
            assert!(out.contains(part), "{part} is missing in {out}");
        }
    }
    // Without a token, TCP answers nothing at all.
    let refused = tokio::process::Command::new(&python)
        .arg(script)
        .arg(harness.address.to_string())
        .output();
    let refused = in_time(refused).await.unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("UNAUTHENTICATED"));
}
