//! What a node does for the admin services.

use std::num::{NonZeroU32, NonZeroU64};

use futures::future::BoxFuture;
use futures::stream::BoxStream;

use crate::error::BackendError;
use crate::log_name::LogName;
use crate::readiness::ReadinessReceiver;
use crate::task::Task;
use crate::v1::{
    AuditEvent, Capability, ConsistencyProof, Evidence, Explanation, ImportResponse,
    InclusionProof, LogEntry, LogStatus, Measure, NodeInfo, Peer, PolicyState, SignedCheckpoint,
    TaskEvent,
};

/// One answer of a backend, made asynchronously.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, BackendError>>;

/// Many answers of a backend. The server polls for the next one only when the caller can take it; after an error it polls no
/// more. Dropping it ends the call.
pub type Events<T> = BoxStream<'static, Result<T, BackendError>>;

/// A range of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryRange {
    /// First index.
    pub start: u64,
    /// Index after the last one, above `start`; `None`: the size at the time of the call.
    pub end: Option<u64>,
}

/// An entry, and the tree in which its inclusion is to be proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InclusionQuery {
    /// Index of the entry.
    pub index: u64,
    /// Size of the tree, above `index`; `None`: that of the newest checkpoint.
    pub size: Option<NonZeroU64>,
}

/// Two sizes of a log between which consistency is to be proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsistencyQuery {
    /// The smaller size.
    pub old_size: NonZeroU64,
    /// The larger size, not below `old_size`; `None`: that of the newest checkpoint.
    pub new_size: Option<NonZeroU64>,
}

/// What to take in of another peer's measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportQuery {
    /// What its word weighs at first, in parts per million, up to 1,000,000; `None`: it is left out.
    pub weight_ppm: Option<NonZeroU32>,
    /// Most claims, at least 1.
    pub claims_max: usize,
}

/// A selection within a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelectionQuery {
    /// Index of a close or replacement entry.
    pub entry: u64,
    /// Number of the selection; `None`: the entry's first.
    pub slot: Option<u32>,
}

/// What a node does for the admin services. The server has checked role and request; what is documented at a message's field
/// in the schema is what the caller gets.
///
/// Every method may be called many times at once. It must answer within
/// [`AdminServer::ANSWER_TIMEOUT`](crate::AdminServer::ANSWER_TIMEOUT), or the caller gets `DeadlineExceeded`; what takes
/// longer belongs into the events. A call that a caller gives up is dropped at its next `.await`, which must leave the node
/// as if the call had never come or had been completed.
pub trait Backend: Send + Sync + 'static {
    /// Whether the node can do its work, now and later.
    fn readiness(&self) -> ReadinessReceiver;

    /// Opens a task and reports it to its end: first `opened`, last `decided` or `failed`. The task goes on when the events
    /// are dropped. A setting beyond the network's Params is `InvalidArgument`; an answer for a checker that is off is
    /// `FailedPrecondition`.
    fn submit(&self, task: Task) -> Answer<'_, Events<TaskEvent>>;

    /// Reports a task again from its first event on. `NotFound` if its texts are not held.
    fn follow(&self, task_index: u64) -> Answer<'_, Events<TaskEvent>>;

    /// Begins nothing more of a task. `NotFound` if it is not open.
    fn cancel(&self, task_index: u64) -> Answer<'_, ()>;

    /// Every peer that the node follows or is connected to, in any order.
    fn peers(&self) -> Answer<'_, Vec<Peer>>;

    /// Every capability that the node holds, in any order.
    fn capabilities(&self) -> Answer<'_, Vec<Capability>>;

    /// All evidence that the node keeps, in any order.
    fn evidence(&self) -> Answer<'_, Vec<Evidence>>;

    /// Where a log stands.
    fn log_status(&self, log: LogName) -> Answer<'_, LogStatus>;

    /// The entries of a range, in order; `NotFound` if one of them is not held.
    fn entries(&self, log: LogName, range: EntryRange) -> Answer<'_, Events<LogEntry>>;

    /// The entries from an index (`None`: the size) on, then each new one as it becomes durable, without an end. A backend
    /// may end it with `ResourceExhausted` when the reader is too slow; it never makes the log wait.
    fn tail(&self, log: LogName, start: Option<u64>) -> Answer<'_, Events<LogEntry>>;

    /// The newest signed checkpoint; `NotFound` before the first.
    fn checkpoint(&self, log: LogName) -> Answer<'_, SignedCheckpoint>;

    /// Proof that an entry is in a log.
    fn prove_inclusion(&self, log: LogName, query: InclusionQuery) -> Answer<'_, InclusionProof>;

    /// Proof that a log only grew.
    fn prove_consistency(
        &self,
        log: LogName,
        query: ConsistencyQuery,
    ) -> Answer<'_, ConsistencyProof>;

    /// A log as a portable file, in pieces of any size; the server cuts and numbers them.
    fn export(&self, log: LogName) -> Answer<'_, Events<Vec<u8>>>;

    /// The policy of a log's author, and what it has learned.
    fn policy_state(&self, log: LogName) -> Answer<'_, PolicyState>;

    /// What a log measured: rows of peers, then rows of buckets and peers.
    fn measures(&self, log: LogName) -> Answer<'_, Vec<Measure>>;

    /// One selection, term by term. `FailedPrecondition` if the entry selects nothing, `NotFound` if it has no such slot.
    fn explain(&self, log: LogName, query: SelectionQuery) -> Answer<'_, Explanation>;

    /// Takes in what a followed peer measured, or leaves it out. `FailedPrecondition` as the schema says.
    fn import(&self, log: LogName, query: ImportQuery) -> Answer<'_, ImportResponse>;

    /// Replays a log: progress about once a second, then one report. Dropping the events stops the replay.
    fn audit(&self, log: LogName) -> Answer<'_, Events<AuditEvent>>;

    /// Who the node is.
    fn node_info(&self) -> Answer<'_, NodeInfo>;

    /// Begins a clean shutdown and answers without waiting for its end, since the end closes the connection.
    fn shutdown(&self) -> Answer<'_, ()>;
}
