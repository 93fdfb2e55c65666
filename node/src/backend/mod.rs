//! What the admin API answers: the running node, seen through [`symphony_admin::Backend`].
//!
//! Nothing is decided here. What concerns the present is asked of the node's tasks; what concerns a log's past is replayed
//! from the ledger on blocking threads, few at a time, so that a curious client cannot starve the node.

mod audit_log;
mod entries;
mod explain;
mod export;
mod failure;
mod import;
mod logs;
mod names;
mod peers;
mod policy;
mod proofs;
mod task_events;
mod task_request;
mod translator;

use std::sync::Arc;

use futures::FutureExt as _;
use symphony_admin::{
    Answer, Backend, BackendError, ConsistencyQuery, EntryRange, Events, ImportQuery,
    InclusionQuery, LogName, ReadinessReceiver, SelectionQuery, Task, v1,
};
use tokio::sync::Semaphore;

pub use explain::{ExplainError, explain_selection};

use self::failure::stopped;
use crate::runtime::NodeHandle;

/// Replays that may run at the same time: each takes a core for as long as the log is long.
const REPLAYS_MAX: usize = 2;

/// The running node behind the admin API.
#[derive(Clone)]
pub struct NodeBackend {
    node: NodeHandle,
    replays: Arc<Semaphore>,
}

impl NodeBackend {
    /// The backend of a running node.
    pub fn new(node: NodeHandle) -> Self {
        Self {
            node,
            replays: Arc::new(Semaphore::new(REPLAYS_MAX)),
        }
    }

    async fn info(&self) -> Result<v1::NodeInfo, BackendError> {
        let about = self.node.about();
        let addresses = self.node.network().listen_addresses().await;
        Ok(v1::NodeInfo {
            version: about.version.to_owned(),
            name: Some(names::peer_name(&about.key, Some(&about.log))),
            transport_id: self.node.network().local_peer_id().to_string(),
            network_id: about.network.to_string(),
            params: Some(policy::params_message(&about.params)?),
            listen_addresses: addresses
                .map_err(|_| stopped())?
                .iter()
                .map(ToString::to_string)
                .collect(),
            executor: about.executor.clone(),
            uptime_ms: u64::try_from(about.started.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }
}

impl Backend for NodeBackend {
    fn readiness(&self) -> ReadinessReceiver {
        self.node.readiness()
    }

    fn submit(&self, task: Task) -> Answer<'_, Events<v1::TaskEvent>> {
        self.submit_task(task).boxed()
    }

    fn follow(&self, task_index: u64) -> Answer<'_, Events<v1::TaskEvent>> {
        self.follow_task(task_index).boxed()
    }

    fn cancel(&self, task_index: u64) -> Answer<'_, ()> {
        self.cancel_task(task_index).boxed()
    }

    fn peers(&self) -> Answer<'_, Vec<v1::Peer>> {
        self.list_peers().boxed()
    }

    fn capabilities(&self) -> Answer<'_, Vec<v1::Capability>> {
        self.list_capabilities().boxed()
    }

    fn evidence(&self) -> Answer<'_, Vec<v1::Evidence>> {
        futures::future::ready(self.list_evidence()).boxed()
    }

    fn log_status(&self, log: LogName) -> Answer<'_, v1::LogStatus> {
        self.status_of(log).boxed()
    }

    fn entries(&self, log: LogName, range: EntryRange) -> Answer<'_, Events<v1::LogEntry>> {
        self.entries_of(log, range).boxed()
    }

    fn tail(&self, log: LogName, start: Option<u64>) -> Answer<'_, Events<v1::LogEntry>> {
        self.tail_of(log, start).boxed()
    }

    fn checkpoint(&self, log: LogName) -> Answer<'_, v1::SignedCheckpoint> {
        self.checkpoint_of(log).boxed()
    }

    fn prove_inclusion(
        &self,
        log: LogName,
        query: InclusionQuery,
    ) -> Answer<'_, v1::InclusionProof> {
        self.inclusion_of(log, query).boxed()
    }

    fn prove_consistency(
        &self,
        log: LogName,
        query: ConsistencyQuery,
    ) -> Answer<'_, v1::ConsistencyProof> {
        self.consistency_of(log, query).boxed()
    }

    fn export(&self, log: LogName) -> Answer<'_, Events<Vec<u8>>> {
        self.export_of(log).boxed()
    }

    fn policy_state(&self, log: LogName) -> Answer<'_, v1::PolicyState> {
        self.policy_of(log).boxed()
    }

    fn measures(&self, log: LogName) -> Answer<'_, Vec<v1::Measure>> {
        self.measures_of(log).boxed()
    }

    fn explain(&self, log: LogName, query: SelectionQuery) -> Answer<'_, v1::Explanation> {
        self.explanation_of(log, query).boxed()
    }

    fn import(&self, log: LogName, query: ImportQuery) -> Answer<'_, v1::ImportResponse> {
        self.import_of(log, query).boxed()
    }

    fn audit(&self, log: LogName) -> Answer<'_, Events<v1::AuditEvent>> {
        self.audit_of(log).boxed()
    }

    fn node_info(&self) -> Answer<'_, v1::NodeInfo> {
        self.info().boxed()
    }

    fn shutdown(&self) -> Answer<'_, ()> {
        self.node.shutdown();
        futures::future::ready(Ok(())).boxed()
    }
}
