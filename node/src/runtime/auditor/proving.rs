//! Proving: evidence files are made away from the event loop, one of a log's author and one of a finding at a time.
//!
//! A log within the rules may hold any number of findings, each for the price of an entry, about peers whose keys cost nothing, and to
//! prove one reads the log backwards. So for each peer and rule it is done once, a finding about a stranger waits only as long as there
//! is room, and one log makes only so many of them. A peer is exposed here at once, whether a file is made or not. Spec: NET-70.

use std::collections::{BTreeMap, VecDeque};

use symphony_ledger::Ledger;
use symphony_protocol::{
    Fault,
    evidence::{Evidence, LogSource, ProveError},
};
use symphony_transparency::{Digest, NodeHash};

use super::{Auditor, AuditorCommand};

/// Findings about strangers that wait at once, and of which a proof is begun for one log: of more no file would be kept.
pub(super) const STRANGERS_MAX: usize = 64;

/// A log as evidence is made of it.
pub(super) struct Source {
    pub(super) ledger: Ledger,
    pub(super) log: Digest,
    /// Entries in the ledger; the tail follows them.
    pub(super) stored: u64,
    pub(super) tail: Vec<Vec<u8>>,
    /// Nothing for a finding: its peer signed the statements that prove it.
    pub(super) signature: Option<Signature>,
}

/// What shows that a log's author signed for the fault's entry.
pub(super) struct Signature {
    pub(super) checkpoint: String,
    /// Shows that the fault's entry stands in the checkpoint's tree; nothing if everything that it covers is at hand.
    pub(super) hashes: Option<Vec<NodeHash>>,
    pub(super) earlier: Option<String>,
}

impl LogSource for Source {
    fn entry(&self, index: u64) -> Option<Vec<u8>> {
        if let Some(behind) = index.checked_sub(self.stored) {
            return self.tail.get(usize::try_from(behind).ok()?).cloned();
        }
        self.ledger.log(&self.log).ok()??.entry(index).ok()?
    }
}

impl Source {
    fn prove(&self, fault: &Fault) -> Result<Evidence, ProveError> {
        let Some(signature) = &self.signature else {
            return Evidence::prove_finding(self, fault);
        };
        let checkpoint = &signature.checkpoint;
        let earlier: Vec<&str> = signature.earlier.as_deref().into_iter().collect();
        match &signature.hashes {
            Some(hashes) => Evidence::prove_entry(self, (checkpoint, hashes), &earlier, fault),
            None => Evidence::prove(self, checkpoint, &earlier, fault),
        }
    }
}

/// A fault, and from what it is proved.
struct Job {
    source: Source,
    fault: Fault,
}

/// Whose fault a proof is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// A log's author: at most one waits for each log that is followed.
    Author,
    /// Another peer, whose statements a log holds.
    Finding,
}

/// Whether somebody has anything to do with this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Acquaintance {
    /// Its log is held here: few are, and each is held to account for each rule once.
    Known,
    Stranger,
}

/// Proofs of one kind: one is made at a time, the others wait.
#[derive(Default)]
pub(super) struct OneAtATime {
    /// The log that shows the fault whose proof is being made.
    pub(super) running: Option<Digest>,
    waiting: VecDeque<Job>,
}

impl OneAtATime {
    fn next(&mut self) -> Option<Job> {
        if self.running.is_some() {
            return None;
        }
        let job = self.waiting.pop_front()?;
        self.running = Some(job.source.log);
        Some(job)
    }

    fn is_about(&self, log: &Digest) -> bool {
        self.running.as_ref() == Some(log) || self.waiting.iter().any(|job| job.source.log == *log)
    }
}

/// Proofs that are being made, or wait.
#[derive(Default)]
pub(super) struct Proving {
    pub(super) authors: OneAtATime,
    pub(super) findings: OneAtATime,
    /// Findings about strangers that wait.
    strangers: usize,
    /// Findings about strangers of which a proof was begun, by the log that shows them.
    begun: BTreeMap<Digest, usize>,
}

impl Proving {
    fn lane(&mut self, lane: Lane) -> &mut OneAtATime {
        match lane {
            Lane::Author => &mut self.authors,
            Lane::Finding => &mut self.findings,
        }
    }

    /// Whether a proof of something that this log shows is being made, or waits.
    pub(super) fn is_under_way(&self, log: &Digest) -> bool {
        self.authors.is_about(log) || self.findings.is_about(log)
    }

    /// A log is held no longer.
    pub(super) fn forget(&mut self, log: &Digest) {
        self.begun.remove(log);
    }

    fn has_room_for_strangers_of(&self, log: &Digest) -> bool {
        self.strangers < STRANGERS_MAX
            && self
                .begun
                .get(log)
                .is_none_or(|begun| *begun < STRANGERS_MAX)
    }
}

impl Auditor {
    /// Proves a fault of a log's author when its turn comes.
    pub(super) fn prove(&mut self, source: Source, fault: Fault) {
        self.proving
            .authors
            .waiting
            .push_back(Job { source, fault });
        self.prove_next(Lane::Author);
    }

    /// Proves a finding when its turn comes, unless that was done, or there is no room for another one about strangers: these are
    /// exposed here all the same, and a later finding about them is proved if there is room then. Whoever is exposed by it must
    /// be noted before. Spec: NET-70.
    pub(super) fn prove_finding(&mut self, finding: Fault, log: Digest, of: Acquaintance) {
        let peer = finding.peer;
        let Some(exposure) = self.exposed.get_mut(&peer) else {
            return;
        };
        if exposure.tried.contains(&finding.rule)
            || self.parts.evidence.needs_none_of(&peer, finding.rule)
        {
            return;
        }
        let is_stranger = of == Acquaintance::Stranger;
        if is_stranger && !self.proving.has_room_for_strangers_of(&log) {
            return;
        }
        exposure.tried.insert(finding.rule);
        let job = Job {
            source: Source {
                ledger: self.parts.ledger.clone(),
                log,
                stored: finding.entry.saturating_add(1),
                tail: Vec::new(),
                signature: None,
            },
            fault: finding,
        };
        if is_stranger {
            self.proving.strangers += 1;
            *self.proving.begun.entry(log).or_default() += 1;
            self.proving.findings.waiting.push_back(job);
        } else {
            self.proving.findings.waiting.push_front(job);
        }
        self.prove_next(Lane::Finding);
    }

    /// A proof is made, or failed.
    pub(super) async fn proved(&mut self, lane: Lane, file: Option<Vec<u8>>) {
        self.proving.lane(lane).running = None;
        if let Some(file) = file {
            self.made(file).await;
        }
        self.prove_next(lane);
    }

    fn prove_next(&mut self, lane: Lane) {
        let Some(commands) = self.own_commands.upgrade() else {
            return;
        };
        let Some(Job { source, fault }) = self.proving.lane(lane).next() else {
            return;
        };
        if lane == Lane::Finding {
            // Those about strangers are the last ones.
            let waiting = self.proving.findings.waiting.len();
            self.proving.strangers = self.proving.strangers.min(waiting);
        }
        tokio::spawn(async move {
            let made = tokio::task::spawn_blocking(move || {
                let made = source.prove(&fault).inspect_err(|error| {
                    tracing::warn!(peer = %fault.peer, rule = fault.rule.id(), %error, "no evidence could be made");
                });
                made.ok().map(|evidence| evidence.bytes().to_vec())
            });
            // The auditor may have stopped. Whatever became of this one, the next one's turn has come.
            let file = made.await.ok().flatten();
            let _ = commands.send(AuditorCommand::Made { lane, file }).await;
        });
    }
}
