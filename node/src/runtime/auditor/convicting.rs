//! Convicting: evidence files made of faults found here, and those that others made. Spec: NET-36, NET-37.

use std::collections::BTreeSet;

use symphony_ledger::LedgerError;
use symphony_network::{Acceptance, IgnoreReason, Topic};
use symphony_protocol::{
    Fault,
    evidence::{Conviction, Evidence, EvidenceError, ForkPoint},
};
use symphony_transparency::{CheckpointError, Digest, NodeHash, PublicKey, SignedCheckpoint};
use tokio::sync::oneshot;

use super::{
    Auditor,
    proving::{Acquaintance, Signature, Source},
};
use crate::{
    evidence::judge,
    runtime::evidence::{Inserted, Insertion},
};

/// Why there is no evidence of a fork or a broken word.
#[derive(Debug, thiserror::Error)]
pub(super) enum MakeError {
    /// The ledger cannot be read.
    #[error("ledger: {0}")]
    Ledger(#[from] LedgerError),
    /// The log is not held here.
    #[error("the log is not held here")]
    NotHeld,
    /// A checkpoint cannot be read.
    #[error("checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// It convicts nobody.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
}

/// That the fault's entry stands in a tree that its author signed.
pub(super) struct Shown {
    pub(super) note: String,
    pub(super) hashes: Vec<NodeHash>,
}

impl Auditor {
    /// Acts again on what earlier runs kept.
    pub(super) async fn recall_evidence(&mut self) {
        for (_, conviction) in self.parts.evidence.all() {
            self.expose_conviction(&conviction).await;
            // No log is followed again yet: any of these peers may have been met before.
            if conviction.fault.peer != self.parts.own_key {
                self.shun(&conviction.fault.peer).await;
            }
        }
    }

    /// Keeps a file that was verified, and acts on what it proves. The answer says whether it is passed on.
    pub(super) async fn evidence(
        &mut self,
        file: Vec<u8>,
        conviction: Conviction,
        answer: Option<oneshot::Sender<Acceptance>>,
    ) {
        let acceptance = match self.keep(file, &conviction).await {
            Ok(Insertion::New) => Acceptance::Accept,
            Ok(Insertion::NewOfStranger) => Acceptance::Ignore(IgnoreReason::Unknown),
            Ok(Insertion::Known) => Acceptance::Ignore(IgnoreReason::Known),
            Ok(Insertion::NoRoom) => Acceptance::Ignore(IgnoreReason::OverQuota),
            Err(_) => Acceptance::Ignore(IgnoreReason::NotJudged),
        };
        if let Some(answer) = answer {
            // Whoever asked may have been told already that nobody judged in time.
            let _ = answer.send(acceptance);
        }
        self.expose_conviction(&conviction).await;
    }

    /// Keeps a file if there is room. Whoever is convicted by nothing else than a file that made room is forgotten: whoever
    /// meets it is told again.
    async fn keep(
        &mut self,
        file: Vec<u8>,
        conviction: &Conviction,
    ) -> Result<Insertion, LedgerError> {
        let known = self.known_authors();
        let kept = self
            .parts
            .evidence
            .insert(file, conviction.clone(), &known)
            .await;
        let Inserted {
            insertion,
            forgotten,
        } = kept.inspect_err(|error| tracing::warn!(%error, "an evidence file is not kept"))?;
        self.changed |= insertion == Insertion::New;
        if let Some(forgotten) = forgotten {
            self.exposed.remove(&forgotten);
        }
        Ok(insertion)
    }

    /// Authors of the logs that are held here, this peer's own among them.
    pub(super) fn known_authors(&self) -> BTreeSet<PublicKey> {
        let followed = self.logs.values().map(|followed| followed.replay.author());
        followed.chain([self.parts.own_key]).collect()
    }

    /// Keeps a file that was made here, and tells the others.
    pub(super) async fn publish_evidence(&mut self, file: Vec<u8>, conviction: &Conviction) {
        let kept = self.keep(file.clone(), conviction).await;
        self.expose_conviction(conviction).await;
        if !matches!(kept, Ok(Insertion::New | Insertion::NewOfStranger)) {
            return;
        }
        // Whoever is not reached asks for it when a session begins.
        if let Err(error) = self.parts.network.publish(Topic::Evidence, file).await {
            tracing::debug!(%error, "evidence not gossiped");
        }
    }

    async fn expose_conviction(&mut self, conviction: &Conviction) {
        if conviction.fault.peer == self.parts.own_key {
            tracing::error!(
                rule = conviction.fault.rule.id(),
                "others hold evidence against this node"
            );
            return;
        }
        let peer = conviction.fault.peer;
        self.expose(conviction.fault.clone(), conviction.log).await;
        // What is proven to anyone is shown rather than what only this node saw.
        if let Some(exposure) = self.exposed.get_mut(&peer)
            && !exposure.proven
        {
            exposure.fault = conviction.fault.clone();
            exposure.found_in = conviction.log;
            exposure.proven = true;
            self.changed = true;
        }
    }

