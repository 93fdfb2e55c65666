//! A server in this process, and what the tests say to it.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use symphony_admin::v1::{AnswerForm, Step, SubmitRequest, TaskSettings, submit_request};
use symphony_admin::{
    AdminClient, AdminServer, BearerToken, ListenSettings, Listeners, Metrics, Reachability,
    ServeError, TcpSettings, Tokens,
};
use tempfile::TempDir;
use tokio::net::UnixStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};

use crate::backend::TestBackend;

/// Longer than anything here takes; a test that reaches it fails.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Harness {
    pub(crate) backend: Arc<TestBackend>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) socket: PathBuf,
    pub(crate) address: SocketAddr,
    pub(crate) metrics: Metrics,
    served: JoinHandle<Result<(), ServeError>>,
    _folder: TempDir,
}

pub(crate) fn operator_token() -> BearerToken {
    BearerToken::from_entropy([1; 32])
}

pub(crate) fn auditor_token() -> BearerToken {
    BearerToken::from_entropy([2; 32])
}

impl Harness {
    pub(crate) async fn start() -> Self {
        Self::start_with(|server| server).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(AdminServer) -> AdminServer) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("admin.sock");
        let tcp = TcpSettings {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            reachability: Reachability::Loopback,
            tokens: Tokens::new(Some(&operator_token()), Some(&auditor_token())).unwrap(),
        };
        let listeners = Listeners::bind(ListenSettings {
            socket: socket.clone(),
            tcp: Some(tcp),
        })
        .await
        .unwrap();
        let address = listeners.tcp_address().unwrap();
        let shutdown = CancellationToken::new();
        let backend = Arc::new(TestBackend::new(shutdown.clone()));
        let metrics = Metrics::default();
        let server =
            change(AdminServer::new(metrics.clone()).with_grace(Duration::from_millis(50)));
        let (served_backend, token) = (Arc::clone(&backend), shutdown.clone());
        let served =
            tokio::spawn(async move { server.serve(listeners, served_backend, token).await });
        Self {
            backend,
            shutdown,
            socket,
            address,
            metrics,
            served,
            _folder: folder,
        }
    }

    pub(crate) async fn client(&self) -> AdminClient {
        AdminClient::connect_unix(&self.socket).await.unwrap()
    }

    /// A channel without anything that our client adds.
    pub(crate) async fn stock_channel(&self) -> Channel {
        stock_channel(&self.socket).await
    }

    /// Waits for the server's end after a shutdown began.
    pub(crate) async fn ended(self) {
        in_time(self.served).await.unwrap().unwrap();
        assert!(!self.socket.exists(), "the socket is left behind");
    }
}

pub(crate) async fn stock_channel(socket: &Path) -> Channel {
    let socket = socket.to_owned();
    let connector = tower::service_fn(move |_| {
        let socket = socket.clone();
        async move { UnixStream::connect(socket).await.map(TokioIo::new) }
    });
    Endpoint::from_static("http://localhost")
        .connect_with_connector(connector)
        .await
        .unwrap()
}

/// Fails instead of hanging.
pub(crate) async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("takes too long")
}

pub(crate) fn question(text: &str) -> SubmitRequest {
    let step = Step {
        text: text.to_owned(),
        tags: vec!["logic".to_owned()],
        form: AnswerForm::Boolean.into(),
    };
    let settings = TaskSettings {
        executors: 2,
        ..TaskSettings::default()
    };
    SubmitRequest {
        work: Some(submit_request::Work::Question(step)),
        settings: Some(settings),
        ..SubmitRequest::default()
    }
}
