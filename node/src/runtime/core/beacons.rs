//! Own gossiped beacons that are still open: gossip does not reach whoever connects a moment later, so they are said again.

use symphony_protocol::records::{Beacon, Received};
use symphony_transparency::{Digest, UnverifiedStatement};

/// Open beacons remembered at most; the oldest are forgotten first.
const OPEN_BEACONS_MAX: usize = 1_024;

/// Open beacons, oldest first.
#[derive(Debug, Default)]
pub(super) struct OpenBeacons(Vec<OpenBeacon>);

#[derive(Debug)]
struct OpenBeacon {
    statement: Vec<u8>,
    close_deadline_ms: u64,
    /// Whether gossip took it: it refuses the same bytes a second time.
    was_gossiped: bool,
}

impl OpenBeacons {
    /// Remembers a statement if it is a beacon.
    pub(super) fn add(&mut self, statement: &[u8], network: &Digest, was_gossiped: bool) {
        let Ok(beacon) = UnverifiedStatement::parse(statement)
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
            statement: statement.to_vec(),
            close_deadline_ms: beacon.record.close_deadline_ms,
            was_gossiped,
        });
    }

    /// Those that are open now.
    pub(super) fn open(&mut self, now_ms: u64) -> Vec<Vec<u8>> {
        self.prune(now_ms);
        self.0
            .iter()
            .map(|beacon| beacon.statement.clone())
            .collect()
    }

    /// Those that are open now and that gossip did not take; they count as gossiped from now on.
    pub(super) fn take_unheard(&mut self, now_ms: u64) -> Vec<Vec<u8>> {
        self.prune(now_ms);
        self.0
            .iter_mut()
            .filter_map(|beacon| {
                let is_new = !std::mem::replace(&mut beacon.was_gossiped, true);
                is_new.then(|| beacon.statement.clone())
            })
            .collect()
    }

    fn prune(&mut self, now_ms: u64) {
        self.0.retain(|beacon| beacon.close_deadline_ms > now_ms);
    }
}
