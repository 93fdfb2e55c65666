//! Passing gossiped beacons on: each over the fewest hops that it came, and never over more than its author allows.
//!
//! Copies of one beacon come over different ways, and a longer one may be the faster. So a beacon is passed on when it is heard
//! first, and again when a copy came over fewer hops: then everyone within the limit hears it, whatever the delays. That is at
//! most as often as the limit says, 16 times. A peer whose own match is too low to bid passes on all the same.
//!
//! Spec: BEACON-15, NET-68.

use std::collections::BTreeMap;

use symphony_protocol::records::{Beacon, HopChain, Received, next_hop};
use symphony_transparency::{Digest, PublicKey};

/// Beacons remembered at most; those whose deadline comes first are forgotten first.
const HEARD_MAX: usize = 4_096;

/// What is to become of a copy of a beacon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hearing {
    /// Its token does not lead to the beacon's anchor within the limit.
    Forged,
    /// It was heard before, over as few hops.
    Known,
    /// It is to be looked at, if it is the first copy, and passed on with this token, if one is left.
    Heard {
        /// Whether no other copy came before.
        first: bool,
        /// The hop at which this peer is, from 1.
        hop: u32,
        /// Token of the next hop; nothing at the last one.
        next: Option<Digest>,
    },
}

/// Beacons that were heard and are open, and over how many hops.
#[derive(Debug, Default)]
pub struct Relays {
    /// By author and digest: a copy that another peer signed is another beacon.
    heard: BTreeMap<(PublicKey, Digest), Heard>,
}

#[derive(Debug)]
struct Heard {
    hop: u32,
    until_ms: u64,
}

impl Relays {
    /// Judges a copy of a beacon whose signature holds and whose deadline is after `now_ms`.
    pub fn hear(&mut self, beacon: &Received<Beacon>, token: &Digest, now_ms: u64) -> Hearing {
        let Some(hop) = HopChain::of(&beacon.record).and_then(|chain| chain.hop(token)) else {
            return Hearing::Forged;
        };
        let name = (*beacon.statement.author(), beacon.digest());
        let known = self.heard.get(&name).map(|heard| heard.hop);
        if known.is_some_and(|known| known <= hop) {
            return Hearing::Known;
        }
        if known.is_none() {
            self.make_room(now_ms);
        }
        let until_ms = beacon.record.close_deadline_ms;
        self.heard.insert(name, Heard { hop, until_ms });
        Hearing::Heard {
            first: known.is_none(),
            hop,
            next: (hop < beacon.record.hop_limit).then(|| next_hop(token)),
        }
    }

    fn make_room(&mut self, now_ms: u64) {
        if self.heard.len() < HEARD_MAX {
            return;
        }
        self.heard.retain(|_, heard| heard.until_ms > now_ms);
        if self.heard.len() >= HEARD_MAX
            && let Some(soonest) = self
                .heard
                .iter()
                .min_by_key(|(_, heard)| heard.until_ms)
                .map(|(name, _)| *name)
        {
            self.heard.remove(&soonest);
        }
    }
}
