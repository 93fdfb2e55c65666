//! One peer's auditor: follows logs, keeps checkpoints and signed words, and finds faults that their authors signed for.
//!
//! It takes nothing but bytes, from whoever sends them. Entries count only up to a checkpoint of their author that they lead
//! to, so a source that lies exposes nobody but is refused. Spec: REPLAY-6 to REPLAY-9, REPLAY-14.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use symphony_protocol::{
    Fault, Rule,
    evidence::{Conviction, Evidence},
};
use symphony_transparency::{Digest, PublicKey, SignedCheckpoint, VerifiedStatement};

use super::{
    evidence::{Unproved, prove},
    firsts::Matter,
    followed::{Followed, forked},
    memo::{Memo, Position},
    words::{Word, foreign, held, word},
};

/// Checkpoints kept of each log: the newest. Older ones lie on the same history or were found not to.
const CHECKPOINTS_MAX: usize = 256;
/// Different evidence that is looked at: far more than there are peers.
const EVIDENCE_MAX: usize = 4_096;

/// A fault, and what shows that its peer signed for it.
#[derive(Clone, Debug)]
pub(crate) struct Exposure {
    pub(crate) fault: Fault,
    pub(crate) basis: Basis,
}

/// What a fault rests on.
#[derive(Clone, Debug)]
pub(crate) enum Basis {
    /// Entries of a log up to a checkpoint of its author; the fault is its author's, or a finding.
    Log {
        position: Position,
        checkpoint: SignedCheckpoint,
    },
    /// Two checkpoints of one log.
    Fork {
        /// The follower's own entries, if it has any.
        position: Option<Position>,
        first: SignedCheckpoint,
        second: SignedCheckpoint,
    },
    /// Two statements on one matter.
    Pair {
        first: Rc<VerifiedStatement>,
        second: Rc<VerifiedStatement>,
    },
    /// A word on a place, and the place.
    Word {
        word: Rc<Word>,
        position: Position,
        checkpoint: SignedCheckpoint,
    },
}

/// One peer's auditor.
pub(crate) struct Auditor {
    logs: BTreeMap<Digest, Followed>,
    words: BTreeMap<(Digest, u64), Vec<Rc<Word>>>,
    pub(super) firsts: BTreeMap<(PublicKey, Matter), Rc<VerifiedStatement>>,
    exposed: BTreeMap<PublicKey, Evidence>,
    /// Evidence that was looked at, by its name.
    seen: BTreeSet<Digest>,
    unusable: u64,
}

impl Auditor {
    /// Knows whose log is whose, as a hello with its entry 0 would tell.
    pub(crate) fn new(authors: impl Iterator<Item = (Digest, PublicKey, Rc<[u8]>)>) -> Self {
        let followed = |author, genesis| Followed {
            author,
            genesis,
            position: None,
            covered: None,
            checkpoints: BTreeMap::new(),
            told: 0,
        };
        Self {
            logs: authors
                .map(|(log, author, genesis)| (log, followed(author, genesis)))
                .collect(),
            words: BTreeMap::new(),
            firsts: BTreeMap::new(),
            exposed: BTreeMap::new(),
            seen: BTreeSet::new(),
            unusable: 0,
        }
    }

    /// A crash: what was heard and not logged is forgotten. Followed logs, checkpoints and verdicts are stored.
    pub(crate) fn crash(&mut self) {
        self.words.clear();
        self.firsts.clear();
    }

    /// Peers that are exposed to this one, with the evidence that exposed them first.
    pub(crate) fn exposed(&self) -> &BTreeMap<PublicKey, Evidence> {
        &self.exposed
    }

    /// How often something could not be judged by the rules that this auditor knows.
    pub(crate) fn unusable(&self) -> u64 {
        self.unusable
    }

