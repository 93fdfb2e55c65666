//! Peers that misbehave, built from the node's own code, and what tests over real processes share.
//!
//! The release binary has no cheat switch: each of these is a program of its own that hands the node a changed
//! [`Outgoing`] or executor.

pub mod soak;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use futures::future::BoxFuture;
use prost::Message;
use symphony_executor::{Description, ExecuteError, Executor, Health, Outcome, Request};
use symphony_node::{
    home::Home,
    runtime::{Hooks, Outgoing, start},
};
use symphony_proto::{
    log::v1::{self as log, entry::Body},
    statement::v1 as statement,
};
use symphony_transparency::{
    Digest, SecretKey, StatementKind, UnverifiedStatement, entry_digest, f64_to_field,
    sign_statement,
};

/// Changes some entries, and chains all that follow to the changed ones, so that only replay can tell.
#[derive(Default)]
struct Rechained {
    /// Digest of the last entry as appended, once one was changed.
    last: Option<Digest>,
}

impl Rechained {
    fn entry(&mut self, bytes: Vec<u8>, change: impl FnOnce(&mut log::Entry) -> bool) -> Vec<u8> {
        let Ok(mut entry) = log::Entry::decode(bytes.as_slice()) else {
            return bytes;
        };
        if !change(&mut entry) && self.last.is_none() {
            return bytes;
        }
        if let Some(last) = self.last {
            entry.previous = last.as_bytes().to_vec();
        }
        let bytes = entry.encode_to_vec();
        self.last = Some(entry_digest(&bytes));
        bytes
    }
}

/// A coordinator that once writes a better reward for a favourite into its well-signed log.
pub struct LyingCoordinator {
    chain: Rechained,
    honest_settlements: u32,
}

impl LyingCoordinator {
    /// Lies in the settlement after this many honest ones.
    pub fn after(honest_settlements: u32) -> Self {
        Self {
            chain: Rechained::default(),
            honest_settlements,
        }
    }
}

impl Outgoing for LyingCoordinator {
    fn entry(&mut self, bytes: Vec<u8>, _secret: &SecretKey) -> Vec<u8> {
        let left = &mut self.honest_settlements;
        let lied = self.chain.last.is_some();
        self.chain.entry(bytes, |entry| {
            let Some(Body::Settlement(settlement)) = &mut entry.body else {
                return false;
            };
            if lied || settlement.outcomes.is_empty() {
                return false;
            }
            if *left > 0 {
                *left -= 1;
                return false;
            }
            settlement.outcomes[0].reward = f64_to_field(1.0);
            true
        })
    }

    fn statement(&mut self, bytes: Vec<u8>, _secret: &SecretKey) -> Vec<u8> {
        bytes
    }
}

/// A peer that bids a perfect match for everything.
#[derive(Default)]
pub struct FalseBidder {
    chain: Rechained,
}

/// The match that a false bidder claims, in parts per million.
const CLAIMED_MATCH_PPM: u32 = 999_999;

impl Outgoing for FalseBidder {
    fn entry(&mut self, bytes: Vec<u8>, _secret: &SecretKey) -> Vec<u8> {
        self.chain.entry(bytes, |entry| {
            let Some(Body::BidIssued(issued)) = &mut entry.body else {
                return false;
            };
            issued.payload = improved(&issued.payload);
            true
        })
    }

    fn statement(&mut self, bytes: Vec<u8>, secret: &SecretKey) -> Vec<u8> {
        let Ok(envelope) = statement::Statement::decode(bytes.as_slice()) else {
            return bytes;
        };
        let is_bid = UnverifiedStatement::parse(&bytes)
            .is_ok_and(|statement| statement.kind() == StatementKind::Bid);
        let Ok(network) = Digest::from_slice(&envelope.network_id) else {
            return bytes;
        };
        if is_bid {
            sign_statement(
                secret,
                &network,
                StatementKind::Bid,
                improved(&envelope.payload),
            )
            .into_bytes()
        } else {
            bytes
        }
    }
}

fn improved(payload: &[u8]) -> Vec<u8> {
    let Ok(mut bid) = statement::Bid::decode(payload) else {
        return payload.to_vec();
    };
    bid.match_ppm = CLAIMED_MATCH_PPM;
    bid.encode_to_vec()
}

/// An executor that takes its time.
#[derive(Debug)]
pub struct SlowExecutor {
    /// Who really answers.
    pub inner: Arc<dyn Executor>,
    /// How long every answer waits before it begins.
    pub delay: Duration,
}

impl Executor for SlowExecutor {
    fn execute(&self, request: Request) -> BoxFuture<'_, Result<Outcome, ExecuteError>> {
        Box::pin(async move {
            tokio::time::sleep(self.delay).await;
            self.inner.execute(request).await
        })
    }

    fn describe(&self) -> BoxFuture<'_, Result<Description, ExecuteError>> {
        self.inner.describe()
    }

    fn health(&self) -> BoxFuture<'_, Health> {
        self.inner.health()
    }

    fn shut_down(&self) -> BoxFuture<'_, ()> {
        self.inner.shut_down()
    }
}

/// Runs a node with these hooks until it is told to stop: what every program of this package does.
///
/// # Errors
/// A missing `--home DIR`, or a node that does not start or run.
pub fn main_with(hooks: Hooks) -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let folder: PathBuf = match (arguments.next(), arguments.next(), arguments.next()) {
        (Some(flag), Some(folder), None) if flag == "--home" => folder.into(),
        _ => anyhow::bail!("usage: --home DIR"),
    };
    run_node(&folder, Vec::new(), hooks)
}

/// Runs a node with these hooks until it is told to stop. Peers to dial, if any, take the place of the configured ones.
///
/// # Errors
/// A node that does not start or run.
pub fn run_node(folder: &Path, bootstrap: Vec<String>, hooks: Hooks) -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(async {
            let home = Home::open(folder)?;
            let mut config = home.config()?;
            if !bootstrap.is_empty() {
                config.bootstrap = bootstrap;
            }
            let (handle, node) = start(config, home, hooks).await?;
            tokio::spawn(async move {
                let mut terminate =
                    tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
                terminate.recv().await;
                handle.shutdown();
                Ok::<(), std::io::Error>(())
            });
            node.await.context("the node's task")??;
            Ok(())
        })
}
