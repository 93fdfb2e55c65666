//! Capabilities of other peers, as heard: bounded in number and in bytes, since anyone can send them, and a key costs nothing.
//!
//! What has expired goes first. Then whoever cannot be reached makes room for whoever can: such peers are few, as connections are, so
//! there is always a place for one, and whoever comes says its capability again. Spec: CAP-12.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

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

/// How much a peer's capability is needed: the least needed makes room first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// It cannot be reached, and the log relies on nothing of it.
    Stranger,
    /// It cannot be reached, and the log relies on a capability of it.
    Absent,
    /// It can be reached.
    Present,
}

/// The newest capability that was heard of each peer.
#[derive(Debug)]
pub(crate) struct KnownCapabilities {
    room: Room,
    rows: BTreeMap<PublicKey, Row>,
    /// Bytes of the statements in `rows`.
    size: usize,
    /// End of validity of each row.
    ends: BTreeSet<(u64, PublicKey)>,
    /// The rows by who makes room: of equally needed peers first the one whose capability is valid longest, since whoever floods
    /// chooses how long, and would else choose for ever.
    needed: BTreeSet<Place>,
}

#[derive(Debug)]
struct Row {
    first: Received<Capability>,
    /// Another one under the same number: it is logged as soon as the first is relied on.
    second: Option<Received<Capability>>,
    standing: Standing,
}

impl KnownCapabilities {
    pub(super) fn new(room: Room) -> Self {
        Self {
            room,
            rows: BTreeMap::new(),
            size: 0,
            ends: BTreeSet::new(),
            needed: BTreeSet::new(),
        }
    }

    pub(crate) fn get(&self, peer: &PublicKey) -> Option<&Received<Capability>> {
        self.rows.get(peer).map(|row| &row.first)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&PublicKey, &Received<Capability>)> {
        self.rows.iter().map(|(peer, row)| (peer, &row.first))
    }

    /// Takes the place of what was kept of this peer. Without room, and if nobody that is needed less can make any, everything
    /// stays as it is, and the answer is an error.
    pub(super) fn keep(
        &mut self,
        received: Received<Capability>,
        standing: Standing,
        now_ms: u64,
    ) -> Result<(), NoRoom> {
        let peer = *received.statement.author();
        let (needed, place) = (size(&received), place(&received, standing));
        let earlier = self.remove(&peer);
        if let Err(error) = self.make_room(needed, &place, now_ms) {
            if let Some(earlier) = earlier {
                self.insert(earlier);
            }
            return Err(error);
        }
        self.insert(Row {
            first: received,
            second: None,
            standing,
        });
        Ok(())
    }

    /// Keeps, beside the capability of a peer, another one under the same number; the first such stays.
    pub(super) fn keep_second(
        &mut self,
        received: Received<Capability>,
        now_ms: u64,
    ) -> Result<(), NoRoom> {
        let peer = *received.statement.author();
        let Some(mut row) = self.remove(&peer) else {
            return Ok(());
        };
        let needed = size(&row.first) + size(&received);
        let made = match row.second {
            Some(_) => Ok(()),
            None => self.make_room(needed, &place(&row.first, row.standing), now_ms),
        };
        if made.is_ok() {
            row.second.get_or_insert(received);
        }
        self.insert(row);
        made
    }

    /// Takes the second one under the number of a peer's capability.
    pub(super) fn take_second(&mut self, peer: &PublicKey) -> Option<Received<Capability>> {
        let second = self.rows.get_mut(peer)?.second.take()?;
        self.size -= size(&second);
        Some(second)
    }

    /// A peer came, left, or is relied on.
    pub(super) fn stand(&mut self, peer: &PublicKey, standing: Standing) {
        if let Some(row) = self.remove(peer) {
            self.insert(Row { standing, ..row });
        }
    }

    pub(super) fn forget(&mut self, peer: &PublicKey) {
        self.remove(peer);
    }

