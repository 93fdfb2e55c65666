//! Bids that arrive. Spec: BEACON-13.

use symphony_protocol::records::{Bid, Body, Received};
use symphony_transparency::VerifiedStatement;

use crate::{
    event::TaskEvent,
    peer::{Peer, ProposeError, Taken},
};

impl Peer {
    pub(crate) fn bid_heard(
        &mut self,
        statement: VerifiedStatement,
    ) -> Result<Result<Taken, String>, ProposeError> {
        let bid = match Received::<Bid>::from_statement(statement) {
            Ok(bid) => bid,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let peer = *bid.statement.author();
        let found = self
            .open_step(&bid.record.beacon)
            .filter(|(_, step)| !step.closed);
        let Some((index, step)) = found else {
            return Ok(Err("no open beacon of this digest".to_owned()));
        };
        if let Some(known) = step
            .bids
            .iter()
            .find(|known| known.peer == peer && known.statement == bid.digest())
        {
            return Ok(Ok(Taken::Logged(known.entry)));
        }
        let task = step.beacon.task;
        if let Some(capability) = self.known.get(&peer).cloned()
            && capability.digest() == bid.record.capability
            && let Err(reason) = self.rely_on(&capability)
        {
            return Ok(Err(reason));
        }
        if self.exposed.contains(&peer) {
            return Ok(Err(
                "a bid on one of two capabilities under one number".to_owned()
            ));
        }
        let match_ppm = bid.record.match_ppm;
        let taken = self.log_received(Body::BidReceived(bid));
        if let (Ok(Taken::Logged(entry)), Some(request)) = (&taken, self.request_of(task)) {
            self.report(request, *entry, TaskEvent::Bid { peer, match_ppm });
        }
        debug_assert!(
            self.state().step(index).is_some(),
            "a bid never ends a step"
        );
        Ok(taken)
    }
}
