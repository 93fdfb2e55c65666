//! The bytes of one of the record's two slots.

use std::collections::BTreeMap;

use symphony_transparency::Digest;
use symphony_transparency::merkle::{NodeHash, TreeHead};

/// Size of a slot in bytes: a page, so that a write in place touches one block of the device.
pub(super) const SLOT_SIZE: usize = 4096;

/// Logs that one record can hold: this peer's own log, and those that it retired.
pub const SIGNING_RECORD_LOGS_COUNT_MAX: usize = 32;

const MAGIC: [u8; 8] = *b"symsign\x01";
const CHECK_OFFSET: usize = SLOT_SIZE - 32;

/// What a slot holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Counts the writes; the slot with the higher number is the newer one.
    pub(crate) generation: u64,
    /// The network.
    pub(crate) network: Digest,
    /// Highest size and root signed, by log id; at most [`SIGNING_RECORD_LOGS_COUNT_MAX`].
    pub(crate) logs: BTreeMap<Digest, TreeHead>,
}

impl Slot {
    /// The slot's bytes. Spec: STORE-13.
    pub(super) fn to_bytes(&self) -> [u8; SLOT_SIZE] {
        let mut bytes = Vec::with_capacity(SLOT_SIZE);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&self.generation.to_be_bytes());
        bytes.extend_from_slice(self.network.as_bytes());
        bytes.extend_from_slice(&(self.logs.len() as u64).to_be_bytes());
        for (log, head) in &self.logs {
            bytes.extend_from_slice(log.as_bytes());
            bytes.extend_from_slice(&head.size.to_be_bytes());
            bytes.extend_from_slice(&head.root);
        }
        bytes.resize(CHECK_OFFSET, 0);
        let check = blake3::hash(&bytes);
        bytes.extend_from_slice(check.as_bytes());
        bytes
            .try_into()
            .expect("32 logs of 72 bytes fit before the check")
    }

    /// Reads a slot; `None` if it was torn, damaged, or never written.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; SLOT_SIZE] = bytes.try_into().ok()?;
        let (content, check) = bytes.split_at(CHECK_OFFSET);
        if blake3::hash(content).as_bytes() != check {
            return None;
        }
        let (magic, rest) = content.split_first_chunk::<8>()?;
        if *magic != MAGIC {
            return None;
        }
        let (generation, rest) = rest.split_first_chunk::<8>()?;
        let (network, rest) = rest.split_first_chunk::<32>()?;
        let (count, mut rest) = rest.split_first_chunk::<8>()?;
        let count = u64::from_be_bytes(*count);
        if count > SIGNING_RECORD_LOGS_COUNT_MAX as u64 {
            return None;
        }
        let mut logs = BTreeMap::new();
        for _ in 0..count {
            let (log, after) = rest.split_first_chunk::<32>()?;
            let (size, after) = after.split_first_chunk::<8>()?;
            let (root, after) = after.split_first_chunk::<32>()?;
            rest = after;
            let root: NodeHash = *root;
            logs.insert(
                Digest::from_bytes(*log),
                TreeHead {
                    size: u64::from_be_bytes(*size),
                    root,
                },
            );
        }
        Some(Self {
            generation: u64::from_be_bytes(*generation),
            network: Digest::from_bytes(*network),
            logs,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn store_13_a_full_slot_round_trips_and_every_flipped_byte_is_seen() {
        let logs = (0..32).map(|byte| {
            (
                Digest::from_bytes([byte; 32]),
                TreeHead {
                    size: u64::from(byte),
                    root: [byte ^ 0x55; 32],
                },
            )
        });
        let slot = Slot {
            generation: 7,
            network: Digest::from_bytes([1; 32]),
            logs: logs.collect(),
        };
        let bytes = slot.to_bytes();
        assert_eq!(Slot::from_bytes(&bytes), Some(slot));
        for position in 0..SLOT_SIZE {
            let mut damaged = bytes;
            damaged[position] ^= 0x10;
            assert_eq!(Slot::from_bytes(&damaged), None, "byte {position}");
        }
        assert_eq!(Slot::from_bytes(&bytes[1..]), None);
    }
}
