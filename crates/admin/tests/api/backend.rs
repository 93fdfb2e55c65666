//! A backend that answers every call from what it was asked, so that a test sees whether the question arrived whole.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::{FutureExt as _, StreamExt as _, stream};
use symphony_admin::v1::{
    AuditEvent, AuditProgress, AuditReport, Capability, ConsistencyProof, Evidence, Explanation,
    Fault, ImportResponse, InclusionProof, LogEntry, LogStatus, Measure, NodeInfo, Peer,
    PeerMeasure, PeerName, PolicyState, SignedCheckpoint, TaskDecided, TaskEvent, TaskOpened,
    Verdict, audit_event, measure, task_event,
};
use symphony_admin::{
    Answer, Backend, BackendError, ConsistencyQuery, EntryRange, ErrorKind, Events, ImportQuery,
    InclusionQuery, LogName, Readiness, ReadinessReceiver, SelectionQuery, Task,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Entries of the only log that the backend holds: its own.
pub(crate) const LOG_SIZE: u64 = 5;

/// The entry whose explanation never comes.
pub(crate) const NEVER: u64 = u64::MAX;

/// The pieces of the exported file: one larger than a chunk may be.
pub(crate) const EXPORT_SIZES: [usize; 3] = [3, 2_500_000, 1];

pub(crate) struct TestBackend {
    pub(crate) readiness: watch::Sender<Readiness>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) submitted: AtomicUsize,
}

impl TestBackend {
    pub(crate) fn new(shutdown: CancellationToken) -> Self {
        Self {
            readiness: watch::Sender::new(Readiness::Ready),
            shutdown,
            submitted: AtomicUsize::new(0),
        }
    }
}

/// The own log only; every other one is unknown.
fn own<T: Send + 'static>(log: LogName, answer: T) -> Answer<'static, T> {
    let result = match log {
        LogName::Own => Ok(answer),
        LogName::Id(_) => Err(BackendError::new(
            ErrorKind::NotFound,
            format!("no log {log}"),
        )),
    };
    std::future::ready(result).boxed()
}

fn events<T: Send + 'static>(items: Vec<T>) -> Events<T> {
    stream::iter(items.into_iter().map(Ok)).boxed()
}

pub(crate) fn entry(index: u64) -> LogEntry {
    LogEntry {
        index,
        bytes: vec![7; 64 * 1024],
        kind: "resumed".to_owned(),
        ..LogEntry::default()
    }
}

fn name(log_id: &str) -> Option<PeerName> {
    Some(PeerName {
        log_id: log_id.to_owned(),
        did_key: "did:key:z6Mk".to_owned(),
    })
}

fn event(entry: Option<u64>, kind: task_event::Kind) -> TaskEvent {
    TaskEvent {
        entry,
        kind: Some(kind),
        ..TaskEvent::default()
    }
}

impl Backend for TestBackend {
    fn readiness(&self) -> ReadinessReceiver {
        self.readiness.subscribe()
    }

