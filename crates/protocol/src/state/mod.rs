//! The state of a log: what an auditor computes from its entries, and what its author decides by.
//!
//! [`State::apply`] is the one place where both compute. Each body has a handler that first checks and then changes, so a
//! fault leaves the state as it was. Decisions are not believed but computed again ([`State::decide`]) and compared.
//!
//! The state is an authenticated map: each value that changed is encoded again when the root is asked for, not before.
//!
//! Spec: chapters 10 to 12.

mod alone;
mod candidates;
mod chance;
mod change;
mod decisions;
mod duty;
mod encoding;
mod imports;
mod inputs;
mod learning;
mod measures;
pub(crate) mod openings;
mod own;
mod queue;
mod restore;
mod step;
mod table;
mod values;
mod weight;
mod write;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use symphony_transparency::{Digest, PublicKey, log_id};

pub use change::Change;
pub use duty::{Due, Duty};
pub use imports::{CLAIMS_MAX, Claim, SOURCES_MAX, Source};
pub use inputs::OPEN_TASKS_MAX;
pub use measures::{BucketMeasures, Counters, PeerMeasures};
pub use step::{OpenStep, PendingSelection, Progress, Standing, StepBid};
pub use weight::WEIGHT_MAX;

pub(crate) use own::check_match;
pub(crate) use restore::Payloads;
use table::{Known, Table};
use weight::Weight;

use crate::{
    fault::{Breach, Fault},
    map::{StateMap, Unopened},
    policy::{Model, Parts},
    records::{Body, Capability, Entry, Genesis, Params, Policy},
};

/// The learning rule in force, with what it learned.
#[derive(Clone, Debug, PartialEq)]
pub struct Learner {
    /// What the policy entry says.
    pub policy: Policy,
    /// Its canonical bytes, written once for all values of the map that hold them.
    policy_bytes: Arc<[u8]>,
    /// Digest that beacons name.
    pub digest: Digest,
    /// Index of the entry with which its learning began.
    pub since: u64,
    /// What it learned; that of each peer by itself is kept apart ([`State::model_for`]).
    pub model: Model,
}

/// What a policy learned of one peer by itself.
#[derive(Clone, Debug, PartialEq)]
struct PeerLearned {
    /// Index of the entry with which that learning began; under a policy that began with another one it says nothing.
    since: u64,
    /// The numbers.
    parts: Parts,
}

/// The newest capability of a peer that the log holds.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownCapability {
    /// Index of its entry.
    pub entry: u64,
    /// Digest of its statement.
    pub statement: Digest,
    /// What it says.
    pub capability: Capability,
    /// Bytes of its payload.
    pub size: u64,
    /// Whether it was revoked.
    pub revoked: bool,
}

/// A task that is not decided.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenTask {
    /// Commitment to the task key.
    pub key_commitment: Digest,
    /// The plans.
    pub plans: Vec<Plan>,
}

/// How far a plan is.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Steps in all.
    pub steps: u32,
    /// Steps that are settled.
    pub steps_done: u32,
    /// What happens now.
    pub progress: PlanProgress,
    /// Sum over the settled steps of their weight.
    pub weight_sum: f64,
}

/// What happens to a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanProgress {
    /// The next step may be announced.
    Ready,
    /// A step is open.
    Open,
    /// Finished with this answer, or with none.
    Finished(Option<Digest>),
}

/// What applying an entry showed about other peers. Spec: REPLAY-9.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Faults of peers whose statements stand in this log: the log's author has done nothing wrong by keeping them.
    pub findings: Vec<Fault>,
}

/// Names a value of the state, so that only changed values are encoded again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Clock,
    Counters,
    Policy,
    PolicyPeer(PublicKey),
    Peer(PublicKey),
    Bucket(Digest, PublicKey),
    Imports,
    Imported(Digest, PublicKey),
    Capability(PublicKey),
    Task(u64),
    Beacon(u64),
    Name(Digest),
    OwnBid(PublicKey, Digest),
    OwnAssignment(Digest),
    OwnBidQueue(u64),
    OwnAssignmentQueue(u64),
}

