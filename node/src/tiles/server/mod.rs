//! Logs over HTTP: C2SP tlog-tiles, and tlog-witness' add-checkpoint.
//!
//! Everything here is public, so there are no tokens; what protects the node are limits. Connections at the same time, the
//! time that one may live and that a head may take, and the sizes of heads and bodies are bounded; a tile or a page of
//! entries is all that a connection holds in memory.
//!
//! Spec: TILE-6, WITNESS-4 to WITNESS-7.

mod answer;
mod body;
mod route;
mod witness;

use std::{convert::Infallible, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use symphony_ledger::Ledger;
use symphony_transparency::{Digest, SignedCheckpoint};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::runtime::Witness;

/// Largest head of a request in bytes, the least that the parser takes.
const HEAD_SIZE_MAX: usize = 8_192;
/// Longest wait for a head, and for the next request on an open connection.
const HEAD_TIME_MAX: Duration = Duration::from_secs(10);
/// Longest life of a connection; a client that has more to fetch opens another.
const CONNECTION_TIME_MAX: Duration = Duration::from_secs(300);
/// Longest wait for answers under way when a connection or the server ends.
const GRACE: Duration = Duration::from_secs(1);
/// Pause after a failed accept, which is most often a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What is served.
pub struct Served {
    /// The logs.
    pub ledger: Ledger,
    /// The network that they belong to.
    pub network: Digest,
    /// The log that stands at the root.
    pub own: Digest,
    /// Who cosigns other logs' checkpoints; nothing if nobody is to ask here.
    pub witness: Option<Witness>,
    /// Is given every checkpoint with its log's signature that is brought here, for the audit of that log: one that
    /// contradicts what is known convicts.
    pub brought: Box<dyn Fn(SignedCheckpoint) + Send + Sync>,
}

/// A bound listener: clients can connect, and wait until [`TileServer::serve`] takes them.
#[derive(Debug)]
pub struct TileServer {
    listener: TcpListener,
    address: SocketAddr,
}

/// The address cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct BindError {
    /// The address.
    pub address: SocketAddr,
    /// What the system said.
    pub source: std::io::Error,
}

impl TileServer {
    /// Listens; port 0 takes a free one.
    ///
    /// # Errors
    /// [`BindError`].
    pub async fn bind(address: SocketAddr) -> Result<Self, BindError> {
        let failed = |source| BindError { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// The address with its real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is cancelled; answers under way have a second to end. At most `connections_max` connections are
    /// open at once.
    pub async fn serve(self, served: Arc<Served>, connections_max: u32, stop: CancellationToken) {
        let places = usize::try_from(connections_max).unwrap_or(usize::MAX);
        let places = Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS)));
        let mut connections = JoinSet::new();
        while let Some((stream, place)) = self.next(&places, &stop).await {
            connections.spawn(connection(stream, place, Arc::clone(&served), stop.clone()));
            // What ended is forgotten, so that the set is no larger than the number of places.
            while connections.try_join_next().is_some() {}
        }
        let ended = async { while connections.join_next().await.is_some() {} };
        if timeout(2 * GRACE, ended).await.is_err() {
            tracing::warn!("connections of the tiles server were cut");
        }
    }

    /// The next connection and its place; nothing when the server is to end.
    async fn next(
        &self,
        places: &Arc<Semaphore>,
        stop: &CancellationToken,
    ) -> Option<(TcpStream, OwnedSemaphorePermit)> {
        let accepted = async {
            let place = Arc::clone(places).acquire_owned().await.ok()?;
            loop {
                match self.listener.accept().await {
                    Ok((stream, _)) => break Some((stream, place)),
                    Err(error) => {
                        tracing::warn!(%error, "accepting a connection for tiles failed");
                        sleep(ACCEPT_PAUSE).await;
                    }
                }
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => None,
            accepted = accepted => accepted,
        }
    }
}

async fn connection(
    stream: TcpStream,
    _place: OwnedSemaphorePermit,
    served: Arc<Served>,
    stop: CancellationToken,
) {
    let service = service_fn(move |request| {
        let served = Arc::clone(&served);
        async move { Ok::<_, Infallible>(answer::answer(&served, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_buf_size(HEAD_SIZE_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        biased;
        // Why it ended is the client's affair.
        _ = connection.as_mut() => return,
        () = stop.cancelled() => {}
        () = sleep(CONNECTION_TIME_MAX) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(GRACE, connection).await;
}