    /// Removes what has expired, then whoever is needed less than the one at this place, until there is room for so many bytes and one
    /// row more; nothing if that would not do. A statement has a few hundred bytes at least, so few rows make room for the largest.
    fn make_room(&mut self, needed: usize, place: &Place, now_ms: u64) -> Result<(), NoRoom> {
        let (mut count, mut size) = (self.rows.len(), self.size + needed);
        let has_room =
            |count: usize, size: usize| count < self.room.count && size <= self.room.size;
        let expired = self.ends.iter().take_while(|(end, _)| *end <= now_ms);
        let expired = expired.map(|(_, peer)| *peer);
        // Equals make no room: whoever floods would turn everything over at no gain to anybody.
        let rank = |place: &Place| (place.0, place.1);
        let needed_less = self
            .needed
            .iter()
            .take_while(|other| rank(other) < rank(place));
        let mut gone = BTreeSet::new();
        for peer in expired.chain(needed_less.map(|(.., peer)| *peer)) {
            if has_room(count, size) {
                break;
            }
            if gone.insert(peer) {
                count -= 1;
                size -= self.rows.get(&peer).map_or(0, Row::size);
            }
        }
        if !has_room(count, size) {
            return Err(NoRoom);
        }
        for peer in &gone {
            self.remove(peer);
        }
        Ok(())
    }

    fn insert(&mut self, row: Row) {
        let peer = *row.first.statement.author();
        self.size += row.size();
        self.ends.insert((row.first.record.valid_until_ms, peer));
        self.needed.insert(place(&row.first, row.standing));
        self.rows.insert(peer, row);
    }

    fn remove(&mut self, peer: &PublicKey) -> Option<Row> {
        let row = self.rows.remove(peer)?;
        self.size -= row.size();
        self.ends.remove(&(row.first.record.valid_until_ms, *peer));
        self.needed.remove(&place(&row.first, row.standing));
        Some(row)
    }
}

impl Row {
    fn size(&self) -> usize {
        size(&self.first) + self.second.as_ref().map_or(0, size)
    }
}

/// The earliest place makes room first.
type Place = (Standing, Reverse<u64>, PublicKey);

