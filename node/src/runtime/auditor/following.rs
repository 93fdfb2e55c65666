//! Following: what is fetched from whom, replayed and kept.

use symphony_network::{
    PeerId, Request, Response,
    follow::{Outcome, Question, Step, StepId},
};
use symphony_protocol::{Fault, replay::Replay};
use symphony_transparency::{Digest, SignedCheckpoint};

use super::{
    Auditor, AuditorCommand, TIMEOUT,
    followed::{Followed, check_waiting, covers, unknown},
};
use crate::runtime::view::Verdict;

impl Auditor {
    pub(super) async fn hello(&mut self, peer: PeerId, replay: Replay, genesis: Vec<u8>) {
        let (log, key) = (replay.state().log(), replay.author());
        self.changed = true;
        if let Some(followed) = self.logs.get_mut(&log) {
            followed.peer = peer;
            followed.connected = true;
        } else {
            let replay = match self.stored(&log, replay, genesis).await {
                Ok(replay) => replay,
                Err(fault) => return self.expose(fault, log).await,
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
            let verdict = if self.exposed.contains_key(&key) {
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
                uncovered: None,
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

    pub(super) fn ask_next(&mut self) {
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

    pub(super) async fn answered(&mut self, step: Step, response: Option<Response>) {
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
        let author = followed.replay.author();
        let faulty = self.exposed.get(&author).is_some_and(|exposure| {
            exposure.found_in == log && exposure.fault.entry >= first_index
        });
        if first_index > replayed || faulty {
            return Outcome::Failed;
        }
        let entries = unknown(entries, replayed - first_index);
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
            self.expose(finding, log).await;
        }
        match fault {
            // A chain or signature that does not fit can be the sender's doing as long as no checkpoint of the author covers
            // it: only what the author signed exposes the author.
            Some(found) if self.covered(&log, found.entry) => {
                self.expose(found, log).await;
                Outcome::Wrong
            }
            Some(found) => {
                tracing::debug!(peer = author.fmt_short(), %found, "a fault that no checkpoint covers yet");
                if let Some(followed) = self.logs.get_mut(&log) {
                    followed.uncovered.get_or_insert(found);
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
}
