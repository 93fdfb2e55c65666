//! Entries that break a rule by themselves, or beside their neighbour. Spec: EVIDENCE-7.

use symphony_proto::evidence::v1 as wire;
use symphony_transparency::{ChainEnd, entry_digest, leaf_hash};

use super::{
    EvidenceError,
    checked::{Covered, Log, record, require},
    convict::Found,
};
use crate::{
    fault::{Breach, Rule, hex},
    records::Entry,
    replay::{chain_breach, link, malformed},
};

pub(super) fn lone_entry(proof: &wire::LoneEntry) -> Result<Found, EvidenceError> {
    let log = Log::begin(&proof.genesis)?;
    let entry = log.entry("entry", proof.entry.as_ref())?;
    let breach = alone(&log, entry, &proof.genesis)?;
    Ok(Found::about(&log, breach.at(log.author, entry.index)))
}

/// What is wrong with an entry, whatever stands before it.
fn alone(log: &Log, covered: Covered<'_>, genesis: &[u8]) -> Result<Breach, EvidenceError> {
    if covered.index == 0 {
        if covered.bytes == genesis {
            return Err(EvidenceError::NoFault);
        }
        return Ok(Breach::new(
            Rule::TreeRoot,
            format_args!("leaf {}", hex(&leaf_hash(genesis))),
            format_args!("leaf {}", hex(&leaf_hash(covered.bytes))),
        ));
    }
    let entry = match Entry::parse(covered.bytes, Some(&log.network)) {
        Ok(entry) => entry,
        Err(error) => return Ok(malformed(&error)),
    };
    if entry.index != covered.index {
        return Ok(Breach::new(
            Rule::Chain,
            format_args!("index {}", covered.index),
            format_args!("index {}", entry.index),
        ));
    }
    match log.begun.state().check_alone(&entry) {
        Ok(()) => Err(EvidenceError::NoFault),
        Err(breach) => Ok(breach),
    }
}

pub(super) fn broken_link(proof: &wire::BrokenLink) -> Result<Found, EvidenceError> {
    let log = Log::begin(&proof.genesis)?;
    let before = log.entry("entry", proof.entry.as_ref())?;
    let next = log.entry("next", proof.next.as_ref())?;
    require(
        "next",
        "index",
        &before.index.saturating_add(1),
        &next.index,
    )?;
    let parsed = |part, covered: Covered<'_>| {
        Entry::parse(covered.bytes, (covered.index > 0).then_some(&log.network))
            .map_err(record(part))
    };
    let (entry, following) = (parsed("entry", before)?, parsed("next", next)?);
    let end = ChainEnd {
        size: next.index,
        last: entry_digest(before.bytes),
        time_ms: entry.time_ms,
    };
    match end.follow(&link(&following), next.bytes) {
        Ok(_) => Err(EvidenceError::NoFault),
        Err(error) => {
            let breach = chain_breach(&error);
            Ok(Found::about(&log, breach.at(log.author, next.index)))
        }
    }
}