fn place(received: &Received<Capability>, standing: Standing) -> Place {
    let end = Reverse(received.record.valid_until_ms);
    (standing, end, *received.statement.author())
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
    use symphony_transparency::{Digest, PublicKey, SecretKey, sign_statement};

    use super::{
        KnownCapabilities, NoRoom, Room,
        Standing::{self, Absent, Present, Stranger},
        size,
    };

    fn capability(peer: u8, tag_length: usize, valid_until_ms: u64) -> Received<Capability> {
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
            valid_until_ms,
        };
        let statement = sign_statement(
            &SecretKey::from_bytes([peer; 32]),
            &Digest::ZERO,
            Capability::KIND,
            record.write(),
        );
        Received { statement, record }
    }

    fn key(peer: u8) -> PublicKey {
        SecretKey::from_bytes([peer; 32]).public()
    }

    fn of_count(count: usize) -> KnownCapabilities {
        KnownCapabilities::new(Room {
            count,
            size: usize::MAX,
        })
    }

    impl KnownCapabilities {
        fn heard(&mut self, peer: u8, standing: Standing, end_ms: u64) -> bool {
            let kept = self.keep(capability(peer, 1, end_ms), standing, 10);
            assert_eq!(kept.is_ok(), self.get(&key(peer)).is_some());
            let rows = self.rows.len();
            assert_eq!((rows, rows), (self.ends.len(), self.needed.len()));
            assert_eq!(self.size, self.rows.values().map(super::Row::size).sum());
            kept.is_ok()
        }

        fn holds(&self, peers: &[u8]) -> bool {
            let held = peers.iter().all(|peer| self.get(&key(*peer)).is_some());
            held && self.iter().count() == peers.len()
        }
    }

    #[test]
    fn cap_12_neither_number_nor_bytes_exceed_the_room() {
        let keep = |known: &mut KnownCapabilities, peer, length| {
            known.keep(capability(peer, length, 20), Present, 10)
        };
        let (small, large) = (size(&capability(1, 1, 20)), size(&capability(1, 30, 20)));
        let mut known = KnownCapabilities::new(Room {
            count: 3,
            size: large + small,
        });
        assert_eq!(keep(&mut known, 1, 1), Ok(()));
        assert_eq!(keep(&mut known, 2, 1), Ok(()));
        assert_eq!(keep(&mut known, 2, 30), Ok(()), "in its own place");
        assert_eq!(known.size, large + small);
        known.forget(&key(2));
        assert_eq!(known.size, small);
        assert_eq!(keep(&mut known, 3, 30), Ok(()), "in a place left");
        known.stand(&key(3), Absent);
        assert_eq!(keep(&mut known, 4, 30), Ok(()), "it makes room");
        assert!(known.holds(&[1, 4]));
        let stranger = capability(5, 1, 20);
        assert_eq!(known.keep(stranger, Stranger, 10), Err(NoRoom), "bytes");
        assert_eq!(known.size, large + small);
    }

    #[test]
    fn cap_12_what_has_expired_goes_first() {
        let mut known = of_count(3);
        known.heard(1, Present, 10);
        known.heard(2, Stranger, 30);
        known.heard(3, Present, 11);
        assert!(known.heard(4, Stranger, 40));
        assert!(known.holds(&[2, 3, 4]));
    }

    #[test]
    fn cap_12_who_can_be_reached_always_finds_room() {
        let mut known = of_count(4);
        for peer in 1..=20 {
            known.heard(peer, Stranger, u64::MAX);
        }
        assert_eq!(known.iter().count(), 4);
        assert!(known.heard(50, Absent, 30));
        for newcomer in 51..54 {
            assert!(known.heard(newcomer, Present, u64::MAX));
        }
        assert!(known.holds(&[50, 51, 52, 53]), "strangers go first");
        assert!(known.heard(54, Present, u64::MAX));
        assert!(known.holds(&[51, 52, 53, 54]), "then who is absent");
        assert!(!known.heard(1, Stranger, 20));
        assert!(!known.heard(50, Absent, 20));
        known.stand(&key(52), Stranger);
        assert!(known.heard(50, Absent, 20));
        assert!(known.holds(&[50, 51, 53, 54]));
    }

    #[test]
    fn cap_12_of_strangers_the_one_that_would_stay_longest_makes_room() {
        let mut known = of_count(2);
        known.heard(1, Stranger, u64::MAX);
        known.heard(2, Stranger, 40);
        assert!(!known.heard(3, Stranger, u64::MAX), "an equal");
        assert!(known.heard(4, Stranger, 50));
        assert!(known.holds(&[2, 4]));
        assert!(!known.heard(5, Stranger, 60));
    }

    #[test]
    fn replay_27_a_second_one_under_a_number_is_kept_once_and_counts() {
        let first = capability(1, 1, 20);
        let (second, third) = (capability(1, 2, 20), capability(1, 3, 20));
        let mut known = KnownCapabilities::new(Room {
            count: 1,
            size: size(&first) + size(&second),
        });
        assert_eq!(known.keep(first.clone(), Present, 10), Ok(()));
        assert_eq!(known.keep_second(third.clone(), 10), Err(NoRoom));
        assert_eq!(known.keep_second(second.clone(), 10), Ok(()));
        assert_eq!(known.keep_second(third, 10), Ok(()));
        assert_eq!(known.get(&key(1)), Some(&first));
        assert_eq!(known.take_second(&key(1)), Some(second));
        assert_eq!(known.take_second(&key(1)), None);
        assert_eq!(known.size, size(&first));
    }
}
