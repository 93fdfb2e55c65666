//! A partial state from openings: the values that stand in the map become rows again, and what follows from them is rebuilt.
//!
//! The values come from whoever made the evidence. Under a true root they are true; under a false one they may be anything.
//! Spec: EVIDENCE-11, EVIDENCE-12.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use symphony_proto::state::v1::Clock;
use symphony_transparency::{Digest, PublicKey};

use super::{
    BucketMeasures, Counters, Key, KnownCapability, Learner, OpenStep, OpenTask, PeerLearned,
    PeerMeasures, Progress, State, encoding,
    imports::{Claims, Sources},
    own::{OwnAssignment, OwnBid},
    queue::Queue,
    step::Name,
    table::{Known, Table},
    values,
    weight::Weight,
};
use crate::{
    map::StateMap,
    records::{Phase, Reader, RecordError},
};

/// A statement's payload beside the value that names its digest.
pub(crate) type Payloads = BTreeMap<Vec<u8>, Vec<u8>>;

/// Rows as they are read.
#[derive(Default)]
struct Rows {
    clock: Option<Clock>,
    counters: Option<Counters>,
    learner: BTreeMap<(), Learner>,
    learned: BTreeMap<PublicKey, PeerLearned>,
    peers: BTreeMap<PublicKey, PeerMeasures>,
    buckets: BTreeMap<(Digest, PublicKey), BucketMeasures>,
    imports: BTreeMap<(), Sources>,
    imported: BTreeMap<(Digest, PublicKey), Claims>,
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
        let tasks = values::listed(reader, "open_tasks", &clock.open_tasks)?;
        let steps = values::listed(reader, "open_beacons", &clock.open_beacons)?;
        let known = Known::new(map.clone());
        let mut state = Self {
            entries: values::count(reader, "entries", clock.entries)?,
            time_ms: clock.time_ms,
            duty: values::duty(reader, &clock)?,
            resuming: clock.resuming,
            bidding: clock.bidding,
            weight: Weight {
                sum: values::count(reader, "weight", clock.weight)?,
                step: clock.weighed_step,
            },
            counters,
            learner: Table::partial(rows.learner, &known, |()| Key::Policy, None),
            learned: Table::partial(rows.learned, &known, Key::PolicyPeer, None),
            peers: Table::partial(rows.peers, &known, Key::Peer, None),
            buckets: Table::partial(
                rows.buckets,
                &known,
                |(bucket, peer)| Key::Bucket(bucket, peer),
                None,
            ),
            imports: Table::partial(rows.imports, &known, |()| Key::Imports, None),
            imported: Table::partial(
                rows.imported,
                &known,
                |(bucket, peer)| Key::Imported(bucket, peer),
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
                begin: values::count(reader, "bids_begin", clock.bids_begin)?,
                end: values::count(reader, "bids_end", clock.bids_end)?,
            },
            own_assignment_queue: Queue {
                rows: Table::partial(
                    rows.own_assignment_queue,
                    &known,
                    Key::OwnAssignmentQueue,
                    None,
                ),
                begin: values::count(reader, "orders_begin", clock.orders_begin)?,
                end: values::count(reader, "orders_end", clock.orders_end)?,
            },
            map,
            dirty: Vec::new(),
            known: Some(Arc::clone(&known)),
            ..begun
        };
        state.rebuild_dues();
        state.check_values()?;
        Ok(state)
    }

    /// Refuses values with fields that contradict each other: no state has them, and readers could take them differently.
    fn check_values(&self) -> Result<(), RecordError> {
        let reader = Reader("state");
        let mut value = Vec::new();
        for (key, found) in self.map.iter() {
            let key = reader.require("key", encoding::parse_name(key))?;
            value.clear();
            if self.write_value(&key, &mut value).is_none() || value != found {
                return reader.refuse("value", "one that a state has", format_args!("{key:?}"));
            }
        }
        if !self.check_learned() {
            return reader.refuse("value", "numbers that fit the policy", "others");
        }
        Ok(())
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
            if let Some(due_ms) = step.openings_due_ms {
                self.add_due(due_ms, beacon, Phase::Openings);
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
            Key::Clock => self.clock = Some(values::clock(value)?),
            Key::Counters => self.counters = Some(values::counters(value)?),
            Key::Policy => {
                self.learner.insert((), values::learner(value)?);
            }
            Key::PolicyPeer(peer) => {
                self.learned.insert(peer, values::peer_learned(value)?);
            }
            Key::Peer(peer) => {
                self.peers.insert(peer, values::peer_measures(value)?);
            }
            Key::Bucket(bucket, peer) => {
                self.buckets
                    .insert((bucket, peer), values::bucket_measures(value)?);
            }
            Key::Imports => {
                self.imports.insert((), values::sources(value)?);
            }
            Key::Imported(bucket, peer) => {
                self.imported.insert((bucket, peer), values::claims(value)?);
            }
            Key::Capability(peer) => {
                self.capabilities
                    .insert(peer, values::capability(value, payload)?);
            }
            Key::Task(index) => {
                self.tasks.insert(index, values::task(value)?);
            }
            Key::Beacon(index) => {
                self.steps.insert(index, values::step(value, payload)?);
            }
            Key::Name(statement) => {
                self.names.insert(statement, values::name(value)?);
            }
            Key::OwnBid(author, beacon) => {
                self.own_bids
                    .insert((author, beacon), values::own_bid(value)?);
            }
            Key::OwnAssignment(assignment) => {
                self.own_assignments
                    .insert(assignment, values::own_assignment(value)?);
            }
            Key::OwnBidQueue(number) => {
                self.own_bid_queue
                    .insert(number, values::queued_bid(value)?);
            }
            Key::OwnAssignmentQueue(number) => {
                self.own_assignment_queue
                    .insert(number, values::queued_assignment(value)?);
            }
        }
        Ok(())
    }
}
