//! From settings to a running node.

use std::{sync::Arc, time::Instant};

use prometheus_client::registry::Registry;
use symphony_admin::{AdminServer, Listeners, Metrics, MetricsServer, Reachability, Readiness};
use symphony_coordination::{OpenBids, Peer, Relays};
use symphony_executor::{Description, Executor};
use symphony_ledger::{Ledger, MissingRecord, Standing};
use symphony_network::{Hello, Network, TransportSecret, follow::FollowLimits};
use symphony_protocol::{
    Fault,
    records::Params,
    replay::{Replay, Unusable},
};
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::{
    auditor::{Auditor, AuditorCommand, AuditorParts},
    core::{Answerer, Core, Parts},
    directory::Directory,
    evidence::{Budget, EvidenceStore},
    gathering::Gathering,
    hooks::Hooks,
    pump::{Newest, Pump, Relaying},
    send::Sender,
    settings::{admin_settings, network_config, peer_config},
    view::{About, NodeHandle},
    witness::Witness,
};
use crate::{
    backend::NodeBackend,
    config::Config,
    home::{Home, HomeError},
    retirement::{self, RetirementError},
    tiles::{Served, TileServer},
};

/// Commands that may wait for the core or the auditor; more wait in their senders or are refused.
const QUEUE_MAX: usize = 1_024;
/// What this software calls itself.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The home folder cannot be used.
    #[error(transparent)]
    Home(Box<HomeError>),
    /// The settings cannot be used.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// The log has no entry 0.
    #[error("the log is empty: the home folder was made only in part; remove it and make it again")]
    Empty,
    /// The log may not be continued.
    #[error("the log may not be continued: {0}")]
    Standing(String),
    /// What the home folder says of retired logs cannot be read.
    #[error("retirement: {0}")]
    Retirement(#[from] RetirementError),
    /// The log cannot be read.
    #[error("ledger: {0}")]
    Ledger(#[from] symphony_ledger::LedgerError),
    /// The own log is no log of this network.
    #[error("own log: {0}")]
    Unusable(#[from] Unusable),
    /// The own log breaks a rule.
    #[error("own log: {0}")]
    Fault(Box<Fault>),
    /// An address cannot be read.
    #[error("{key}: {address:?} is no multiaddress such as /ip4/127.0.0.1/tcp/4791: {reason}")]
    Address {
        /// The key of the settings.
        key: &'static str,
        /// The address.
        address: String,
        /// What is wrong.
        reason: String,
    },
    /// The network does not start.
    #[error("network: {0}")]
    Network(#[from] symphony_network::StartError),
    /// The executor does not start.
    #[error("executor: {0}")]
    Executor(String),
    /// The admin API does not start.
    #[error("admin: {0}")]
    Admin(#[from] symphony_admin::ListenError),
    /// Logs cannot be served over HTTP.
    #[error("tiles: {0}")]
    Tiles(#[from] crate::tiles::BindError),
    /// A token file cannot be used.
    #[error("admin token: {0}")]
    Token(#[from] symphony_admin::TokenError),
}

impl From<HomeError> for StartError {
    fn from(error: HomeError) -> Self {
        Self::Home(Box::new(error))
    }
}

/// Why a running node ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The core ended.
    #[error(transparent)]
    Core(#[from] super::core::CoreError),
    /// The admin server ended.
    #[error("admin: {0}")]
    Admin(#[from] symphony_admin::ServeError),
    /// A task of the node panicked: a defect.
    #[error("a task of the node failed: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// Starts a node: ledger, executor, network, core, auditor and admin API.
///
/// # Errors
/// [`StartError`]; nothing keeps running then.
pub async fn start(
    config: Config,
    home: Home,
    hooks: Hooks,
) -> Result<(NodeHandle, JoinHandle<Result<(), RunError>>), StartError> {
    config.validate()?;
    let params = config.params().map_err(crate::config::ConfigError::from)?;
    let listeners = Listeners::bind(admin_settings(&config, &home)?).await?;
    if let Some(retired) = retirement::retired(&home, &params.network_id())? {
        let successor = retired.record.successor;
        return Err(StartError::Standing(format!(
            "it was retired; its successor is log {successor}"
        )));
    }
    let tiles = match config.tiles.listen {
        Some(address) => Some(TileServer::bind(address).await?),
        None => None,
    };
    let (ledger, recovered) = home.open_ledger(&params, MissingRecord::Refuse)?;
    if let Some(reason) = objection(&recovered.standing) {
        return Err(StartError::Standing(reason));
    }
    let (replay, bids, entry_0) = replay_own(&ledger, &params)?;
    let executor = start_executor(&config, hooks.wrap_executor).await?;
    let secrets = home.secrets()?;
    let (log, key, network_id) = (replay.state().log(), replay.author(), params.network_id());
    let pump_params = params.clone();
    let witness = Witness::new(&network_id, &log, secrets.witness, ledger.clone());
    let evidence = EvidenceStore::open(ledger.clone(), &network_id).await?;
    let hello = Hello {
        network_id,
        params_fingerprint: network_id,
        log_id: log,
        log_public_key: key,
        genesis_entry: entry_0,
        software_version: format!("symphony/{VERSION}"),
    };
    let transport = TransportSecret::from_bytes(*secrets.transport.expose_bytes());
    let (network, events) = Network::start(network_config(&config)?, &transport, hello).await?;

    let stop = CancellationToken::new();
    let (core_sender, core_receiver) = mpsc::channel(QUEUE_MAX);
    let (auditor_sender, auditor_receiver) = mpsc::channel(QUEUE_MAX);
    let (view_sender, peers) = watch::channel(Arc::default());
    let followed = peers.clone();
    let (checkpoint_sender, checkpoint) = watch::channel(None);
    let (readiness_sender, readiness) = watch::channel(Readiness::Starting);
    let directory = Directory::default();
    let about = Arc::new(About {
        key,
        log,
        network: network_id,
        params,
        executor: executor.as_ref().map_or_else(
            || "none".to_owned(),
            |(_, description)| describe(description),
        ),
        started: Instant::now(),
        version: VERSION,
    });
    let handle = NodeHandle {
        core: core_sender.clone(),
        auditor: auditor_sender.clone(),
        ledger: ledger.clone(),
        network: network.clone(),
        evidence: evidence.clone(),
        witness: witness.clone(),
        peers,
        checkpoint,
        readiness,
        about,
        stop: stop.clone(),
    };

    let peer = Peer::new(
        secrets.log,
        replay,
        peer_config(
            &config,
            executor.as_ref().map(|(_, description)| description),
        ),
    )
    .with_bids(bids);
    let parts = Parts {
        peer,
        secret: home.secret("log")?,
        ledger: ledger.clone(),
        network: network.clone(),
        sender: Sender::new(
            network.clone(),
            directory.clone(),
            core_sender.downgrade(),
            network_id,
            Arc::clone(&hooks.boundaries),
        ),
        answerer: Answerer {
            executor: executor.clone(),
            instruction: config.instruction.clone(),
            plan_instruction: config.plan_instruction.clone(),
            output_tokens_max: config.output_tokens_max,
            places: Arc::new(Semaphore::new(config.profile.parallel_max.max(1) as usize)),
        },
        outgoing: hooks.outgoing,
        boundaries: hooks.boundaries,
        auditor: auditor_sender.clone(),
        checkpoint: checkpoint_sender,
        checkpoint_interval: config.checkpoint_interval,
        predecessors: retirement::predecessors(&home, &network_id)?
            .into_iter()
            .map(|received| received.statement.into_bytes())
            .collect(),
    };
    let core = Core::new(parts, core_receiver, core_sender.downgrade());
    let auditor = Auditor::new(
        (auditor_receiver, auditor_sender.downgrade()),
        AuditorParts {
            own_key: key,
            secret: home.secret("log")?,
            network_id,
            core: core_sender.clone(),
            network: network.clone(),
            directory: directory.clone(),
            ledger: ledger.clone(),
            witness,
            evidence: evidence.clone(),
            follow_limits: FollowLimits {
                status_interval: config.follow_interval,
                ..FollowLimits::default()
            },
            suspect_after: config.suspect_after,
            cosign_interval: config.cosign_interval,
            view: view_sender,
        },
    );
    let pump = Pump {
        events,
        network: network.clone(),
        ledger: ledger.clone(),
        network_id,
        params: pump_params,
        own_key: key,
        directory,
        core: core_sender,
        auditor: auditor_sender,
        connected: std::collections::BTreeMap::new(),
        peers: followed,
        newest: Newest::default(),
        relays: Relays::default(),
        evidence,
        budget: Budget::default(),
        relaying: Arc::new(Relaying::new(config.suspect_after)),
        began: tokio::time::Instant::now(),
        gathering: Some(Gathering::default()),
        gathering_until: tokio::time::Instant::now() + config.gather_timeout,
    };
    let metrics = Metrics::default();
    if let Some(address) = config.admin.metrics {
        let server = MetricsServer::bind(address, Reachability::Loopback).await?;
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        handle.network().metrics().register(&mut registry);
        let (readiness, stop) = (handle.readiness(), stop.clone());
        tokio::spawn(async move {
            if let Err(error) = server.serve(Arc::new(registry), readiness, stop).await {
                tracing::warn!(%error, "the metrics endpoint ended");
            }
        });
    }
    let tiles = tiles.map(|server| {
        tracing::info!(address = %server.address(), "serving logs as tiles");
        let auditor = handle.auditor.downgrade();
        let served = Served {
            ledger: ledger.clone(),
            network: network_id,
            own: log,
            witness: config.tiles.witness.then(|| handle.witness().clone()),
            brought: Box::new(move |signed| {
                // An auditor with a full queue has newer checkpoints than this one.
                if let Some(auditor) = auditor.upgrade() {
                    let signed = Box::new(signed);
                    let _ = auditor.try_send(AuditorCommand::Checkpoint { signed });
                }
            }),
        };
        tokio::spawn(server.serve(Arc::new(served), config.tiles.connections_max, stop.clone()))
    });
    let backend = Arc::new(NodeBackend::new(handle.clone()));
    let node = tokio::spawn(async move {
        let core = tokio::spawn(core.run(stop.clone()));
        let auditor = tokio::spawn(auditor.run(stop.clone()));
        let pump = tokio::spawn(pump.run());
        readiness_sender.send_replace(Readiness::Ready);
        let server = AdminServer::new(metrics);
        let admin = tokio::spawn({
            let stop = stop.clone();
            async move { server.serve(listeners, backend, stop).await }
        });
        let core = core.await;
        // Whatever ended the core, nothing else may go on without it.
        readiness_sender.send_replace(Readiness::Stopping);
        stop.cancel();
        let admin = admin.await;
        if let Some(tiles) = tiles {
            tiles.await?;
        }
        network.shutdown().await;
        pump.await?;
        auditor.await?;
        if let Some((executor, _)) = executor {
            executor.shut_down().await;
        }
        let closed = ledger.close().await;
        core??;
        admin??;
        closed.map_err(super::core::CoreError::from)?;
        Ok(())
    });
    Ok((handle, node))
}

/// Why a log may not be continued, for people; nothing if it may. Spec: STORE-14.
fn objection(standing: &Standing) -> Option<String> {
    match standing {
        Standing::Good => None,
        Standing::Behind { recorded } => Some(format!(
            "{} entries were signed and fewer are here: was the data restored from a backup?",
            recorded.size
        )),
        Standing::Diverged { recorded, .. } => Some(format!(
            "its first {} entries are not those that were signed",
            recorded.size
        )),
        Standing::Unrecorded => Some("there is no record of what was signed".to_owned()),
        other => Some(format!("{other:?}")),
    }
}

/// The own log's replay, the bids in it that are open, and entry 0.
fn replay_own(ledger: &Ledger, params: &Params) -> Result<(Replay, OpenBids, Vec<u8>), StartError> {
    let own = ledger.own().ok_or(StartError::Empty)?;
    let entry_0 = own.entry(0)?.ok_or(StartError::Empty)?;
    let mut replay = Replay::begin(&entry_0, Some(&params.network_id()))?;
    let mut bids = OpenBids::default();
    for entry in own.entries(1..own.size()?) {
        let (entry, _) = replay
            .push(&entry?.1)
            .map_err(|fault| StartError::Fault(Box::new(fault)))?;
        bids.note(&entry);
    }
    Ok((replay, bids, entry_0))
}

async fn start_executor(
    config: &Config,
    wrap: super::hooks::WrapExecutor,
) -> Result<Option<(Arc<dyn Executor>, Description)>, StartError> {
    let Some(settings) = &config.executor else {
        return Ok(None);
    };
    let executor = wrap(settings.build().map_err(crate::config::ConfigError::from)?);
    let description = executor
        .describe()
        .await
        .map_err(|error| StartError::Executor(error.to_string()))?;
    Ok(Some((executor, description)))
}

fn describe(description: &Description) -> String {
    format!(
        "{} {} on {}",
        description.kind.name(),
        description.model_name,
        description.device
    )
}
