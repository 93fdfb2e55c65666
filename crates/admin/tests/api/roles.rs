//! Who may call what over TCP.

use std::net::{Ipv4Addr, SocketAddr};

use symphony_admin::v1::node_client::NodeClient;
use symphony_admin::v1::{NodeInfoRequest, ShutdownRequest};
use symphony_admin::{
    AdminClient, BearerToken, ErrorKind, ImportQuery, ListenError, ListenSettings, Listeners,
    LogName, Reachability, TcpSettings, Tokens,
};
use tonic::Code;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::harness::{Harness, auditor_token, operator_token, question};

const IMPORT: ImportQuery = ImportQuery {
    weight_ppm: None,
    claims_max: 1,
};

async fn tcp_channel(address: SocketAddr) -> Channel {
    Endpoint::from_shared(format!("http://{address}"))
        .unwrap()
        .connect()
        .await
        .unwrap()
}

#[tokio::test]
async fn an_auditor_reads_and_can_neither_ask_nor_shut_down() {
    let harness = Harness::start().await;
    let client = AdminClient::connect_tcp(harness.address, &auditor_token())
        .await
        .unwrap();
    assert!(client.log_status(LogName::Own).await.is_ok());
    assert!(client.policy_state(LogName::Own).await.is_ok());
    assert!(client.peers().await.is_ok());
    assert!(client.audit(LogName::Own).await.is_ok());
    assert!(client.node_info().await.is_ok());
    let refused = [
        client.submit(question("x")).await.unwrap_err().kind(),
        client.follow(1).await.unwrap_err().kind(),
        client.shutdown().await.unwrap_err().kind(),
        client
            .import(LogName::Id([1; 32]), IMPORT)
            .await
            .unwrap_err()
            .kind(),
    ];
    assert_eq!(refused, [ErrorKind::PermissionDenied; 4]);
    assert!(!harness.shutdown.is_cancelled());
}

#[tokio::test]
async fn an_operator_may_do_all_over_tcp() {
    let harness = Harness::start().await;
    let client = AdminClient::connect_tcp(harness.address, &operator_token())
        .await
        .unwrap();
    assert!(client.submit(question("x")).await.is_ok());
    assert!(client.log_status(LogName::Own).await.is_ok());
    client.shutdown().await.unwrap();
    harness.ended().await;
}

#[tokio::test]
async fn without_a_token_nothing_answers_over_tcp() {
    let harness = Harness::start().await;
    let channel = tcp_channel(harness.address).await;
    let mut node = NodeClient::new(channel.clone());
    assert_eq!(
        node.info(NodeInfoRequest {}).await.unwrap_err().code(),
        Code::Unauthenticated
    );
    assert_eq!(
        node.shutdown(ShutdownRequest {}).await.unwrap_err().code(),
        Code::Unauthenticated
    );
    let health = HealthClient::new(channel)
        .check(HealthCheckRequest::default())
        .await;
    assert_eq!(health.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_wrong_token_is_no_token() {
    let harness = Harness::start().await;
    let token = BearerToken::from_entropy([9; 32]);
    let client = AdminClient::connect_tcp(harness.address, &token)
        .await
        .unwrap();
    assert_eq!(
        client.node_info().await.unwrap_err().kind(),
        ErrorKind::Unauthenticated
    );
}

#[tokio::test]
async fn an_address_that_others_reach_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let address = (Ipv4Addr::UNSPECIFIED, 0).into();
    let tokens = Tokens::new(Some(&operator_token()), None).unwrap();
    let tcp = TcpSettings {
        address,
        reachability: Reachability::Loopback,
        tokens,
    };
    let socket = folder.path().join("admin.sock");
    let error = Listeners::bind(ListenSettings {
        socket: socket.clone(),
        tcp: Some(tcp),
    })
    .await
    .unwrap_err();
    assert!(
        matches!(error, ListenError::NotLoopback { address: found } if found == address),
        "{error}"
    );
    assert!(!socket.exists());
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let harness = Harness::start().await;
    let folder = tempfile::tempdir().unwrap();
    let tokens = Tokens::new(Some(&operator_token()), None).unwrap();
    let tcp = TcpSettings {
        address: harness.address,
        reachability: Reachability::Loopback,
        tokens,
    };
    let settings = ListenSettings {
        socket: folder.path().join("admin.sock"),
        tcp: Some(tcp),
    };
    let error = Listeners::bind(settings).await.unwrap_err();
    assert!(
        error.to_string().contains(&harness.address.to_string()),
        "{error}"
    );
}
