//! The auditor: follows the logs of the peers that this node meets, replays them as they grow, and keeps a verdict for each.
//!
//! A verdict rests on bytes alone: entries that replay finds at fault, or checkpoints that do not fit them. Silence never
//! exposes anybody. Spec: REPLAY-6 to REPLAY-9.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use symphony_coordination::Event;
use symphony_ledger::Ledger;
use symphony_network::{
    PeerId, Request, Response,
    follow::{Follow, FollowLimits, Outcome, Question, Step, StepId},
};
use symphony_protocol::{Fault, Rule, replay::Replay};
use symphony_transparency::{Checkpoint, Digest, PublicKey, SignedCheckpoint};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{
    core::CoreCommand,
    view::{PeerView, Verdict},
};

/// Time for one question.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Wake up at least this often.
const IDLE: Duration = Duration::from_millis(500);

/// What the auditor is told.
pub(crate) enum AuditorCommand {
    /// A peer said hello; its entry 0 was verified.
    Hello {
        peer: PeerId,
        replay: Box<Replay>,
        genesis: Vec<u8>,
    },
    /// A peer is no longer connected.
    Gone { peer: PeerId, log: Digest },
    /// A checkpoint with a verified signature.
    Checkpoint { signed: Box<SignedCheckpoint> },
    /// A log shows another peer's fault.
    Found(Fault),
    /// An answer to a question.
    Answered {
        step: Step,
        response: Option<Response>,
    },
    /// A followed log's replay.
    Snapshot {
        log: Digest,
        answer: oneshot::Sender<Option<Box<Replay>>>,
    },
}

/// A followed log.
struct Followed {
    replay: Replay,
    peer: PeerId,
    connected: bool,
    /// Newest checkpoint of the author, and those that the replay has not reached yet (at most one: the newest).
    newest: Option<Checkpoint>,
    waiting: Option<Checkpoint>,
    verdict: Verdict,
    fault: Option<Fault>,
    reason: String,
}

pub(super) struct Auditor {
    commands: mpsc::Receiver<AuditorCommand>,
    own_commands: mpsc::WeakSender<AuditorCommand>,
    core: mpsc::Sender<CoreCommand>,
    network: symphony_network::Handle,
    ledger: Ledger,
    follow: Follow,
    logs: BTreeMap<Digest, Followed>,
    /// Peers exposed by findings in other logs, before or without their own log.
    exposed: BTreeMap<PublicKey, Fault>,
    view: watch::Sender<Arc<Vec<PeerView>>>,
    began: Instant,
    changed: bool,
}

impl Auditor {
    pub(super) fn new(
        (commands, own_commands): (
            mpsc::Receiver<AuditorCommand>,
            mpsc::WeakSender<AuditorCommand>,
        ),
        core: mpsc::Sender<CoreCommand>,
        network: symphony_network::Handle,
        ledger: Ledger,
        status_interval: Duration,
        view: watch::Sender<Arc<Vec<PeerView>>>,
    ) -> Self {
        let follow = Follow::new(FollowLimits {
            status_interval,
            ..FollowLimits::default()
        });
        let (logs, exposed) = (BTreeMap::new(), BTreeMap::new());
        Self {
            commands,
            own_commands,
            core,
            network,
            ledger,
            follow,
            logs,
            exposed,
            view,
            began: Instant::now(),
            changed: false,
        }
    }

