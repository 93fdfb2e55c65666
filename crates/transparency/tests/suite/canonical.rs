//! Chapter 02: one encoding for each value.

use proptest::prelude::*;
use symphony_proto::statement::v1::Statement;
use symphony_transparency::{
    CanonicalError, decode_canonical, encode, f64_from_field, f64_to_field,
};

fn statement() -> Statement {
    Statement {
        network_id: vec![1; 32],
        r#type: 4,
        author: vec![2; 32],
        payload: b"payload".to_vec(),
        signature: vec![3; 64],
    }
}

#[test]
fn bytes_1_what_was_encoded_decodes() {
    let bytes = encode(&statement());
    assert_eq!(decode_canonical(&bytes, bytes.len()), Ok(statement()));
    assert_eq!(decode_canonical(&[], 0), Ok(Statement::default()));
}

#[test]
fn bytes_1_each_truncation_gives_another_message_or_none() {
    let bytes = encode(&statement());
    for length in 0..bytes.len() {
        if let Ok(shorter) = decode_canonical::<Statement>(&bytes[..length], 1024) {
            assert_ne!(shorter, statement(), "truncated to {length} bytes");
        }
    }
}

#[test]
fn bytes_1_a_trailing_byte_is_refused() {
    let bytes = encode(&statement());
    for last in 0..=u8::MAX {
        let mut longer = bytes.clone();
        longer.push(last);
        assert!(
            decode_canonical::<Statement>(&longer, 1024).is_err(),
            "{last:#04x}"
        );
    }
}

#[test]
fn bytes_1_fields_in_another_order_are_refused() {
    let mut bytes = encode(&statement());
    // Field 1 has a tag, a length and 32 bytes; field 2 behind it a tag and one byte.
    bytes[..36].rotate_left(34);
    assert_eq!(
        decode_canonical::<Statement>(&bytes, 1024),
        Err(CanonicalError::NotCanonical { offset: 0 })
    );
}

#[test]
fn bytes_1_an_unknown_field_is_refused() {
    let mut bytes = encode(&statement());
    let length = bytes.len();
    bytes.extend_from_slice(&[0x30, 0x01]);
    assert_eq!(
        decode_canonical::<Statement>(&bytes, 1024),
        Err(CanonicalError::NotCanonical { offset: length })
    );
}

#[test]
fn bytes_2_size_is_checked_before_anything_is_decoded() {
    let garbage = [0xff; 100];
    assert_eq!(
        decode_canonical::<Statement>(&garbage, 99),
        Err(CanonicalError::TooLarge {
            limit: 99,
            actual: 100
        })
    );
    assert!(matches!(
        decode_canonical::<Statement>(&garbage, 100),
        Err(CanonicalError::Malformed(_))
    ));
}

#[test]
fn bytes_7_negative_zero_is_written_as_zero() {
    assert_eq!(f64_to_field(-0.0), [0; 8]);
}

#[test]
fn bytes_7_a_number_that_is_not_finite_is_refused_by_every_reader() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(matches!(
            f64_from_field(&f64_to_field(number)),
            Err(CanonicalError::NumberNotFinite { .. })
        ));
    }
}

proptest! {
    /// Spec: BYTES-1: whatever is accepted is exactly what its value encodes to.
    #[test]
    fn bytes_1_accepted_bytes_are_the_only_ones(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(message) = decode_canonical::<Statement>(&bytes, 64) {
            prop_assert_eq!(encode(&message), bytes);
        }
    }

    /// Spec: BYTES-1, BYTES-3.
    #[test]
    fn bytes_1_every_message_round_trips(
        network_id in proptest::collection::vec(any::<u8>(), 0..40),
        number in any::<i32>(),
        payload in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let message = Statement { network_id, r#type: number, payload, ..Statement::default() };
        let bytes = encode(&message);
        prop_assert_eq!(decode_canonical(&bytes, bytes.len()), Ok(message));
    }

    /// Spec: BYTES-6, BYTES-7.
    #[test]
    fn bytes_6_every_finite_number_round_trips(number in any::<f64>()) {
        let field = f64_to_field(number);
        prop_assert_eq!(field.len(), 8);
        if number.is_finite() {
            prop_assert_eq!(f64_from_field(&field), Ok(number));
        } else {
            prop_assert!(f64_from_field(&field).is_err());
        }
    }
}
