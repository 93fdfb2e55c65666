//! Weight: how large evidence that begins at the last recorded root has become. When it is too much, the root is due, so that
//! what happens next can be proved in a small file, too. It is counted from what an entry holds and looks up, so nobody can
//! choose it. Spec: REPLAY-15, REPLAY-16.

use std::collections::BTreeMap;

use symphony_transparency::{Digest, PublicKey};

use super::{OpenStep, State};
use crate::{
    fault::{Breach, Rule},
    records::{Body, RootRecorded, Selection},
};

/// From this weight on the root is due. With one more entry, and what every evidence file holds, it stays below 16 KiB.
///
/// Spec: REPLAY-16.
pub const WEIGHT_MAX: u64 = 9 * 1024;
/// An entry without what it holds.
const ENTRY: u64 = 128;
/// A key that an entry looks up or sets: its path, its name and a small value.
const KEY: u64 = 320;
/// A step without what it holds.
const STEP: u64 = 256;
/// A bid of a step.
const BID: u64 = 156;
/// A nonce of a bid, with the commitment to it.
const NONCES: u64 = 68;
/// Whom a policy names for one kind of step.
const NAMED: u64 = 72;
/// A place of a ranking, in a step or in a close.
const RANKED: u64 = 24;
/// A selection without its context, in a step.
const SELECTION: u64 = 176;
/// A selection without its context, in an entry.
const PICK: u64 = 48;
/// An outcome of a settlement.
const OUTCOME: u64 = 24;
/// A number.
const NUMBER: u64 = 8;
/// A source.
const SOURCE: u64 = 64;
/// What a source claims of a peer.
const CLAIM: u64 = 72;

/// What was weighed since the root was recorded last, that entry included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Weight {
    pub(super) sum: u64,
    /// Beacon of the step that was weighed last: entries that follow one another mostly belong to one step.
    pub(super) step: u64,
}

impl Weight {
    /// Whether the root is due. Spec: REPLAY-16.
    pub(super) fn is_due(&self) -> bool {
        self.sum >= WEIGHT_MAX
    }

    pub(super) fn add(&mut self, size: u64) {
        self.sum = self.sum.saturating_add(size);
    }

    /// A step that an entry looked up.
    pub(super) fn add_step(&mut self, beacon: u64, step: &OpenStep) {
        if self.step == beacon {
            return;
        }
        self.step = beacon;
        let numbers: usize = step
            .selections
            .iter()
            .map(|selection| selection.features.len())
            .sum();
        let bid = match step.beacon.secret_commitment {
            Some(_) => BID + NONCES,
            None => BID,
        };
        self.add(
            STEP + step.size
                + bid * step.bids.len() as u64
                + NAMED * step.policy.named.len() as u64
                + RANKED * step.ranking.len() as u64
                + SELECTION * step.selections.len() as u64
                + NUMBER * numbers as u64,
        );
    }
}

impl State {
    /// The capability of a peer was looked up.
    pub(super) fn charge_capability(&mut self, peer: &PublicKey) {
        if let Some(known) = self.capabilities.get(peer) {
            self.weight.add(known.size);
        }
    }

    /// A step was looked up.
    pub(super) fn charge_step(&mut self, beacon: u64) {
        if let Some(step) = self.steps.get(&beacon) {
            self.weight.add_step(beacon, step);
        }
    }

    /// The step to which an assignment belongs was looked up.
    pub(super) fn charge_pending(&mut self, assignment: &Digest) {
        if let Some((beacon, _)) = self.pending_assignment(assignment) {
            self.charge_step(beacon);
        }
    }

    /// The policy was looked up, with all that it learned.
    pub(super) fn charge_model(&mut self) {
        if let Some(learner) = self.learner.get(&()) {
            let numbers = learner.model.shared_numbers();
            let named = learner.policy.named.len();
            self.weight
                .add(NAMED * named as u64 + NUMBER * numbers as u64);
        }
    }

    /// What the policy learned of each of these peers was looked up, if that was asked in this step.
    pub(super) fn charge_learned(
        &mut self,
        beacon: u64,
        peers: impl IntoIterator<Item = PublicKey>,
    ) {
        let since = self.steps.get(&beacon).map(|step| step.since);
        let asked = self
            .learner()
            .is_some_and(|learner| Some(learner.since) == since && learner.model.keeps_peers());
        if !asked {
            return;
        }
        for peer in peers {
            let numbers = self.learned.get(&peer).map_or(0, |row| row.parts.numbers());
            self.weight.add(KEY + NUMBER * numbers as u64);
        }
    }

    /// A choice among these candidates was computed: from the step, and from the policy with what it learned of them.
    pub(super) fn charge_choice(
        &mut self,
        beacon: u64,
        peers: impl IntoIterator<Item = PublicKey>,
    ) {
        self.charge_step(beacon);
        self.charge_model();
        self.charge_learned(beacon, peers);
    }

    /// The measures of these many peers were looked up.
    pub(super) fn charge_keys(&mut self, count: usize) {
        self.weight.add(KEY * count as u64);
    }

    /// What sources say of a peer was looked up, if there are any. Spec: REPLAY-15.
    pub(super) fn charge_imports(&mut self, bucket: &Digest, peer: &PublicKey) {
        if self.counters.sources == 0 || *peer == self.author {
            return;
        }
        let sources = self.imports.get(&()).map_or(0, BTreeMap::len);
        let held = self
            .imported
            .get(&(*bucket, *peer))
            .map_or(0, BTreeMap::len);
        self.weight
            .add(KEY + SOURCE * sources as u64 + claims(held));
    }

