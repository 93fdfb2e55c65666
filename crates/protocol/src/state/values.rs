//! Values of the map, read back. They come from whoever made evidence, so every count is bounded far below where arithmetic
//! would end. Spec: REPLAY-2, EVIDENCE-11.

use std::collections::BTreeSet;

use symphony_proto::state::v1 as wire;
use symphony_transparency::{Digest, PublicKey, StatementKind, payload_digest};

use super::{
    BucketMeasures, Change, Counters, Duty, KnownCapability, Learner, OpenStep, OpenTask,
    PeerLearned, PeerMeasures, PendingSelection, Plan, PlanProgress, Progress, Standing, StepBid,
    imports::{Claim, Claims, ODDS_MAX, Source, Sources},
    own::{OwnAssignment, OwnBid, OwnReceipt},
    step::Name,
};
use crate::{
    number::COUNT_MAX,
    policy::{Model, Parts},
    records::{Beacon, Capability, CheckerVerdict, Policy, Ranked, Reader, RecordError, STEPS_MAX},
};

/// Largest value of the state, in bytes: a step with as many bids and selections as there can be is below it.
const VALUE_SIZE_MAX: usize = 128 * 1024;
/// [`COUNT_MAX`] as a number.
const MAGNITUDE_MAX: f64 = 9_007_199_254_740_992.0;

pub(super) fn listed(
    reader: Reader,
    field: &'static str,
    indices: &[u64],
) -> Result<BTreeSet<u64>, RecordError> {
    reader.strictly_sorted(field, indices, VALUE_SIZE_MAX)?;
    Ok(indices.iter().copied().collect())
}

pub(super) fn count(reader: Reader, field: &'static str, value: u64) -> Result<u64, RecordError> {
    reader.within(field, value, 0..=COUNT_MAX, "at most 2^53")
}

fn number(reader: Reader, field: &'static str, bytes: &[u8]) -> Result<f64, RecordError> {
    reader.within(
        field,
        reader.number(field, bytes)?,
        -MAGNITUDE_MAX..=MAGNITUDE_MAX,
        "a magnitude of at most 2^53",
    )
}

/// So many numbers of 8 bytes each.
fn numbers<const N: usize>(
    reader: Reader,
    field: &'static str,
    bytes: &[u8],
) -> Result<[f64; N], RecordError> {
    if bytes.len() != N * 8 {
        return reader.refuse(
            field,
            "8 bytes for each number",
            format!("{} bytes", bytes.len()),
        );
    }
    let mut numbers = [0.0; N];
    for (place, bytes) in numbers.iter_mut().zip(bytes.chunks_exact(8)) {
        *place = number(reader, field, bytes)?;
    }
    Ok(numbers)
}

/// The payload of a statement whose digest a value names.
fn checked<'a>(
    reader: Reader,
    kind: StatementKind,
    statement: &Digest,
    payload: Option<&'a [u8]>,
) -> Result<&'a [u8], RecordError> {
    let payload = reader.require("payload", payload)?;
    let actual = payload_digest(kind, payload);
    if actual == *statement {
        Ok(payload)
    } else {
        reader.refuse("payload", "the payload of the statement's digest", actual)
    }
}

pub(super) fn duty(reader: Reader, clock: &wire::Clock) -> Result<Option<Duty>, RecordError> {
    let (index, slot) = (clock.duty_index, clock.duty_slot);
    Ok(match clock.duty {
        0 => None,
        1 => Some(Duty::Close(index)),
        2 => Some(Duty::Assign(index, slot)),
        3 => Some(Duty::Replace(index, slot)),
        4 => Some(Duty::Settle(index)),
        5 => Some(Duty::Void(index)),
        6 => Some(Duty::Decide(index)),
        7 => Some(Duty::Call(index)),
        8 => Some(Duty::Draw(index)),
        other => return reader.refuse("duty", "0 to 8", other),
    })
}

pub(super) fn counters(value: &[u8]) -> Result<Counters, RecordError> {
    let reader = Reader("Counters");
    let value: wire::Counters = reader.decode(value, VALUE_SIZE_MAX)?;
    let count = |field, value| count(reader, field, value);
    Ok(Counters {
        closes: count("closes", value.closes)?,
        selections: count("selections", value.selections)?,
        settlements: count("settlements", value.settlements)?,
        void_settlements: count("void_settlements", value.void_settlements)?,
        timeouts: count("timeouts", value.timeouts)?,
        self_selections: count("self_selections", value.self_selections)?,
        tasks: count("tasks", value.tasks)?,
        tasks_decided: count("tasks_decided", value.tasks_decided)?,
        draws: count("draws", value.draws)?,
        openings_missed: count("openings_missed", value.openings_missed)?,
        sources: count("sources", value.sources)?,
    })
}

