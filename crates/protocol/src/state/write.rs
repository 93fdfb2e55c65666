//! Values of the authenticated map as they are hashed: the messages of `symphony.state.v1`, written field by field. What
//! `values` reads is what stands here. Spec: REPLAY-2.

use symphony_transparency::{Digest, PublicKey, canonical::Writer};

use super::{
    BucketMeasures, Claim, Duty, Key, OpenStep, OpenTask, PeerMeasures, PendingSelection,
    PlanProgress, Progress, State, StepBid, own::OwnAssignment, own::OwnReceipt,
};
use crate::{policy::Parts, records::CheckerVerdict};

impl State {
    /// Appends the value of a key; nothing if the state has none.
    pub(super) fn write_value(&self, key: &Key, bytes: &mut Vec<u8>) -> Option<()> {
        let mut writer = Writer::new(bytes);
        let writer = &mut writer;
        match key {
            Key::Clock => self.write_clock(writer),
            Key::Counters => self.write_counters(writer),
            Key::Policy => self.write_policy(writer)?,
            Key::PolicyPeer(peer) => {
                let learned = self.learned.get(peer)?;
                writer
                    .count(1, learned.since)
                    .message(2, |writer| write_linear(&learned.parts, writer));
            }
            Key::Peer(peer) => write_peer(self.peers.get(peer)?, writer),
            Key::Bucket(bucket, peer) => {
                write_bucket(self.buckets.get(&(*bucket, *peer))?, writer);
            }
            Key::Imports => {
                for (peer, source) in self.imports.get(&())? {
                    writer.message(1, |writer| {
                        writer
                            .bytes(1, peer.as_bytes())
                            .count(2, source.size)
                            .number(3, source.odds);
                    });
                }
            }
            Key::Imported(bucket, peer) => {
                for (source, claim) in self.imported.get(&(*bucket, *peer))? {
                    writer.message(1, |writer| write_claim(source, claim, writer));
                }
            }
            Key::Capability(peer) => {
                let known = self.capabilities.get(peer)?;
                writer
                    .count(1, known.entry)
                    .count(2, known.capability.sequence)
                    .bytes(3, known.statement.as_bytes())
                    .flag(4, known.revoked);
            }
            Key::Task(index) => write_task(self.tasks.get(index)?, writer),
            Key::Beacon(index) => write_step(self.steps.get(index)?, writer),
            Key::Name(statement) => {
                let name = self.names.get(statement)?;
                writer
                    .count(1, name.beacon)
                    .count(2, name.slot.map_or(0, |slot| slot + 1));
            }
            Key::OwnBid(author, beacon) => {
                let bid = self.own_bids.get(&(*author, *beacon))?;
                writer
                    .count(1, bid.entry)
                    .count(2, bid.until_ms)
                    .optional_bytes(3, slice(&bid.nonce_commitment));
            }
            Key::OwnAssignment(assignment) => {
                write_order(self.own_assignments.get(assignment)?, writer);
            }
            Key::OwnBidQueue(number) => {
                let (author, beacon) = self.own_bid_queue.rows.get(number)?;
                writer
                    .bytes(1, author.as_bytes())
                    .bytes(2, beacon.as_bytes());
            }
            Key::OwnAssignmentQueue(number) => {
                let assignment = self.own_assignment_queue.rows.get(number)?;
                writer.bytes(1, assignment.as_bytes());
            }
        }
        Some(())
    }

