//! Following: what is fetched from whom, replayed and kept.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use symphony_network::{
    Handle, PeerId, Request, Response,
    follow::{Outcome, Question, Step, StepId},
    peer_id_of_transport_key,
};
use symphony_protocol::{
    Fault, Rule,
    cross_check::Word,
    records::{Body, Entry, Signatures},
    replay::Replay,
};
use symphony_transparency::{Checkpoint, Digest, NodeHash, SignedCheckpoint};

use super::{
    Auditor, AuditorCommand, TIMEOUT,
    followed::{Followed, Tail, check_waiting, unknown},
    late::{WrongRoot, compare},
    suspicion::are_authentic,
};
use crate::runtime::view::Verdict;

impl Auditor {
    pub(super) async fn hello(&mut self, peer: PeerId, replay: Replay, genesis: Vec<u8>) {
        let (log, key) = (replay.state().log(), replay.author());
        self.changed = true;
        if self.exposed.contains_key(&key) {
            self.shun(&key).await;
        }
        if let Some(followed) = self.logs.get_mut(&log) {
            followed.peer = peer;
            followed.connected = true;
        } else if self.has_room().await && self.adopt(peer, replay, genesis).await {
            self.take_up_again(&log).await;
            self.scan_for(&[log]);
        } else {
            tracing::warn!(peer = key.fmt_short(), "not followed: no log may make room");
            return;
        }
        let _ = self.follow.add_source(&log, peer, self.began.elapsed());
        self.compare_with(peer, &log);
    }

    /// Follows a log from where its copy ends; not if too many are followed.
    pub(super) async fn adopt(&mut self, peer: PeerId, replay: Replay, genesis: Vec<u8>) -> bool {
        let (log, key) = (replay.state().log(), replay.author());
        // Before anything of it is stored.
        if self.logs.len() >= self.parts.follow_limits.logs_max {
            return false;
        }
        let (replay, wrong) = self.stored(&log, replay, genesis).await;
        let now = self.began.elapsed();
        if let Err(error) = self.follow.add(log, replay.size(), now) {
            tracing::warn!(peer = key.fmt_short(), %error, "not followed");
            return false;
        }
        let verdict = if self.exposed.contains_key(&key) {
            Verdict::Exposed
        } else {
            Verdict::Pending
        };
        let followed = Followed {
            replay,
            peer,
            connected: true,
            used_at: now,
            newest: None,
            waiting: BTreeMap::new(),
            late: BTreeMap::new(),
            late_due: Duration::ZERO,
            checked: None,
            missing: None,
            cosigned_at: None,
            cosigned_size: 0,
            verdict,
            tail: None,
            conflicting: None,
            begun_anew: false,
            convicted: false,
            reason: String::new(),
        };
        self.logs.insert(log, followed);
        if self.retired.contains_key(&log) {
            self.follow.remove(&log);
        }
        if let Some(wrong) = wrong {
            self.convict_of_root(wrong, log).await;
        }
        true
    }

