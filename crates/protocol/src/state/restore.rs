//! A partial state from openings: the values that stand in the map become rows again, and what follows from them is rebuilt.
//!
//! The values come from whoever made the evidence. Under a true root they are true; under a false one they may be anything, so
//! every count is bounded far below where arithmetic would end. Spec: EVIDENCE-11, EVIDENCE-12.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use symphony_proto::state::v1 as wire;
use symphony_transparency::{Digest, PublicKey, StatementKind, payload_digest};

use super::{
    BucketMeasures, Counters, Duty, Key, KnownCapability, Learner, OpenStep, OpenTask,
    PeerMeasures, PendingSelection, Plan, PlanProgress, Progress, State, StepBid, encoding,
    own::{OwnAssignment, OwnBid, OwnReceipt, Queue},
    step::Name,
    table::{Known, Table},
};
use crate::{
    map::StateMap,
    policy::{Context, LinUcb, TRIANGLE_LENGTH},
    records::{
        Beacon, Capability, CheckerVerdict, Phase, Policy, Ranked, Reader, RecordError, STEPS_MAX,
    },
};

/// Largest value of the state, in bytes: a step with as many bids and selections as there can be is below it.
const VALUE_SIZE_MAX: usize = 128 * 1024;
/// Largest count and magnitude: no log counts so far, and sums of such numbers stay exact.
const COUNT_MAX: u64 = 1 << 53;
/// [`COUNT_MAX`] as a number.
const MAGNITUDE_MAX: f64 = 9_007_199_254_740_992.0;

/// A statement's payload beside the value that names its digest.
pub(crate) type Payloads = BTreeMap<Vec<u8>, Vec<u8>>;

/// Rows as they are read.
#[derive(Default)]
struct Rows {
    clock: Option<wire::Clock>,
    counters: Option<Counters>,
    learner: BTreeMap<(), Learner>,
    peers: BTreeMap<PublicKey, PeerMeasures>,
    buckets: BTreeMap<(Digest, PublicKey), BucketMeasures>,
    capabilities: BTreeMap<PublicKey, KnownCapability>,
    tasks: BTreeMap<u64, OpenTask>,
    steps: BTreeMap<u64, OpenStep>,
    names: BTreeMap<Digest, Name>,
    own_bids: BTreeMap<(PublicKey, Digest), OwnBid>,
    own_assignments: BTreeMap<Digest, OwnAssignment>,
    own_bid_queue: BTreeMap<u64, (PublicKey, Digest)>,
    own_assignment_queue: BTreeMap<u64, Digest>,
}

impl State {
    /// The state of which `map` is a part. `begun` is the state after entry 0 of the same log.
    ///
    /// # Errors
    /// A key or value that no state has, a payload that is missing, or a map that does not open clock and counters.
    pub(crate) fn restore(
        begun: Self,
        map: StateMap,
        payloads: &Payloads,
    ) -> Result<Self, RecordError> {
        let mut rows = Rows::default();
        for (key, value) in map.iter() {
            rows.read(key, value, payloads.get(key).map(Vec::as_slice))?;
        }
        let reader = Reader("Clock");
        let clock = reader.require("clock", rows.clock.take())?;
        let counters = Reader("Counters").require("counters", rows.counters)?;
        let tasks = listed(reader, "open_tasks", &clock.open_tasks)?;
        let steps = listed(reader, "open_beacons", &clock.open_beacons)?;
        let known = Known::new(map.clone());
        let mut state = Self {
            entries: count(reader, "entries", clock.entries)?,
            time_ms: clock.time_ms,
            duty: duty(reader, &clock)?,
            resuming: clock.resuming,
            counters,
            learner: Table::partial(rows.learner, &known, |()| Key::Policy, None),
            peers: Table::partial(rows.peers, &known, Key::Peer, None),
            buckets: Table::partial(
                rows.buckets,
                &known,
                |(bucket, peer)| Key::Bucket(bucket, peer),
                None,
            ),
            capabilities: Table::partial(rows.capabilities, &known, Key::Capability, None),
            tasks: Table::partial(rows.tasks, &known, Key::Task, Some(tasks)),
            steps: Table::partial(rows.steps, &known, Key::Beacon, Some(steps)),
            names: Table::partial(rows.names, &known, Key::Name, None),
            dues: BTreeSet::new(),
            own_bids: Table::partial(
                rows.own_bids,
                &known,
                |(author, beacon)| Key::OwnBid(author, beacon),
                None,
            ),
            own_assignments: Table::partial(rows.own_assignments, &known, Key::OwnAssignment, None),
            own_bid_queue: Queue {
                rows: Table::partial(rows.own_bid_queue, &known, Key::OwnBidQueue, None),
                begin: count(reader, "bids_begin", clock.bids_begin)?,
                end: count(reader, "bids_end", clock.bids_end)?,
            },
            own_assignment_queue: Queue {
                rows: Table::partial(
                    rows.own_assignment_queue,
                    &known,
                    Key::OwnAssignmentQueue,
                    None,
                ),
                begin: count(reader, "orders_begin", clock.orders_begin)?,
                end: count(reader, "orders_end", clock.orders_end)?,
            },
            map,
            dirty: BTreeSet::new(),
            known: Some(Arc::clone(&known)),
            ..begun
        };
        state.rebuild_dues();
        Ok(state)
    }

