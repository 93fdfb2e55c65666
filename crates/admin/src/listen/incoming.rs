//! The stream of accepted connections.

use std::io;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::{FutureExt as _, Stream, stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::Connection;
use crate::limits::{ACCEPT_PAUSE, CONNECTIONS_MAX};
use crate::metrics::Metrics;

/// Something that connections come from.
pub(crate) trait Accept: Send + Sync + 'static {
    /// What a connection is made of.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next connection.
    fn accept(&self) -> BoxFuture<'_, io::Result<Self::Io>>;
}

impl Accept for UnixListener {
    type Io = UnixStream;

    fn accept(&self) -> BoxFuture<'_, io::Result<UnixStream>> {
        async { Ok(UnixListener::accept(self).await?.0) }.boxed()
    }
}

impl Accept for TcpListener {
    type Io = TcpStream;

    fn accept(&self) -> BoxFuture<'_, io::Result<TcpStream>> {
        async {
            let (stream, _) = TcpListener::accept(self).await?;
            // Calls are small, and their answers are waited for.
            stream.set_nodelay(true)?;
            Ok(stream)
        }
        .boxed()
    }
}

/// Connections of a listener, at most [`CONNECTIONS_MAX`] at once.
pub(crate) fn incoming<L: Accept>(
    listener: L,
    metrics: Metrics,
    severed: CancellationToken,
) -> impl Stream<Item = io::Result<Connection<L::Io>>> {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    stream::unfold((listener, places), move |(listener, places)| {
        let (metrics, severed) = (metrics.clone(), severed.clone());
        async move {
            let place = Arc::clone(&places).acquire_owned().await.ok()?;
            let accepted = match listener.accept().await {
                Ok(io) => Ok(Connection::new(
                    io,
                    place,
                    metrics.connection_opened(),
                    severed,
                )),
                Err(error) => {
                    tracing::warn!(%error, "accepting an admin connection failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    Err(error)
                }
            };
            Some((accepted, (listener, places)))
        }
    })
}
