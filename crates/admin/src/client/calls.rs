//! One method for each call.

use std::num::NonZeroU32;

use super::{AdminClient, AdminStream, ClientError};
use crate::backend::{ConsistencyQuery, EntryRange, ImportQuery, InclusionQuery, SelectionQuery};
use crate::log_name::LogName;
use crate::v1::{
    AuditEvent, AuditRequest, CancelTaskRequest, Capability, CheckpointRequest, ConsistencyProof,
    Evidence, ExplainRequest, Explanation, ExportChunk, ExportRequest, FollowTaskRequest,
    GetEntriesRequest, ImportRequest, ImportResponse, InclusionProof, ListCapabilitiesRequest,
    ListEvidenceRequest, ListPeersRequest, LogEntry, LogStatus, LogStatusRequest, Measure,
    MeasuresRequest, NodeInfo, NodeInfoRequest, Peer, PolicyState, PolicyStateRequest,
    ProveConsistencyRequest, ProveInclusionRequest, ShutdownRequest, SignedCheckpoint,
    SubmitRequest, TailRequest, TaskEvent,
};

type Called<T> = Result<T, ClientError>;
type Stream<T> = Result<AdminStream<T>, ClientError>;

/// # Errors
///
/// Every call fails with [`ClientError::Call`]; the kinds are those of the schema.
impl AdminClient {
    /// Opens a task; the stream reports it to its end. Role: operator.
    pub async fn submit(&self, request: SubmitRequest) -> Stream<TaskEvent> {
        Ok(AdminStream::new(
            self.tasks.clone().submit(request).await?.into_inner(),
        ))
    }

    /// Reports a task again from its first event on. Role: operator.
    pub async fn follow(&self, task_index: u64) -> Stream<TaskEvent> {
        let request = FollowTaskRequest { task: task_index };
        Ok(AdminStream::new(
            self.tasks.clone().follow(request).await?.into_inner(),
        ))
    }

    /// Gives a task up: no further step of it is begun. Role: operator.
    pub async fn cancel(&self, task_index: u64) -> Called<()> {
        let request = CancelTaskRequest { task: task_index };
        self.tasks.clone().cancel(request).await?;
        Ok(())
    }

    /// All peers, by log id.
    pub async fn peers(&self) -> Stream<Peer> {
        Ok(AdminStream::new(
            self.peers
                .clone()
                .list(ListPeersRequest {})
                .await?
                .into_inner(),
        ))
    }

    /// All capabilities, by log id.
    pub async fn capabilities(&self) -> Stream<Capability> {
        Ok(AdminStream::new(
            self.peers
                .clone()
                .capabilities(ListCapabilitiesRequest {})
                .await?
                .into_inner(),
        ))
    }

    /// All evidence that the node keeps, by digest.
    pub async fn evidence(&self) -> Stream<Evidence> {
        Ok(AdminStream::new(
            self.peers
                .clone()
                .evidence(ListEvidenceRequest {})
                .await?
                .into_inner(),
        ))
    }

    /// Where a log stands.
    pub async fn log_status(&self, log: LogName) -> Called<LogStatus> {
        let request = LogStatusRequest {
            log_id: log.to_string(),
        };
        Ok(self.log.clone().status(request).await?.into_inner())
    }

    /// The entries of a range.
    pub async fn entries(&self, log: LogName, range: EntryRange) -> Stream<LogEntry> {
        let request = GetEntriesRequest {
            log_id: log.to_string(),
            start: range.start,
            end: range.end.unwrap_or_default(),
        };
        Ok(AdminStream::new(
            self.log.clone().get(request).await?.into_inner(),
        ))
    }

    /// The entries from an index on (`None`: new ones only), and each new one.
    pub async fn tail(&self, log: LogName, start: Option<u64>) -> Stream<LogEntry> {
        let request = TailRequest {
            log_id: log.to_string(),
            start,
        };
        Ok(AdminStream::new(
            self.log.clone().tail(request).await?.into_inner(),
        ))
    }

    /// The newest signed checkpoint.
    pub async fn checkpoint(&self, log: LogName) -> Called<SignedCheckpoint> {
        let request = CheckpointRequest {
            log_id: log.to_string(),
        };
        Ok(self.log.clone().checkpoint(request).await?.into_inner())
    }

    /// Proof that an entry is in a log. The caller verifies it.
    pub async fn prove_inclusion(
        &self,
        log: LogName,
        query: InclusionQuery,
    ) -> Called<InclusionProof> {
        let size = query.size.map_or(0, Into::into);
        let request = ProveInclusionRequest {
            log_id: log.to_string(),
            index: query.index,
            size,
        };
        Ok(self
            .log
            .clone()
            .prove_inclusion(request)
            .await?
            .into_inner())
    }

    /// Proof that a log only grew. The caller verifies it.
    pub async fn prove_consistency(
        &self,
        log: LogName,
        query: ConsistencyQuery,
    ) -> Called<ConsistencyProof> {
        let request = ProveConsistencyRequest {
            log_id: log.to_string(),
            old_size: query.old_size.into(),
            new_size: query.new_size.map_or(0, Into::into),
        };
        Ok(self
            .log
            .clone()
            .prove_consistency(request)
            .await?
            .into_inner())
    }

    /// A log as a portable file, in chunks.
    pub async fn export(&self, log: LogName) -> Stream<ExportChunk> {
        let request = ExportRequest {
            log_id: log.to_string(),
        };
        Ok(AdminStream::new(
            self.log.clone().export(request).await?.into_inner(),
        ))
    }

    /// The policy of a log's author, and what it has learned.
    pub async fn policy_state(&self, log: LogName) -> Called<PolicyState> {
        let request = PolicyStateRequest {
            log_id: log.to_string(),
        };
        Ok(self.policy.clone().state(request).await?.into_inner())
    }

    /// What a log measured of its peers.
    pub async fn measures(&self, log: LogName) -> Stream<Measure> {
        let request = MeasuresRequest {
            log_id: log.to_string(),
        };
        Ok(AdminStream::new(
            self.policy.clone().measures(request).await?.into_inner(),
        ))
    }

    /// One selection, term by term.
    pub async fn explain(&self, log: LogName, query: SelectionQuery) -> Called<Explanation> {
        let request = ExplainRequest {
            log_id: log.to_string(),
            entry: query.entry,
            slot: query.slot,
        };
        Ok(self.policy.clone().explain(request).await?.into_inner())
    }

    /// Takes in what a followed peer measured, or leaves it out again.
    pub async fn import(&self, log: LogName, query: ImportQuery) -> Called<ImportResponse> {
        let request = ImportRequest {
            log_id: log.to_string(),
            weight_ppm: query.weight_ppm.map_or(0, NonZeroU32::get),
            claims_max: u32::try_from(query.claims_max).unwrap_or(u32::MAX),
        };
        Ok(self.policy.clone().import(request).await?.into_inner())
    }

    /// Replays a log: progress, then one report.
    pub async fn audit(&self, log: LogName) -> Stream<AuditEvent> {
        let request = AuditRequest {
            log_id: log.to_string(),
        };
        Ok(AdminStream::new(
            self.audit.clone().run(request).await?.into_inner(),
        ))
    }

    /// Who the node is.
    pub async fn node_info(&self) -> Called<NodeInfo> {
        Ok(self
            .node
            .clone()
            .info(NodeInfoRequest {})
            .await?
            .into_inner())
    }

    /// Asks the node to shut down. Role: operator.
    pub async fn shutdown(&self) -> Called<()> {
        self.node.clone().shutdown(ShutdownRequest {}).await?;
        Ok(())
    }
}
