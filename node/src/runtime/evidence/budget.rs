//! How much verifying of evidence a peer may cause: a forged file costs its receiver far more than its sender.

use std::{collections::BTreeMap, time::Duration};

use symphony_network::PeerId;

/// Files that a peer may cause to be verified at once.
const BURST: u32 = 16;
/// Time in which one more is allowed.
const REFILL: Duration = Duration::from_millis(500);
/// Peers remembered; those whose budget is full again are forgotten first. Above the network's limit of connections.
const PEERS_MAX: usize = 1_024;

/// What each peer has left. Every `now` is the time since one fixed moment, and does not run back.
#[derive(Debug, Default)]
pub(in crate::runtime) struct Budget(BTreeMap<PeerId, Spent>);

#[derive(Debug)]
struct Spent {
    files: u32,
    /// When the next spent file is forgiven.
    forgiven_at: Duration,
}

impl Budget {
    /// Takes one file of a peer's budget, if there is one.
    pub(in crate::runtime) fn take(&mut self, peer: PeerId, now: Duration) -> bool {
        if self.0.len() >= PEERS_MAX && !self.0.contains_key(&peer) {
            for spent in self.0.values_mut() {
                spent.forgive(now);
            }
            self.0.retain(|_, spent| spent.files > 0);
            if self.0.len() >= PEERS_MAX {
                return false;
            }
        }
        let spent = self.0.entry(peer).or_insert(Spent {
            files: 0,
            forgiven_at: now + REFILL,
        });
        spent.forgive(now);
        if spent.files >= BURST {
            return false;
        }
        spent.files += 1;
        true
    }
}

impl Spent {
    fn forgive(&mut self, now: Duration) {
        while self.files > 0 && self.forgiven_at <= now {
            self.files -= 1;
            self.forgiven_at += REFILL;
        }
        if self.files == 0 {
            self.forgiven_at = now + REFILL;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn net_37_verifying_is_limited_for_each_peer_and_allowed_again_with_time() {
        let (one, two) = (PeerId::random(), PeerId::random());
        let (mut budget, start) = (Budget::default(), Duration::from_secs(1_000));
        for _ in 0..BURST {
            assert!(budget.take(one, start));
        }
        assert!(!budget.take(one, start), "the burst is spent");
        assert!(budget.take(two, start), "another peer has its own");
        assert!(budget.take(one, start + REFILL));
        assert!(!budget.take(one, start + REFILL));
        let later = start + REFILL * (BURST + 2);
        for _ in 0..BURST {
            assert!(budget.take(one, later));
        }
        assert!(!budget.take(one, later));
    }

    #[test]
    fn net_37_the_peers_remembered_are_bounded() {
        let mut budget = Budget::default();
        let start = Duration::ZERO;
        for _ in 0..PEERS_MAX {
            assert!(budget.take(PeerId::random(), start));
        }
        assert!(
            !budget.take(PeerId::random(), start),
            "nobody is forgiven yet"
        );
        assert!(budget.take(PeerId::random(), start + REFILL));
    }
}