    /// A fault of a log's author: it is exposed, and a file is made of it away from the event loop.
    pub(super) async fn convict(&mut self, fault: Fault, log: Digest) {
        let source = self.source_of(&fault, log, None);
        self.convict_from(source, fault, log).await;
    }

    /// A fault of a log's author of which it is shown that the author signed for it.
    pub(super) async fn convict_shown(&mut self, fault: Fault, log: Digest, shown: Shown) {
        let source = self.source_of(&fault, log, Some(shown));
        self.convict_from(source, fault, log).await;
    }

    async fn convict_from(&mut self, source: Option<Source>, fault: Fault, log: Digest) {
        if let Some(source) = source {
            self.prove(source, fault.clone());
        }
        self.expose(fault, Some(log)).await;
    }

    /// A fault of a peer whose statements a log holds. Spec: REPLAY-9.
    pub(super) async fn convict_found(&mut self, finding: Fault, log: Digest) {
        let of = if self.known_authors().contains(&finding.peer) {
            Acquaintance::Known
        } else {
            Acquaintance::Stranger
        };
        self.expose(finding.clone(), Some(log)).await;
        self.prove_finding(finding, log, of);
    }

    /// Two signed checkpoints that cannot both be of one log.
    pub(super) async fn convict_of_fork(&mut self, fault: Fault, log: Digest, notes: (&str, &str)) {
        if let Some(followed) = self.logs.get_mut(&log) {
            followed.convicted = true;
            followed.conflicting = None;
        }
        match self.fork(log, notes) {
            Ok(evidence) => {
                self.made(evidence.bytes().to_vec()).await;
                self.expose(fault, Some(log)).await;
            }
            // Both are signed by the author, so this says that the copy here cannot be read.
            Err(error) => {
                tracing::warn!(log = log.fmt_short(), %error, "no evidence of a fork could be made");
            }
        }
    }

    /// The smaller checkpoint, the larger one, and, from the entries held here, why the larger does not continue the smaller.
    fn fork(&self, log: Digest, (small, large): (&str, &str)) -> Result<Evidence, MakeError> {
        let reader = self.parts.ledger.log(&log)?.ok_or(MakeError::NotHeld)?;
        let genesis = reader.entry(0)?.ok_or(MakeError::NotHeld)?;
        let sizes = (
            SignedCheckpoint::parse_unverified(small)?.size,
            SignedCheckpoint::parse_unverified(large)?.size,
        );
        if sizes.0 == sizes.1 {
            return Ok(Evidence::two_checkpoints(&genesis, small, large, None)?);
        }
        let point = ForkPoint {
            root: reader.root_at(sizes.0)?,
            hashes: &reader.consistency_proof(sizes.0, sizes.1)?,
        };
        Ok(Evidence::two_checkpoints(
            &genesis,
            small,
            large,
            Some(point),
        )?)
    }

    /// Everything from which a fault can be proved: the stored entries, those behind the fault, the author's signature.
    fn source_of(&mut self, fault: &Fault, log: Digest, shown: Option<Shown>) -> Option<Source> {
        let ledger = self.parts.ledger.clone();
        let (mut have, mut tail) = (ledger.log(&log).ok()??.size().ok()?, Vec::new());
        let stored = have;
        if let Some(followed) = self.logs.get_mut(&log) {
            followed.convicted = true;
            have = followed.have();
            tail = followed
                .tail
                .take()
                .map_or_else(Vec::new, |tail| tail.entries);
        }
        let (checkpoint, hashes) = match shown {
            Some(Shown { note, hashes }) => (note, Some(hashes)),
            None => (ledger.checkpoint_up_to(&log, have).ok()??.text, None),
        };
        // A window begins at the nearest place whose state the author signed.
        let earlier = ledger.checkpoint_up_to(&log, fault.entry).ok().flatten();
        Some(Source {
            ledger,
            log,
            stored,
            tail,
            signature: Some(Signature {
                checkpoint,
                hashes,
                earlier: earlier.map(|stored| stored.text),
            }),
        })
    }

    /// A file that was made here: verified like any other, kept, and published.
    pub(super) async fn made(&mut self, file: Vec<u8>) {
        match judge(&file, Some(&self.parts.network_id)) {
            Ok(conviction) => self.publish_evidence(file, &conviction).await,
            Err(error) => tracing::error!(%error, "evidence made here proves nothing"),
        }
    }

    /// Gossip of an exposed peer is no longer read.
    pub(super) fn punish(&self, peer: &PublicKey) {
        if let Some(peer) = self.parts.directory.get(peer) {
            let network = self.parts.network.clone();
            tokio::spawn(async move {
                let _ = network.punish(peer).await;
            });
        }
    }
}
