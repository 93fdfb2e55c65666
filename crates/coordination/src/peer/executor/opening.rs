//! Opening the nonce of a bid, when its beacon is closed and not before. Spec: CHANCE-4.

use symphony_protocol::records::{Body, Call, Issued, Opening, Received};
use symphony_transparency::VerifiedStatement;

use crate::peer::{Peer, Taken};

impl Peer {
    /// Answers a call, once. Whoever calls signs for a log that is closed at this place: a lie convicts it, as soon as somebody
    /// holds its log and the entry in which this peer keeps the call.
    pub(crate) fn call_heard(&mut self, statement: VerifiedStatement) -> Result<Taken, String> {
        let call =
            Received::<Call>::from_statement(statement).map_err(|error| error.to_string())?;
        let coordinator = *call.statement.author();
        let beacon = call.record.beacon;
        let Some(bid) = self.bids.get(&coordinator, &beacon) else {
            return Err("a call for a beacon without a bid of this peer".to_owned());
        };
        let origin = call.record.origin;
        if origin.log != bid.place.log || origin.index <= bid.place.index {
            return Err("a call that does not stand behind its beacon".to_owned());
        }
        let issued = Issued::new(Opening {
            origin: self.next_origin(),
            beacon,
            coordinator,
            nonce: self.own_nonce(&coordinator, &beacon),
        });
        let bytes = self.sign(&issued).into_bytes();
        let place = (self.replay.size(), issued.digest);
        // Refused where the nonce is open already, or its time is over by the own log.
        self.log_received(Body::OpeningIssued(issued, call))?;
        self.send_awaited(coordinator, place, bytes, Vec::new());
        Ok(Taken::Noted)
    }
}
