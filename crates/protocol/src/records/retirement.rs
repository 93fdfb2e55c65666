//! The end of a log that cannot be healed. Spec: STORE-23 to STORE-25.

use symphony_proto::statement::v1 as wire;
use symphony_transparency::{
    Digest, NodeHash, encode,
    merkle::{EMPTY_ROOT, TREE_SIZE_MAX},
};

use super::error::{Reader, RecordError};

/// Largest encoding, in bytes: three digests and a number.
const RETIREMENT_SIZE_MAX: usize = 128;

/// A log ends, and another one takes its place. Its signer is the log's own key. Spec: STORE-23.
///
/// It takes nothing back: what the log's author signed before stands, and convicts where it breaks a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retirement {
    /// Id of the log that ends.
    pub log: Digest,
    /// Number of entries up to which its author knows to have signed; 0 if that is not known.
    pub size: u64,
    /// Root over these entries.
    pub root: NodeHash,
    /// Id of the log that takes its place.
    pub successor: Digest,
}

impl Retirement {
    /// Reads a payload.
    ///
    /// # Errors
    /// Bytes that are not canonical, or a field outside its range.
    pub fn parse(payload: &[u8]) -> Result<Self, RecordError> {
        let reader = Reader("Retirement");
        let value: wire::Retirement = reader.decode(payload, RETIREMENT_SIZE_MAX)?;
        let retirement = Self {
            log: reader.digest("log_id", &value.log_id)?,
            size: reader.within(
                "size",
                value.size,
                0..=TREE_SIZE_MAX,
                "at most the largest size of a tree",
            )?,
            root: reader.bytes("root", &value.root)?,
            successor: reader.digest("successor_id", &value.successor_id)?,
        };
        if retirement.size == 0 && retirement.root != EMPTY_ROOT {
            return reader.refuse("root", "the empty tree's for a size of 0", "another root");
        }
        if retirement.successor == retirement.log {
            return reader.refuse("successor_id", "another log", retirement.successor);
        }
        Ok(retirement)
    }

    /// The canonical payload.
    pub fn encode(&self) -> Vec<u8> {
        encode(&wire::Retirement {
            log_id: self.log.as_bytes().to_vec(),
            size: self.size,
            root: self.root.to_vec(),
            successor_id: self.successor.as_bytes().to_vec(),
        })
    }
}
