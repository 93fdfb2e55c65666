//! Late checkpoints: an author may serve entries first and sign for them afterwards. Their tree is compared at once; the state that
//! they lead to is gone by then, so the copy is replayed once more, away from the event loop, and every late checkpoint that waits is
//! compared on the way. Spec: REPLAY-42, REPLAY-18.

use std::{collections::BTreeMap, time::Duration};

use symphony_ledger::LogReader;
use symphony_protocol::{Fault, PreparedEntry, Rule, records::Signatures, replay::Replay};
use symphony_transparency::{Digest, SignedCheckpoint};
use tokio::time::Instant;

use super::{Auditor, AuditorCommand, convicting::Shown, followed::WAITING_MAX};

/// A log is compared again only after so many times what that took last: whoever signs late, and be it every size, takes no more of
/// this node's time than this part of it.
const PART: u32 = 20;
/// And not before: who signs every two seconds has all of it compared at once.
const PAUSE: Duration = Duration::from_secs(30);

/// Whether somebody compares: one log at a time, and after that nothing for as long as it took.
#[derive(Debug, Default)]
pub(super) struct Late {
    pub(super) is_under_way: bool,
    pub(super) due: Duration,
}

/// A checkpoint whose tree is that of the entries and whose state root is not what they lead to.
#[derive(Debug)]
pub(crate) struct WrongRoot {
    pub(super) fault: Fault,
    pub(super) signed: SignedCheckpoint,
}

impl Auditor {
    /// Somebody found that a checkpoint has another state root than the copy leads to: it is compared next.
    pub(super) fn doubt(&mut self, signed: SignedCheckpoint) {
        if let Some(followed) = self.logs.get_mut(&signed.checkpoint().log)
            && signed.checkpoint().size <= followed.replay.size()
        {
            let size = signed.checkpoint().size;
            followed.late.insert(size, signed);
            let other = followed.late.keys().find(|other| **other != size).copied();
            if followed.late.len() > WAITING_MAX
                && let Some(other) = other
            {
                followed.late.remove(&other);
            }
            followed.late_due = Duration::ZERO;
        }
    }

    /// Compares the late checkpoints of the log whose turn it is.
    pub(super) fn compare_late(&mut self) {
        let now = self.began.elapsed();
        if self.late.is_under_way || now < self.late.due {
            return;
        }
        let waiting = self.logs.iter_mut().filter(|(_, followed)| {
            !followed.late.is_empty() && !followed.convicted && followed.late_due <= now
        });
        let Some((log, followed)) = waiting.min_by_key(|(_, followed)| followed.late_due) else {
            return;
        };
        let Some(commands) = self.own_commands.upgrade() else {
            return;
        };
        let (log, late) = (*log, std::mem::take(&mut followed.late));
        let ledger = self.parts.ledger.clone();
        self.late.is_under_way = true;
        tokio::spawn(async move {
            let began = Instant::now();
            let compared = tokio::task::spawn_blocking(move || {
                let reader = ledger.log(&log).ok()??;
                let mut replay = Replay::begin(&reader.entry(0).ok()??, None).ok()?;
                let end = *late.last_key_value()?.0;
                compare(&mut replay, &reader, end, &late, Signatures::AssumeVerified).ok()?
            });
            // The auditor may have stopped. Whatever became of this log, the next one's turn comes.
            let wrong = compared.await.ok().flatten().map(Box::new);
            let took = began.elapsed();
            let _ = commands
                .send(AuditorCommand::LateCompared { log, wrong, took })
                .await;
        });
    }

    /// The late checkpoints of a log were compared.
    pub(super) async fn late_compared(
        &mut self,
        log: Digest,
        wrong: Option<WrongRoot>,
        took: Duration,
    ) {
        let now = self.began.elapsed();
        self.late.is_under_way = false;
        self.late.due = now.saturating_add(took);
        if let Some(followed) = self.logs.get_mut(&log) {
            followed.late_due = now.saturating_add(took.saturating_mul(PART).max(PAUSE));
        }
        if let Some(wrong) = wrong {
            self.convict_of_root(wrong, log).await;
        }
    }

    /// An author that signed a state root which its entries do not lead to, unless a file says so already.
    pub(super) async fn convict_of_root(&mut self, wrong: WrongRoot, log: Digest) {
        let WrongRoot { fault, signed } = wrong;
        let is_convicted = self.logs.get(&log).is_some_and(|log| log.convicted);
        if is_convicted || self.parts.evidence.needs_none_of(&fault.peer, fault.rule) {
            return;
        }
        let reader = self.parts.ledger.log(&log).ok().flatten();
        let size = signed.checkpoint().size;
        let hashes = reader.and_then(|reader| reader.inclusion_proof(fault.entry, size).ok());
        match hashes {
            Some(hashes) => {
                let note = signed.text();
                self.convict_shown(fault, log, Shown { note, hashes }).await;
            }
            // The copy is gone meanwhile: here it was seen.
            None => self.expose(fault, Some(log)).await,
        }
    }

    /// The newest checkpoints that are stored of a log, up to a size: as many as may wait.
    pub(super) fn stored_checkpoints(
        &self,
        log: &Digest,
        replay: &Replay,
        size: u64,
    ) -> BTreeMap<u64, SignedCheckpoint> {
        let (author, mut stored) = (replay.author(), BTreeMap::new());
        let mut size_max = size;
        while stored.len() < WAITING_MAX
            && let Ok(Some(next)) = self.parts.ledger.checkpoint_up_to(log, size_max)
            && let Some(below) = next.checkpoint.size.checked_sub(1)
            && let Ok(signed) = SignedCheckpoint::parse_and_verify(&next.text, &author)
        {
            size_max = below;
            stored.insert(next.checkpoint.size, signed);
        }
        stored
    }
}

/// Replays what is stored of a log up to a size, as far as it can be read, and compares these checkpoints on the way; gives the first one
/// whose state root is wrong.
pub(super) fn compare(
    replay: &mut Replay,
    reader: &LogReader,
    end: u64,
    checkpoints: &BTreeMap<u64, SignedCheckpoint>,
    signatures: Signatures,
) -> Result<Option<WrongRoot>, Fault> {
    let mut wrong = None;
    let network = replay.state().network();
    for entry in reader.entries(replay.size()..end) {
        wrong = wrong.or_else(|| compare_here(replay, checkpoints));
        match entry {
            Ok((_, bytes)) => {
                replay.push_prepared(PreparedEntry::new(bytes, &network, signatures))?;
            }
            Err(error) => {
                tracing::warn!(%error, "a followed log cannot be read to its end");
                return Ok(wrong);
            }
        }
    }
    Ok(wrong.or_else(|| compare_here(replay, checkpoints)))
}

/// Another tree is judged where checkpoints come in, and exposes nobody by itself.
fn compare_here(
    replay: &mut Replay,
    checkpoints: &BTreeMap<u64, SignedCheckpoint>,
) -> Option<WrongRoot> {
    let signed = checkpoints.get(&replay.size())?;
    let fault = replay.check(signed.checkpoint()).err()?;
    (fault.rule == Rule::StateRoot).then(|| WrongRoot {
        fault,
        signed: signed.clone(),
    })
}