pub(super) fn learner(value: &[u8]) -> Result<Learner, RecordError> {
    let reader = Reader("PolicyState");
    let value: wire::PolicyState = reader.decode(value, VALUE_SIZE_MAX)?;
    let policy = Policy::from_wire(&reader.require("policy", value.policy)?)?;
    let policy_bytes = policy.encode();
    let shared = value.shared.as_ref().map(linear).transpose()?;
    let model = Model::from_parts(
        &policy.parameters,
        count(reader, "choices", value.choices)?,
        count(reader, "settled", value.settled)?,
        shared.as_ref(),
    )
    .or_else(|error| reader.refuse("shared", "a state of the learning rule", error))?;
    Ok(Learner {
        digest: policy.digest(),
        policy_bytes: policy_bytes.into(),
        policy,
        since: count(reader, "since", value.since)?,
        model,
    })
}

pub(super) fn peer_learned(value: &[u8]) -> Result<PeerLearned, RecordError> {
    let reader = Reader("PolicyPeerState");
    let value: wire::PolicyPeerState = reader.decode(value, VALUE_SIZE_MAX)?;
    Ok(PeerLearned {
        since: count(reader, "since", value.since)?,
        parts: linear(&reader.require("own", value.own)?)?,
    })
}

/// The numbers of a linear model; whether they fit the policy is asked where that is known.
fn linear(value: &wire::LinearState) -> Result<Parts, RecordError> {
    let reader = Reader("LinearState");
    Ok(Parts {
        observations: count(reader, "observations", value.observations)?,
        until: count(reader, "until", value.until)?,
        weight: (!value.weight.is_empty())
            .then(|| number(reader, "weight", &value.weight))
            .transpose()?,
        matrix: listed_numbers(reader, "matrix", &value.matrix)?,
        settled: listed_numbers(reader, "settled", &value.settled)?,
        squared: listed_numbers(reader, "squared", &value.squared)?,
        cross: listed_numbers(reader, "cross", &value.cross)?,
        b: listed_numbers(reader, "b", &value.b)?,
    })
}

/// Numbers of 8 bytes each, as many as there are.
fn listed_numbers(
    reader: Reader,
    field: &'static str,
    bytes: &[u8],
) -> Result<Vec<f64>, RecordError> {
    if !bytes.len().is_multiple_of(8) {
        return reader.refuse(
            field,
            "8 bytes for each number",
            format!("{} bytes", bytes.len()),
        );
    }
    bytes
        .chunks_exact(8)
        .map(|bytes| number(reader, field, bytes))
        .collect()
}

pub(super) fn peer_measures(value: &[u8]) -> Result<PeerMeasures, RecordError> {
    let reader = Reader("PeerMeasures");
    let value: wire::PeerMeasures = reader.decode(value, VALUE_SIZE_MAX)?;
    Ok(PeerMeasures {
        latency_ms: number(reader, "latency_ms", &value.latency_ms)?,
        failure: number(reader, "failure", &value.failure)?,
        selections: count(reader, "selections", value.selections)?,
        settlements: count(reader, "settlements", value.settlements)?,
        timeouts: count(reader, "timeouts", value.timeouts)?,
    })
}

pub(super) fn bucket_measures(value: &[u8]) -> Result<BucketMeasures, RecordError> {
    let reader = Reader("BucketMeasures");
    let value: wire::BucketMeasures = reader.decode(value, VALUE_SIZE_MAX)?;
    Ok(BucketMeasures {
        settlements: count(reader, "settlements", value.settlements)?,
        wins: count(reader, "wins", value.wins)?,
        reputation: number(reader, "reputation", &value.reputation)?,
        reliability: number(reader, "reliability", &value.reliability)?,
        settled_at_close: count(reader, "settled_at_close", value.settled_at_close)?,
        change: value.change.as_ref().map(change).transpose()?,
    })
}

/// Sources twice, or out of order, are told by writing the value again.
pub(super) fn sources(value: &[u8]) -> Result<Sources, RecordError> {
    let value: wire::ImportsState = Reader("ImportsState").decode(value, VALUE_SIZE_MAX)?;
    let reader = Reader("SourceState");
    if value.sources.is_empty() {
        return reader.refuse("sources", "one source or more", 0);
    }
    let source = |source: &wire::SourceState| {
        let odds = number(reader, "odds", &source.odds)?;
        Ok((
            reader.key("peer", &source.peer)?,
            Source {
                size: count(reader, "size", source.size)?,
                odds: reader.within("odds", odds, 0.0..=ODDS_MAX, "0 to 16")?,
            },
        ))
    };
    value.sources.iter().map(source).collect()
}

