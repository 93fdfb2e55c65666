//! The audit of a stored log.

use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream};
use symphony_admin::{
    BackendError, Events, LogName,
    v1::{self, AuditEvent, audit_event::Kind},
};
use symphony_ledger::LogReader;
use symphony_transparency::Digest;
use tokio::sync::mpsc;

use super::{
    NodeBackend,
    failure::{internal, ledger, not_found, stopped},
    names::peer_name,
};
use crate::audit::{LogAudit, LogReport, Verdict};

/// Time between two reports of progress.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);
/// Entries between two looks at the clock.
const PROGRESS_STEP: u64 = 64;
/// Events that may wait for the client.
const EVENTS_MAX: usize = 4;

type Sender = mpsc::Sender<Result<AuditEvent, BackendError>>;

struct Job {
    reader: LogReader,
    size: u64,
    network: Digest,
    note: Option<String>,
}

impl NodeBackend {
    pub(super) async fn audit_of(&self, log: LogName) -> Result<Events<AuditEvent>, BackendError> {
        let source = self.source(log)?;
        let size = source.size()?;
        let note = self.newest_note(&source, size)?;
        let job = Job {
            reader: source.reader,
            size,
            network: self.node.about().network,
            note: note.map(|note| note.text),
        };
        let permit = std::sync::Arc::clone(&self.replays);
        let (sender, receiver) = mpsc::channel(EVENTS_MAX);
        tokio::spawn(async move {
            let permit = tokio::select! {
                permit = permit.acquire_owned() => permit,
                () = sender.closed() => return,
            };
            let Ok(permit) = permit else { return };
            let worker = sender.clone();
            let ended = tokio::task::spawn_blocking(move || {
                let _permit = permit;
                run(&job, &worker)
            })
            .await;
            let last = match ended {
                Ok(Ok(Some(report))) => Ok(AuditEvent {
                    kind: Some(Kind::Report(report)),
                }),
                Ok(Ok(None)) => return,
                Ok(Err(error)) => Err(error),
                Err(error) => Err(internal(error)),
            };
            // Nobody listens any more if this fails.
            let _ = sender.send(last).await;
        });
        Ok(stream::unfold(receiver, |mut receiver| async move {
            let event = receiver.recv().await?;
            Some((event, receiver))
        })
        .boxed())
    }
}

/// Replays; nothing if the client is gone.
fn run(job: &Job, sender: &Sender) -> Result<Option<v1::AuditReport>, BackendError> {
    let mut entries = job.reader.entries(0..job.size);
    let (_, entry_0) = entries
        .next()
        .ok_or_else(|| not_found("the log is empty"))?
        .map_err(ledger)?;
    let mut audit = match LogAudit::begin(&entry_0, Some(&job.network)) {
        Ok(audit) => audit,
        Err(error) => return Ok(Some(unusable_report(job, error.to_string()))),
    };
    if let Some(note) = &job.note {
        audit.compare_with(note).map_err(internal)?;
    }
    let mut reported = Instant::now();
    for entry in entries {
        let (index, bytes) = entry.map_err(ledger)?;
        audit.push(&bytes);
        if audit.is_decided() {
            break;
        }
        if index.is_multiple_of(PROGRESS_STEP) && reported.elapsed() >= PROGRESS_INTERVAL {
            reported = Instant::now();
            let progress = v1::AuditProgress {
                entries_done: index + 1,
                entries_total: job.size,
                entries_per_second: crate::audit::per_second(index + 1, audit.duration()),
            };
            let event = AuditEvent {
                kind: Some(Kind::Progress(progress)),
            };
            if sender.blocking_send(Ok(event)).is_err() {
                return Ok(None);
            }
        }
    }
    if sender.is_closed() {
        return Err(stopped());
    }
    Ok(Some(report_message(&audit.report())))
}

fn report_message(report: &LogReport) -> v1::AuditReport {
    let counters = &report.counters;
    v1::AuditReport {
        peer: report
            .peer
            .map(|peer| peer_name(&peer, report.log.as_ref())),
        verdict: verdict_message(report.verdict).into(),
        entries: report.entries,
        selections: counters.selections,
        settlements: counters.settlements,
        void_settlements: counters.void_settlements,
        timeouts: counters.timeouts,
        state_root: text(report.state_root.as_ref()),
        claimed_state_root: text(report.claimed.map(|claim| claim.state_root).as_ref()),
        checkpoint_size: report.claimed.map_or(0, |claim| claim.size),
        entries_per_second: report.entries_per_second(),
        fault: report.fault.as_ref().map(|located| v1::Fault {
            rule: located.fault.rule.id().to_owned(),
            entry: located.fault.entry,
            expected: located.fault.expected.clone(),
            found: located.fault.found.clone(),
            log_id: located.log.to_string(),
            name: located.fault.rule.name().to_owned(),
            signed: located.signed,
        }),
        reason: report.reason.clone().unwrap_or_default(),
    }
}

fn unusable_report(job: &Job, reason: String) -> v1::AuditReport {
    v1::AuditReport {
        peer: Some(v1::PeerName {
            log_id: job.reader.log().to_string(),
            did_key: String::new(),
        }),
        verdict: v1::Verdict::Unusable.into(),
        reason,
        ..v1::AuditReport::default()
    }
}

fn verdict_message(verdict: Verdict) -> v1::Verdict {
    match verdict {
        Verdict::Clean => v1::Verdict::Clean,
        Verdict::Suspected => v1::Verdict::Suspected,
        Verdict::Unusable => v1::Verdict::Unusable,
        Verdict::Exposed => v1::Verdict::Exposed,
    }
}

fn text(digest: Option<&Digest>) -> String {
    digest.map(ToString::to_string).unwrap_or_default()
}
