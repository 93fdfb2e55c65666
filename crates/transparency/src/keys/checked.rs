//! A key that was checked and is still in the form in which it verifies.

use std::cell::RefCell;

use ed25519_dalek::VerifyingKey;

use super::{KeyError, PublicKey, Signature, SignatureError};

/// The field's prime 2²⁵⁵ − 19 ends in this byte; above it are 0xFF, and 0x7F at the top.
const PRIME_LOWEST_BYTE: u8 = 0xed;

/// Keys that each thread keeps decoded (about 100 KiB). A log names the same few peers in every entry, and decoding a point
/// costs as much as all else of reading an entry; what is kept changes no result, only how soon it is there.
const DECODED_COUNT: usize = 512;

thread_local! {
    /// Acceptable keys, each at the place that its lowest bits name; whoever comes last stays.
    static DECODED: RefCell<Vec<Option<CheckedKey>>> = const { RefCell::new(Vec::new()) };
}

/// An acceptable key with its decoded point: decoding costs a tenth of a verification, so whoever checks a key and verifies
/// with it at once keeps this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CheckedKey(VerifyingKey);

impl CheckedKey {
    /// Checks 32 bytes.
    ///
    /// Spec: KEYS-2.
    pub(crate) fn from_bytes(bytes: &[u8; PublicKey::LENGTH]) -> Result<Self, KeyError> {
        let place = usize::from(u16::from_le_bytes([bytes[0], bytes[1]])) % DECODED_COUNT;
        let known = DECODED.try_with(|decoded| decoded.borrow().get(place).cloned().flatten());
        if let Ok(Some(known)) = known
            && known.0.as_bytes() == bytes
        {
            return Ok(known);
        }
        let key = Self::decode(bytes)?;
        // A thread that is ending keeps nothing more.
        let _ = DECODED.try_with(|decoded| {
            let mut decoded = decoded.borrow_mut();
            decoded.resize(DECODED_COUNT, None);
            decoded[place] = Some(key.clone());
        });
        Ok(key)
    }

    fn decode(bytes: &[u8; PublicKey::LENGTH]) -> Result<Self, KeyError> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SecretKey;

    #[test]
    fn keys_2_a_kept_key_is_the_key_that_was_asked_for() {
        let keys: Vec<PublicKey> = (0..=255)
            .map(|seed| SecretKey::from_bytes([seed; 32]).public())
            .collect();
        for _ in 0..3 {
            for key in &keys {
                assert_eq!(
                    CheckedKey::from_bytes(key.as_bytes()).unwrap().public(),
                    *key
                );
            }
        }
    }

    #[test]
    fn keys_2_a_refused_key_is_refused_again() {
        for key in [[0; 32], [0xff; 32], {
            let mut one = [0; 32];
            one[0] = 1;
            one
        }] {
            let first = CheckedKey::from_bytes(&key).unwrap_err();
            assert_eq!(CheckedKey::from_bytes(&key).unwrap_err(), first);
        }
    }
}