    /// Makes evidence of a fault that was found here.
    pub(crate) fn prove(&self, exposure: &Exposure, memo: &Memo) -> Result<Evidence, Unproved> {
        let peer = exposure.fault.peer;
        let followed = self.logs.values().find(|followed| followed.author == peer);
        let followed = followed.ok_or(Unproved::Missing)?;
        let earlier: Vec<String> = followed
            .checkpoints
            .values()
            .map(SignedCheckpoint::text)
            .collect();
        prove(exposure, &followed.genesis, &earlier, memo)
    }

    /// Takes evidence, from whoever has it: it is checked from its own bytes. Returns what it proves, if that is news.
    pub(crate) fn evidence(&mut self, bytes: &[u8], network: &Digest) -> Option<Conviction> {
        let evidence = Evidence::parse(bytes).ok()?;
        if self.seen.len() >= EVIDENCE_MAX || !self.seen.insert(evidence.digest()) {
            return None;
        }
        let conviction = evidence.verify().ok()?;
        let peer = conviction.fault.peer;
        if conviction.network != *network || self.exposed.contains_key(&peer) {
            return None;
        }
        self.exposed.insert(peer, evidence);
        Some(conviction)
    }

    /// How many entries of a log are known here.
    pub(crate) fn size(&self, log: &Digest) -> usize {
        let position = self.logs.get(log).and_then(|followed| followed.position);
        position.map_or(0, |position| position.size)
    }

    /// Whether a checkpoint says that a log is longer than what is known here.
    pub(crate) fn lacks(&self, log: &Digest) -> bool {
        let newest = self
            .logs
            .get(log)
            .and_then(|followed| followed.checkpoints.last_key_value());
        newest
            .is_some_and(|(size, _)| u64::try_from(self.size(log)).is_ok_and(|known| known < *size))
    }

    /// A log as far as it is known here, with a checkpoint that it leads to.
    pub(crate) fn copy(&self, log: &Digest) -> Option<(Position, &SignedCheckpoint)> {
        let followed = self.logs.get(log)?;
        Some((followed.position?, followed.covered.as_ref()?))
    }

    /// The newest checkpoint of every log that one is known of.
    pub(crate) fn newest(&self) -> impl Iterator<Item = &SignedCheckpoint> {
        self.logs
            .values()
            .filter_map(|followed| followed.checkpoints.values().next_back())
    }

    /// Takes entry 0 of a log that claims to be one of this network.
    pub(crate) fn hello(&mut self, entry_0: &[u8], memo: &mut Memo) {
        if memo.begin(entry_0).is_err() {
            self.unusable += 1;
        }
    }

    /// Takes a statement whose signature was verified.
    pub(crate) fn hear(&mut self, statement: &VerifiedStatement, memo: &Memo) -> Vec<Exposure> {
        let mut found = Vec::new();
        if let Some(word) = word(statement) {
            let log = word.place.log;
            if self
                .logs
                .get(&log)
                .is_some_and(|followed| followed.author == word.signer)
            {
                let known = self.words.entry((log, word.place.index)).or_default();
                if known.iter().all(|other| other.statement != word.statement) {
                    known.push(Rc::new(word));
                }
                found.extend(self.compare(&log, memo));
            }
        }
        found.extend(self.compare_first(statement));
        found
    }

    /// Takes a checkpoint, from whoever has it.
    pub(crate) fn checkpoint(&mut self, note: &str, memo: &mut Memo) -> Vec<Exposure> {
        let Ok(claimed) = SignedCheckpoint::parse_unverified(note) else {
            return Vec::new();
        };
        let Some(followed) = self.logs.get_mut(&claimed.log) else {
            return Vec::new();
        };
        let size = claimed.size;
        if let Some(known) = followed.checkpoints.get(&size)
            && known.text() == note
        {
            return Vec::new();
        }
        let Some(signed) = memo.checkpoint(note, &followed.author) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        if let Some(known) = followed.checkpoints.get(&size) {
            found.extend(forked(&followed.author, followed.position, known, &signed));
        }
        found.extend(followed.check(&signed, memo));
        followed.checkpoints.entry(size).or_insert(signed);
        if followed.checkpoints.len() > CHECKPOINTS_MAX {
            followed.checkpoints.pop_first();
        }
        found
    }

