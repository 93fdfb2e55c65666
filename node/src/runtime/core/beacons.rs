//! Own gossiped beacons that are still open: gossip does not reach whoever connects a moment later, so they are said again.

use symphony_protocol::records::{Beacon, Received, RelayedBeacon};
use symphony_transparency::{Digest, UnverifiedStatement};

/// Open beacons remembered at most; the oldest are forgotten first.
const OPEN_BEACONS_MAX: usize = 1_024;

/// Open beacons, oldest first.
#[derive(Debug, Default)]
pub(super) struct OpenBeacons(Vec<OpenBeacon>);

#[derive(Debug)]
struct OpenBeacon {
    message: RelayedBeacon,
    close_deadline_ms: u64,
    /// Whether gossip took it: it refuses the same bytes a second time.
    was_gossiped: bool,
}

impl OpenBeacons {
    /// Remembers a message whose statement is a beacon.
    pub(super) fn add(&mut self, message: RelayedBeacon, network: &Digest, was_gossiped: bool) {
        let Ok(beacon) = UnverifiedStatement::parse(&message.statement)
            .and_then(|statement| statement.verify(network))
            .map_err(|_| ())
            .and_then(|statement| Received::<Beacon>::from_statement(statement).map_err(|_| ()))
        else {
            return;
        };
        if self.0.len() >= OPEN_BEACONS_MAX {
            self.0.remove(0);
        }
        self.0.push(OpenBeacon {
            message,
            close_deadline_ms: beacon.record.close_deadline_ms,
            was_gossiped,
        });
    }

    /// The statements of those that are open now.
    pub(super) fn open(&mut self, now_ms: u64) -> Vec<Vec<u8>> {
        self.prune(now_ms);
        self.0
            .iter()
            .map(|beacon| beacon.message.statement.clone())
            .collect()
    }

    /// The messages of those that are open now and that gossip did not take; they count as gossiped from now on.
    pub(super) fn take_unheard(&mut self, now_ms: u64) -> Vec<Vec<u8>> {
        self.prune(now_ms);
        self.0
            .iter_mut()
            .filter_map(|beacon| {
                let is_new = !std::mem::replace(&mut beacon.was_gossiped, true);
                is_new.then(|| beacon.message.encode())
            })
            .collect()
    }

    fn prune(&mut self, now_ms: u64) {
        self.0.retain(|beacon| beacon.close_deadline_ms > now_ms);
    }
}
