//! Metrics and probes over HTTP.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use prometheus_client::registry::Registry;
use symphony_admin::{AdminClient, ListenError, LogName, MetricsServer, Reachability, Readiness};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::harness::{Harness, auditor_token, in_time, question};

async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    in_time(stream.read_to_string(&mut answer)).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer)
}

#[tokio::test]
async fn calls_are_counted_by_method_and_admission() {
    let harness = Harness::start().await;
    let mut registry = Registry::with_prefix("symphony");
    harness.metrics.register(&mut registry);
    let client = AdminClient::connect_tcp(harness.address, &auditor_token())
        .await
        .unwrap();
    client.log_status(LogName::Own).await.unwrap();
    client.submit(question("x")).await.unwrap_err();

    let server = MetricsServer::bind((Ipv4Addr::LOCALHOST, 0).into(), Reachability::Loopback)
        .await
        .unwrap();
    let address = server.address();
    let (_readiness, receiver) = watch::channel(Readiness::Ready);
    let shutdown = CancellationToken::new();
    let served = tokio::spawn(server.serve(Arc::new(registry), receiver, shutdown.clone()));
    let (status, text) = get(address, "/metrics").await;
    assert_eq!(status, 200);
    assert!(text.contains("application/openmetrics-text"), "{text}");
    for line in [
        "symphony_admin_calls_total{method=\"Log/Status\",admission=\"admitted\"} 1",
        "symphony_admin_calls_total{method=\"Tasks/Submit\",admission=\"forbidden\"} 1",
        "# EOF",
    ] {
        assert!(text.contains(line), "{line} is missing in {text}");
    }
    shutdown.cancel();
    in_time(served).await.unwrap().unwrap();
}

#[tokio::test]
async fn probes_follow_readiness() {
    let server = MetricsServer::bind((Ipv4Addr::LOCALHOST, 0).into(), Reachability::Loopback)
        .await
        .unwrap();
    let address = server.address();
    let (readiness, receiver) = watch::channel(Readiness::Starting);
    let shutdown = CancellationToken::new();
    let served =
        tokio::spawn(server.serve(Arc::new(Registry::default()), receiver, shutdown.clone()));
    for (now, expected) in [
        (Readiness::Starting, 503),
        (Readiness::Ready, 200),
        (Readiness::Stopping, 503),
    ] {
        readiness.send_replace(now);
        assert_eq!(get(address, "/readyz").await.0, expected, "{now:?}");
        assert_eq!(get(address, "/livez").await.0, 200);
    }
    assert_eq!(get(address, "/other").await.0, 404);
    // An idle connection does not hold the shutdown up.
    let idle = TcpStream::connect(address).await.unwrap();
    shutdown.cancel();
    in_time(served).await.unwrap().unwrap();
    drop(idle);
}

#[tokio::test]
async fn metrics_are_for_this_machine() {
    let address = (Ipv4Addr::UNSPECIFIED, 0).into();
    let bound = MetricsServer::bind(address, Reachability::Loopback).await;
    assert!(matches!(bound, Err(ListenError::NotLoopback { .. })));
}
