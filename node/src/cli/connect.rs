//! Which node is asked.

use std::{
    net::{SocketAddr, ToSocketAddrs as _},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use clap::Args;
use symphony_admin::{AdminClient, BearerToken, ClientError, ErrorKind, LogName};
use tokio::time::Instant;

use super::output::complain;
use crate::home::Home;

/// Time between two looks for a node that is starting.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// Which node is asked.
#[derive(Args, Clone, Debug)]
pub(super) struct NodeArgs {
    /// Node to ask: path of its admin socket, or HOST:PORT with a token file [default: the node of the home folder]
    #[arg(long, env = "SYMPHONY_NODE", value_name = "ADDR")]
    pub(super) node: Option<String>,
    /// File with the token for a node at HOST:PORT
    #[arg(long, env = "SYMPHONY_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) home: HomeArgs,
}

/// Which home folder is used.
#[derive(Args, Clone, Debug)]
pub(super) struct HomeArgs {
    /// Home folder of the node [default: ~/.symphony]
    #[arg(long, env = "SYMPHONY_HOME", value_name = "DIR")]
    home: Option<PathBuf>,
}

impl HomeArgs {
    /// The folder.
    pub(super) fn folder(&self) -> PathBuf {
        self.home.clone().unwrap_or_else(Home::default_folder)
    }
}

/// Which log is meant.
#[derive(Args, Clone, Debug)]
pub(super) struct LogArgs {
    /// Log id, 64 hexadecimal digits [default: the node's own log]
    #[arg(long, value_name = "ID", value_parser = parse_log)]
    log_id: Option<LogName>,
}

impl LogArgs {
    /// The log.
    pub(super) fn name(&self) -> LogName {
        self.log_id.unwrap_or(LogName::Own)
    }
}

fn parse_log(text: &str) -> Result<LogName, String> {
    LogName::parse(text).map_err(|error| error.to_string())
}

/// Whether nobody answers at all.
fn is_absent(error: &anyhow::Error) -> bool {
    let absent = |error: &ClientError| error.kind() == ErrorKind::Unavailable;
    error.downcast_ref::<ClientError>().is_some_and(absent)
}

enum Address {
    Socket(PathBuf),
    Tcp(SocketAddr),
}

impl NodeArgs {
    /// Connects.
    ///
    /// # Errors
    /// No node answers there, or there is no token for a node behind TCP.
    pub(super) async fn connect(&self) -> anyhow::Result<AdminClient> {
        match self.address()? {
            Address::Socket(path) => AdminClient::connect_unix(&path)
                .await
                .map_err(|error| self.explain(error)),
            Address::Tcp(address) => {
                let file = self.token_file.as_ref().with_context(|| {
                    format!("a node at {address} wants a token: name its file with --token-file")
                })?;
                let token = BearerToken::read_file(file)?;
                Ok(AdminClient::connect_tcp(address, &token).await?)
            }
        }
    }

    /// Connects, and waits for a node that does not answer yet: one that was started just before needs a moment.
    ///
    /// # Errors
    /// No node answers there within this time, or there is no token for a node behind TCP.
    pub(super) async fn connect_within(&self, wait: Duration) -> anyhow::Result<AdminClient> {
        let until = Instant::now() + wait;
        let mut has_told = false;
        loop {
            let error = match self.connect().await {
                Ok(client) => return Ok(client),
                Err(error) => error,
            };
            if !is_absent(&error) || Instant::now() >= until {
                return Err(error);
            }
            if !std::mem::replace(&mut has_told, true) {
                complain(&format!(
                    "{}; waiting up to {} s for one that is starting",
                    error.root_cause(),
                    wait.as_secs_f32()
                ));
            }
            tokio::time::sleep(RETRY_INTERVAL).await;
        }
    }

    /// Connects, or gives nothing if the home folder's own node does not run, so that its files may be read instead.
    ///
    /// # Errors
    /// A node that was named does not answer.
    pub(super) async fn connect_if_running(&self) -> anyhow::Result<Option<AdminClient>> {
        if self.node.is_some() {
            return self.connect().await.map(Some);
        }
        let Address::Socket(path) = self.address()? else {
            return self.connect().await.map(Some);
        };
        match AdminClient::connect_unix(&path).await {
            Ok(client) => Ok(Some(client)),
            Err(error) if error.kind() == ErrorKind::Unavailable => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn explain(&self, error: ClientError) -> anyhow::Error {
        let error = anyhow::Error::from(error);
        if self.node.is_some() {
            return error;
        }
        error.context(format!(
            "the node of {} does not run; start it with `symphony node run`",
            self.home.folder().display()
        ))
    }

    fn address(&self) -> anyhow::Result<Address> {
        let Some(text) = &self.node else {
            return Ok(Address::Socket(self.home_socket()?));
        };
        if let Some(path) = text.strip_prefix("unix:") {
            return Ok(Address::Socket(PathBuf::from(path)));
        }
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(Address::Tcp(address));
        }
        let named = !text.contains('/') && !Path::new(text).exists();
        if named
            && text
                .rsplit_once(':')
                .is_some_and(|(_, port)| port.parse::<u16>().is_ok())
        {
            let address = text
                .to_socket_addrs()
                .with_context(|| format!("cannot find {text}"))?
                .next()
                .with_context(|| format!("{text} has no address"))?;
            return Ok(Address::Tcp(address));
        }
        Ok(Address::Socket(PathBuf::from(text)))
    }

    fn home_socket(&self) -> anyhow::Result<PathBuf> {
        let home = Home::open(&self.home.folder())?;
        let config = home.config()?;
        Ok(home.admin_socket(&config))
    }
}
