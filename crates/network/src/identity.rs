//! The transport key: what a peer proves when a connection is made.

use std::fmt;

use libp2p::PeerId;
use libp2p::identity::{Keypair, PublicKey, ed25519};
use zeroize::Zeroizing;

/// The secret half of a peer's transport key: a 32-byte Ed25519 seed.
///
/// It authenticates connections and nothing else; statements are signed by the log key. Entry 0 of the peer's log binds
/// the two. The bytes are wiped when the value is dropped.
///
/// Spec: NET-2.
pub struct TransportSecret(Zeroizing<[u8; TransportSecret::LENGTH]>);

impl TransportSecret {
    /// Size of the seed in bytes.
    pub const LENGTH: usize = 32;

    /// Takes 32 bytes as the seed; every value is one.
    pub fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The libp2p name of the peer that holds this key.
    pub fn peer_id(&self) -> PeerId {
        self.keypair().public().to_peer_id()
    }

    /// The public half, a compressed Ed25519 point: what entry 0 of the log binds.
    pub fn public_key_bytes(&self) -> [u8; 32] {
        self.keypair()
            .public()
            .try_into_ed25519()
            .expect("the key was made as an Ed25519 key")
            .to_bytes()
    }

    pub(crate) fn keypair(&self) -> Keypair {
        // The copy is wiped by libp2p, which takes the bytes mutably for that purpose.
        Keypair::ed25519_from_bytes(*self.0).expect("every 32 bytes are an Ed25519 seed")
    }
}

impl fmt::Debug for TransportSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TransportSecret")
    }
}

/// The libp2p name of the peer whose transport key is this compressed Ed25519 point, or `None` when the bytes are no
/// point.
///
/// A node compares the result with the peer that said hello, to check that the log which the peer names is its own.
///
/// Spec: NET-2.
pub fn peer_id_of_transport_key(public_key: &[u8; 32]) -> Option<PeerId> {
    let key = ed25519::PublicKey::try_from_bytes(public_key).ok()?;
    Some(PublicKey::from(key).to_peer_id())
}

/// The transport key inside a libp2p peer name, or `None` when the name does not hold an Ed25519 key (RSA keys, for
/// example, are only named by their hash).
///
/// Spec: NET-2.
pub fn transport_key_of_peer_id(peer: &PeerId) -> Option<[u8; 32]> {
    /// The multihash code of "the digest is the value itself".
    const IDENTITY_HASH: u64 = 0;
    let hash = peer.as_ref();
    if hash.code() != IDENTITY_HASH {
        return None;
    }
    let key = PublicKey::try_decode_protobuf(hash.digest()).ok()?;
    Some(key.try_into_ed25519().ok()?.to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn net_2_peer_names_and_transport_keys_convert_both_ways() {
        let secret = TransportSecret::from_bytes([7; 32]);
        let public_key = secret.public_key_bytes();
        assert_eq!(
            peer_id_of_transport_key(&public_key),
            Some(secret.peer_id())
        );
        assert_eq!(
            transport_key_of_peer_id(&secret.peer_id()),
            Some(public_key)
        );
    }

    #[test]
    fn a_transport_secret_shows_nothing() {
        assert_eq!(
            format!("{:?}", TransportSecret::from_bytes([7; 32])),
            "TransportSecret"
        );
    }
}
