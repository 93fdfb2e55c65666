//! The evidence that a node keeps: files that it verified, one for each peer, rule and log, in the ledger's memos.
//!
//! Bounded in count and bytes, and in how much of it speaks of one peer: a liar can break as many rules as it likes, and one
//! file convicts it. Files about strangers, of whose logs none is held here, are few and make room: a key costs nothing, and
//! signs two statements that contradict each other as easily as one. Spec: NET-29, NET-37.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use symphony_ledger::{Ledger, LedgerError, Memo, MemoWrite};
use symphony_network::limits::EVIDENCE_LIST_MAX;
use symphony_protocol::{Rule, evidence::Conviction, replay::Replay};
use symphony_transparency::{Digest, PublicKey};

use crate::evidence::{digest_of, judge};

/// Table of the memos: then the digest of the file.
const TABLE: &[u8] = b"evidence\0";
/// Files about one peer.
const FILES_PER_PEER_MAX: usize = 4;
/// Files about strangers: enough for what is found before its author is met, and cheap to lose.
const STRANGERS_MAX: usize = 64;
/// Memos read at once when the store is opened.
const PAGE: usize = 64;

/// Evidence files. Clones share them.
#[derive(Clone)]
pub struct EvidenceStore(Arc<Inner>);

struct Inner {
    ledger: Ledger,
    index: Mutex<Index>,
}

#[derive(Default)]
struct Index {
    files: BTreeMap<Digest, Kept>,
    faults: BTreeSet<FaultKey>,
    /// How many have come; after a start in the order in which they were read.
    arrivals: u64,
}

struct Kept {
    conviction: Conviction,
    arrival: u64,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Insertion {
    /// It is kept.
    New,
    /// It is kept until another one needs its place: it is about a stranger.
    NewOfStranger,
    /// This file, or another one of the same fault, is kept already.
    Known,
    /// There is no room for it: about this peer, or at all.
    NoRoom,
}

/// What came of a file, and the peer whose file made room for it, if no other file is about that peer.
pub(crate) struct Inserted {
    pub(crate) insertion: Insertion,
    pub(crate) forgotten: Option<PublicKey>,
}

impl Index {
    /// Whether a file is kept, and which one makes room for it. Known are the authors of the logs that are held here.
    fn judge(
        &self,
        digest: &Digest,
        conviction: &Conviction,
        known: &BTreeSet<PublicKey>,
    ) -> (Insertion, Option<Digest>) {
        let peer = &conviction.fault.peer;
        if self.files.contains_key(digest) || self.faults.contains(&fault_key(conviction)) {
            return (Insertion::Known, None);
        }
        if self.about(peer) >= FILES_PER_PEER_MAX {
            return (Insertion::NoRoom, None);
        }
        let strangers = self.of_strangers(known);
        let is_known = known.contains(peer);
        let is_full = self.files.len() >= EVIDENCE_LIST_MAX
            || (!is_known && strangers.len() >= STRANGERS_MAX);
        let displaced = strangers.first_key_value().map(|(_, digest)| *digest);
        match (is_full, displaced) {
            (true, None) => (Insertion::NoRoom, None),
            (is_full, displaced) => {
                let insertion = if is_known {
                    Insertion::New
                } else {
                    Insertion::NewOfStranger
                };
                (insertion, displaced.filter(|_| is_full))
            }
        }
    }

    /// Files about one peer.
    fn about(&self, peer: &PublicKey) -> usize {
        self.faults.iter().filter(|(of, ..)| of == peer).count()
    }

    /// Files about strangers, the oldest first.
    fn of_strangers(&self, known: &BTreeSet<PublicKey>) -> BTreeMap<u64, Digest> {
        self.files
            .iter()
            .filter(|(_, kept)| !known.contains(&kept.conviction.fault.peer))
            .map(|(digest, kept)| (kept.arrival, *digest))
            .collect()
    }

    fn add(&mut self, digest: Digest, conviction: Conviction) {
        self.faults.insert(fault_key(&conviction));
        let arrival = self.arrivals;
        self.arrivals += 1;
        self.files.insert(
            digest,
            Kept {
                conviction,
                arrival,
            },
        );
    }