    fn write_clock(&self, writer: &mut Writer<'_>) {
        let (duty, index, slot): (u32, _, u32) = match self.duty {
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
        writer
            .count(1, self.entries)
            .count(2, self.time_ms)
            .count(3, duty)
            .count(4, index)
            .count(5, slot)
            .flag(6, self.resuming)
            .counts(7, self.tasks.keys())
            .counts(8, self.steps.keys())
            .count(9, self.own_bid_queue.begin)
            .count(10, self.own_bid_queue.end)
            .count(11, self.own_assignment_queue.begin)
            .count(12, self.own_assignment_queue.end)
            .count(13, self.bidding)
            .count(14, self.weight.sum)
            .count(15, self.weight.step);
    }

    fn write_counters(&self, writer: &mut Writer<'_>) {
        let counters = &self.counters;
        writer
            .count(1, counters.closes)
            .count(2, counters.selections)
            .count(3, counters.settlements)
            .count(4, counters.void_settlements)
            .count(5, counters.timeouts)
            .count(6, counters.self_selections)
            .count(7, counters.tasks)
            .count(8, counters.tasks_decided)
            .count(9, counters.draws)
            .count(10, counters.openings_missed)
            .count(11, counters.sources);
    }

    fn write_policy(&self, writer: &mut Writer<'_>) -> Option<()> {
        let learner = self.learner()?;
        writer
            .encoded(1, &learner.policy_bytes)
            .count(2, learner.since)
            .count(3, learner.model.choices())
            .count(4, learner.model.settled());
        if let Some(shared) = learner.model.shared_parts() {
            writer.message(5, |writer| write_linear(&shared, writer));
        }
        Some(())
    }
}

fn write_linear(parts: &Parts, writer: &mut Writer<'_>) {
    writer.count(1, parts.observations).count(2, parts.until);
    if let Some(weight) = parts.weight {
        writer.number(3, weight);
    }
    writer
        .numbers(4, &parts.matrix)
        .numbers(5, &parts.squared)
        .numbers(6, &parts.cross)
        .numbers(7, &parts.b)
        .numbers(8, &parts.settled);
}

fn write_claim(source: &PublicKey, claim: &Claim, writer: &mut Writer<'_>) {
    writer
        .bytes(1, source.as_bytes())
        .count(2, claim.size)
        .count(3, claim.settlements)
        .count(4, claim.wins)
        .number(5, claim.reputation);
}

fn write_peer(measures: &PeerMeasures, writer: &mut Writer<'_>) {
    writer
        .number(1, measures.latency_ms)
        .number(2, measures.failure)
        .count(3, measures.selections)
        .count(4, measures.settlements)
        .count(5, measures.timeouts);
}

fn write_bucket(measures: &BucketMeasures, writer: &mut Writer<'_>) {
    writer
        .count(1, measures.settlements)
        .count(2, measures.wins)
        .number(3, measures.reputation);
    if let Some(change) = &measures.change {
        writer.message(4, |writer| {
            writer
                .count(1, change.rewards)
                .number(2, change.mean)
                .number(3, change.rise)
                .number(4, change.fall);
        });
    }
    writer
        .number(5, measures.reliability)
        .count(6, measures.settled_at_close);
}

fn write_task(task: &OpenTask, writer: &mut Writer<'_>) {
    writer.bytes(1, task.key_commitment.as_bytes());
    for plan in &task.plans {
        let (open, finished, answer) = match &plan.progress {
            PlanProgress::Ready => (false, false, None),
            PlanProgress::Open => (true, false, None),
            PlanProgress::Finished(answer) => (false, true, slice(answer)),
        };
        writer.message(2, |writer| {
            writer
                .count(1, plan.steps)
                .count(2, plan.steps_done)
                .flag(3, open)
                .flag(4, finished)
                .number(5, plan.weight_sum)
                .optional_bytes(6, answer);
        });
    }
}

fn write_order(order: &OwnAssignment, writer: &mut Writer<'_>) {
    let ballot = match &order.receipt {
        OwnReceipt::WithBallot(ballot) => Some(ballot.as_bytes().as_slice()),
        OwnReceipt::None | OwnReceipt::WithoutAnswer => None,
    };
    writer
        .count(1, order.entry)
        .count(2, order.receipt_until_ms)
        .count(3, order.reveal_until_ms)
        .optional_bytes(4, ballot)
        .flag(5, order.receipt != OwnReceipt::None);
}

fn write_step(step: &OpenStep, writer: &mut Writer<'_>) {
    writer.bytes(1, step.statement.as_bytes());
    for bid in &step.bids {
        writer.message(2, |writer| write_bid(bid, writer));
    }
    writer.flag(3, step.closed);
    for ranked in &step.ranking {
        writer.message(4, |writer| {
            writer.count(1, ranked.bid).number(2, ranked.score);
        });
    }
    for selection in &step.selections {
        writer.message(5, |writer| write_selection(selection, writer));
    }
    writer
        .count(6, step.reveal_due_ms.unwrap_or(0))
        .encoded(7, &step.policy_bytes)
        .count(8, step.since)
        .count(20, step.openings_due_ms.unwrap_or(0))
        .optional_bytes(21, slice(&step.seed));
}

fn write_bid(bid: &StepBid, writer: &mut Writer<'_>) {
    let standing = &bid.standing;
    writer
        .count(1, bid.entry)
        .bytes(2, bid.peer.as_bytes())
        .bytes(3, bid.statement.as_bytes())
        .number(4, bid.similarity)
        .count(5, bid.load_ppm)
        .flag(6, bid.eligible)
        .optional_bytes(7, slice(&bid.nonce_commitment))
        .optional_bytes(8, bid.nonce.as_ref().map(<[u8; _]>::as_slice))
        .count(9, bid.price_share_ppm)
        .number(10, standing.prior)
        .number(11, standing.latency)
        .number(12, standing.availability)
        .number(13, standing.reputation)
        .flag(14, standing.newcomer)
        .count(15, standing.settled_at_close);
}

fn write_selection(selection: &PendingSelection, writer: &mut Writer<'_>) {
    let (progress, ballot, answer): (u32, _, _) = match &selection.progress {
        Progress::Picked => (1, None, None),
        Progress::Assigned => (2, None, None),
        Progress::Answered(ballot) => (3, Some(ballot.as_bytes().as_slice()), None),
        Progress::Revealed(answer) => (4, None, slice(answer)),
        Progress::Failed => (5, None, None),
        Progress::TimedOut => (6, None, None),
    };
    let checker: u32 = match selection.checker {
        CheckerVerdict::Unchecked => 0,
        CheckerVerdict::Passed => 1,
        CheckerVerdict::Failed => 2,
    };
    writer
        .count(1, selection.bid)
        .bytes(2, selection.executor.as_bytes())
        .numbers(3, &selection.features)
        .optional_bytes(4, slice(&selection.assignment))
        .count(5, selection.assigned_ms)
        .optional_bytes(6, slice(&selection.receipt))
        .optional_bytes(7, ballot)
        .count(8, selection.latency_ms)
        .count(9, progress)
        .optional_bytes(10, answer)
        .count(11, selection.confidence_ppm)
        .count(12, checker)
        .flag(13, selection.replaced)
        .count(14, selection.number);
}

fn slice(digest: &Option<Digest>) -> Option<&[u8]> {
    digest.as_ref().map(|digest| digest.as_bytes().as_slice())
}
