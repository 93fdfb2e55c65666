//! What the rest of the program sees of a running node.

use std::{sync::Arc, time::Instant};

use symphony_admin::ReadinessReceiver;
use symphony_coordination::{TaskEvent, TaskRequest};
use symphony_ledger::Ledger;
use symphony_protocol::{
    Fault,
    records::{Capability, MeasuresImported, Params, Received},
    replay::Replay,
};
use symphony_transparency::{Digest, PublicKey, SignedCheckpoint};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::{
    auditor::AuditorCommand,
    core::{CoreCommand, Submission},
    evidence::EvidenceStore,
    witness::Witness,
};

/// Reports of a task that may wait for a slow reader; then the reader is dropped.
pub(super) const REPORTS_MAX: usize = 1_024;

/// Who a node is.
#[derive(Clone, Debug)]
pub struct About {
    /// Log key.
    pub key: PublicKey,
    /// Log id.
    pub log: Digest,
    /// Network id.
    pub network: Digest,
    /// The agreed parameters.
    pub params: Params,
    /// What answers, for people.
    pub executor: String,
    /// When the node started.
    pub started: Instant,
    /// Version of this software.
    pub version: &'static str,
}

/// One report on a task.
#[derive(Clone, Debug)]
pub struct Report {
    /// Index of the entry that says so.
    pub entry: u64,
    /// Time of that entry, in milliseconds since 1970.
    pub time_ms: u64,
    /// What happened.
    pub event: TaskEvent,
}

/// What this node concluded about another peer's log. Spec: REPLAY-6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not replayed yet.
    Pending,
    /// Replayed without a fault, up to the size shown.
    Clean,
    /// A question of this node is unanswered.
    Suspected,
    /// A rule was broken; the fault says which.
    Exposed,
    /// No log that this node can judge.
    Unusable,
}

/// What this node knows of another peer.
#[derive(Clone, Debug)]
pub struct PeerView {
    /// Log key.
    pub key: PublicKey,
    /// Log id; nothing for a peer that is known only by its statements in others' logs.
    pub log: Option<Digest>,
    /// libp2p peer id; empty likewise.
    pub peer_id: String,
    /// Whether it is connected.
    pub connected: bool,
    /// Size of its log as far as known, in entries.
    pub size: u64,
    /// Entries replayed.
    pub replayed: u64,
    /// The verdict.
    pub verdict: Verdict,
    /// Why it is exposed.
    pub fault: Option<Fault>,
    /// The log whose entry shows the fault: the peer's own, or one that holds the peer's statements.
    pub found_in: Option<Digest>,
    /// Why it is suspected or unusable, for people.
    pub reason: String,
    /// Size of the newest checkpoint of it that this node has cosigned in this run, in entries; 0 if none.
    pub cosigned_size: u64,
}

/// The node has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the node has stopped")]
pub struct Stopped;

/// A running node.
#[derive(Clone)]
pub struct NodeHandle {
    pub(super) core: mpsc::Sender<CoreCommand>,
    pub(super) auditor: mpsc::Sender<AuditorCommand>,
    pub(super) ledger: Ledger,
    pub(super) network: symphony_network::Handle,
    pub(super) evidence: EvidenceStore,
    pub(super) witness: Witness,
    pub(super) peers: watch::Receiver<Arc<Vec<PeerView>>>,
    pub(super) checkpoint: watch::Receiver<Option<String>>,
    pub(super) readiness: ReadinessReceiver,
    pub(super) about: Arc<About>,
    pub(super) stop: CancellationToken,
}

impl NodeHandle {
    /// The durable log.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The network.
    pub fn network(&self) -> &symphony_network::Handle {
        &self.network
    }

    /// The evidence that this node keeps.
    pub fn evidence(&self) -> &EvidenceStore {
        &self.evidence
    }

    /// The witness that this node is.
    pub fn witness(&self) -> &Witness {
        &self.witness
    }