/// The state of one log after some of its entries. Spec: STATE-1, REPLAY-1.
#[derive(Clone, Debug)]
pub struct State {
    log: Digest,
    author: PublicKey,
    network: Digest,
    params: Params,
    entries: u64,
    time_ms: u64,
    duty: Option<Duty>,
    resuming: bool,
    /// Number of open steps in which nobody is selected yet.
    bidding: u32,
    /// Of the entries since the root was recorded last.
    weight: Weight,
    counters: Counters,
    learner: Table<(), Learner>,
    /// What the policy learned of each peer by itself.
    learned: Table<PublicKey, PeerLearned>,
    peers: Table<PublicKey, PeerMeasures>,
    buckets: Table<(Digest, PublicKey), BucketMeasures>,
    /// Peers whose measures are taken in.
    imports: Table<(), imports::Sources>,
    /// What they measured.
    imported: Table<(Digest, PublicKey), imports::Claims>,
    capabilities: Table<PublicKey, KnownCapability>,
    tasks: Table<u64, OpenTask>,
    steps: Table<u64, OpenStep>,
    /// Digest of an open step's beacon, or of the assignment of one of its selections → where it belongs.
    names: Table<Digest, step::Name>,
    dues: BTreeSet<Due>,
    /// By the author and digest of the beacon: two peers can sign one payload.
    own_bids: Table<(PublicKey, Digest), own::OwnBid>,
    own_assignments: Table<Digest, own::OwnAssignment>,
    own_bid_queue: queue::Queue<(PublicKey, Digest)>,
    own_assignment_queue: queue::Queue<Digest>,
    map: StateMap,
    /// Values to be written again with the next root, each once: few, since a root is due by weight.
    dirty: Vec<Key>,
    /// Set in a partial state alone.
    known: Option<Arc<Known>>,
}

impl State {
    /// The state after entry 0, whose exact bytes are `bytes`.
    pub(crate) fn begin(genesis: &Genesis, entry: &Entry, bytes: &[u8]) -> Self {
        Self {
            log: log_id(bytes),
            author: genesis.keys.log,
            network: genesis.params.network_id(),
            params: genesis.params.clone(),
            entries: 1,
            time_ms: entry.time_ms,
            duty: None,
            resuming: false,
            bidding: 0,
            weight: Weight::default(),
            counters: Counters::default(),
            learner: Table::default(),
            learned: Table::default(),
            peers: Table::default(),
            buckets: Table::default(),
            imports: Table::default(),
            imported: Table::default(),
            capabilities: Table::default(),
            tasks: Table::default(),
            steps: Table::default(),
            names: Table::default(),
            dues: BTreeSet::new(),
            own_bids: Table::default(),
            own_assignments: Table::default(),
            own_bid_queue: queue::Queue::default(),
            own_assignment_queue: queue::Queue::default(),
            map: StateMap::new(),
            dirty: vec![Key::Clock, Key::Counters],
            known: None,
        }
    }

    /// Applies the next entry, whose chain was verified ([`crate::replay`]).
    ///
    /// # Errors
    /// The fault of the log's author, if the entry breaks a rule. The state is then as it was before. Spec: REPLAY-1.
    pub fn apply(&mut self, entry: &Entry) -> Result<Applied, Fault> {
        let mut findings = Vec::new();
        let weight = self.weight;
        self.check_turn(entry)
            .and_then(|()| self.apply_body(entry, &mut findings))
            .map_err(|breach| {
                self.weight = weight;
                breach.at(self.author, entry.index)
            })?;
        self.weigh(&entry.body);
        self.entries = entry.index + 1;
        self.time_ms = entry.time_ms;
        self.touch(Key::Clock);
        Ok(Applied { findings })
    }

