//! Which peers are blocked, and until when.

use std::collections::BTreeMap;
use std::time::Duration;

use libp2p::PeerId;

use crate::limits::BLOCKED_PEERS_MAX;

/// Blocked peers. Time is the time since any fixed moment.
#[derive(Debug, Default)]
pub(crate) struct Blocklist {
    peers: BTreeMap<PeerId, Block>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    UntilUnblocked,
    Until(Duration),
}

/// The list is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

impl Blocklist {
    /// Blocks a peer until it is unblocked. Peers that are blocked for a time give way.
    pub(crate) fn block(&mut self, peer: PeerId) -> Result<Option<PeerId>, Full> {
        self.insert(peer, Block::UntilUnblocked)
    }

    /// Blocks a peer for a time; a block without end stays one.
    pub(crate) fn block_until(
        &mut self,
        peer: PeerId,
        end: Duration,
    ) -> Result<Option<PeerId>, Full> {
        if self.peers.get(&peer) == Some(&Block::UntilUnblocked) {
            return Ok(None);
        }
        self.insert(peer, Block::Until(end))
    }

    /// Whether the peer is blocked.
    pub(crate) fn contains(&self, peer: &PeerId) -> bool {
        self.peers.contains_key(peer)
    }

    /// Unblocks a peer; says whether it was blocked.
    pub(crate) fn unblock(&mut self, peer: &PeerId) -> bool {
        self.peers.remove(peer).is_some()
    }

    /// Unblocks and gives every peer whose time is over.
    pub(crate) fn expire(&mut self, now: Duration) -> Vec<PeerId> {
        let expired: Vec<PeerId> = self
            .peers
            .iter()
            .filter(|(_, block)| matches!(block, Block::Until(end) if *end <= now))
            .map(|(peer, _)| *peer)
            .collect();
        for peer in &expired {
            self.peers.remove(peer);
        }
        expired
    }

    /// Gives the peer that had to make room, if one had to.
    fn insert(&mut self, peer: PeerId, block: Block) -> Result<Option<PeerId>, Full> {
        let mut evicted = None;
        if self.peers.len() >= BLOCKED_PEERS_MAX && !self.contains(&peer) {
            let soonest = self
                .peers
                .iter()
                .filter_map(|(peer, block)| match block {
                    Block::Until(end) => Some((*end, *peer)),
                    Block::UntilUnblocked => None,
                })
                .min()
                .ok_or(Full)?;
            self.peers.remove(&soonest.1);
            evicted = Some(soonest.1);
        }
        self.peers.insert(peer, block);
        Ok(evicted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn net_15_a_block_for_a_time_ends_and_one_without_end_does_not() {
        let (timed, lasting) = (PeerId::random(), PeerId::random());
        let mut list = Blocklist::default();
        assert_eq!(list.block_until(timed, SECOND), Ok(None));
        assert_eq!(list.block(lasting), Ok(None));
        assert_eq!(list.block_until(lasting, SECOND), Ok(None));
        assert!(list.expire(Duration::ZERO).is_empty());
        assert_eq!(list.expire(SECOND), [timed]);
        assert!(list.contains(&lasting) && !list.contains(&timed));
        assert!(list.unblock(&lasting) && !list.unblock(&lasting));
    }

    #[test]
    fn a_full_list_lets_go_of_the_block_that_ends_first() {
        let mut list = Blocklist::default();
        let soonest = PeerId::random();
        list.block_until(soonest, SECOND).unwrap();
        for _ in 1..BLOCKED_PEERS_MAX {
            list.block(PeerId::random()).unwrap();
        }
        assert_eq!(list.block(PeerId::random()), Ok(Some(soonest)));
        assert_eq!(list.block(PeerId::random()), Err(Full));
    }
}