    /// Submits a task; its reports follow, the last one decided or failed. The task goes on when they are not read. `id` is
    /// the client's own name for it: the same again opens no second task.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn submit(
        &self,
        task: TaskRequest,
        id: Option<String>,
    ) -> Result<mpsc::Receiver<Report>, Stopped> {
        let (reports, receiver) = mpsc::channel(REPORTS_MAX + 1);
        self.core
            .send(CoreCommand::Submit {
                submission: Box::new(Submission { task, id }),
                reports,
            })
            .await
            .map_err(|_| Stopped)?;
        Ok(receiver)
    }

    /// The reports of a task from its first on, if this node still holds them.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn follow_task(&self, task: u64) -> Result<Option<mpsc::Receiver<Report>>, Stopped> {
        self.ask_core(|answer| CoreCommand::Follow { task, answer })
            .await
    }

    /// Begins nothing more of the task that was opened at this entry. Says whether it was open.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn cancel_task(&self, task: u64) -> Result<bool, Stopped> {
        self.ask_core(|answer| CoreCommand::Cancel { task, answer })
            .await
    }

    /// Takes in what other peers measured, or leaves a source out; answers once that is durable.
    ///
    /// # Errors
    /// [`Stopped`]. Within it, the fault that an import would have been: it does not stand, and what came before it does.
    pub async fn import(
        &self,
        imports: Vec<MeasuresImported>,
    ) -> Result<Result<(), Fault>, Stopped> {
        self.ask_core(|answer| CoreCommand::Import { imports, answer })
            .await
    }

    /// The own log's replay as it is now.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn snapshot(&self) -> Result<Replay, Stopped> {
        self.ask_core(|answer| CoreCommand::Snapshot { answer })
            .await
            .map(|replay| *replay)
    }

    /// A followed log's replay as it is now.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn followed(&self, log: Digest) -> Result<Option<Replay>, Stopped> {
        let (answer, receiver) = oneshot::channel();
        self.auditor
            .send(AuditorCommand::Snapshot { log, answer })
            .await
            .map_err(|_| Stopped)?;
        receiver
            .await
            .map(|replay| replay.map(|replay| *replay))
            .map_err(|_| Stopped)
    }

    /// A signed checkpoint of a followed log has another state root than its copy leads to: the auditor compares it, too, and
    /// convicts its author.
    ///
    /// # Errors
    /// [`Stopped`].
    pub(crate) async fn doubt(&self, signed: SignedCheckpoint) -> Result<(), Stopped> {
        let signed = Box::new(signed);
        self.auditor
            .send(AuditorCommand::Doubted { signed })
            .await
            .map_err(|_| Stopped)
    }

    /// The newest capability of every peer that this one has heard of.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn capabilities(&self) -> Result<Vec<Received<Capability>>, Stopped> {
        self.ask_core(|answer| CoreCommand::Capabilities { answer })
            .await
    }

    /// What this node knows of other peers.
    pub fn peers(&self) -> Vec<PeerView> {
        self.peers.borrow().as_ref().clone()
    }

    /// Changes of what this node knows of other peers.
    pub fn watch_peers(&self) -> watch::Receiver<Arc<Vec<PeerView>>> {
        self.peers.clone()
    }

    /// The newest own signed checkpoint.
    pub fn checkpoint(&self) -> Option<String> {
        self.checkpoint.borrow().clone()
    }

    /// Signs a checkpoint of everything that is durable now.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn checkpoint_now(&self) -> Result<String, Stopped> {
        self.ask_core(|answer| CoreCommand::Checkpoint { answer })
            .await
    }

    /// Whether the node can do its work.
    pub fn readiness(&self) -> ReadinessReceiver {
        self.readiness.clone()
    }

    /// Who the node is.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// Begins a clean stop.
    pub fn shutdown(&self) {
        self.stop.cancel();
    }

    async fn ask_core<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> CoreCommand,
    ) -> Result<T, Stopped> {
        let (answer, receiver) = oneshot::channel();
        self.core.send(command(answer)).await.map_err(|_| Stopped)?;
        receiver.await.map_err(|_| Stopped)
    }
}
