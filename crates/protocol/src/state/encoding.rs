//! The authenticated map: its root, and the keys of its values. Spec: chapter 11, REPLAY-2.

use symphony_transparency::{Digest, PublicKey};

use super::{Key, State};

/// Bytes of the longest key, that of what sources measured of a peer at one kind of step.
const NAME_SIZE_MAX: usize = b"imported/".len() + Digest::LENGTH + PublicKey::LENGTH;
/// Bytes of a usual step with its bids, the largest of the values that change often.
const STEP_SIZE: usize = 4096;

impl State {
    /// The state root: changed values are encoded and hashed now.
    ///
    /// Values are set before keys are removed, so that a map of which only a part is known must show no more than what the
    /// result needs. Spec: EVIDENCE-12.
    pub fn root(&mut self) -> Digest {
        let mut dirty = std::mem::take(&mut self.dirty);
        dirty.sort_unstable();
        let mut gone = Vec::new();
        let (mut name, mut value) = (
            Vec::with_capacity(NAME_SIZE_MAX),
            Vec::with_capacity(STEP_SIZE),
        );
        for key in &dirty {
            value.clear();
            match self.write_value(key, &mut value) {
                Some(()) => {
                    write_name(key, &mut name);
                    self.map.set(&name, &value);
                }
                None => gone.push(key),
            }
        }
        for key in gone {
            write_name(key, &mut name);
            self.map.remove(&name);
        }
        dirty.clear();
        self.dirty = dirty;
        self.map.settled_root()
    }

    /// The map as it stood when the root was last asked for: what openings are proved from.
    pub fn map(&self) -> &crate::map::StateMap {
        &self.map
    }

    /// Keys of the open steps that have a deadline, the next one first.
    pub(crate) fn steps_with_deadlines(&self) -> Vec<Vec<u8>> {
        let mut keys: Vec<Vec<u8>> = Vec::new();
        for due in &self.dues {
            let key = name(&Key::Beacon(due.beacon));
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    /// The payload of the statement that a value of the map names by its digest.
    pub(crate) fn payload(&self, name: &[u8]) -> Option<Vec<u8>> {
        match parse_name(name)? {
            Key::Capability(peer) => Some(self.capabilities.get(&peer)?.capability.encode()),
            Key::Beacon(index) => Some(self.steps.get(&index)?.beacon.encode()),
            _ => None,
        }
    }
}

/// The map's key: a table's name, and the row.
pub(super) fn name(key: &Key) -> Vec<u8> {
    let mut name = Vec::new();
    write_name(key, &mut name);
    name
}

/// [`name`] in place of what stood in the buffer.
fn write_name(key: &Key, name: &mut Vec<u8>) {
    let (table, rows): (&[u8], [&[u8]; 2]) = match key {
        Key::Clock => (b"clock", [&[], &[]]),
        Key::Counters => (b"counters", [&[], &[]]),
        Key::Policy => (b"policy", [&[], &[]]),
        Key::PolicyPeer(peer) => (b"policy-peer/", [peer.as_bytes(), &[]]),
        Key::Peer(peer) => (b"peer/", [peer.as_bytes(), &[]]),
        Key::Bucket(bucket, peer) => (b"bucket/", [bucket.as_bytes(), peer.as_bytes()]),
        Key::Imports => (b"imports", [&[], &[]]),
        Key::Imported(bucket, peer) => (b"imported/", [bucket.as_bytes(), peer.as_bytes()]),
        Key::Capability(peer) => (b"capability/", [peer.as_bytes(), &[]]),
        Key::Task(index) => (b"task/", [&index.to_be_bytes(), &[]]),
        Key::Beacon(index) => (b"beacon/", [&index.to_be_bytes(), &[]]),
        Key::Name(statement) => (b"name/", [statement.as_bytes(), &[]]),
        Key::OwnBid(author, beacon) => (b"bid/", [author.as_bytes(), beacon.as_bytes()]),
        Key::OwnBidQueue(number) => (b"bid-queue/", [&number.to_be_bytes(), &[]]),
        Key::OwnAssignmentQueue(number) => (b"assignment-queue/", [&number.to_be_bytes(), &[]]),
        Key::OwnAssignment(assignment) => (b"assignment/", [assignment.as_bytes(), &[]]),
    };
    name.clear();
    for part in [table, rows[0], rows[1]] {
        name.extend_from_slice(part);
    }
}

/// The key that a name in the map stands for; nothing if it is none.
pub(super) fn parse_name(name: &[u8]) -> Option<Key> {
    let split = name.iter().position(|byte| *byte == b'/');
    let (table, row) = match split {
        Some(slash) => name.split_at(slash + 1),
        None => (name, [].as_slice()),
    };
    let number = || row.try_into().ok().map(u64::from_be_bytes);
    let digest = |bytes: &[u8]| Digest::from_slice(bytes).ok();
    let peer = |bytes: &[u8]| PublicKey::from_slice(bytes).ok();
    Some(match table {
        b"clock" => Key::Clock,
        b"counters" => Key::Counters,
        b"policy" => Key::Policy,
        b"policy-peer/" => Key::PolicyPeer(peer(row)?),
        b"peer/" => Key::Peer(peer(row)?),
        b"bucket/" => {
            let (bucket, executor) = row.split_at_checked(Digest::LENGTH)?;
            Key::Bucket(digest(bucket)?, peer(executor)?)
        }
        b"imports" => Key::Imports,
        b"imported/" => {
            let (bucket, executor) = row.split_at_checked(Digest::LENGTH)?;
            Key::Imported(digest(bucket)?, peer(executor)?)
        }
        b"capability/" => Key::Capability(peer(row)?),
        b"task/" => Key::Task(number()?),
        b"beacon/" => Key::Beacon(number()?),
        b"name/" => Key::Name(digest(row)?),
        b"bid/" => {
            let (author, beacon) = row.split_at_checked(PublicKey::LENGTH)?;
            Key::OwnBid(peer(author)?, digest(beacon)?)
        }
        b"bid-queue/" => Key::OwnBidQueue(number()?),
        b"assignment/" => Key::OwnAssignment(digest(row)?),
        b"assignment-queue/" => Key::OwnAssignmentQueue(number()?),
        _ => return None,
    })
}
