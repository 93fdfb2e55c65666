//! Where the server listens.

mod connection;
mod incoming;
mod socket_file;

use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::net::{TcpListener, UnixListener};

pub(crate) use self::connection::Connection;
pub(crate) use self::incoming::{Accept, incoming};
pub(crate) use self::socket_file::SocketFile;
use crate::token::Tokens;

/// Where to listen.
#[derive(Clone, Debug)]
pub struct ListenSettings {
    /// Path of the Unix socket. Its folder must exist. On Linux a path has at most 107 bytes, on macOS 103.
    pub socket: PathBuf,
    /// TCP beside it, if wanted.
    pub tcp: Option<TcpSettings>,
}

/// How to listen on TCP.
#[derive(Clone, Debug)]
pub struct TcpSettings {
    /// Address; port 0 takes a free one, see [`Listeners::tcp_address`].
    pub address: SocketAddr,
    /// Whom the address may be reachable for.
    pub reachability: Reachability,
    /// Tokens of the two roles.
    pub tokens: Tokens,
}

/// Whom a TCP address may be reachable for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reachability {
    /// This machine alone; another address is refused. For others: forward the port, as `ssh -L` does.
    #[default]
    Loopback,
    /// Any address. Hazard: tokens and answers travel in the clear, so a tunnel or a proxy with TLS must stand before it.
    Cleartext,
}

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// A live server has the socket.
    #[error("another server listens on {}", .path.display())]
    InUse {
        /// The socket.
        path: PathBuf,
    },
    /// Something that is no socket stands at the path. It is left alone.
    #[error("{} exists and is no socket", .path.display())]
    NotSocket {
        /// The path.
        path: PathBuf,
    },
    /// The socket cannot be made.
    #[error("cannot listen on {}: {source}", .path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// An address beyond this machine, without [`Reachability::Cleartext`].
    #[error("{address} is reachable from other machines, where tokens would travel in the clear")]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// The TCP address cannot be had.
    #[error("cannot listen on {address}: {source}")]
    Tcp {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Bound listeners: callers can connect, and wait until [`serve`](crate::AdminServer::serve) takes them.
#[derive(Debug)]
pub struct Listeners {
    pub(crate) socket: UnixListener,
    pub(crate) socket_file: SocketFile,
    pub(crate) tcp: Option<(TcpListener, Tokens)>,
    tcp_address: Option<SocketAddr>,
}

impl Listeners {
    /// Listens. The socket has mode 0600 before anyone can connect; one that a dead server left is replaced. Must be called
    /// within a tokio runtime.
    ///
    /// # Errors
    ///
    /// Every [`ListenError`]. Nothing is left behind then.
    pub async fn bind(settings: ListenSettings) -> Result<Self, ListenError> {
        let (socket, socket_file) = SocketFile::bind(&settings.socket)?;
        let mut listeners = Self {
            socket,
            socket_file,
            tcp: None,
            tcp_address: None,
        };
        if let Some(tcp) = settings.tcp {
            let (listener, address) = bind_tcp(tcp.address, tcp.reachability).await?;
            listeners.tcp = Some((listener, tcp.tokens));
            listeners.tcp_address = Some(address);
        }
        Ok(listeners)
    }

    /// Address of the TCP listener with its real port.
    pub fn tcp_address(&self) -> Option<SocketAddr> {
        self.tcp_address
    }
}

/// A TCP listener, and its address with the real port.
pub(crate) async fn bind_tcp(
    address: SocketAddr,
    reachability: Reachability,
) -> Result<(TcpListener, SocketAddr), ListenError> {
    if reachability == Reachability::Loopback && !address.ip().is_loopback() {
        return Err(ListenError::NotLoopback { address });
    }
    let failed = |source| ListenError::Tcp { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}