/// The same of claims.
pub(super) fn claims(value: &[u8]) -> Result<Claims, RecordError> {
    let value: wire::ImportedState = Reader("ImportedState").decode(value, VALUE_SIZE_MAX)?;
    let reader = Reader("ClaimState");
    if value.claims.is_empty() {
        return reader.refuse("claims", "one claim or more", 0);
    }
    let claim = |claim: &wire::ClaimState| {
        let (settlements, reputation) = (
            count(reader, "settlements", claim.settlements)?,
            number(reader, "reputation", &claim.reputation)?,
        );
        Ok((
            reader.key("source", &claim.source)?,
            Claim {
                size: count(reader, "size", claim.size)?,
                settlements: reader.within(
                    "settlements",
                    settlements,
                    1..=COUNT_MAX,
                    "1 or more",
                )?,
                wins: reader.within(
                    "wins",
                    claim.wins,
                    0..=settlements,
                    "at most the settlements",
                )?,
                reputation: reader.within("reputation", reputation, 0.0..=1.0, "0 to 1")?,
            },
        ))
    };
    value.claims.iter().map(claim).collect()
}

fn change(value: &wire::ChangeState) -> Result<Change, RecordError> {
    let reader = Reader("ChangeState");
    Ok(Change {
        rewards: count(reader, "rewards", value.rewards)?,
        mean: number(reader, "mean", &value.mean)?,
        rise: number(reader, "rise", &value.rise)?,
        fall: number(reader, "fall", &value.fall)?,
    })
}

pub(super) fn capability(
    value: &[u8],
    payload: Option<&[u8]>,
) -> Result<KnownCapability, RecordError> {
    let reader = Reader("CapabilityState");
    let value: wire::CapabilityState = reader.decode(value, VALUE_SIZE_MAX)?;
    let statement = reader.digest("statement", &value.statement)?;
    let payload = checked(reader, StatementKind::Capability, &statement, payload)?;
    let capability = Capability::parse(payload)?;
    if capability.sequence != value.sequence {
        return reader.refuse("sequence", "that of the statement", value.sequence);
    }
    Ok(KnownCapability {
        entry: value.entry,
        statement,
        capability,
        size: payload.len() as u64,
        revoked: value.revoked,
    })
}

pub(super) fn task(value: &[u8]) -> Result<OpenTask, RecordError> {
    let reader = Reader("TaskState");
    let value: wire::TaskState = reader.decode(value, VALUE_SIZE_MAX)?;
    let plans = value
        .plans
        .iter()
        .map(|plan| {
            let steps = reader.within("steps", plan.steps, 1..=STEPS_MAX, "1 to 8")?;
            let answer = reader.optional_digest("answer", &plan.answer)?;
            Ok(Plan {
                steps,
                steps_done: reader.within("steps_done", plan.steps_done, 0..=steps, "its steps")?,
                progress: match (plan.open, plan.finished) {
                    (false, false) => PlanProgress::Ready,
                    (true, false) => PlanProgress::Open,
                    (_, true) => PlanProgress::Finished(answer),
                },
                weight_sum: number(reader, "score_sum", &plan.score_sum)?,
            })
        })
        .collect::<Result<_, RecordError>>()?;
    Ok(OpenTask {
        key_commitment: reader.digest("key_commitment", &value.key_commitment)?,
        plans,
    })
}

pub(super) fn step(value: &[u8], payload: Option<&[u8]>) -> Result<OpenStep, RecordError> {
    let reader = Reader("BeaconState");
    let value: wire::BeaconState = reader.decode(value, VALUE_SIZE_MAX)?;
    let statement = reader.digest("statement", &value.statement)?;
    let payload = checked(reader, StatementKind::Beacon, &statement, payload)?;
    let beacon = Beacon::parse(payload)?;
    let bids = value
        .candidates
        .iter()
        .map(bid)
        .collect::<Result<_, RecordError>>()?;
    let ranking = value
        .ranking
        .iter()
        .map(|ranked| {
            Ok(Ranked {
                bid: ranked.bid,
                score: number(reader, "score", &ranked.score)?,
            })
        })
        .collect::<Result<_, RecordError>>()?;
    let selections = value
        .selections
        .iter()
        .map(selection)
        .collect::<Result<_, RecordError>>()?;
    let policy = Policy::from_wire(&reader.require("policy", value.policy)?)?;
    Ok(OpenStep {
        statement,
        bucket: beacon.bucket(),
        beacon,
        size: payload.len() as u64,
        bids,
        closed: value.closed,
        ranking,
        selections,
        reveal_due_ms: (value.reveal_due_ms > 0).then_some(value.reveal_due_ms),
        policy_bytes: policy.encode().into(),
        policy,
        since: count(reader, "since", value.since)?,
        openings_due_ms: (value.openings_due_ms > 0).then_some(value.openings_due_ms),
        seed: reader.optional_digest("seed", &value.seed)?,
    })
}