    /// The deadlines of the steps at hand. Those of other steps are not known: a partial state can miss that one passed, and
    /// never invents one.
    fn rebuild_dues(&mut self) {
        let steps: Vec<(u64, OpenStep)> = self
            .steps
            .rows()
            .iter()
            .map(|(beacon, step)| (*beacon, step.clone()))
            .collect();
        for (beacon, step) in steps {
            if !step.closed {
                self.add_due(step.beacon.close_deadline_ms, beacon, Phase::Bids);
            }
            for (slot, selection) in (0..).zip(&step.selections) {
                if selection.progress == Progress::Assigned {
                    let due_ms = selection
                        .assigned_ms
                        .saturating_add(step.beacon.execute_ms.into());
                    self.add_due(due_ms, beacon, Phase::Receipt(slot));
                }
            }
            if let Some(due_ms) = step.reveal_due_ms
                && step.awaits_reveals()
            {
                self.add_due(due_ms, beacon, Phase::Reveals);
            }
        }
    }
}

impl Rows {
    fn read(
        &mut self,
        key: &[u8],
        value: &[u8],
        payload: Option<&[u8]>,
    ) -> Result<(), RecordError> {
        match Reader("state").require("key", encoding::parse_name(key))? {
            Key::Clock => self.clock = Some(Reader("Clock").decode(value, VALUE_SIZE_MAX)?),
            Key::Counters => self.counters = Some(counters(value)?),
            Key::Policy => {
                self.learner.insert((), learner(value)?);
            }
            Key::Peer(peer) => {
                self.peers.insert(peer, peer_measures(value)?);
            }
            Key::Bucket(bucket, peer) => {
                self.buckets.insert((bucket, peer), bucket_measures(value)?);
            }
            Key::Capability(peer) => {
                self.capabilities.insert(peer, capability(value, payload)?);
            }
            Key::Task(index) => {
                self.tasks.insert(index, task(value)?);
            }
            Key::Beacon(index) => {
                self.steps.insert(index, step(value, payload)?);
            }
            Key::Name(statement) => {
                self.names.insert(statement, name(value)?);
            }
            Key::OwnBid(author, beacon) => {
                self.own_bids.insert((author, beacon), own_bid(value)?);
            }
            Key::OwnAssignment(assignment) => {
                self.own_assignments
                    .insert(assignment, own_assignment(value)?);
            }
            Key::OwnBidQueue(number) => {
                let reader = Reader("QueuedBid");
                let row: wire::QueuedBid = reader.decode(value, VALUE_SIZE_MAX)?;
                let row = (
                    reader.key("author", &row.author)?,
                    reader.digest("beacon", &row.beacon)?,
                );
                self.own_bid_queue.insert(number, row);
            }
            Key::OwnAssignmentQueue(number) => {
                let reader = Reader("QueuedAssignment");
                let row: wire::QueuedAssignment = reader.decode(value, VALUE_SIZE_MAX)?;
                self.own_assignment_queue
                    .insert(number, reader.digest("assignment", &row.assignment)?);
            }
        }
        Ok(())
    }
}

fn listed(
    reader: Reader,
    field: &'static str,
    indices: &[u64],
) -> Result<BTreeSet<u64>, RecordError> {
    reader.strictly_sorted(field, indices, VALUE_SIZE_MAX)?;
    Ok(indices.iter().copied().collect())
}

