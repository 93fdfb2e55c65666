//! BLAKE3-256 digests, each bound to one use by its [`Domain`].
//!
//! Spec: BYTES-8 to BYTES-12.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use blake3::hazmat::{ContextKey, HasherExt as _, hash_derive_key_context};
use data_encoding::HEXLOWER;

use crate::Domain;

/// A 32-byte BLAKE3 digest, shown as 64 lowercase hexadecimal digits (CONV-2).
///
/// Ordering is by bytes, which is the order that every sorted set in the protocol uses.
///
/// Spec: BYTES-8.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; Digest::LENGTH]);

/// A digest's bytes or text have the wrong shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DigestError {
    /// The bytes are not exactly [`Digest::LENGTH`] long.
    #[error("a digest has {expected} bytes, not {actual}")]
    WrongLength {
        /// [`Digest::LENGTH`].
        expected: usize,
        /// The length that was given.
        actual: usize,
    },
    /// The text is not exactly 64 lowercase hexadecimal digits.
    #[error("a digest is written as 64 lowercase hexadecimal digits")]
    NotHexadecimal,
}

impl Digest {
    /// Size of a digest in bytes.
    pub const LENGTH: usize = 32;

    /// The digest of all zero bytes: a placeholder for "nothing came before" (the previous digest of entry 0). No known
    /// input hashes to it.
    pub const ZERO: Self = Self([0; Self::LENGTH]);

    /// Takes 32 bytes as a digest.
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// Takes a slice of exactly 32 bytes as a digest.
    ///
    /// # Errors
    /// [`DigestError::WrongLength`] for any other length.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, DigestError> {
        <[u8; Self::LENGTH]>::try_from(bytes)
            .map(Self)
            .map_err(|_| DigestError::WrongLength {
                expected: Self::LENGTH,
                actual: bytes.len(),
            })
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// The first 8 hexadecimal digits: for logs and tables, never for comparison.
    pub fn fmt_short(&self) -> String {
        HEXLOWER.encode(&self.0[..4])
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != 2 * Self::LENGTH {
            return Err(DigestError::NotHexadecimal);
        }
        let bytes = HEXLOWER
            .decode(text.as_bytes())
            .map_err(|_| DigestError::NotHexadecimal)?;
        Self::from_slice(&bytes)
    }
}

impl AsRef<[u8]> for Digest {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<[u8; Digest::LENGTH]> for Digest {
    fn from(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }
}

impl From<Digest> for [u8; Digest::LENGTH] {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

/// The digest of `bytes` for one use: BLAKE3 in key-derivation mode with the domain's context.
///
/// Spec: BYTES-9.
pub fn digest(domain: Domain, bytes: &[u8]) -> Digest {
    let mut hasher = DomainHasher::new(domain);
    hasher.update(bytes);
    hasher.finalize()
}

/// The digest of a list of byte strings: each is preceded by its length as 8 big-endian bytes, so that moving a boundary
/// changes the digest.
///
/// Spec: BYTES-10.
pub fn digest_parts(domain: Domain, parts: &[&[u8]]) -> Digest {
    let mut hasher = DomainHasher::new(domain);
    for part in parts {
        hasher.update(&length_prefix(part.len()));
        hasher.update(part);
    }
    hasher.finalize()
}

/// The digest of `bytes` under a secret `key`: what stands in a log in place of a text that could be guessed.
///
/// BLAKE3 in keyed mode over the length of the domain's context (8 big-endian bytes), the context, and `bytes`.
///
/// Spec: BYTES-11.
pub fn keyed_digest(domain: Domain, key: &[u8; 32], bytes: &[u8]) -> Digest {
    let context = domain.context().as_bytes();
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(&length_prefix(context.len()));
    hasher.update(context);
    hasher.update(bytes);
    Digest(*hasher.finalize().as_bytes())
}

/// [`digest`] over bytes that arrive piece by piece; the pieces' boundaries leave no trace.
#[derive(Debug, Clone)]
pub struct DomainHasher(blake3::Hasher);

impl DomainHasher {
    /// Starts a digest for one use.
    pub fn new(domain: Domain) -> Self {
        Self(blake3::Hasher::new_from_context_key(context_key(domain)))
    }

    /// The digest of these bytes alone, for the same use: [`digest`] without a new hasher each time.
    pub fn digest(&mut self, bytes: &[u8]) -> Digest {
        self.0.reset();
        self.update(bytes).finalize()
    }

    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(bytes);
        self
    }

    /// The digest of all bytes added so far.
    pub fn finalize(&self) -> Digest {
        Digest(*self.0.finalize().as_bytes())
    }

    /// The extended digest of all bytes added so far: its first 32 bytes are [`DomainHasher::finalize`].
    pub fn stream(&self) -> DigestStream {
        DigestStream(self.0.finalize_xof())
    }
}

/// Bytes without end that follow from a digest's input alone: BLAKE3's extended output.
///
/// Spec: CHANCE-7.
#[derive(Debug, Clone)]
pub struct DigestStream(blake3::OutputReader);

impl DigestStream {
    /// The next 8 bytes as a number, most significant byte first.
    pub fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_be_bytes(bytes)
    }
}

/// The key that BLAKE3 derives from a domain's context, computed once: most inputs are as short as the context, so deriving
/// it for each digest would double the work.
fn context_key(domain: Domain) -> &'static ContextKey {
    static KEYS: [OnceLock<ContextKey>; Domain::ALL.len()] =
        [const { OnceLock::new() }; Domain::ALL.len()];
    KEYS[domain.position()].get_or_init(|| hash_derive_key_context(domain.context()))
}

/// Numbers in hashed bytes are big-endian. Spec: CONV-1.
fn length_prefix(length: usize) -> [u8; 8] {
    u64::try_from(length)
        .expect("usize has at most 64 bits on every supported target")
        .to_be_bytes()
}