    /// Replays what the ledger holds of a log from earlier runs, or begins a copy. The checkpoints that are stored are compared on the
    /// way: an earlier run may have ended before it did.
    async fn stored(
        &self,
        log: &Digest,
        begun: Replay,
        genesis: Vec<u8>,
    ) -> (Replay, Option<WrongRoot>) {
        let ledger = &self.parts.ledger;
        let mut replay = begun.clone();
        match ledger.log(log) {
            Ok(Some(reader)) => {
                let size = reader.size().unwrap_or(0);
                let checkpoints = self.stored_checkpoints(log, &begun, size);
                let replayed = tokio::task::block_in_place(|| {
                    let signatures = Signatures::Verify;
                    compare(&mut replay, &reader, size, &checkpoints, signatures)
                });
                let fault = match replayed {
                    Ok(wrong) => return (replay, wrong),
                    Err(fault) => fault,
                };
                // Everything in it was replayed before it was stored: other rules judged then, and nobody is blamed.
                tracing::warn!(log = log.fmt_short(), %fault, "a copy is fetched anew");
                if let Err(error) = ledger.forget(*log).await {
                    tracing::warn!(%error, "a copy cannot be dropped");
                }
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "a followed log cannot be read");
                return (begun, None);
            }
        }
        if let Err(error) = ledger.append_followed(*log, vec![genesis]).await {
            tracing::warn!(%error, "a followed log is not kept");
        }
        (begun, None)
    }

    /// Follows again the logs that earlier runs followed, whether their authors are there or not: what they signed is still
    /// compared with what others were shown.
    pub(super) async fn recall_logs(&mut self) {
        let ledger = self.parts.ledger.clone();
        let own = ledger.own().map(|own| *own.log());
        let logs = ledger.logs().unwrap_or_else(|error| {
            tracing::warn!(%error, "the logs that were followed cannot be listed");
            Vec::new()
        });
        for log in logs.into_iter().filter(|log| Some(*log) != own) {
            if self.recall_log(&log).await.is_none() {
                tracing::warn!(
                    log = log.fmt_short(),
                    "a log is followed only when its author comes"
                );
            }
        }
    }

    async fn recall_log(&mut self, log: &Digest) -> Option<()> {
        let ledger = self.parts.ledger.clone();
        let genesis = ledger.log(log).ok()??.entry(0).ok()??;
        let replay = Replay::begin(&genesis, Some(&self.parts.network_id)).ok()?;
        let Body::Genesis(body) = Entry::parse(&genesis, None).ok()?.body else {
            return None;
        };
        let peer = peer_id_of_transport_key(body.keys.transport.as_bytes())?;
        let key = replay.author();
        if !self.adopt(peer, replay, genesis).await {
            return None;
        }
        self.logs.get_mut(log)?.connected = false;
        if let Some(stored) = ledger.latest_checkpoint(log).ok()?
            && let Ok(signed) = SignedCheckpoint::parse_and_verify(&stored.text, &key)
        {
            self.checkpoint(signed).await;
        }
        self.changed = true;
        Some(())
    }

    pub(super) fn ask_next(&mut self) {
        while let Some(step) = self.follow.next(self.began.elapsed()) {
            let Some(commands) = self.own_commands.upgrade() else {
                return;
            };
            let network = self.parts.network.clone();
            let helper_of = self.helper_of(&step);
            tokio::spawn(async move {
                let request = match &step.question {
                    Question::Status { log_id } => Request::LogStatus { log_id: *log_id },
                    Question::Range(range) => Request::LogRange(*range),
                };
                let response = network.request(step.peer, request, TIMEOUT).await.ok();
                let proof = match (&response, helper_of) {
                    (
                        Some(Response::LogEntries {
                            first_index,
                            entries,
                        }),
                        Some(signed),
                    ) => {
                        let last = first_index.saturating_add(entries.len() as u64);
                        prove(&network, step.peer, signed, last).await
                    }
                    _ => None,
                };
                let _ = commands
                    .send(AuditorCommand::Answered {
                        step,
                        response,
                        proof: proof.map(Box::new),
                    })
                    .await;
            });
        }
    }

    /// The signed checkpoint up to which a peer that is not the log's author may help; nothing for the author itself.
    fn helper_of(&self, step: &Step) -> Option<Checkpoint> {
        let Question::Range(range) = &step.question else {
            return None;
        };
        let followed = self.logs.get(&range.log_id)?;
        (followed.peer != step.peer)
            .then_some(followed.newest)
            .flatten()
    }

    pub(super) async fn answered(
        &mut self,
        step: Step,
        response: Option<Response>,
        proof: Option<Box<(Checkpoint, Vec<NodeHash>)>>,
    ) {
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
            ) => {
                if self.may_replay(&step, range.log_id, first_index, &entries, proof.as_deref()) {
                    self.replay(range.log_id, first_index, entries).await
                } else {
                    Outcome::Wrong
                }
            }
            _ => Outcome::Failed,
        };
        self.finish(step.id, outcome);
    }

    /// Entries of the author come over a connection that proves its transport key; those of anybody else must be proven.
    fn may_replay(
        &self,
        step: &Step,
        log: Digest,
        first_index: u64,
        entries: &[Vec<u8>],
        proof: Option<&(Checkpoint, Vec<NodeHash>)>,
    ) -> bool {
        let Some(followed) = self.logs.get(&log) else {
            return false;
        };
        if followed.peer == step.peer {
            return true;
        }
        let end = followed.replay.end();
        first_index == end.size
            && proof.is_some_and(|(signed, nodes)| {
                are_authentic(end, &self.parts.network_id, entries, nodes, signed)
            })
    }

    fn finish(&mut self, step: StepId, outcome: Outcome) {
        self.follow.finish(step, outcome, self.began.elapsed());
    }

    /// Applies entries of a followed log, checks the checkpoint where it applies, and keeps the bytes. Behind a fault they are
    /// only collected.
    pub(super) async fn replay(
        &mut self,
        log: Digest,
        first_index: u64,
        entries: Vec<Vec<u8>>,
    ) -> Outcome {
        let Some(followed) = self.logs.get_mut(&log) else {
            return Outcome::Failed;
        };
        let (author, have) = (followed.replay.author(), followed.have());
        if first_index > have || followed.convicted {
            return Outcome::Failed;
        }
        let entries = unknown(entries, have - first_index);
        let now = self.began.elapsed();
        let taken = tokio::task::block_in_place(|| take_entries(followed, entries));
        if !taken.replayed.is_empty() {
            followed.used_at = now;
        }
        let is_clean = taken.wrong_checkpoint.is_none() && followed.tail.is_none();
        if is_clean && followed.verdict == Verdict::Pending {
            followed.verdict = Verdict::Clean;
        }
        let have = followed.have();
        self.changed = true;
        // Before the entries are kept: what is kept is not heard again after a restart.
        for entry in &taken.words {
            self.hear_word(entry, log).await;
        }
        self.keep_first_words().await;
        if !taken.replayed.is_empty()
            && let Err(error) = self.parts.ledger.append_followed(log, taken.replayed).await
        {
            tracing::warn!(%error, "entries of a followed log are not kept");
        }
        self.cosign(&log).await;
        // What its words name may have been signed for already, and its author may sign nothing more.
        let named = taken
            .words
            .iter()
            .filter_map(|entry| Word::in_entry(&entry.body));
        let named: BTreeSet<Digest> = named.map(|word| word.place.log).chain([log]).collect();
        for log in &named {
            self.judge_words(log).await;
        }
        for finding in taken
            .findings
            .into_iter()
            .filter(|finding| finding.peer != author)
        {
            self.convict_found(finding, log).await;
        }
        match taken.wrong_checkpoint {
            Some(fault) if fault.rule == Rule::TreeRoot => {
                self.judge_conflict(&log).await;
                self.begin_anew(&log).await;
                return Outcome::Advanced(have);
            }
            Some(fault) => {
                self.convict(fault, log).await;
                return Outcome::Wrong;
            }
            None => {}
        }
        self.judge_conflict(&log).await;
        if self.judge_tail(&log).await {
            return Outcome::Wrong;
        }
        Outcome::Advanced(have)
    }
}

