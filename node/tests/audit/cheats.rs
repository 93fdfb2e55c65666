//! Dishonest logs.

use symphony_protocol::records::Body;

use crate::network::Log;

/// The coordinator's log with a better reward in its first settlement, and the index of that entry.
pub(crate) fn lying_coordinator(honest: &Log) -> (Log, usize) {
    let index = honest.first("settlement");
    let Body::Settlement(mut settlement) = honest.parsed()[index].body.clone() else {
        panic!("a settlement")
    };
    settlement.outcomes[0].reward = 1.0;
    (honest.rewritten(index, Body::Settlement(settlement)), index)
}
