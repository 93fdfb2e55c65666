//! Which peer id a log key has. A peer that left stays known, so that what is sent to it next dials it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use symphony_network::PeerId;
use symphony_transparency::PublicKey;

/// Peers remembered at most; those that left make room first. Above the network's limit of connections.
const PEERS_MAX: usize = 4_096;

/// Peer ids by log key; clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Directory(Arc<Mutex<BTreeMap<PublicKey, Place>>>);

#[derive(Clone, Copy, Debug)]
struct Place {
    peer: PeerId,
    connected: bool,
}

impl Directory {
    /// A peer is connected.
    pub(super) fn arrived(&self, key: PublicKey, peer: PeerId) {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= PEERS_MAX && !places.contains_key(&key) {
            let gone = places.iter().find(|(_, place)| !place.connected);
            if let Some(gone) = gone.map(|(key, _)| *key) {
                places.remove(&gone);
            }
        }
        places.insert(
            key,
            Place {
                peer,
                connected: true,
            },
        );
    }

    /// A peer is no longer connected.
    pub(super) fn left(&self, key: &PublicKey) {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.get_mut(key) {
            place.connected = false;
        }
    }

    /// Its peer id, connected or not.
    pub(super) fn get(&self, key: &PublicKey) -> Option<PeerId> {
        let places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places.get(key).map(|place| place.peer)
    }
}

#[cfg(test)]
mod tests {
    use symphony_transparency::SecretKey;

    use super::*;

    fn key(number: u16) -> PublicKey {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        SecretKey::from_bytes(bytes).public()
    }

    #[test]
    fn a_peer_that_left_is_known_until_its_place_is_needed() {
        let (directory, peer) = (Directory::default(), PeerId::random());
        let (gone, here) = (key(9_999), key(9_998));
        directory.arrived(gone, peer);
        directory.arrived(here, peer);
        directory.left(&gone);
        assert_eq!(directory.get(&gone), Some(peer));
        for number in 0..u16::try_from(PEERS_MAX - 1).unwrap() {
            directory.arrived(key(number), peer);
        }
        assert_eq!(directory.get(&gone), None, "its place was needed");
        assert_eq!(directory.get(&here), Some(peer));
    }
}
