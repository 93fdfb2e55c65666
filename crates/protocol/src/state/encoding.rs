//! Keys and values of the authenticated map. Spec: chapter 11, REPLAY-2.

use symphony_proto::state::v1 as wire;
use symphony_transparency::{Digest, PublicKey, canonical::f64s_to_field, encode, f64_to_field};

use super::{
    Duty, Key, OpenStep, PendingSelection, PlanProgress, Progress, State, own::OwnReceipt,
};
use crate::{policy::Parts, records::CheckerVerdict};

impl State {
    /// The state root: changed values are encoded and hashed now.
    ///
    /// Values are set before keys are removed, so that a map of which only a part is known must show no more than what the
    /// result needs. Spec: EVIDENCE-12.
    pub fn root(&mut self) -> Digest {
        let mut gone = Vec::new();
        for key in std::mem::take(&mut self.dirty) {
            let name = name(&key);
            match self.value(&key) {
                Some(value) => drop(self.map.insert(&name, value)),
                None => gone.push(name),
            }
        }
        for name in gone {
            self.map.remove(&name);
        }
        self.map.settled_root()
    }

    /// The map as it stood when the root was last asked for: what openings are proved from.
    pub fn map(&self) -> &crate::map::StateMap {
        &self.map
    }

    /// Keys of the open steps that have a deadline, the next one first.
    pub(crate) fn steps_with_deadlines(&self) -> Vec<Vec<u8>> {
        let mut keys: Vec<Vec<u8>> = Vec::new();
        for due in &self.dues {
            let key = name(&Key::Beacon(due.beacon));
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    /// The payload of the statement that a value of the map names by its digest.
    pub(crate) fn payload(&self, name: &[u8]) -> Option<Vec<u8>> {
        match parse_name(name)? {
            Key::Capability(peer) => Some(self.capabilities.get(&peer)?.capability.encode()),
            Key::Beacon(index) => Some(self.steps.get(&index)?.beacon.encode()),
            _ => None,
        }
    }

    pub(super) fn value(&self, key: &Key) -> Option<Vec<u8>> {
        Some(match key {
            Key::Clock => encode(&self.clock_value()),
            Key::Counters => encode(&self.counters_value()),
            Key::Policy => encode(&self.policy_value()?),
            Key::PolicyPeer(peer) => {
                let learned = self.learned.get(peer)?;
                encode(&wire::PolicyPeerState {
                    since: learned.since,
                    own: Some(linear_value(&learned.parts)),
                })
            }
            Key::Peer(peer) => {
                let measures = self.peers.get(peer)?;
                encode(&wire::PeerMeasures {
                    latency_ms: f64_to_field(measures.latency_ms),
                    failure: f64_to_field(measures.failure),
                    selections: measures.selections,
                    settlements: measures.settlements,
                    timeouts: measures.timeouts,
                })
            }
            Key::Bucket(bucket, peer) => {
                let measures = self.buckets.get(&(*bucket, *peer))?;
                encode(&wire::BucketMeasures {
                    settlements: measures.settlements,
                    wins: measures.wins,
                    reputation: f64_to_field(measures.reputation),
                    change: measures.change.map(|change| wire::ChangeState {
                        rewards: change.rewards,
                        mean: f64_to_field(change.mean),
                        rise: f64_to_field(change.rise),
                        fall: f64_to_field(change.fall),
                    }),
                    settled_at_close: measures.settled_at_close,
                    reliability: f64_to_field(measures.reliability),
                })
            }
            Key::Capability(peer) => {
                let known = self.capabilities.get(peer)?;
                encode(&wire::CapabilityState {
                    entry: known.entry,
                    sequence: known.capability.sequence,
                    statement: bytes(&known.statement),
                    revoked: known.revoked,
                })
            }
            Key::Task(index) => encode(&self.task_value(*index)?),
            Key::Beacon(index) => encode(&step_value(self.steps.get(index)?)),
            Key::Name(statement) => {
                let name = self.names.get(statement)?;
                encode(&wire::NameState {
                    beacon: name.beacon,
                    selection: name.slot.map_or(0, |slot| slot + 1),
                })
            }
            Key::OwnBid(author, beacon) => {
                let bid = self.own_bids.get(&(*author, *beacon))?;
                encode(&wire::OwnBidState {
                    entry: bid.entry,
                    until_ms: bid.until_ms,
                    nonce_commitment: bid.nonce_commitment.as_ref().map(bytes).unwrap_or_default(),
                })
            }
            Key::OwnAssignment(assignment) => {
                let order = self.own_assignments.get(assignment)?;
                encode(&wire::OwnAssignmentState {
                    entry: order.entry,
                    receipt_until_ms: order.receipt_until_ms,
                    reveal_until_ms: order.reveal_until_ms,
                    ballot: match order.receipt {
                        OwnReceipt::WithBallot(ballot) => bytes(&ballot),
                        OwnReceipt::None | OwnReceipt::WithoutAnswer => Vec::new(),
                    },
                    receipt: order.receipt != OwnReceipt::None,
                })
            }
            Key::OwnBidQueue(number) => {
                let (author, beacon) = self.own_bid_queue.rows.get(number)?;
                encode(&wire::QueuedBid {
                    author: author.as_bytes().to_vec(),
                    beacon: bytes(beacon),
                })
            }
            Key::OwnAssignmentQueue(number) => encode(&wire::QueuedAssignment {
                assignment: bytes(self.own_assignment_queue.rows.get(number)?),
            }),
        })
    }

    fn clock_value(&self) -> wire::Clock {
        let (duty, duty_index, duty_slot) = match self.duty {
            None => (0, 0, 0),
            Some(Duty::Close(beacon)) => (1, beacon, 0),
            Some(Duty::Assign(beacon, slot)) => (2, beacon, slot),
            Some(Duty::Replace(beacon, slot)) => (3, beacon, slot),
            Some(Duty::Settle(beacon)) => (4, beacon, 0),
            Some(Duty::Void(beacon)) => (5, beacon, 0),
            Some(Duty::Decide(task)) => (6, task, 0),
            Some(Duty::Call(beacon)) => (7, beacon, 0),
            Some(Duty::Draw(beacon)) => (8, beacon, 0),
            // Follows from the weight: it is never what is kept.
            Some(Duty::Record) => (0, 0, 0),
        };
        wire::Clock {
            entries: self.entries,
            time_ms: self.time_ms,
            duty,
            duty_index,
            duty_slot,
            resuming: self.resuming,
            open_tasks: self.tasks.keys(),
            open_beacons: self.steps.keys(),
            bids_begin: self.own_bid_queue.begin,
            bids_end: self.own_bid_queue.end,
            orders_begin: self.own_assignment_queue.begin,
            orders_end: self.own_assignment_queue.end,
            bidding: self.bidding,
            weight: self.weight.sum,
            weighed_step: self.weight.step,
        }
    }

    fn counters_value(&self) -> wire::Counters {
        let counters = &self.counters;
        wire::Counters {
            closes: counters.closes,
            selections: counters.selections,
            settlements: counters.settlements,
            void_settlements: counters.void_settlements,
            timeouts: counters.timeouts,
            self_selections: counters.self_selections,
            tasks: counters.tasks,
            tasks_decided: counters.tasks_decided,
            draws: counters.draws,
            openings_missed: counters.openings_missed,
        }
    }

    fn policy_value(&self) -> Option<wire::PolicyState> {
        let learner = self.learner()?;
        Some(wire::PolicyState {
            policy: Some(learner.policy.to_wire()),
            since: learner.since,
            choices: learner.model.choices(),
            settled: learner.model.settled(),
            shared: learner.model.shared_parts().as_ref().map(linear_value),
        })
    }

    fn task_value(&self, index: u64) -> Option<wire::TaskState> {
        let task = self.tasks.get(&index)?;
        let plans = task
            .plans
            .iter()
            .map(|plan| wire::PlanState {
                steps: plan.steps,
                steps_done: plan.steps_done,
                open: plan.progress == PlanProgress::Open,
                finished: matches!(plan.progress, PlanProgress::Finished(_)),
                score_sum: f64_to_field(plan.weight_sum),
                answer: match plan.progress {
                    PlanProgress::Finished(Some(answer)) => bytes(&answer),
                    _ => Vec::new(),
                },
            })
            .collect();
        Some(wire::TaskState {
            key_commitment: bytes(&task.key_commitment),
            plans,
        })
    }
}

/// The map's key: a table's name, and the row.
pub(super) fn name(key: &Key) -> Vec<u8> {
    let (table, rows): (&[u8], [&[u8]; 2]) = match key {
        Key::Clock => (b"clock", [&[], &[]]),
        Key::Counters => (b"counters", [&[], &[]]),
        Key::Policy => (b"policy", [&[], &[]]),
        Key::PolicyPeer(peer) => (b"policy-peer/", [peer.as_bytes(), &[]]),
        Key::Peer(peer) => (b"peer/", [peer.as_bytes(), &[]]),
        Key::Bucket(bucket, peer) => (b"bucket/", [bucket.as_bytes(), peer.as_bytes()]),
        Key::Capability(peer) => (b"capability/", [peer.as_bytes(), &[]]),
        Key::Task(index) => return [b"task/".as_slice(), &index.to_be_bytes()].concat(),
        Key::Beacon(index) => return [b"beacon/".as_slice(), &index.to_be_bytes()].concat(),
        Key::Name(statement) => (b"name/", [statement.as_bytes(), &[]]),
        Key::OwnBid(author, beacon) => (b"bid/", [author.as_bytes(), beacon.as_bytes()]),
        Key::OwnBidQueue(number) => {
            return [b"bid-queue/".as_slice(), &number.to_be_bytes()].concat();
        }
        Key::OwnAssignmentQueue(number) => {
            return [b"assignment-queue/".as_slice(), &number.to_be_bytes()].concat();
        }
        Key::OwnAssignment(assignment) => (b"assignment/", [assignment.as_bytes(), &[]]),
    };
    [table, rows[0], rows[1]].concat()
}

/// The key that a name in the map stands for; nothing if it is none.
pub(super) fn parse_name(name: &[u8]) -> Option<Key> {
    let split = name.iter().position(|byte| *byte == b'/');
    let (table, row) = match split {
        Some(slash) => name.split_at(slash + 1),
        None => (name, [].as_slice()),
    };
    let number = || row.try_into().ok().map(u64::from_be_bytes);
    let digest = |bytes: &[u8]| Digest::from_slice(bytes).ok();
    let peer = |bytes: &[u8]| PublicKey::from_slice(bytes).ok();
    Some(match table {
        b"clock" => Key::Clock,
        b"counters" => Key::Counters,
        b"policy" => Key::Policy,
        b"policy-peer/" => Key::PolicyPeer(peer(row)?),
        b"peer/" => Key::Peer(peer(row)?),
        b"bucket/" => {
            let (bucket, executor) = row.split_at_checked(Digest::LENGTH)?;
            Key::Bucket(digest(bucket)?, peer(executor)?)
        }
        b"capability/" => Key::Capability(peer(row)?),
        b"task/" => Key::Task(number()?),
        b"beacon/" => Key::Beacon(number()?),
        b"name/" => Key::Name(digest(row)?),
        b"bid/" => {
            let (author, beacon) = row.split_at_checked(PublicKey::LENGTH)?;
            Key::OwnBid(peer(author)?, digest(beacon)?)
        }
        b"bid-queue/" => Key::OwnBidQueue(number()?),
        b"assignment/" => Key::OwnAssignment(digest(row)?),
        b"assignment-queue/" => Key::OwnAssignmentQueue(number()?),
        _ => return None,
    })
}

fn step_value(step: &OpenStep) -> wire::BeaconState {
    wire::BeaconState {
        statement: bytes(&step.statement),
        candidates: step
            .bids
            .iter()
            .map(|bid| wire::CandidateState {
                bid: bid.entry,
                peer: bid.peer.as_bytes().to_vec(),
                statement: bytes(&bid.statement),
                similarity: f64_to_field(bid.similarity),
                load_ppm: bid.load_ppm,
                price_share_ppm: bid.price_share_ppm,
                eligible: bid.eligible,
                nonce_commitment: bid.nonce_commitment.as_ref().map(bytes).unwrap_or_default(),
                nonce: bid.nonce.map(Vec::from).unwrap_or_default(),
                prior: f64_to_field(bid.standing.prior),
                latency: f64_to_field(bid.standing.latency),
                availability: f64_to_field(bid.standing.availability),
                reputation: f64_to_field(bid.standing.reputation),
                newcomer: bid.standing.newcomer,
                settled_at_close: bid.standing.settled_at_close,
            })
            .collect(),
        closed: step.closed,
        ranking: step
            .ranking
            .iter()
            .map(|ranked| wire::RankedState {
                bid: ranked.bid,
                score: f64_to_field(ranked.score),
            })
            .collect(),
        selections: step.selections.iter().map(selection_value).collect(),
        reveal_due_ms: step.reveal_due_ms.unwrap_or(0),
        policy: Some(step.policy.to_wire()),
        since: step.since,
        openings_due_ms: step.openings_due_ms.unwrap_or(0),
        seed: step.seed.as_ref().map(bytes).unwrap_or_default(),
    }
}

fn selection_value(selection: &PendingSelection) -> wire::SelectionState {
    let (progress, ballot, answer) = match selection.progress {
        Progress::Picked => (1, Vec::new(), Vec::new()),
        Progress::Assigned => (2, Vec::new(), Vec::new()),
        Progress::Answered(ballot) => (3, bytes(&ballot), Vec::new()),
        Progress::Revealed(answer) => (
            4,
            Vec::new(),
            answer.as_ref().map(bytes).unwrap_or_default(),
        ),
        Progress::Failed => (5, Vec::new(), Vec::new()),
        Progress::TimedOut => (6, Vec::new(), Vec::new()),
    };
    wire::SelectionState {
        bid: selection.bid,
        executor: selection.executor.as_bytes().to_vec(),
        features: numbers(&selection.features),
        assignment: selection.assignment.as_ref().map(bytes).unwrap_or_default(),
        assigned_ms: selection.assigned_ms,
        receipt: selection.receipt.as_ref().map(bytes).unwrap_or_default(),
        ballot,
        latency_ms: selection.latency_ms,
        progress,
        answer,
        confidence_ppm: selection.confidence_ppm,
        checker: match selection.checker {
            CheckerVerdict::Unchecked => 0,
            CheckerVerdict::Passed => 1,
            CheckerVerdict::Failed => 2,
        },
        replaced: selection.replaced,
        number: selection.number,
    }
}

fn linear_value(parts: &Parts) -> wire::LinearState {
    wire::LinearState {
        observations: parts.observations,
        until: parts.until,
        weight: parts.weight.map(f64_to_field).unwrap_or_default(),
        matrix: numbers(&parts.matrix),
        squared: numbers(&parts.squared),
        cross: numbers(&parts.cross),
        b: numbers(&parts.b),
    }
}

fn bytes(digest: &Digest) -> Vec<u8> {
    digest.as_bytes().to_vec()
}

fn numbers(numbers: &[f64]) -> Vec<u8> {
    f64s_to_field(numbers)
}
