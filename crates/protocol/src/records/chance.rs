//! Calls and openings: how a nonce comes to light, after the close and not before. Spec: CHANCE-3, CHANCE-4.

use symphony_proto::statement::v1 as wire;
use symphony_transparency::{Digest, PublicKey, encode};

use super::{
    error::{Reader, RecordError},
    origin::Origin,
    views::{CallView, OpeningView},
};
use crate::chance::{ENTROPY_SIZE, nonce_commitment};

/// Largest encoding of each of these payloads, in bytes.
const PAYLOAD_SIZE_MAX: usize = 256;

/// A beacon is closed, and the bidders in its ranking are to open their nonces. Spec: CHANCE-3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Where this stands in the coordinator's log.
    pub origin: Origin,
    /// Digest of the beacon's statement.
    pub beacon: Digest,
    /// Digest of the close's entry, the one before this: it fixes every bid, so that nobody can be called before the close.
    pub close: Digest,
}

impl Call {
    /// Reads a payload.
    ///
    /// # Errors
    /// Bytes that are not canonical, or a field outside its range.
    pub fn parse(payload: &[u8]) -> Result<Self, RecordError> {
        let reader = Reader("Call");
        let value: CallView<'_> = reader.read(payload, PAYLOAD_SIZE_MAX)?;
        Ok(Self {
            origin: Origin::read(reader, value.origin)?,
            beacon: reader.digest("beacon", value.beacon)?,
            close: reader.digest("close", value.close)?,
        })
    }

    /// The canonical payload.
    pub fn encode(&self) -> Vec<u8> {
        encode(&wire::Call {
            origin: self.origin.write(),
            beacon: self.beacon.as_bytes().to_vec(),
            close: self.close.as_bytes().to_vec(),
        })
    }
}

/// The opening of a nonce. Spec: CHANCE-4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Where this stands in the bidder's log.
    pub origin: Origin,
    /// Digest of the beacon's statement.
    pub beacon: Digest,
    /// Log key of the beacon's author.
    pub coordinator: PublicKey,
    /// The nonce.
    pub nonce: [u8; ENTROPY_SIZE],
}

impl Opening {
    /// Reads a payload.
    ///
    /// # Errors
    /// Bytes that are not canonical, or a field outside its range.
    pub fn parse(payload: &[u8]) -> Result<Self, RecordError> {
        let reader = Reader("Opening");
        let value: OpeningView<'_> = reader.read(payload, PAYLOAD_SIZE_MAX)?;
        Ok(Self {
            origin: Origin::read(reader, value.origin)?,
            beacon: reader.digest("beacon", value.beacon)?,
            coordinator: reader.key("coordinator", value.coordinator)?,
            nonce: reader.bytes("nonce", value.nonce)?,
        })
    }

    /// The canonical payload.
    pub fn encode(&self) -> Vec<u8> {
        encode(&wire::Opening {
            origin: self.origin.write(),
            beacon: self.beacon.as_bytes().to_vec(),
            coordinator: self.coordinator.as_bytes().to_vec(),
            nonce: self.nonce.to_vec(),
        })
    }

    /// The commitment that this opens, if `bidder` made it.
    pub fn commitment(&self, bidder: &PublicKey) -> Digest {
        nonce_commitment(&self.beacon, bidder, &self.nonce)
    }
}
