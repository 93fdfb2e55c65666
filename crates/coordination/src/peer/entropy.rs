//! Nonces and secrets of this peer: made from its log key and what they are for, and from nothing else.
//!
//! So none of them is stored, and none can be lost or used for two purposes: whoever lacks the log key can tell them from
//! fresh entropy no more than it can sign. Spec: CHANCE-9.

use symphony_protocol::{chance::ENTROPY_SIZE, records::Origin};
use symphony_transparency::{Digest, Domain, PublicKey, keyed_digest};

use super::Peer;

impl Peer {
    /// The secret of an own beacon that stands here.
    pub(crate) fn own_secret(&self, beacon: &Origin) -> [u8; ENTROPY_SIZE] {
        let place = [
            beacon.log.as_bytes().as_slice(),
            &beacon.index.to_be_bytes(),
        ]
        .concat();
        *keyed_digest(Domain::OwnSecret, &self.secret.expose_bytes(), &place).as_bytes()
    }

    /// The nonce of the bid on another peer's beacon.
    pub(crate) fn own_nonce(&self, coordinator: &PublicKey, beacon: &Digest) -> [u8; ENTROPY_SIZE] {
        let what = [coordinator.as_bytes().as_slice(), beacon.as_bytes()].concat();
        *keyed_digest(Domain::OwnNonce, &self.secret.expose_bytes(), &what).as_bytes()
    }
}
