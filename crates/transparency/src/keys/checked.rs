//! A key that was checked and is still in the form in which it verifies.

use ed25519_dalek::VerifyingKey;

use super::{KeyError, PublicKey, Signature, SignatureError};

/// The field's prime 2²⁵⁵ − 19 ends in this byte; above it are 0xFF, and 0x7F at the top.
const PRIME_LOWEST_BYTE: u8 = 0xed;

/// An acceptable key with its decoded point: decoding costs a tenth of a verification, so whoever checks a key and verifies
/// with it at once keeps this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CheckedKey(VerifyingKey);

impl CheckedKey {
    /// Checks 32 bytes.
    ///
    /// Spec: KEYS-2.
    pub(crate) fn from_bytes(bytes: &[u8; PublicKey::LENGTH]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotAPoint)?;
        // This also refuses both points with x = 0, whose sign bit would be a second way to write a key.
        if key.is_weak() {
            return Err(KeyError::SmallOrder);
        }
        if !is_below_prime(bytes) {
            return Err(KeyError::NotCanonical);
        }
        Ok(Self(key))
    }

    /// [`CheckedKey::from_bytes`] for a slice.
    pub(crate) fn from_slice(bytes: &[u8]) -> Result<Self, KeyError> {
        let bytes = bytes.try_into().map_err(|_| KeyError::WrongLength {
            expected: PublicKey::LENGTH,
            actual: bytes.len(),
        })?;
        Self::from_bytes(bytes)
    }

    /// The key.
    pub(crate) fn public(&self) -> PublicKey {
        PublicKey(self.0.to_bytes())
    }

    /// The one rule.
    ///
    /// Spec: KEYS-5.
    pub(crate) fn verify(
        &self,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        let signature = ed25519_dalek::Signature::from_bytes(signature.as_bytes());
        self.0
            .verify_strict(message, &signature)
            .map_err(|_| SignatureError::Refused { key: self.public() })
    }
}

/// Whether the y-coordinate (all bits but the highest, little-endian) is below the prime.
fn is_below_prime(bytes: &[u8; PublicKey::LENGTH]) -> bool {
    let [lowest, middle @ .., highest] = bytes;
    *lowest < PRIME_LOWEST_BYTE || middle.iter().any(|byte| *byte != 0xff) || highest & 0x7f != 0x7f
}
