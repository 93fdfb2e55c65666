//! Signed statements that cannot all be right. Spec: EVIDENCE-4.

use symphony_proto::evidence::v1 as wire;
use symphony_transparency::{Digest, PublicKey, StatementKind, payload_digest};

use super::{
    EvidenceError,
    checked::{network_of, record, require, require_order, statement},
    convict::Found,
};
use crate::{
    fault::{Breach, Rule},
    matching::{Profile, match_ppm},
    records::{
        Beacon, Bid, Capability, Origin, Params, Receipt, Received, ResultClass, Reveal,
        StatementRecord,
    },
    state::check_match,
};

/// Two statements of one kind, by one peer, in one log, that say different things.
struct Pair<R> {
    first: Received<R>,
    second: Received<R>,
    peer: PublicKey,
    network: Digest,
}

fn pair<R: StatementRecord>(
    pair: &wire::StatementPair,
    origin: impl Fn(&R) -> Origin,
) -> Result<Pair<R>, EvidenceError> {
    let network = network_of("first", &pair.first)?;
    let first: Received<R> = statement("first", &pair.first, &network)?;
    let second: Received<R> = statement("second", &pair.second, &network)?;
    let peer = *first.statement.author();
    require("second", "author", &peer, second.statement.author())?;
    // One key has one log (STORE-24): what is in a second one convicts nobody of the first.
    let log = origin(&first.record).log;
    require("second", "log", &log, &origin(&second.record).log)?;
    require_order(&first.digest(), &second.digest())?;
    Ok(Pair {
        first,
        second,
        peer,
        network,
    })
}

impl<R: StatementRecord> Pair<R> {
    fn convict(&self, rule: Rule, what: &str, places: [Origin; 2]) -> Found {
        let entry = places[0].index.max(places[1].index);
        let breach = Breach::new(
            rule,
            format_args!("{what} {} alone", self.first.digest()),
            format_args!("{what} {} too", self.second.digest()),
        );
        Found {
            fault: breach.at(self.peer, entry),
            network: self.network,
            log: Some(places[0].log),
        }
    }
}

pub(super) fn two_capabilities(proof: &wire::StatementPair) -> Result<Found, EvidenceError> {
    let pair = pair::<Capability>(proof, |record| record.origin)?;
    let [first, second] = [&pair.first.record, &pair.second.record];
    require("second", "number", &first.sequence, &second.sequence)?;
    let places = [first.origin, second.origin];
    Ok(pair.convict(Rule::CapabilitySequence, "capability", places))
}

pub(super) fn two_bids(proof: &wire::StatementPair) -> Result<Found, EvidenceError> {
    let pair = pair::<Bid>(proof, |record| record.origin)?;
    let [first, second] = [&pair.first.record, &pair.second.record];
    require("second", "beacon", &first.beacon, &second.beacon)?;
    require(
        "second",
        "coordinator",
        &first.coordinator,
        &second.coordinator,
    )?;
    let places = [first.origin, second.origin];
    Ok(pair.convict(Rule::BidTwice, "bid", places))
}

pub(super) fn two_receipts(proof: &wire::StatementPair) -> Result<Found, EvidenceError> {
    let pair = pair::<Receipt>(proof, |record| record.origin)?;
    let [first, second] = [&pair.first.record, &pair.second.record];
    require(
        "second",
        "assignment",
        &first.assignment,
        &second.assignment,
    )?;
    let places = [first.origin, second.origin];
    Ok(pair.convict(Rule::ReceiptTwice, "receipt", places))
}

pub(super) fn bid_match(proof: &wire::BidMatch) -> Result<Found, EvidenceError> {
    let network = network_of("bid", &proof.bid)?;
    let bid: Received<Bid> = statement("bid", &proof.bid, &network)?;
    named(
        "capability",
        StatementKind::Capability,
        &proof.capability,
        &bid.record.capability,
    )?;
    named(
        "beacon",
        StatementKind::Beacon,
        &proof.beacon,
        &bid.record.beacon,
    )?;
    let capability = Capability::parse(&proof.capability).map_err(record("capability"))?;
    let beacon = Beacon::parse(&proof.beacon).map_err(record("beacon"))?;
    let right = match_ppm(
        &Profile {
            tags: &capability.tags,
            embedding: &capability.embedding,
        },
        &Profile {
            tags: &beacon.tags,
            embedding: &beacon.embedding,
        },
    );
    // What the threshold is, only the parameters say; without them only a wrong number convicts.
    let threshold_ppm = if proof.params.is_empty() {
        0
    } else {
        let params = Params::from_bytes(&proof.params).map_err(record("params"))?;
        require("params", "network", &network, &params.network_id())?;
        params.match_threshold_ppm()
    };
    match check_match(right, bid.record.match_ppm, threshold_ppm) {
        Ok(()) => Err(EvidenceError::NoFault),
        Err(breach) => Ok(Found {
            fault: breach.at(*bid.statement.author(), bid.record.origin.index),
            network,
            log: Some(bid.record.origin.log),
        }),
    }
}

/// Refuses a payload whose digest is not the one that was named.
fn named(
    part: &'static str,
    kind: StatementKind,
    payload: &[u8],
    expected: &Digest,
) -> Result<(), EvidenceError> {
    require(part, "digest", expected, &payload_digest(kind, payload))
}

pub(super) fn closed_ballot(proof: &wire::ClosedBallot) -> Result<Found, EvidenceError> {
    let network = network_of("receipt", &proof.receipt)?;
    let receipt: Received<Receipt> = statement("receipt", &proof.receipt, &network)?;
    let reveal: Received<Reveal> = statement("reveal", &proof.reveal, &network)?;
    let peer = *receipt.statement.author();
    require("reveal", "author", &peer, reveal.statement.author())?;
    let (receipt, reveal) = (&receipt.record, &reveal.record);
    require("reveal", "log", &receipt.origin.log, &reveal.origin.log)?;
    require(
        "reveal",
        "assignment",
        &receipt.assignment,
        &reveal.assignment,
    )?;
    if receipt.class != ResultClass::Answered {
        return Err(EvidenceError::NoContradiction {
            part: "receipt",
            reason: "it commits to no answer",
        });
    }
    let opened = reveal.commitment(&peer);
    if opened == receipt.ballot {
        return Err(EvidenceError::NoFault);
    }
    let breach = Breach::new(
        Rule::Reveal,
        format_args!("an opening of {}", receipt.ballot),
        format_args!("one of {opened}"),
    );
    Ok(Found {
        fault: breach.at(peer, reveal.origin.index),
        network,
        log: Some(reveal.origin.log),
    })
}
