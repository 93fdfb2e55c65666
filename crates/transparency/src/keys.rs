//! Ed25519 keys and the one rule by which a signature is accepted.
//!
//! Verifiers of Ed25519 disagree about crafted keys and signatures: one that accepts what another refuses would make a
//! verdict depend on who checks it. So there is one rule, the strictest common one (dalek's `verify_strict`, which is also
//! libsodium's): canonical key, neither key nor R of small order, canonical R and S, the equation without cofactor.
//!
//! Spec: KEYS-1 to KEYS-7.

mod checked;

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use ed25519_dalek::{Signer as _, SigningKey};
use zeroize::{Zeroize as _, Zeroizing};

use crate::base58;
use crate::digest::{Digest, keyed_digest};
use crate::domain::Domain;

pub(crate) use self::checked::CheckedKey;

/// What precedes the base58btc text of a key.
const DID_KEY_PREFIX: &str = "did:key:z";

/// Multicodec of an Ed25519 public key, as an unsigned varint (0xed).
const MULTICODEC_ED25519: [u8; 2] = [0xed, 0x01];

/// Base58 work is quadratic, so longer texts are refused first. A `did:key` of an Ed25519 key has 56 letters.
const DID_KEY_LENGTH_MAX: usize = 64;

/// A public key is not acceptable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not exactly 32 bytes.
    #[error("a public key has {expected} bytes, not {actual}")]
    WrongLength {
        /// [`PublicKey::LENGTH`].
        expected: usize,
        /// The length that was given.
        actual: usize,
    },
    /// The bytes are not the encoding of a point of the curve.
    #[error("a public key is no point of the curve")]
    NotAPoint,
    /// Another encoding of the same point is the canonical one.
    #[error("a public key is not in canonical form")]
    NotCanonical,
    /// A key of small order, for which anyone can make signatures.
    #[error("a public key has small order")]
    SmallOrder,
    /// The text is not a `did:key` of an Ed25519 key.
    #[error("a public key is written as did:key:z6Mk followed by base58 text")]
    NotADidKey,
}

/// A signature was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// Not exactly 64 bytes.
    #[error("a signature has {expected} bytes, not {actual}")]
    WrongLength {
        /// [`Signature::LENGTH`].
        expected: usize,
        /// The length that was given.
        actual: usize,
    },
    /// The signature is not one of this key over this message.
    #[error("signature refused for key {key}")]
    Refused {
        /// The key it was checked with.
        key: PublicKey,
    },
}

/// An Ed25519 public key: 32 bytes that are a canonical point of large order, shown as `did:key:z6Mk…`.
///
/// Ordering is by raw bytes, which is how ties are broken everywhere in the protocol.
///
/// Spec: KEYS-2, KEYS-3.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; PublicKey::LENGTH]);

impl PublicKey {
    /// Size of a key in bytes.
    pub const LENGTH: usize = 32;

    /// Checks 32 bytes and takes them as a key.
    ///
    /// # Errors
    /// [`KeyError::NotAPoint`], [`KeyError::NotCanonical`] or [`KeyError::SmallOrder`].
    ///
    /// Spec: KEYS-2.
    pub fn from_bytes(bytes: [u8; Self::LENGTH]) -> Result<Self, KeyError> {
        CheckedKey::from_bytes(&bytes).map(|key| key.public())
    }

    /// [`PublicKey::from_bytes`] for a slice.
    ///
    /// # Errors
    /// Those of [`PublicKey::from_bytes`], and [`KeyError::WrongLength`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, KeyError> {
        CheckedKey::from_slice(bytes).map(|key| key.public())
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// The first 8 hexadecimal digits of the key: for logs and tables, never for comparison.
    pub fn fmt_short(&self) -> String {
        HEXLOWER.encode(&self.0[..4])
    }

    /// Accepts or refuses a signature over `message`, by the one rule.
    ///
    /// # Errors
    /// [`SignatureError::Refused`].
    ///
    /// Spec: KEYS-5.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        // Its bytes were checked when the value was made; only the point has to be decoded again.
        CheckedKey::from_bytes(&self.0)
            .map_err(|_| SignatureError::Refused { key: *self })?
            .verify(message, signature)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tagged = [0; MULTICODEC_ED25519.len() + Self::LENGTH];
        tagged[..2].copy_from_slice(&MULTICODEC_ED25519);
        tagged[2..].copy_from_slice(&self.0);
        write!(formatter, "{DID_KEY_PREFIX}{}", base58::encode(&tagged))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PublicKey({self})")
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > DID_KEY_LENGTH_MAX {
            return Err(KeyError::NotADidKey);
        }
        let encoded = text
            .strip_prefix(DID_KEY_PREFIX)
            .ok_or(KeyError::NotADidKey)?;
        let tagged = base58::decode(encoded).ok_or(KeyError::NotADidKey)?;
        let key = tagged
            .strip_prefix(&MULTICODEC_ED25519)
            .ok_or(KeyError::NotADidKey)?;
        Self::from_slice(key)
    }
}

impl AsRef<[u8]> for PublicKey {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// An Ed25519 signature: 64 bytes, R then S.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature([u8; Signature::LENGTH]);

impl Signature {
    /// Size of a signature in bytes.
    pub const LENGTH: usize = 64;

    /// Takes 64 bytes as a signature; nothing is checked before [`PublicKey::verify`].
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// Takes a slice of exactly 64 bytes as a signature.
    ///
    /// # Errors
    /// [`SignatureError::WrongLength`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, SignatureError> {
        <[u8; Self::LENGTH]>::try_from(bytes)
            .map(Self)
            .map_err(|_| SignatureError::WrongLength {
                expected: Self::LENGTH,
                actual: bytes.len(),
            })
    }

    /// The 64 bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Signature({})", HEXLOWER.encode(&self.0))
    }
}

/// An Ed25519 secret key. It is wiped when dropped, shows nothing, and cannot be copied by accident.
///
/// Spec: KEYS-1.
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// Size of the secret seed in bytes.
    pub const LENGTH: usize = 32;

    /// Takes 32 bytes of entropy (the seed of RFC 8032) as a secret key. The caller brings the entropy; this crate has none.
    pub fn from_bytes(mut seed: [u8; Self::LENGTH]) -> Self {
        let key = Self(SigningKey::from_bytes(&seed));
        seed.zeroize();
        key
    }

    /// The seed, for the one place that stores it.
    pub fn expose_bytes(&self) -> Zeroizing<[u8; Self::LENGTH]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// 32 bytes that only the holder of this key can compute, for one use: the digest of `bytes` keyed with the seed. It tells
    /// nothing of the seed, nor of what is derived from other bytes or for another use.
    pub fn derive(&self, domain: Domain, bytes: &[u8]) -> Digest {
        keyed_digest(domain, &self.expose_bytes(), bytes)
    }

    /// The public key that belongs to this secret.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs bytes as they are. "Raw": the caller answers for domain separation. Statements are signed by
    /// [`sign_statement`](crate::sign_statement) and checkpoints by [`Checkpoint::sign`](crate::Checkpoint::sign).
    ///
    /// Spec: KEYS-4.
    pub fn sign_raw(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretKey")
    }
}