fn bid(value: &wire::CandidateState) -> Result<StepBid, RecordError> {
    let reader = Reader("CandidateState");
    Ok(StepBid {
        entry: value.bid,
        peer: reader.key("peer", &value.peer)?,
        statement: reader.digest("statement", &value.statement)?,
        similarity: number(reader, "similarity", &value.similarity)?,
        load_ppm: reader.ppm("load_ppm", value.load_ppm)?,
        price_share_ppm: reader.ppm("price_share_ppm", value.price_share_ppm)?,
        eligible: value.eligible,
        nonce_commitment: reader.optional_digest("nonce_commitment", &value.nonce_commitment)?,
        nonce: match value.nonce.as_slice() {
            [] => None,
            nonce => Some(reader.bytes("nonce", nonce)?),
        },
        standing: Standing {
            prior: number(reader, "prior", &value.prior)?,
            latency: number(reader, "latency", &value.latency)?,
            availability: number(reader, "availability", &value.availability)?,
            reputation: number(reader, "reputation", &value.reputation)?,
            newcomer: value.newcomer,
            settled_at_close: count(reader, "settled_at_close", value.settled_at_close)?,
        },
    })
}

fn selection(value: &wire::SelectionState) -> Result<PendingSelection, RecordError> {
    let reader = Reader("SelectionState");
    let answer = reader.optional_digest("answer", &value.answer)?;
    Ok(PendingSelection {
        bid: value.bid,
        executor: reader.key("executor", &value.executor)?,
        features: numbers(reader, "features", &value.features)?,
        assignment: reader.optional_digest("assignment", &value.assignment)?,
        assigned_ms: value.assigned_ms,
        receipt: reader.optional_digest("receipt", &value.receipt)?,
        latency_ms: value.latency_ms,
        progress: match value.progress {
            1 => Progress::Picked,
            2 => Progress::Assigned,
            3 => Progress::Answered(reader.digest("ballot", &value.ballot)?),
            4 => Progress::Revealed(answer),
            5 => Progress::Failed,
            6 => Progress::TimedOut,
            other => return reader.refuse("progress", "1 to 6", other),
        },
        confidence_ppm: reader.ppm("confidence_ppm", value.confidence_ppm)?,
        checker: match value.checker {
            0 => CheckerVerdict::Unchecked,
            1 => CheckerVerdict::Passed,
            2 => CheckerVerdict::Failed,
            other => return reader.refuse("checker", "0 to 2", other),
        },
        replaced: value.replaced,
        number: count(reader, "number", value.number)?,
    })
}

pub(super) fn name(value: &[u8]) -> Result<Name, RecordError> {
    let value: wire::NameState = Reader("NameState").decode(value, VALUE_SIZE_MAX)?;
    Ok(Name {
        beacon: value.beacon,
        slot: value.selection.checked_sub(1),
    })
}

pub(super) fn own_bid(value: &[u8]) -> Result<OwnBid, RecordError> {
    let reader = Reader("OwnBidState");
    let value: wire::OwnBidState = reader.decode(value, VALUE_SIZE_MAX)?;
    Ok(OwnBid {
        entry: value.entry,
        until_ms: value.until_ms,
        nonce_commitment: reader.optional_digest("nonce_commitment", &value.nonce_commitment)?,
    })
}

pub(super) fn own_assignment(value: &[u8]) -> Result<OwnAssignment, RecordError> {
    let reader = Reader("OwnAssignmentState");
    let value: wire::OwnAssignmentState = reader.decode(value, VALUE_SIZE_MAX)?;
    let receipt = match (
        value.receipt,
        reader.optional_digest("ballot", &value.ballot)?,
    ) {
        (true, Some(ballot)) => OwnReceipt::WithBallot(ballot),
        (true, None) => OwnReceipt::WithoutAnswer,
        (false, _) => OwnReceipt::None,
    };
    Ok(OwnAssignment {
        entry: value.entry,
        receipt_until_ms: value.receipt_until_ms,
        reveal_until_ms: value.reveal_until_ms,
        receipt,
    })
}

pub(super) fn clock(value: &[u8]) -> Result<wire::Clock, RecordError> {
    Reader("Clock").decode(value, VALUE_SIZE_MAX)
}

pub(super) fn queued_bid(value: &[u8]) -> Result<(PublicKey, Digest), RecordError> {
    let reader = Reader("QueuedBid");
    let row: wire::QueuedBid = reader.decode(value, VALUE_SIZE_MAX)?;
    Ok((
        reader.key("author", &row.author)?,
        reader.digest("beacon", &row.beacon)?,
    ))
}

pub(super) fn queued_assignment(value: &[u8]) -> Result<Digest, RecordError> {
    let reader = Reader("QueuedAssignment");
    let row: wire::QueuedAssignment = reader.decode(value, VALUE_SIZE_MAX)?;
    reader.digest("assignment", &row.assignment)
}
