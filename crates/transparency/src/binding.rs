//! The binding of a peer's three keys to each other, in entry 0 of its log.
//!
//! Each key signs the same bytes, which name all three and the network. So nobody can claim another's transport or witness
//! key, and a binding that was made for one network or role proves nothing in another.
//!
//! Spec: KEYS-6, KEYS-7.

use std::fmt;

use crate::statement::SIGNING_PREFIX;
use crate::{Digest, Domain, PublicKey, SecretKey, Signature, SignatureError, digest_parts};

/// In the place of a statement's type, the number that no statement has.
const BINDING_TYPE: u32 = 0;

/// What one of a peer's keys is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyRole {
    /// Signs statements and checkpoints.
    Log,
    /// The libp2p identity.
    Transport,
    /// Signs cosignatures on other peers' checkpoints.
    Witness,
}

impl fmt::Display for KeyRole {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Log => "log",
            Self::Transport => "transport",
            Self::Witness => "witness",
        })
    }
}

/// A peer's three public keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerKeys {
    /// Signs statements and checkpoints.
    pub log: PublicKey,
    /// The libp2p identity.
    pub transport: PublicKey,
    /// Signs cosignatures on other peers' checkpoints.
    pub witness: PublicKey,
}

/// A peer's three secret keys.
#[derive(Debug)]
pub struct PeerSecrets {
    /// Signs statements and checkpoints.
    pub log: SecretKey,
    /// The libp2p identity.
    pub transport: SecretKey,
    /// Signs cosignatures on other peers' checkpoints.
    pub witness: SecretKey,
}

/// The three signatures of a binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyBinding {
    /// By the log key.
    pub log: Signature,
    /// By the transport key.
    pub transport: Signature,
    /// By the witness key.
    pub witness: Signature,
}

/// Why three keys are not bound to each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindingError {
    /// One key has two roles: a signature in one could then be taken for one in the other.
    #[error("the {first} key is also the {second} key")]
    SameKey {
        /// One role of the key.
        first: KeyRole,
        /// Its other role.
        second: KeyRole,
    },
    /// A signature does not hold.
    #[error("{role} key: {source}")]
    Signature {
        /// The key that should have signed.
        role: KeyRole,
        /// Why the signature was refused.
        source: SignatureError,
    },
}

impl PeerSecrets {
    /// The public keys.
    pub fn public(&self) -> PeerKeys {
        PeerKeys {
            log: self.log.public(),
            transport: self.transport.public(),
            witness: self.witness.public(),
        }
    }

    /// Binds the keys to each other for one network.
    ///
    /// Spec: KEYS-6.
    pub fn bind(&self, network: &Digest) -> KeyBinding {
        let bytes = self.public().binding_bytes(network);
        KeyBinding {
            log: self.log.sign_raw(&bytes),
            transport: self.transport.sign_raw(&bytes),
            witness: self.witness.sign_raw(&bytes),
        }
    }
}

impl PeerKeys {
    /// What each of the three keys signs: `0xFF ‖ "symphony/v1" ‖ 0x00 ‖ network id ‖ 0 (4 bytes) ‖ digest of the keys`.
    ///
    /// Spec: KEYS-6.
    pub fn binding_bytes(&self, network: &Digest) -> Vec<u8> {
        let keys = digest_parts(
            Domain::KeyBinding,
            &[
                self.log.as_bytes(),
                self.transport.as_bytes(),
                self.witness.as_bytes(),
            ],
        );
        let mut bytes = SIGNING_PREFIX.to_vec();
        bytes.extend_from_slice(network.as_bytes());
        bytes.extend_from_slice(&BINDING_TYPE.to_be_bytes());
        bytes.extend_from_slice(keys.as_bytes());
        bytes
    }

    /// Accepts the keys as those of one peer of this network.
    ///
    /// # Errors
    /// [`BindingError::SameKey`] or [`BindingError::Signature`].
    ///
    /// Spec: KEYS-7.
    pub fn verify_binding(
        &self,
        network: &Digest,
        binding: &KeyBinding,
    ) -> Result<(), BindingError> {
        let roles = [
            (KeyRole::Log, &self.log, &binding.log),
            (KeyRole::Transport, &self.transport, &binding.transport),
            (KeyRole::Witness, &self.witness, &binding.witness),
        ];
        for (position, (second, key, _)) in roles.iter().enumerate() {
            for (first, other, _) in &roles[..position] {
                if key == other {
                    return Err(BindingError::SameKey {
                        first: *first,
                        second: *second,
                    });
                }
            }
        }
        let bytes = self.binding_bytes(network);
        for (role, key, signature) in roles {
            key.verify(&bytes, signature)
                .map_err(|source| BindingError::Signature { role, source })?;
        }
        Ok(())
    }
}