    fn submit(&self, task: Task) -> Answer<'_, Events<TaskEvent>> {
        let count = self.submitted.fetch_add(1, Ordering::Relaxed);
        let opened = TaskOpened {
            task: count as u64,
            plan_steps: task
                .plans
                .iter()
                .map(|plan| plan.steps.len() as u32)
                .collect(),
        };
        let answer = task.plans[0].steps[0].text.clone();
        let decided = TaskDecided {
            answer,
            weight: f64::from(task.settings.executors.unwrap_or(3)),
        };
        let all = vec![
            event(Some(1), task_event::Kind::Opened(opened)),
            event(Some(2), task_event::Kind::Decided(decided)),
        ];
        async move { Ok(events(all)) }.boxed()
    }

    fn cancel(&self, task_index: u64) -> Answer<'_, ()> {
        let result = if task_index < LOG_SIZE {
            Ok(())
        } else {
            Err(BackendError::new(ErrorKind::NotFound, "not open"))
        };
        std::future::ready(result).boxed()
    }

    fn follow(&self, task_index: u64) -> Answer<'_, Events<TaskEvent>> {
        let opened = TaskOpened {
            task: task_index,
            plan_steps: vec![1],
        };
        let first = stream::iter([Ok(event(
            Some(task_index),
            task_event::Kind::Opened(opened),
        ))]);
        let failure = BackendError::new(ErrorKind::ResourceExhausted, "too slow");
        let never_seen = Ok(event(None, task_event::Kind::Opened(TaskOpened::default())));
        let all = first.chain(stream::iter([Err(failure), never_seen]));
        async move { Ok(all.boxed()) }.boxed()
    }

    fn peers(&self) -> Answer<'_, Vec<Peer>> {
        let peer = |log_id: &str, verdict: Verdict| Peer {
            name: name(log_id),
            verdict: verdict.into(),
            lag_entries: 4,
            ..Peer::default()
        };
        let fault = Fault {
            rule: "REPLAY-40".to_owned(),
            entry: 9,
            expected: "0.5".to_owned(),
            found: "1".to_owned(),
            log_id: "b".to_owned(),
            name: "wrong reward".to_owned(),
            signed: true,
        };
        let exposed = Peer {
            fault: Some(fault),
            ..peer("b", Verdict::Exposed)
        };
        async move { Ok(vec![exposed, peer("a", Verdict::Clean)]) }.boxed()
    }

    fn capabilities(&self) -> Answer<'_, Vec<Capability>> {
        let capability = Capability {
            peer: name("a"),
            own: true,
            sequence: 3,
            ..Capability::default()
        };
        async move { Ok(vec![capability]) }.boxed()
    }

    fn evidence(&self) -> Answer<'_, Vec<Evidence>> {
        let file = |digest: &str| Evidence {
            peer: name("b"),
            rule: "REPLAY-40".to_owned(),
            digest: digest.to_owned(),
            file: vec![1, 2, 3],
            ..Evidence::default()
        };
        let files = vec![file("22"), file("11")];
        async move { Ok(files) }.boxed()
    }

    fn log_status(&self, log: LogName) -> Answer<'_, LogStatus> {
        own(
            log,
            LogStatus {
                size: LOG_SIZE,
                ..LogStatus::default()
            },
        )
    }

    fn entries(&self, log: LogName, range: EntryRange) -> Answer<'_, Events<LogEntry>> {
        match range.end {
            Some(end) => own(log, events((range.start..end).map(entry).collect())),
            // Endless and always ready: the reader decides how fast.
            None => own(
                log,
                stream::iter((range.start..).map(entry).map(Ok)).boxed(),
            ),
        }
    }

    fn tail(&self, log: LogName, start: Option<u64>) -> Answer<'_, Events<LogEntry>> {
        let first = start.unwrap_or(LOG_SIZE);
        own(
            log,
            stream::iter((first..LOG_SIZE + 1).map(entry).map(Ok))
                .chain(stream::pending())
                .boxed(),
        )
    }

    fn checkpoint(&self, log: LogName) -> Answer<'_, SignedCheckpoint> {
        own(
            log,
            SignedCheckpoint {
                note: "symphony\n5\n".to_owned(),
                size: LOG_SIZE,
                ..SignedCheckpoint::default()
            },
        )
    }

    fn prove_inclusion(&self, log: LogName, query: InclusionQuery) -> Answer<'_, InclusionProof> {
        let size = query.size.map_or(LOG_SIZE, Into::into);
        own(
            log,
            InclusionProof {
                index: query.index,
                size,
                hashes: vec![vec![1; 32]],
                ..InclusionProof::default()
            },
        )
    }

    fn prove_consistency(
        &self,
        log: LogName,
        query: ConsistencyQuery,
    ) -> Answer<'_, ConsistencyProof> {
        let new_size = query.new_size.map_or(LOG_SIZE, Into::into);
        own(
            log,
            ConsistencyProof {
                old_size: query.old_size.into(),
                new_size,
                ..ConsistencyProof::default()
            },
        )
    }

    fn export(&self, log: LogName) -> Answer<'_, Events<Vec<u8>>> {
        let piece = |(number, size): (usize, usize)| vec![number as u8; size];
        own(
            log,
            events(EXPORT_SIZES.into_iter().enumerate().map(piece).collect()),
        )
    }

    fn policy_state(&self, log: LogName) -> Answer<'_, PolicyState> {
        own(
            log,
            PolicyState {
                entries: LOG_SIZE,
                theta: vec![0.1, f64::MIN_POSITIVE],
                ..PolicyState::default()
            },
        )
    }

    fn measures(&self, log: LogName) -> Answer<'_, Vec<Measure>> {
        let row = measure::Row::Peer(PeerMeasure {
            latency_ms: 1.5,
            ..PeerMeasure::default()
        });
        own(log, vec![Measure { row: Some(row) }])
    }

    fn explain(&self, log: LogName, query: SelectionQuery) -> Answer<'_, Explanation> {
        if query.entry == NEVER {
            return std::future::pending().boxed();
        }
        own(
            log,
            Explanation {
                entry: query.entry,
                slot: query.slot.unwrap_or(99),
                ..Explanation::default()
            },
        )
    }

    fn import(&self, log: LogName, query: ImportQuery) -> Answer<'_, ImportResponse> {
        let LogName::Id(_) = log else {
            panic!("the own log is refused before");
        };
        let response = ImportResponse {
            entries: query.claims_max as u32,
            claims: query.weight_ppm.map_or(0, NonZeroU32::get),
            ..ImportResponse::default()
        };
        std::future::ready(Ok(response)).boxed()
    }

    fn audit(&self, log: LogName) -> Answer<'_, Events<AuditEvent>> {
        let progress = AuditProgress {
            entries_done: 2,
            entries_total: LOG_SIZE,
            entries_per_second: 1e5,
        };
        let report = AuditReport {
            verdict: Verdict::Clean.into(),
            entries: LOG_SIZE,
            ..AuditReport::default()
        };
        let kinds = [
            audit_event::Kind::Progress(progress),
            audit_event::Kind::Report(report),
        ];
        own(
            log,
            events(kinds.map(|kind| AuditEvent { kind: Some(kind) }).into()),
        )
    }

    fn node_info(&self) -> Answer<'_, NodeInfo> {
        async {
            Ok(NodeInfo {
                version: "0.1.0".to_owned(),
                ..NodeInfo::default()
            })
        }
        .boxed()
    }

    fn shutdown(&self) -> Answer<'_, ()> {
        async {
            self.shutdown.cancel();
            Ok(())
        }
        .boxed()
    }
}
