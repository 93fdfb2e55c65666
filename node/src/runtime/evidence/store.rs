//! The evidence that a node keeps: files that it verified, one for each peer, rule and log, in the ledger's memos.
//!
//! Bounded in count and bytes, and in how much of it speaks of one peer: a liar can break as many rules as it likes, and one
//! file convicts it. Spec: NET-29, NET-37.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use symphony_ledger::{Ledger, LedgerError, Memo, MemoWrite};
use symphony_network::limits::EVIDENCE_LIST_MAX;
use symphony_protocol::{Rule, evidence::Conviction};
use symphony_transparency::{Digest, PublicKey};

use crate::evidence::{digest_of, judge};

/// Table of the memos: then the digest of the file.
const TABLE: &[u8] = b"evidence\0";
/// Files about one peer.
const FILES_PER_PEER_MAX: usize = 4;
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
    files: BTreeMap<Digest, Conviction>,
    faults: BTreeSet<FaultKey>,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Insertion {
    /// It is kept.
    New,
    /// This file, or another one of the same fault, is kept already.
    Known,
    /// There is no room for it: about this peer, or at all.
    NoRoom,
}

impl Index {
    fn judge(&self, digest: &Digest, conviction: &Conviction) -> Insertion {
        if self.files.contains_key(digest) || self.faults.contains(&fault_key(conviction)) {
            return Insertion::Known;
        }
        let about_peer = self
            .faults
            .iter()
            .filter(|(peer, ..)| *peer == conviction.fault.peer)
            .count();
        if about_peer >= FILES_PER_PEER_MAX || self.files.len() >= EVIDENCE_LIST_MAX {
            return Insertion::NoRoom;
        }
        Insertion::New
    }

    fn add(&mut self, digest: Digest, conviction: Conviction) {
        self.faults.insert(fault_key(&conviction));
        self.files.insert(digest, conviction);
    }
}

impl EvidenceStore {
    /// Reads what earlier runs kept, and verifies it again: a file that no longer convinces is dropped.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub(crate) async fn open(ledger: Ledger, network: &Digest) -> Result<Self, LedgerError> {
        let mut index = Index::default();
        let (mut dropped, mut after) = (Vec::new(), None);
        loop {
            let page = ledger.memos(TABLE, after.as_deref(), PAGE)?;
            let Some(last) = page.last() else { break };
            after = Some(last.key.clone());
            for Memo { key, value: file } in page {
                let digest = digest_of(&file);
                match judge(&file, Some(network)) {
                    Ok(conviction) if index.judge(&digest, &conviction) == Insertion::New => {
                        index.add(digest, conviction);
                    }
                    _ => dropped.push(MemoWrite::delete(key)),
                }
            }
        }
        if !dropped.is_empty() {
            tracing::warn!(
                files = dropped.len(),
                "evidence that proves nothing is dropped"
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
            .map(|(digest, conviction)| (*digest, conviction.clone()))
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

    /// Keeps a file that was verified. Only the auditor calls it, one file after another.
    ///
    /// # Errors
    /// [`LedgerError`]; it is not kept then.
    pub(crate) async fn insert(
        &self,
        file: Vec<u8>,
        conviction: Conviction,
    ) -> Result<Insertion, LedgerError> {
        let digest = digest_of(&file);
        let insertion = self.index().judge(&digest, &conviction);
        if insertion == Insertion::New {
            let write = MemoWrite::put(key_of(&digest), file);
            self.0.ledger.write_memos(vec![write]).await?;
            self.index().add(digest, conviction);
        }
        Ok(insertion)
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        // Nothing can panic while it is held.
        self.0.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Of two files with one of these, one is kept.
type FaultKey = (PublicKey, Rule, Option<Digest>);

fn fault_key(conviction: &Conviction) -> FaultKey {
    (conviction.fault.peer, conviction.fault.rule, conviction.log)
}

fn key_of(digest: &Digest) -> Vec<u8> {
    [TABLE, digest.as_bytes()].concat()
}
