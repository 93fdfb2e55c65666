//! Calls for openings, and openings that arrive. Spec: CHANCE-3 to CHANCE-5.

use crate::{
    fault::{Breach, Rule, require_equal},
    records::{Call, Entry, Issued, Opening, Phase, Received},
    state::{Duty, Key, State},
};

impl State {
    /// What follows a close under a policy with chance: a call, a draw, or nothing to draw from. Spec: CHANCE-3.
    pub(in crate::state) fn after_close_with_chance(&mut self, beacon: u64) {
        let Some(step) = self.steps.get(&beacon) else {
            return;
        };
        self.duty = Some(if step.ranking.is_empty() {
            Duty::Settle(beacon)
        } else if step.awaits_openings() {
            Duty::Call(beacon)
        } else {
            Duty::Draw(beacon)
        });
    }

    pub(in crate::state) fn apply_call_issued(
        &mut self,
        entry: &Entry,
        issued: &Issued<Call>,
    ) -> Result<(), Breach> {
        let Some(Duty::Call(beacon)) = self.duty else {
            return Err(Breach::new(
                Rule::NotOpen,
                "a call right after a close",
                "another one",
            ));
        };
        require_equal(
            Rule::Opening,
            "digest of the close",
            &entry.previous,
            &issued.record.close,
        )?;
        self.charge_step(beacon);
        let Some(step) = self.steps.get_mut(&beacon) else {
            return Err(Breach::new(
                Rule::NotOpen,
                "an open step",
                format_args!("beacon {beacon}"),
            ));
        };
        let due_ms = entry.time_ms.saturating_add(step.beacon.reveal_ms.into());
        step.openings_due_ms = Some(due_ms);
        self.add_due(due_ms, beacon, Phase::Openings);
        self.touch(Key::Beacon(beacon));
        self.duty = None;
        Ok(())
    }

    pub(in crate::state) fn apply_opening_received(
        &mut self,
        received: &Received<Opening>,
    ) -> Result<(), Breach> {
        let peer = *received.statement.author();
        let opening = &received.record;
        require_equal(
            Rule::Opening,
            "coordinator",
            &self.author,
            &opening.coordinator,
        )?;
        let called = self
            .names
            .get(&opening.beacon)
            .and_then(|name| Some((name.beacon, self.steps.get(&name.beacon)?)))
            .filter(|(_, step)| step.statement == opening.beacon)
            .filter(|(_, step)| step.openings_due_ms.is_some());
        let Some((beacon, step)) = called else {
            return Err(Breach::new(
                Rule::Opening,
                "an opening for a beacon that calls for openings",
                format_args!("one for {}", opening.beacon),
            ));
        };
        self.weight.add_step(beacon, step);
        let Some(bid) = step.ranked().find(|bid| bid.peer == peer) else {
            return Err(Breach::new(
                Rule::Opening,
                "an opening of a bidder in the ranking",
                format_args!("one of {peer}"),
            ));
        };
        if bid.opened() {
            return Err(Breach::new(
                Rule::Opening,
                "each opening once",
                format_args!("another one of {peer}"),
            ));
        }
        require_equal(
            Rule::Opening,
            "commitment",
            &bid.nonce_commitment,
            &Some(opening.commitment(&peer)),
        )?;
        let (entry, nonce) = (bid.entry, opening.nonce);
        if let Some(bid) = self
            .steps
            .get_mut(&beacon)
            .and_then(|step| step.bids.iter_mut().find(|bid| bid.entry == entry))
        {
            bid.nonce = Some(nonce);
        }
        self.touch(Key::Beacon(beacon));
        if self
            .steps
            .get(&beacon)
            .is_some_and(|step| !step.awaits_openings())
        {
            self.end_openings(beacon);
        }
        Ok(())
    }

    /// All openings are in, or their time is over: the draw is due. Spec: CHANCE-5.
    pub(super) fn end_openings(&mut self, beacon: u64) {
        let due_ms = self
            .steps
            .get_mut(&beacon)
            .and_then(|step| step.openings_due_ms.take());
        if let Some(due_ms) = due_ms {
            self.drop_due(due_ms, beacon, Phase::Openings);
        }
        self.touch(Key::Beacon(beacon));
        self.duty = Some(Duty::Draw(beacon));
    }

    /// The author opens the nonce of its bid. Spec: CHANCE-4.
    pub(in crate::state) fn apply_opening_issued(
        &mut self,
        entry: &Entry,
        issued: &Issued<Opening>,
    ) -> Result<(), Breach> {
        let opening = &issued.record;
        let row = (opening.coordinator, opening.beacon);
        let commitment = opening.commitment(&self.author);
        let committed = self
            .own_bids
            .get(&row)
            .filter(|bid| entry.time_ms < bid.until_ms)
            .and_then(|bid| bid.nonce_commitment);
        let Some(committed) = committed else {
            return Err(Breach::new(
                Rule::Opening,
                "an opening of a nonce that an own bid commits to, once and in time",
                "an opening without one",
            ));
        };
        require_equal(Rule::Opening, "commitment", &committed, &commitment)?;
        if let Some(bid) = self.own_bids.get_mut(&row) {
            bid.nonce_commitment = None;
        }
        self.touch(Key::OwnBid(row.0, row.1));
        Ok(())
    }
}