    /// Runs until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        loop {
            self.ask_next();
            self.show();
            let wake = self.follow.next_due().map_or(IDLE, |due| {
                due.saturating_sub(self.began.elapsed()).min(IDLE)
            });
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                command = self.commands.recv() => match command {
                    Some(command) => self.take(command).await,
                    None => break,
                },
                () = tokio::time::sleep(wake) => {}
            }
        }
    }

    async fn take(&mut self, command: AuditorCommand) {
        match command {
            AuditorCommand::Hello {
                peer,
                replay,
                genesis,
            } => self.hello(peer, *replay, genesis).await,
            AuditorCommand::Gone { peer, log } => {
                self.follow.remove_source(&peer);
                if let Some(followed) = self.logs.get_mut(&log) {
                    followed.connected = false;
                    self.changed = true;
                }
            }
            AuditorCommand::Checkpoint { signed } => self.checkpoint(*signed).await,
            AuditorCommand::Found(fault) => self.expose(fault).await,
            AuditorCommand::Answered { step, response } => self.answered(step, response).await,
            AuditorCommand::Snapshot { log, answer } => {
                let _ = answer.send(
                    self.logs
                        .get(&log)
                        .map(|followed| Box::new(followed.replay.clone())),
                );
            }
        }
    }

    async fn hello(&mut self, peer: PeerId, replay: Replay, genesis: Vec<u8>) {
        let (log, key) = (replay.state().log(), replay.author());
        self.changed = true;
        if let Some(followed) = self.logs.get_mut(&log) {
            followed.peer = peer;
            followed.connected = true;
        } else {
            let replay = match self.stored(&log, replay, genesis).await {
                Ok(replay) => replay,
                Err(fault) => return self.expose(fault).await,
            };
            if self
                .follow
                .add(log, replay.size(), self.began.elapsed())
                .is_err()
            {
                tracing::warn!(
                    peer = key.fmt_short(),
                    "too many logs are followed: not this one"
                );
                return;
            }
            let fault = self.exposed.get(&key).cloned();
            let verdict = if fault.is_some() {
                Verdict::Exposed
            } else {
                Verdict::Pending
            };
            let followed = Followed {
                replay,
                peer,
                connected: true,
                newest: None,
                waiting: None,
                verdict,
                fault,
                reason: String::new(),
            };
            self.logs.insert(log, followed);
        }
        let _ = self.follow.add_source(&log, peer, self.began.elapsed());
    }

    /// Replays what the ledger holds of a log from earlier runs, or begins a copy.
    async fn stored(
        &self,
        log: &Digest,
        mut replay: Replay,
        genesis: Vec<u8>,
    ) -> Result<Replay, Fault> {
        let reader = match self.ledger.log(log) {
            Ok(Some(reader)) => reader,
            Ok(None) => {
                if let Err(error) = self.ledger.append_followed(*log, vec![genesis]).await {
                    tracing::warn!(%error, "a followed log is not kept");
                }
                return Ok(replay);
            }
            Err(error) => {
                tracing::warn!(%error, "a followed log cannot be read");
                return Ok(replay);
            }
        };
        let size = reader.size().unwrap_or(0);
        tokio::task::block_in_place(|| {
            for entry in reader.entries(1..size) {
                match entry {
                    Ok((_, bytes)) => replay.push(&bytes).map(|_| ())?,
                    Err(error) => {
                        tracing::warn!(%error, "a followed log cannot be read to its end");
                        break;
                    }
                }
            }
            Ok(replay)
        })
    }

    fn ask_next(&mut self) {
        while let Some(step) = self.follow.next(self.began.elapsed()) {
            let Some(commands) = self.own_commands.upgrade() else {
                return;
            };
            let network = self.network.clone();
            tokio::spawn(async move {
                let request = match &step.question {
                    Question::Status { log_id } => Request::LogStatus { log_id: *log_id },
                    Question::Range(range) => Request::LogRange(*range),
                };
                let response = network.request(step.peer, request, TIMEOUT).await.ok();
                let _ = commands
                    .send(AuditorCommand::Answered { step, response })
                    .await;
            });
        }
    }

    async fn answered(&mut self, step: Step, response: Option<Response>) {
        let outcome = match (&step.question, response) {
            (Question::Status { log_id }, Some(Response::LogStatus { size, checkpoint })) => {
                let key = self
                    .logs
                    .get(log_id)
                    .map(|followed| followed.replay.author());
                if let Some(signed) =
                    key.and_then(|key| SignedCheckpoint::parse_and_verify(&checkpoint, &key).ok())
                {
                    self.checkpoint(signed).await;
                }
                Outcome::Size(size)
            }
            (
                Question::Range(range),
                Some(Response::LogEntries {
                    first_index,
                    entries,
                }),
            ) => self.replay(range.log_id, first_index, entries).await,
            _ => Outcome::Failed,
        };
        self.finish(step.id, outcome);
    }

    fn finish(&mut self, step: StepId, outcome: Outcome) {
        self.follow.finish(step, outcome, self.began.elapsed());
    }

    /// Applies entries of a followed log, checks the checkpoint where it applies, and keeps the bytes.
    async fn replay(&mut self, log: Digest, first_index: u64, entries: Vec<Vec<u8>>) -> Outcome {
        let Some(followed) = self.logs.get_mut(&log) else {
            return Outcome::Failed;
        };
        let replayed = followed.replay.size();
        let faulty = followed.verdict == Verdict::Exposed
            && followed
                .fault
                .as_ref()
                .is_some_and(|fault| fault.entry >= first_index);
        if first_index > replayed || faulty {
            return Outcome::Failed;
        }
        let entries = unknown(entries, replayed - first_index);
        let author = followed.replay.author();
        let (mut kept, mut findings, mut fault) = (Vec::new(), Vec::new(), None);
        tokio::task::block_in_place(|| {
            for bytes in entries {
                match followed.replay.push(&bytes) {
                    Ok((_, applied)) => {
                        findings.extend(applied.findings);
                        kept.push(bytes);
                    }
                    Err(found) => {
                        fault = Some(found);
                        break;
                    }
                }
                if let Err(found) = check_waiting(followed) {
                    fault = Some(found);
                    break;
                }
            }
        });
        let size = followed.replay.size();
        if fault.is_none() && followed.verdict != Verdict::Exposed {
            followed.verdict = Verdict::Clean;
        }
        self.changed = true;
        if !kept.is_empty()
            && let Err(error) = self.ledger.append_followed(log, kept).await
        {
            tracing::warn!(%error, "entries of a followed log are not kept");
        }
        for finding in findings
            .into_iter()
            .filter(|finding| finding.peer != author)
        {
            self.expose(finding).await;
        }
        match fault {
            // A chain or signature that does not fit can be the sender's doing as long as no checkpoint of the author covers
            // it: only what the author signed exposes the author.
            Some(found) if self.covered(&log, found.entry) => {
                self.expose(found).await;
                Outcome::Wrong
            }
            Some(found) => {
                tracing::debug!(peer = author.fmt_short(), %found, "a fault that no checkpoint covers yet");
                if let Some(followed) = self.logs.get_mut(&log) {
                    followed.fault.get_or_insert(found);
                }
                Outcome::Failed
            }
            None => Outcome::Advanced(size),
        }
    }

    fn covered(&self, log: &Digest, entry: u64) -> bool {
        let newest = self.logs.get(log).and_then(|followed| followed.newest);
        covers(newest.as_ref(), entry)
    }

    async fn checkpoint(&mut self, signed: SignedCheckpoint) {
        let checkpoint = *signed.checkpoint();
        let Some(followed) = self.logs.get_mut(&checkpoint.log) else {
            return;
        };
        let author = followed.replay.author();
        if let Some(newest) = &followed.newest
            && newest.size == checkpoint.size
            && newest.root != checkpoint.root
        {
            let fault = Fault {
                peer: author,
                rule: Rule::Fork,
                entry: checkpoint.size.saturating_sub(1),
                expected: format!("one root of {} entries", checkpoint.size),
                found: "two signed roots".to_owned(),
            };
            return self.expose(fault).await;
        }
        let replayed = followed.replay.size();
        if checkpoint.size < replayed {
            let root = self
                .ledger
                .log(&checkpoint.log)
                .ok()
                .flatten()
                .and_then(|reader| reader.root_at(checkpoint.size).ok());
            if root.is_some_and(|root| root != checkpoint.root) {
                let fault = Fault {
                    peer: author,
                    rule: Rule::TreeRoot,
                    entry: checkpoint.size.saturating_sub(1),
                    expected: "the root of the entries that it served".to_owned(),
                    found: "another signed root".to_owned(),
                };
                return self.expose(fault).await;
            }
            return;
        }
        if followed
            .newest
            .as_ref()
            .is_none_or(|newest| newest.size < checkpoint.size)
        {
            followed.newest = Some(checkpoint);
            followed.waiting = Some(checkpoint);
        }
        let checked = check_waiting(followed);
        if checked.is_ok() && followed.verdict == Verdict::Pending {
            followed.verdict = Verdict::Clean;
        }
        let peer = followed.peer;
        let pending_fault = followed
            .fault
            .clone()
            .filter(|_| followed.verdict != Verdict::Exposed);
        self.follow.heard(&checkpoint.log, &peer, checkpoint.size);
        self.changed = true;
        if let Err(error) = self.ledger.put_checkpoint(signed).await {
            tracing::debug!(%error, "a checkpoint is not kept");
        }
        if let Err(fault) = checked {
            self.expose(fault).await;
        } else if let Some(fault) = pending_fault.filter(|fault| fault.entry < checkpoint.size) {
            self.expose(fault).await;
        }
    }

    /// A peer broke a rule: it is shown, and routed to no more.
    async fn expose(&mut self, fault: Fault) {
        tracing::warn!(peer = %fault.peer, rule = fault.rule.id(), entry = fault.entry, "exposed");
        for followed in self
            .logs
            .values_mut()
            .filter(|followed| followed.replay.author() == fault.peer)
        {
            if followed.verdict != Verdict::Exposed {
                followed.verdict = Verdict::Exposed;
                followed.fault = Some(fault.clone());
            }
        }
        self.changed = true;
        let peer = fault.peer;
        self.exposed.entry(peer).or_insert(fault);
        let _ = self
            .core
            .send(CoreCommand::Event(Event::Exposed { peer }))
            .await;
    }

    fn show(&mut self) {
        if !std::mem::take(&mut self.changed) {
            return;
        }
        let peers = self
            .logs
            .iter()
            .map(|(log, followed)| PeerView {
                key: followed.replay.author(),
                log: *log,
                peer_id: followed.peer.to_string(),
                connected: followed.connected,
                size: followed
                    .replay
                    .size()
                    .saturating_add(self.follow.lag(log).unwrap_or(0)),
                replayed: followed.replay.size(),
                verdict: followed.verdict,
                fault: followed
                    .fault
                    .clone()
                    .filter(|_| followed.verdict == Verdict::Exposed),
                reason: followed.reason.clone(),
            })
            .collect();
        self.view.send_replace(Arc::new(peers));
    }
}