    /// The peer that the file was about, if no other file is.
    fn remove(&mut self, digest: &Digest) -> Option<PublicKey> {
        let kept = self.files.remove(digest)?;
        self.faults.remove(&fault_key(&kept.conviction));
        let peer = kept.conviction.fault.peer;
        (self.about(&peer) == 0).then_some(peer)
    }
}

impl EvidenceStore {
    /// Reads what earlier runs kept, and verifies it again: a file that no longer convinces is dropped.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(crate) async fn open(ledger: Ledger, network: &Digest) -> Result<Self, LedgerError> {
        let mut index = Index::default();
        let known = authors(&ledger, network)?;
        let (mut dropped, mut after) = (Vec::new(), None);
        loop {
            let page = ledger.memos(TABLE, after.as_deref(), PAGE)?;
            let Some(last) = page.last() else { break };
            after = Some(last.key.clone());
            for Memo { key, value: file } in page {
                let digest = digest_of(&file);
                let Ok(conviction) = judge(&file, Some(network)) else {
                    dropped.push(MemoWrite::delete(key));
                    continue;
                };
                match index.judge(&digest, &conviction, &known) {
                    (Insertion::New | Insertion::NewOfStranger, displaced) => {
                        if let Some(displaced) = displaced {
                            index.remove(&displaced);
                            dropped.push(MemoWrite::delete(key_of(&displaced)));
                        }
                        index.add(digest, conviction);
                    }
                    (Insertion::Known | Insertion::NoRoom, _) => {
                        dropped.push(MemoWrite::delete(key));
                    }
                }
            }
        }
        if !dropped.is_empty() {
            tracing::warn!(
                files = dropped.len(),
                "evidence that proves nothing, or for which there is no room, is dropped"
            );
            ledger.write_memos(dropped).await?;
        }
        Ok(Self(Arc::new(Inner {
            ledger,
            index: Mutex::new(index),
        })))
    }

    /// Whether this very file is kept.
    pub(crate) fn holds(&self, digest: &Digest) -> bool {
        self.index().files.contains_key(digest)
    }

    /// Whether another file about a breach of this rule by this peer is of no use: there is one, or no room for more about it.
    pub(crate) fn needs_none_of(&self, peer: &PublicKey, rule: Rule) -> bool {
        let index = self.index();
        let is_of = |fault: &&FaultKey| fault.0 == *peer && fault.1 == rule;
        index.faults.iter().any(|fault| is_of(&fault)) || index.about(peer) >= FILES_PER_PEER_MAX
    }

    /// Digests of all files, ascending.
    pub(crate) fn digests(&self) -> Vec<Digest> {
        self.index().files.keys().copied().collect()
    }

    /// What every file proves, by digest.
    pub(crate) fn all(&self) -> Vec<(Digest, Conviction)> {
        let index = self.index();
        index
            .files
            .iter()
            .map(|(digest, kept)| (*digest, kept.conviction.clone()))
            .collect()
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(crate) fn file(&self, digest: &Digest) -> Result<Option<Vec<u8>>, LedgerError> {
        if !self.holds(digest) {
            return Ok(None);
        }
        self.0.ledger.memo(&key_of(digest))
    }

    /// Keeps a file that was verified. Only the auditor calls it, one file after another; `known` are the authors of the logs
    /// that are held here.
    ///
    /// # Errors
    /// [`LedgerError`]; it is not kept then.
    pub(crate) async fn insert(
        &self,
        file: Vec<u8>,
        conviction: Conviction,
        known: &BTreeSet<PublicKey>,
    ) -> Result<Inserted, LedgerError> {
        let digest = digest_of(&file);
        let (insertion, displaced) = self.index().judge(&digest, &conviction, known);
        let mut forgotten = None;
        if matches!(insertion, Insertion::New | Insertion::NewOfStranger) {
            let mut writes = vec![MemoWrite::put(key_of(&digest), file)];
            writes.extend(displaced.map(|displaced| MemoWrite::delete(key_of(&displaced))));
            self.0.ledger.write_memos(writes).await?;
            let mut index = self.index();
            forgotten = displaced.and_then(|displaced| index.remove(&displaced));
            index.add(digest, conviction);
        }
        Ok(Inserted {
            insertion,
            forgotten,
        })
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        // Nothing can panic while it is held.
        self.0.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Authors of the logs that are held.
fn authors(ledger: &Ledger, network: &Digest) -> Result<BTreeSet<PublicKey>, LedgerError> {
    let mut authors = BTreeSet::new();
    for log in ledger.logs()? {
        let genesis = match ledger.log(&log)? {
            Some(reader) => reader.entry(0)?,
            None => None,
        };
        let begun = genesis.and_then(|genesis| Replay::begin(&genesis, Some(network)).ok());
        authors.extend(begun.map(|replay| replay.author()));
    }
    Ok(authors)
}

/// Of two files with one of these, one is kept.
type FaultKey = (PublicKey, Rule, Option<Digest>);

fn fault_key(conviction: &Conviction) -> FaultKey {
    (conviction.fault.peer, conviction.fault.rule, conviction.log)
}

fn key_of(digest: &Digest) -> Vec<u8> {
    [TABLE, digest.as_bytes()].concat()
}
