//! Capabilities of other peers, as heard: bounded in number and in bytes, since anyone can send them.

use std::collections::{BTreeMap, btree_map};

use symphony_protocol::records::{Capability, Received};
use symphony_transparency::PublicKey;

/// How much may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// Capabilities.
    pub(super) count: usize,
    /// Bytes of their statements.
    pub(super) size: usize,
}

/// The newest capability that was heard of each peer.
#[derive(Debug)]
pub(crate) struct KnownCapabilities {
    room: Room,
    rows: BTreeMap<PublicKey, Received<Capability>>,
    /// Bytes of the statements in `rows`.
    size: usize,
}

impl KnownCapabilities {
    pub(super) fn new(room: Room) -> Self {
        Self {
            room,
            rows: BTreeMap::new(),
            size: 0,
        }
    }

    pub(crate) fn get(&self, peer: &PublicKey) -> Option<&Received<Capability>> {
        self.rows.get(peer)
    }

    pub(crate) fn iter(&self) -> btree_map::Iter<'_, PublicKey, Received<Capability>> {
        self.rows.iter()
    }

    /// Takes the place of what was kept of this peer. Without room everything stays as it is, and the answer is an error.
    pub(super) fn keep(&mut self, received: Received<Capability>) -> Result<(), NoRoom> {
        let peer = *received.statement.author();
        let earlier = self.rows.get(&peer).map(size);
        let size = self.size - earlier.unwrap_or(0) + size(&received);
        let count = self.rows.len() + usize::from(earlier.is_none());
        if count > self.room.count || size > self.room.size {
            return Err(NoRoom);
        }
        self.rows.insert(peer, received);
        self.size = size;
        Ok(())
    }

    pub(super) fn forget(&mut self, peer: &PublicKey) {
        if let Some(forgotten) = self.rows.remove(peer) {
            self.size -= size(&forgotten);
        }
    }
}

/// A capability that is one, or some bytes, too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no room for another peer's capability")]
pub(super) struct NoRoom;

fn size(received: &Received<Capability>) -> usize {
    received.statement.bytes().len()
}

#[cfg(test)]
mod tests {
    use symphony_protocol::{
        embedding::Embedding,
        records::{Capability, Origin, Received, StatementRecord},
    };
    use symphony_transparency::{Digest, SecretKey, sign_statement};

    use super::{KnownCapabilities, NoRoom, Room, size};

    fn capability(peer: u8, tag_length: usize) -> Received<Capability> {
        let record = Capability {
            origin: Origin {
                log: Digest::ZERO,
                index: 1,
            },
            sequence: 1,
            tags: vec!["t".repeat(tag_length)],
            embedding: Embedding::of_text("text"),
            models: Vec::new(),
            price_microunits: 0,
            parallel_max: 1,
            valid_from_ms: 0,
            valid_until_ms: 1,
        };
        let statement = sign_statement(
            &SecretKey::from_bytes([peer; 32]),
            &Digest::ZERO,
            Capability::KIND,
            record.write(),
        );
        Received { statement, record }
    }

    #[test]
    fn neither_number_nor_bytes_exceed_the_room_and_what_is_forgotten_makes_room() {
        let (small, large) = (size(&capability(1, 1)), size(&capability(1, 30)));
        let room = Room {
            count: 3,
            size: large + small,
        };
        let mut known = KnownCapabilities::new(room);
        assert_eq!(known.keep(capability(1, 1)), Ok(()));
        assert_eq!(known.keep(capability(2, 1)), Ok(()));
        assert_eq!(known.keep(capability(3, 1)), Err(NoRoom), "bytes");
        assert_eq!(known.keep(capability(2, 30)), Ok(()), "in its own place");
        assert_eq!(known.keep(capability(1, 30)), Err(NoRoom), "bytes again");
        assert_eq!(known.iter().count(), 2);
        known.forget(capability(1, 1).statement.author());
        assert_eq!(known.keep(capability(3, 1)), Ok(()), "in a place left");
        known.forget(capability(2, 1).statement.author());
        assert_eq!(known.size, small);

        let mut known = KnownCapabilities::new(Room {
            count: 2,
            size: usize::MAX,
        });
        for peer in [1, 2] {
            assert_eq!(known.keep(capability(peer, 1)), Ok(()));
        }
        assert_eq!(known.keep(capability(3, 1)), Err(NoRoom), "number");
        assert_eq!(known.keep(capability(2, 2)), Ok(()), "a newer one");
    }
}