/// Checks the waiting checkpoint if the replay has reached exactly its size.
fn check_waiting(followed: &mut Followed) -> Result<(), Fault> {
    match followed.waiting {
        Some(checkpoint) if checkpoint.size == followed.replay.size() => {
            followed.waiting = None;
            followed.replay.check(&checkpoint)
        }
        _ => Ok(()),
    }
}

/// The entries of a range without the first ones, which were replayed already: an answer that came after its peer was taken
/// for gone was replayed too, and then the range is asked for once more.
fn unknown(entries: Vec<Vec<u8>>, known: u64) -> Vec<Vec<u8>> {
    let known = usize::try_from(known).unwrap_or(usize::MAX);
    entries.into_iter().skip(known).collect()
}

/// Whether the author signed a checkpoint beyond this entry. Entries come over a connection that proves the author's
/// transport key, but only a checkpoint binds its log key. Spec: REPLAY-7.
fn covers(newest: Option<&Checkpoint>, entry: u64) -> bool {
    newest.is_some_and(|newest| newest.size > entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn net_61_what_was_replayed_already_is_not_replayed_again() {
        let entries: Vec<Vec<u8>> = (0..3).map(|byte| vec![byte]).collect();
        assert_eq!(unknown(entries.clone(), 0), entries);
        assert_eq!(unknown(entries.clone(), 2), [[2]]);
        assert!(unknown(entries, 9).is_empty());
    }

    #[test]
    fn replay_7_only_what_a_signed_checkpoint_covers_exposes() {
        let checkpoint = Checkpoint {
            network: Digest::ZERO,
            log: Digest::ZERO,
            size: 10,
            root: [0; 32],
            state_root: Digest::ZERO,
        };
        assert!(!covers(None, 0), "nothing signed, nobody exposed");
        assert!(covers(Some(&checkpoint), 9), "the last entry is covered");
        assert!(!covers(Some(&checkpoint), 10), "what follows is not");
    }
}