    /// The root stands in this entry: what is weighed begins with it.
    pub(super) fn begin_weight(&mut self) {
        self.weight = Weight::default();
    }

    /// Adds what an entry holds and how many keys it looks up.
    pub(super) fn weigh(&mut self, body: &Body) {
        self.weight.add(weight_of(body));
    }

    /// Whatever else is due stays so: it follows behind this entry.
    pub(super) fn apply_root_recorded(&mut self, found: &RootRecorded) -> Result<(), Breach> {
        self.check_state_root(&found.state_root)?;
        self.begin_weight();
        Ok(())
    }

    pub(super) fn check_state_root(&mut self, found: &Digest) -> Result<(), Breach> {
        let expected = self.root();
        if expected == *found {
            return Ok(());
        }
        Err(Breach::new(Rule::StateRoot, expected, found))
    }
}

/// What sources claim of a peer at one kind of step, with its key.
pub(super) fn claims(count: usize) -> u64 {
    KEY + CLAIM * count as u64
}

/// What an entry adds without regard to the state. Spec: REPLAY-15.
fn weight_of(body: &Body) -> u64 {
    let (keys, size) = match body {
        Body::Genesis(_) | Body::Resumed | Body::RootRecorded(_) => (0, 0),
        Body::AcknowledgementReceived(received) => (0, received.statement.bytes().len()),
        Body::PolicySet(..) | Body::TaskOpened(_) | Body::Timeout(_) | Body::TaskDecided(_) => {
            (1, 0)
        }
        Body::MeasuresImported(import) => (1, import.size()),
        Body::CapabilityIssued(issued) => (1, issued.payload.len()),
        Body::RevocationIssued(issued) => (1, issued.payload.len()),
        Body::CapabilityReceived(received) => (1, received.statement.bytes().len()),
        Body::RevocationReceived(received) => (1, received.statement.bytes().len()),
        Body::BeaconIssued(issued) => {
            let own = if issued.record.own_bid.is_some() {
                3
            } else {
                0
            };
            (4 + own, issued.payload.len())
        }
        Body::BidIssued(issued, beacon) => {
            (5, issued.payload.len() + beacon.statement.bytes().len())
        }
        Body::AssignmentIssued(issued) => (3, issued.payload.len()),
        Body::ReceiptIssued(issued) => (2, issued.payload.len()),
        Body::RevealIssued(issued) => (2, issued.payload.len()),
        Body::BidReceived(received) => (5, received.statement.bytes().len()),
        Body::AssignmentReceived(received) => (4, received.statement.bytes().len()),
        Body::ReceiptReceived(received) => (2, received.statement.bytes().len()),
        Body::RevealReceived(received, ..) => (2, received.statement.bytes().len()),
        Body::CallIssued(issued) => (1, issued.payload.len()),
        Body::OpeningIssued(issued, call) => {
            (1, issued.payload.len() + call.statement.bytes().len())
        }
        Body::OpeningReceived(received) => (2, received.statement.bytes().len()),
        Body::Close(close) => {
            let ranked = RANKED * close.ranking.len() as u64;
            return ENTRY + 2 * KEY + ranked + picked(&close.selections);
        }
        Body::Draw(draw) => {
            let fixed = draw.secret.len() + Digest::LENGTH;
            return ENTRY + 2 * KEY + fixed as u64 + picked(&draw.selections);
        }
        Body::Replacement(replacement) => {
            let numbers = NUMBER * replacement.selection.features.len() as u64;
            return ENTRY + 3 * KEY + PICK + numbers;
        }
        Body::Settlement(settlement) => {
            return ENTRY + 4 * KEY + (OUTCOME + 3 * KEY) * settlement.outcomes.len() as u64;
        }
    };
    ENTRY + KEY * keys + size as u64
}

/// Selections in a close or draw, each of which looks up the measures of its peer.
fn picked(selections: &[Selection]) -> u64 {
    selections
        .iter()
        .map(|selection| KEY + PICK + NUMBER * selection.features.len() as u64)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{Close, Outcome, OutcomeClass, Phase, Ranked, Settlement, Timeout};

    #[test]
    fn replay_15_an_entry_weighs_what_it_holds_and_looks_up() {
        let timeout = Body::Timeout(Timeout {
            beacon: 7,
            phase: Phase::Bids,
        });
        let root = Body::RootRecorded(RootRecorded {
            state_root: Digest::ZERO,
        });
        let close = Body::Close(Close {
            beacon: 7,
            ranking: vec![Ranked { bid: 8, score: 0.5 }; 3],
            selections: Vec::new(),
            state_root: Digest::ZERO,
        });
        let outcome = Outcome {
            class: OutcomeClass::Void,
            latency_ms: 0,
            reward: 0.0,
        };
        let settlement = Body::Settlement(Settlement {
            beacon: 7,
            winner: None,
            supporters: 0,
            outcomes: vec![outcome; 2],
            state_root: Digest::ZERO,
        });
        let expected = [
            (Body::Resumed, 128),
            (root, 128),
            (timeout, 128 + 320),
            (close, 128 + 2 * 320 + 3 * 24),
            (settlement, 128 + 4 * 320 + 2 * (24 + 3 * 320)),
        ];
        for (body, weight) in expected {
            assert_eq!(weight_of(&body), weight, "{}", body.name());
        }
    }
}