    /// Takes entries of a log from `start` on, and a checkpoint that they lead to.
    pub(crate) fn entries(
        &mut self,
        log: &Digest,
        (start, entries): (usize, &[Vec<u8>]),
        note: &str,
        memo: &mut Memo,
    ) -> Vec<Exposure> {
        let mut found = self.checkpoint(note, memo);
        let Some(followed) = self.logs.get_mut(log) else {
            return found;
        };
        let Some(signed) = memo.checkpoint(note, &followed.author) else {
            return found;
        };
        let known = followed.position.map_or(0, |position| position.size);
        let Some(fresh) = known
            .checked_sub(start)
            .and_then(|overlap| entries.get(overlap..))
        else {
            return found;
        };
        let mut fresh = fresh.iter();
        let mut position = followed.position;
        if position.is_none() {
            let Some(entry_0) = fresh.next() else {
                return found;
            };
            match memo.begin(entry_0) {
                Ok(begun) => position = Some(begun),
                Err(_) => {
                    self.unusable += 1;
                    return found;
                }
            }
        }
        let Some(mut position) = position else {
            return found;
        };
        for bytes in fresh {
            position = memo.learn(position, bytes);
        }
        let leads = memo
            .root_at(position, signed.checkpoint().size)
            .is_some_and(|root| root == signed.checkpoint().root);
        if !leads || u64::try_from(position.size) != Ok(signed.checkpoint().size) {
            return found;
        }
        followed.position = Some(position);
        followed.covered = Some(signed.clone());
        found.extend(followed.judge(position, &signed, memo));
        let before: Vec<SignedCheckpoint> = followed.checkpoints.values().cloned().collect();
        for checkpoint in before {
            found.extend(followed.check(&checkpoint, memo));
        }
        let from = std::mem::replace(&mut followed.told, position.size);
        for index in from..position.size {
            let statement = memo
                .entry(position, index)
                .and_then(|learned| foreign(&learned.entry.as_ref()?.body).cloned());
            if let Some(statement) = statement {
                found.extend(self.hear(&statement, memo));
            }
        }
        found.extend(self.compare(log, memo));
        found
    }

    /// Compares what was said of the places of a log with what stands there.
    fn compare(&mut self, log: &Digest, memo: &Memo) -> Vec<Exposure> {
        let Some(Followed {
            author,
            position: Some(position),
            covered: Some(checkpoint),
            ..
        }) = self.logs.get(log)
        else {
            return Vec::new();
        };
        let size = u64::try_from(position.size).unwrap_or(u64::MAX);
        let known: Vec<(Digest, u64)> = self
            .words
            .range((*log, 0)..(*log, size))
            .map(|(place, _)| *place)
            .collect();
        let mut found = Vec::new();
        for place in known {
            for word in self.words.remove(&place).into_iter().flatten() {
                let entry = usize::try_from(place.1)
                    .ok()
                    .and_then(|index| memo.entry(*position, index))
                    .and_then(|learned| learned.entry.as_ref());
                let stands = entry.and_then(|entry| held(&entry.body));
                if stands == Some((word.standing, word.named)) {
                    continue;
                }
                let fault = Fault {
                    peer: *author,
                    rule: Rule::Omission,
                    entry: place.1,
                    expected: format!("statement {}", word.named),
                    found: stands.map_or_else(
                        || "no statement".to_owned(),
                        |(_, statement)| format!("statement {statement}"),
                    ),
                };
                let basis = Basis::Word {
                    word,
                    position: *position,
                    checkpoint: checkpoint.clone(),
                };
                found.push(Exposure { fault, basis });
            }
        }
        found
    }
}
