//! Entry 0: who the author is. Spec: LOG-6, CAP-1, CAP-10.

use symphony_proto::log::v1 as wire;
use symphony_transparency::{Digest, KeyBinding, PeerKeys, PeerSecrets, Signature, log_id};

use super::{
    Entry,
    entry::Body,
    error::{Reader, RecordError},
    params::Params,
};

/// Entry 0 of a log: the network's parameters, the peer's three keys bound to each other, and the stamp of admission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// The agreed parameters; their digest is the network id.
    pub params: Params,
    /// The peer's keys.
    pub keys: PeerKeys,
    /// Each key's signature of the binding.
    pub binding: KeyBinding,
    /// Proof-of-work number.
    pub stamp: u64,
}

impl Genesis {
    /// Binds the keys of a peer, with the stamp still to be found.
    pub fn bind(secrets: &PeerSecrets, params: Params) -> Self {
        Self {
            keys: secrets.public(),
            binding: secrets.bind(&params.network_id()),
            params,
            stamp: 0,
        }
    }

    /// Searches for a stamp that gives the log id its zero bits, trying at most `attempts_max` numbers from `self.stamp` on.
    ///
    /// Returns the exact bytes of entry 0, or nothing when the attempts ran out (`self.stamp` then is the next number to try).
    /// `time_ms` is the time of the entry, in milliseconds since 1970. Spec: CAP-10.
    pub fn search_stamp(&mut self, time_ms: u64, attempts_max: u64) -> Option<Vec<u8>> {
        let bits = self.params.admission_difficulty_bits();
        for _ in 0..attempts_max {
            let entry = Entry {
                index: 0,
                previous: Digest::ZERO,
                time_ms,
                body: Body::Genesis(Box::new(self.clone())),
            };
            let bytes = entry.encode();
            if leading_zero_bits(&log_id(&bytes)) >= bits {
                return Some(bytes);
            }
            self.stamp = self.stamp.wrapping_add(1);
        }
        None
    }

    pub(super) fn read(value: wire::Genesis) -> Result<Self, RecordError> {
        let reader = Reader("Genesis");
        let params = Params::from_wire(reader.require("params", value.params)?)?;
        if reader.digest("network_id", &value.network_id)? != params.network_id() {
            return reader.refuse("network_id", "the digest of params", "another digest");
        }
        let keys = PeerKeys {
            log: reader.key("log_key", &value.log_key)?,
            transport: reader.key("transport_key", &value.transport_key)?,
            witness: reader.key("witness_key", &value.witness_key)?,
        };
        let binding = KeyBinding {
            log: Signature::from_bytes(reader.bytes("log_signature", &value.log_signature)?),
            transport: Signature::from_bytes(
                reader.bytes("transport_signature", &value.transport_signature)?,
            ),
            witness: Signature::from_bytes(
                reader.bytes("witness_signature", &value.witness_signature)?,
            ),
        };
        keys.verify_binding(&params.network_id(), &binding)
            .or_else(|error| reader.refuse("log_key", "three keys bound to each other", error))?;
        Ok(Self {
            params,
            keys,
            binding,
            stamp: value.stamp,
        })
    }

    pub(super) fn write(&self) -> wire::Genesis {
        wire::Genesis {
            network_id: self.params.network_id().as_bytes().to_vec(),
            params: Some(self.params.to_wire()),
            log_key: self.keys.log.as_bytes().to_vec(),
            transport_key: self.keys.transport.as_bytes().to_vec(),
            witness_key: self.keys.witness.as_bytes().to_vec(),
            transport_signature: self.binding.transport.as_bytes().to_vec(),
            witness_signature: self.binding.witness.as_bytes().to_vec(),
            log_signature: self.binding.log.as_bytes().to_vec(),
            stamp: self.stamp,
        }
    }
}

/// Counts the zero bits that a digest begins with. Spec: CAP-10.
pub fn leading_zero_bits(digest: &Digest) -> u32 {
    let mut bits = 0;
    for byte in digest.as_bytes() {
        bits += byte.leading_zeros();
        if *byte != 0 {
            break;
        }
    }
    bits
}