/// What came of some entries.
#[derive(Default)]
struct Taken {
    /// Exact bytes of those that were replayed.
    replayed: Vec<Vec<u8>>,
    /// Those that hold another peer's word on its own log.
    words: Vec<Entry>,
    findings: Vec<Fault>,
    /// A signed checkpoint that the replayed entries do not give.
    wrong_checkpoint: Option<Fault>,
}

fn take_entries(followed: &mut Followed, entries: Vec<Vec<u8>>) -> Taken {
    let mut taken = Taken::default();
    let mut entries = entries.into_iter();
    if followed.tail.is_none() {
        for bytes in entries.by_ref() {
            match followed.replay.push(&bytes) {
                Ok((entry, applied)) => {
                    if Word::in_entry(&entry.body).is_some() {
                        taken.words.push(entry);
                    }
                    taken.findings.extend(applied.findings);
                    taken.replayed.push(bytes);
                }
                Err(fault) => {
                    followed.tail = Some(Tail {
                        fault,
                        entries: vec![bytes],
                        is_full: false,
                    });
                    break;
                }
            }
            if let Err(fault) = check_waiting(followed) {
                taken.wrong_checkpoint = Some(fault);
                return taken;
            }
        }
    }
    if let Some(tail) = &mut followed.tail {
        tail.extend(entries);
    }
    taken
}

/// Asks for the proof that the entry before this index stands in a signed tree.
async fn prove(
    network: &Handle,
    peer: PeerId,
    signed: Checkpoint,
    behind: u64,
) -> Option<(Checkpoint, Vec<NodeHash>)> {
    let request = Request::InclusionProof {
        log_id: signed.log,
        index: behind.checked_sub(1)?,
        size: signed.size,
    };
    match network.request(peer, request, TIMEOUT).await {
        Ok(Response::Proof { nodes }) => Some((signed, nodes)),
        _ => None,
    }
}
