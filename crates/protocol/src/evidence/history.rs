//! Two histories of one log, and words that it breaks. Spec: EVIDENCE-5, EVIDENCE-6.

use symphony_proto::evidence::v1 as wire;
use symphony_transparency::{
    Digest, StatementKind, TreeHead, UnverifiedStatement, verify_consistency,
};

use super::{
    EvidenceError,
    checked::{Log, network_of, node_hash, node_hashes, record, require, require_order, statement},
    convict::Found,
};
use crate::{
    cross_check::{Standing, Word, held},
    fault::{Breach, Rule, hex},
    records::{
        Acknowledgement, Assignment, Beacon, Bid, Call, Capability, Entry, Opening, Origin,
        Receipt, Received, RecordError, Reveal, Revocation, StatementRecord,
    },
};

pub(super) fn two_checkpoints(proof: &wire::CheckpointPair) -> Result<Found, EvidenceError> {
    let log = Log::begin(&proof.genesis)?;
    let first = log.checkpoint("first", &proof.first)?;
    let second = log.checkpoint("second", &proof.second)?;
    let entry = first.size.saturating_sub(1);
    let breach = if first.size == second.size {
        if !(proof.root.is_empty() && proof.hashes.is_empty()) {
            return Err(EvidenceError::NoContradiction {
                part: "root",
                reason: "checkpoints of one size need no proof",
            });
        }
        require_order(&first.to_string(), &second.to_string())?;
        Breach::new(
            Rule::Fork,
            format_args!("roots {} and {}", hex(&first.root), first.state_root),
            format_args!("roots {} and {}", hex(&second.root), second.state_root),
        )
    } else {
        require_order(&first.size, &second.size)?;
        let root = node_hash("root", &proof.root)?;
        if root == first.root {
            return Err(EvidenceError::NoFault);
        }
        let old = TreeHead {
            size: first.size,
            root,
        };
        let hashes = node_hashes("hashes", &proof.hashes)?;
        verify_consistency(&old, &second.head(), &hashes).map_err(|source| {
            EvidenceError::Tree {
                part: "hashes",
                source,
            }
        })?;
        Breach::new(Rule::TreeRoot, hex(&root), hex(&first.root))
    };
    Ok(Found::about(&log, breach.at(log.author, entry)))
}

pub(super) fn two_entries(proof: &wire::EntryPair) -> Result<Found, EvidenceError> {
    let log = Log::begin(&proof.genesis)?;
    let first = log.entry("first", proof.first.as_ref())?;
    let second = log.entry("second", proof.second.as_ref())?;
    require("second", "index", &first.index, &second.index)?;
    require_order(&first.bytes, &second.bytes)?;
    let breach = Breach::new(
        Rule::Fork,
        format_args!("entry {}", symphony_transparency::entry_digest(first.bytes)),
        format_args!(
            "entry {}",
            symphony_transparency::entry_digest(second.bytes)
        ),
    );
    Ok(Found::about(&log, breach.at(log.author, first.index)))
}

pub(super) fn broken_word(proof: &wire::BrokenWord) -> Result<Found, EvidenceError> {
    let log = Log::begin(&proof.genesis)?;
    let word = word(&proof.statement, &log.network)?;
    require("statement", "author", &log.author, &word.signer)?;
    require("statement", "log", &log.id, &word.place.log)?;
    let entry = log.entry("entry", proof.entry.as_ref())?;
    require("entry", "index", &word.place.index, &entry.index)?;
    let stands = Entry::parse(entry.bytes, Some(&log.network))
        .ok()
        .and_then(|entry| held(&entry.body));
    if stands == Some((word.standing, word.statement)) {
        return Err(EvidenceError::NoFault);
    }
    let found = stands.map_or_else(
        || "no statement".to_owned(),
        |(standing, statement)| format!("statement {statement} as {standing}"),
    );
    let breach = Breach::new(
        Rule::Omission,
        format_args!("statement {} as {}", word.statement, word.standing),
        found,
    );
    Ok(Found::about(&log, breach.at(log.author, entry.index)))
}

pub(super) fn two_logs(proof: &wire::StatementPair) -> Result<Found, EvidenceError> {
    let network = network_of("first", &proof.first)?;
    let (first, second) = (
        word(&proof.first, &network)?,
        word(&proof.second, &network)?,
    );
    require("second", "author", &first.signer, &second.signer)?;
    // By the logs: then equal ones prove nothing, whatever the statements say.
    require_order(&first.place.log, &second.place.log)?;
    let breach = Breach::new(
        Rule::TwoLogs,
        format_args!("log {} alone", first.place.log),
        format_args!("log {} too", second.place.log),
    );
    Ok(Found {
        fault: breach.at(first.signer, second.place.index),
        network,
        log: Some(second.place.log),
    })
}

/// What a statement says of a place in a log.
fn word(bytes: &[u8], network: &Digest) -> Result<Word, EvidenceError> {
    fn issued<R: StatementRecord>(
        bytes: &[u8],
        network: &Digest,
        origin: impl Fn(&R) -> Origin,
    ) -> Result<Word, EvidenceError> {
        let received: Received<R> = statement("statement", bytes, network)?;
        Ok(Word {
            signer: *received.statement.author(),
            place: origin(&received.record),
            statement: received.digest(),
            standing: Standing::Issued,
        })
    }
    let kind = UnverifiedStatement::parse(bytes)
        .map_err(|source| {
            record("statement")(RecordError::Statement {
                record: "statement",
                field: "statement",
                source,
            })
        })?
        .kind();
    match kind {
        StatementKind::Capability => issued::<Capability>(bytes, network, |record| record.origin),
        StatementKind::Revocation => issued::<Revocation>(bytes, network, |record| record.origin),
        StatementKind::Beacon => issued::<Beacon>(bytes, network, |record| record.origin),
        StatementKind::Bid => issued::<Bid>(bytes, network, |record| record.origin),
        StatementKind::Assignment => issued::<Assignment>(bytes, network, |record| record.origin),
        StatementKind::Receipt => issued::<Receipt>(bytes, network, |record| record.origin),
        StatementKind::Reveal => issued::<Reveal>(bytes, network, |record| record.origin),
        StatementKind::Call => issued::<Call>(bytes, network, |record| record.origin),
        StatementKind::Opening => issued::<Opening>(bytes, network, |record| record.origin),
        StatementKind::Acknowledgement => {
            let received: Received<Acknowledgement> = statement("statement", bytes, network)?;
            Ok(Word {
                signer: *received.statement.author(),
                place: received.record.origin,
                statement: received.record.statement,
                standing: Standing::Received,
            })
        }
        other => Err(EvidenceError::mismatch(
            "statement",
            "a statement that names an entry",
            other.name(),
        )),
    }
}