    fn apply_body(&mut self, entry: &Entry, findings: &mut Vec<Fault>) -> Result<(), Breach> {
        self.check_alone(entry)?;
        match &entry.body {
            // Refused above: it never stands behind entry 0.
            Body::Genesis(_) => Ok(()),
            Body::PolicySet(policy, learning) => self.apply_policy_set(entry, policy, *learning),
            Body::CapabilityIssued(issued) => self.apply_capability_issued(entry, issued),
            Body::RevocationIssued(issued) => self.apply_revocation_issued(issued),
            Body::TaskOpened(task) => self.apply_task_opened(entry, task),
            Body::BeaconIssued(issued) => self.apply_beacon_issued(entry, issued),
            Body::AssignmentIssued(issued) => self.apply_assignment_issued(entry, issued),
            Body::CapabilityReceived(received) => {
                self.apply_capability_received(entry, received, findings)
            }
            Body::RevocationReceived(received) => self.apply_revocation_received(received),
            Body::BidReceived(received) => self.apply_bid_received(entry, received, findings),
            Body::ReceiptReceived(received) => {
                self.apply_receipt_received(entry, received, findings)
            }
            Body::RevealReceived(received, check, checker) => {
                self.apply_reveal_received(entry, received, *check, *checker, findings)
            }
            Body::AcknowledgementReceived(_) => Ok(()),
            Body::BidIssued(issued, beacon) => self.apply_bid_issued(entry, issued, beacon),
            Body::AssignmentReceived(received) => self.apply_assignment_received(entry, received),
            Body::ReceiptIssued(issued) => self.apply_receipt_issued(entry, issued),
            Body::RevealIssued(issued) => self.apply_reveal_issued(entry, issued),
            Body::Timeout(timeout) => self.apply_timeout(entry, *timeout),
            Body::Resumed => self.apply_resumed(),
            Body::Close(close) => self.apply_close(close),
            Body::Replacement(replacement) => self.apply_replacement(replacement),
            Body::Settlement(settlement) => self.apply_settlement(settlement),
            Body::TaskDecided(decided) => self.apply_task_decided(decided),
            Body::CallIssued(issued) => self.apply_call_issued(entry, issued),
            Body::OpeningIssued(issued, _) => self.apply_opening_issued(entry, issued),
            Body::OpeningReceived(received) => self.apply_opening_received(received),
            Body::Draw(draw) => self.apply_draw(draw),
            Body::RootRecorded(recorded) => self.apply_root_recorded(recorded),
            Body::MeasuresImported(import) => self.apply_measures_imported(import),
        }
    }

    fn touch(&mut self, key: Key) {
        if !self.dirty.contains(&key) {
            self.dirty.push(key);
        }
    }

    /// What this state, being partial, was asked for and does not know. Whatever it says means nothing then.
    ///
    /// Spec: EVIDENCE-12.
    pub fn unopened(&self) -> Option<Unopened> {
        let asked = self.known.as_ref().and_then(|known| known.unopened());
        asked.or_else(|| self.map.unopened().copied())
    }

    /// Id of the log.
    pub fn log(&self) -> Digest {
        self.log
    }

    /// Log key of the author.
    pub fn author(&self) -> PublicKey {
        self.author
    }

    /// Id of the network.
    pub fn network(&self) -> Digest {
        self.network
    }

    /// The agreed parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Number of entries applied.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Time of the last entry, in milliseconds since 1970.
    pub fn time_ms(&self) -> u64 {
        self.time_ms
    }

    /// What was counted so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The learning rule in force, if one was set.
    pub fn learner(&self) -> Option<&Learner> {
        self.learner.get(&())
    }

    /// What the log measured of each peer.
    pub fn peers(&self) -> &BTreeMap<PublicKey, PeerMeasures> {
        self.peers.rows()
    }

    /// What the log measured of each peer at each kind of step (bucket digest and log key).
    pub fn buckets(&self) -> &BTreeMap<(Digest, PublicKey), BucketMeasures> {
        self.buckets.rows()
    }

    /// The newest capability of each peer that the log holds.
    pub fn capabilities(&self) -> &BTreeMap<PublicKey, KnownCapability> {
        self.capabilities.rows()
    }

    /// The undecided task that was opened at this index.
    pub fn task(&self, index: u64) -> Option<&OpenTask> {
        self.tasks.get(&index)
    }

    /// The open step whose beacon stands at this index.
    pub fn step(&self, beacon: u64) -> Option<&OpenStep> {
        self.steps.get(&beacon)
    }

    /// Beacon and slot of the pending selection that this assignment (by the digest of its statement) carries out.
    pub fn pending_assignment(&self, assignment: &Digest) -> Option<(u64, u32)> {
        let name = self.names.get(assignment)?;
        Some((name.beacon, name.slot?))
    }

    /// Indices of the beacons of all open steps.
    pub fn open_steps(&self) -> impl Iterator<Item = u64> + '_ {
        self.steps.keys().into_iter()
    }
}
