//! Chapter 03: keys and signatures. The edge cases are vectors.

use proptest::prelude::*;
use symphony_transparency::{KeyError, PublicKey, SecretKey, Signature, SignatureError};

use crate::secret;

#[test]
fn keys_1_a_secret_shows_nothing_and_gives_its_seed_only_when_asked() {
    let secret = SecretKey::from_bytes([42; 32]);
    assert_eq!(format!("{secret:?}"), "SecretKey");
    assert_eq!(*secret.expose_bytes(), [42; 32]);
}

#[test]
fn keys_2_keys_of_another_length_are_refused() {
    for length in (0..100).filter(|length| *length != 32) {
        let expected = KeyError::WrongLength {
            expected: 32,
            actual: length,
        };
        assert_eq!(PublicKey::from_slice(&vec![1; length]), Err(expected));
    }
}

#[test]
fn keys_3_a_key_is_written_as_did_key() {
    let key = secret(1).public();
    let text = key.to_string();
    assert!(text.starts_with("did:key:z6Mk"), "{text}");
    assert_eq!(text.len(), 56);
    assert_eq!(key.fmt_short().len(), 8);
    for length in 0..text.len() {
        assert!(
            text[..length].parse::<PublicKey>().is_err(),
            "truncated to {length} letters"
        );
    }
}

#[test]
fn keys_4_a_signature_is_deterministic() {
    assert_eq!(
        secret(1).sign_raw(b"message"),
        secret(1).sign_raw(b"message")
    );
}

#[test]
fn keys_5_signatures_of_another_length_are_refused() {
    for length in (0..130).filter(|length| *length != 64) {
        let expected = SignatureError::WrongLength {
            expected: 64,
            actual: length,
        };
        assert_eq!(Signature::from_slice(&vec![0; length]), Err(expected));
    }
}

#[test]
fn keys_5_each_flipped_bit_is_refused() {
    let (key, message) = (secret(1).public(), b"message");
    let signature = *secret(1).sign_raw(message).as_bytes();
    for bit in 0..512 {
        let mut flipped = signature;
        flipped[bit / 8] ^= 1 << (bit % 8);
        let refused = key.verify(message, &Signature::from_bytes(flipped));
        assert_eq!(refused, Err(SignatureError::Refused { key }), "bit {bit}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Spec: KEYS-3: no bytes or text cause a panic, and what is accepted is written back as it came.
    #[test]
    fn keys_3_whatever_is_accepted_round_trips(bytes in any::<[u8; 32]>()) {
        if let Ok(key) = PublicKey::from_bytes(bytes) {
            prop_assert_eq!(key.as_bytes(), &bytes);
            prop_assert_eq!(key.to_string().parse(), Ok(key));
        }
    }

    /// Spec: KEYS-3.
    #[test]
    fn keys_3_any_text_is_read_without_a_panic(text in "(did:key:z)?\\PC{0,70}") {
        if let Ok(key) = text.parse::<PublicKey>() {
            prop_assert_eq!(key.to_string(), text);
        }
    }

    /// Spec: KEYS-4, KEYS-5.
    #[test]
    fn keys_5_what_was_signed_is_accepted(seed in any::<[u8; 32]>(), message in proptest::collection::vec(any::<u8>(), 0..200)) {
        let secret = SecretKey::from_bytes(seed);
        let signature = secret.sign_raw(&message);
        prop_assert_eq!(secret.public().verify(&message, &signature), Ok(()));
        let mut other = message;
        other.push(0);
        prop_assert!(secret.public().verify(&other, &signature).is_err());
    }
}
