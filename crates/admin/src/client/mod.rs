//! The client that the command line uses.

mod calls;
mod stream;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, UnixStream};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tower::service_fn;

pub use self::stream::AdminStream;
use crate::error::ErrorKind;
use crate::limits::{KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT, RESPONSE_SIZE_MAX};
use crate::token::BearerToken;
use crate::v1::audit_client::AuditClient;
use crate::v1::log_client::LogClient;
use crate::v1::node_client::NodeClient;
use crate::v1::peers_client::PeersClient;
use crate::v1::policy_client::PolicyClient;
use crate::v1::tasks_client::TasksClient;

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

type Transport = InterceptedService<Channel, Authorization>;

/// A connection to a node's admin API. Clones share it; calls may run at the same time.
#[derive(Clone, Debug)]
pub struct AdminClient {
    tasks: TasksClient<Transport>,
    peers: PeersClient<Transport>,
    log: LogClient<Transport>,
    policy: PolicyClient<Transport>,
    audit: AuditClient<Transport>,
    node: NodeClient<Transport>,
}

/// Why a call of the client fails.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No node answers at the socket.
    #[error("no node answers at {}: {reason}", .path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// No node answers at the address.
    #[error("no node answers at {address}: {reason}")]
    Tcp {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        reason: String,
    },
    /// The node answers with a failure.
    #[error("{kind}: {message}")]
    Call {
        /// Its kind.
        kind: ErrorKind,
        /// What the node says.
        message: String,
    },
}

impl ClientError {
    /// The kind of failure; a node that cannot be reached is [`ErrorKind::Unavailable`].
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Socket { .. } | Self::Tcp { .. } => ErrorKind::Unavailable,
            Self::Call { kind, .. } => *kind,
        }
    }
}

impl From<Status> for ClientError {
    fn from(status: Status) -> Self {
        Self::Call {
            kind: ErrorKind::from_code(status.code()),
            message: status.message().to_owned(),
        }
    }
}

impl AdminClient {
    /// Connects to the Unix socket of a node on this machine, as operator.
    ///
    /// # Errors
    ///
    /// [`ClientError::Socket`] when nobody listens there or the socket is not the caller's.
    pub async fn connect_unix(path: impl AsRef<Path>) -> Result<Self, ClientError> {
        let path = path.as_ref().to_owned();
        let failed = |reason: String| ClientError::Socket {
            path: path.clone(),
            reason,
        };
        // Tried first by itself: the transport would hide what the system says.
        drop(
            UnixStream::connect(&path)
                .await
                .map_err(|error| failed(error.to_string()))?,
        );
        let target = path.clone();
        let connector = service_fn(move |_| {
            let target = target.clone();
            async move { UnixStream::connect(target).await.map(TokioIo::new) }
        });
        // The address is needed by HTTP/2 and never looked up.
        let connected = settings(Endpoint::from_static("http://localhost"))
            .connect_with_connector(connector)
            .await;
        Ok(Self::new(
            connected.map_err(|error| failed(error.to_string()))?,
            Authorization(None),
        ))
    }

    /// Connects to a node's TCP listener with a token, as the role that the token stands for.
    ///
    /// # Errors
    ///
    /// [`ClientError::Tcp`] when nobody listens there. A wrong token shows at the first call, as
    /// [`ErrorKind::Unauthenticated`].
    pub async fn connect_tcp(
        address: SocketAddr,
        token: &BearerToken,
    ) -> Result<Self, ClientError> {
        let failed = |reason: String| ClientError::Tcp { address, reason };
        drop(
            TcpStream::connect(address)
                .await
                .map_err(|error| failed(error.to_string()))?,
        );
        let mut value = MetadataValue::try_from(format!("Bearer {}", token.expose()))
            .expect("a token holds only characters that a header may hold");
        value.set_sensitive(true);
        let endpoint = Endpoint::from_shared(format!("http://{address}"))
            .map_err(|error| failed(error.to_string()))?;
        let connected = settings(endpoint).connect().await;
        Ok(Self::new(
            connected.map_err(|error| failed(error.to_string()))?,
            Authorization(Some(value)),
        ))
    }

    fn new(channel: Channel, authorization: Authorization) -> Self {
        let transport = InterceptedService::new(channel, authorization);
        macro_rules! client {
            ($client:ident) => {
                $client::new(transport.clone()).max_decoding_message_size(RESPONSE_SIZE_MAX)
            };
        }
        Self {
            tasks: client!(TasksClient),
            peers: client!(PeersClient),
            log: client!(LogClient),
            policy: client!(PolicyClient),
            audit: client!(AuditClient),
            node: client!(NodeClient),
        }
    }
}

fn settings(endpoint: Endpoint) -> Endpoint {
    endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
}

/// Adds the token to every call.
#[derive(Clone, Debug)]
struct Authorization(Option<MetadataValue<Ascii>>);

impl Interceptor for Authorization {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(value) = &self.0 {
            request
                .metadata_mut()
                .insert("authorization", value.clone());
        }
        Ok(request)
    }
}