fn count(reader: Reader, field: &'static str, value: u64) -> Result<u64, RecordError> {
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

/// A digest, or none where the field is empty.
fn optional(
    reader: Reader,
    field: &'static str,
    bytes: &[u8],
) -> Result<Option<Digest>, RecordError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    reader.digest(field, bytes).map(Some)
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

fn duty(reader: Reader, clock: &wire::Clock) -> Result<Option<Duty>, RecordError> {
    let (index, slot) = (clock.duty_index, clock.duty_slot);
    Ok(match clock.duty {
        0 => None,
        1 => Some(Duty::Close(index)),
        2 => Some(Duty::Assign(index, slot)),
        3 => Some(Duty::Replace(index, slot)),
        4 => Some(Duty::Settle(index)),
        5 => Some(Duty::Void(index)),
        6 => Some(Duty::Decide(index)),
        other => return reader.refuse("duty", "0 to 6", other),
    })
}

fn counters(value: &[u8]) -> Result<Counters, RecordError> {
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
    })
}

fn learner(value: &[u8]) -> Result<Learner, RecordError> {
    let reader = Reader("PolicyState");
    let value: wire::PolicyState = reader.decode(value, VALUE_SIZE_MAX)?;
    let policy = Policy::from_wire(&reader.require("policy", value.policy)?)?;
    let triangle: [f64; TRIANGLE_LENGTH] = numbers(reader, "inverse", &value.inverse)?;
    let b: Context = numbers(reader, "b", &value.b)?;
    let observations = count(reader, "observations", value.observations)?;
    let model = LinUcb::from_parts(&policy.parameters, &triangle, &b, observations)
        .or_else(|error| reader.refuse("inverse", "a state of the learning rule", error))?;
    Ok(Learner {
        digest: policy.digest(),
        policy,
        model,
    })
}

fn peer_measures(value: &[u8]) -> Result<PeerMeasures, RecordError> {
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

fn bucket_measures(value: &[u8]) -> Result<BucketMeasures, RecordError> {
    let reader = Reader("BucketMeasures");
    let value: wire::BucketMeasures = reader.decode(value, VALUE_SIZE_MAX)?;
    Ok(BucketMeasures {
        settlements: count(reader, "settlements", value.settlements)?,
        wins: count(reader, "wins", value.wins)?,
        reputation: number(reader, "reputation", &value.reputation)?,
    })
}

fn capability(value: &[u8], payload: Option<&[u8]>) -> Result<KnownCapability, RecordError> {
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
        revoked: value.revoked,
    })
}

fn task(value: &[u8]) -> Result<OpenTask, RecordError> {
    let reader = Reader("TaskState");
    let value: wire::TaskState = reader.decode(value, VALUE_SIZE_MAX)?;
    let plans = value
        .plans
        .iter()
        .map(|plan| {
            let steps = reader.within("steps", plan.steps, 1..=STEPS_MAX, "1 to 8")?;
            let answer = optional(reader, "answer", &plan.answer)?;
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

fn step(value: &[u8], payload: Option<&[u8]>) -> Result<OpenStep, RecordError> {
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
    Ok(OpenStep {
        statement,
        bucket: beacon.bucket(),
        beacon,
        bids,
        closed: value.closed,
        ranking,
        selections,
        reveal_due_ms: (value.reveal_due_ms > 0).then_some(value.reveal_due_ms),
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
        eligible: value.eligible,
    })
}

fn selection(value: &wire::SelectionState) -> Result<PendingSelection, RecordError> {
    let reader = Reader("SelectionState");
    let answer = optional(reader, "answer", &value.answer)?;
    Ok(PendingSelection {
        bid: value.bid,
        executor: reader.key("executor", &value.executor)?,
        features: numbers(reader, "features", &value.features)?,
        assignment: optional(reader, "assignment", &value.assignment)?,
        assigned_ms: value.assigned_ms,
        receipt: optional(reader, "receipt", &value.receipt)?,
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
    })
}

fn name(value: &[u8]) -> Result<Name, RecordError> {
    let value: wire::NameState = Reader("NameState").decode(value, VALUE_SIZE_MAX)?;
    Ok(Name {
        beacon: value.beacon,
        slot: value.selection.checked_sub(1),
    })
}

fn own_bid(value: &[u8]) -> Result<OwnBid, RecordError> {
    let value: wire::OwnBidState = Reader("OwnBidState").decode(value, VALUE_SIZE_MAX)?;
    Ok(OwnBid {
        entry: value.entry,
        until_ms: value.until_ms,
    })
}

fn own_assignment(value: &[u8]) -> Result<OwnAssignment, RecordError> {
    let reader = Reader("OwnAssignmentState");
    let value: wire::OwnAssignmentState = reader.decode(value, VALUE_SIZE_MAX)?;
    let receipt = match (value.receipt, optional(reader, "ballot", &value.ballot)?) {
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
