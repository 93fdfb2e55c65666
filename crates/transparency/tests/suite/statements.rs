//! Chapter 03: statements. Layouts and refusals are vectors.

use proptest::prelude::*;
use symphony_transparency::{
    CanonicalError, STATEMENT_SIZE_MAX, StatementError, StatementKind, UnverifiedStatement,
    payload_digest, sign_statement, signing_bytes,
};

use crate::{secret, some_digest};

#[test]
fn keys_8_a_statement_survives_the_trip() {
    let network = some_digest(1);
    for kind in StatementKind::ALL {
        let signed = sign_statement(&secret(1), &network, kind, b"payload".to_vec());
        let parsed = UnverifiedStatement::parse(signed.bytes()).unwrap();
        assert_eq!(parsed.claimed_author(), &secret(1).public());
        assert_eq!(parsed.kind(), kind);
        assert_eq!(parsed.network(), &network);
        assert_eq!(parsed.digest(), signed.digest());
        assert_eq!(parsed.verify(&network), Ok(signed));
    }
}

#[test]
fn keys_9_numbers_of_types_are_distinct_and_never_zero() {
    for (position, kind) in StatementKind::ALL.into_iter().enumerate() {
        assert_eq!(kind.number() as usize, position + 1);
        assert_eq!(StatementKind::from_number(kind.number()), Some(kind));
        assert_eq!(kind.to_string(), kind.name());
    }
    assert_eq!(StatementKind::from_number(0), None);
    assert_eq!(StatementKind::from_number(16), None);
}

#[test]
fn keys_9_the_schema_has_the_same_types() {
    use symphony_proto::statement::v1::StatementType;
    for kind in StatementKind::ALL {
        let wire = StatementType::try_from(kind.number() as i32).unwrap();
        let name = wire
            .as_str_name()
            .strip_prefix("STATEMENT_TYPE_")
            .unwrap()
            .to_lowercase();
        assert_eq!(name, kind.name());
    }
    assert!(StatementType::try_from(StatementKind::ALL.len() as i32 + 1).is_err());
}

#[test]
fn bytes_4_a_type_that_nobody_knows_is_refused() {
    let signed = sign_statement(&secret(1), &some_digest(1), StatementKind::Bid, Vec::new());
    for number in [0, 16, 127] {
        let mut changed = signed.bytes().to_vec();
        // Tag, length and 32 bytes of network id, then the tag of the type.
        assert_eq!(changed[34..36], [0x10, 4]);
        changed[35] = number;
        assert!(
            UnverifiedStatement::parse(&changed).is_err(),
            "type {number}"
        );
    }
}

#[test]
fn conv_1_numbers_in_signed_bytes_are_big_endian() {
    let signed = signing_bytes(&some_digest(1), StatementKind::Bid, &some_digest(2));
    assert_eq!(signed[13 + 32..13 + 36], [0, 0, 0, 4]);
}

#[test]
fn keys_10_a_statement_of_one_type_is_none_of_another() {
    assert_ne!(
        payload_digest(StatementKind::Bid, b"x"),
        payload_digest(StatementKind::Beacon, b"x")
    );
}

#[test]
fn keys_8_each_truncation_and_each_trailing_byte_is_refused() {
    let signed = sign_statement(
        &secret(1),
        &some_digest(1),
        StatementKind::Beacon,
        b"payload".to_vec(),
    );
    for length in 0..signed.bytes().len() {
        assert!(
            UnverifiedStatement::parse(&signed.bytes()[..length]).is_err(),
            "truncated to {length} bytes"
        );
    }
    for last in 0..=u8::MAX {
        let mut longer = signed.bytes().to_vec();
        longer.push(last);
        assert!(
            UnverifiedStatement::parse(&longer).is_err(),
            "{last:#04x} at the end"
        );
    }
}

#[test]
fn keys_12_the_largest_statement_is_read_and_a_larger_one_is_not() {
    let network = some_digest(1);
    let overhead = sign_statement(&secret(1), &network, StatementKind::Bid, vec![0; 20_000])
        .bytes()
        .len()
        - 20_000;
    let largest = sign_statement(
        &secret(1),
        &network,
        StatementKind::Bid,
        vec![0; STATEMENT_SIZE_MAX - overhead],
    );
    assert_eq!(largest.bytes().len(), STATEMENT_SIZE_MAX);
    assert!(
        UnverifiedStatement::parse(largest.bytes())
            .unwrap()
            .verify(&network)
            .is_ok()
    );

    let larger = sign_statement(
        &secret(1),
        &network,
        StatementKind::Bid,
        vec![0; STATEMENT_SIZE_MAX - overhead + 1],
    );
    let expected = CanonicalError::TooLarge {
        limit: STATEMENT_SIZE_MAX,
        actual: STATEMENT_SIZE_MAX + 1,
    };
    assert_eq!(
        UnverifiedStatement::parse(larger.bytes()),
        Err(StatementError::Envelope(expected))
    );
}

#[test]
fn keys_13_a_statement_of_another_network_merely_fails() {
    let signed = sign_statement(&secret(1), &some_digest(1), StatementKind::Bid, Vec::new());
    let refused = UnverifiedStatement::parse(signed.bytes())
        .unwrap()
        .verify(&some_digest(2));
    let expected = StatementError::ForeignNetwork {
        expected: some_digest(2),
        actual: some_digest(1),
    };
    assert_eq!(refused, Err(expected));
}

#[test]
fn keys_14_two_statements_say_the_same_when_their_payload_digests_are_equal() {
    let network = some_digest(1);
    let one = sign_statement(&secret(1), &network, StatementKind::Bid, b"x".to_vec());
    let same = sign_statement(&secret(1), &network, StatementKind::Bid, b"x".to_vec());
    let other = sign_statement(&secret(1), &network, StatementKind::Bid, b"y".to_vec());
    assert_eq!(one.payload_digest(), same.payload_digest());
    assert_ne!(one.payload_digest(), other.payload_digest());
    assert_eq!(
        one.payload_digest(),
        payload_digest(StatementKind::Bid, b"x")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Spec: KEYS-8, KEYS-10: no byte of a statement can be changed.
    #[test]
    fn keys_10_any_changed_byte_is_refused(at in any::<prop::sample::Index>(), flip in 1..=u8::MAX) {
        let network = some_digest(1);
        let signed = sign_statement(&secret(1), &network, StatementKind::Receipt, b"some payload".to_vec());
        let mut changed = signed.bytes().to_vec();
        let at = at.index(changed.len());
        changed[at] ^= flip;
        let outcome = UnverifiedStatement::parse(&changed).and_then(|statement| statement.verify(&network));
        prop_assert!(outcome.is_err());
    }

    /// Spec: KEYS-8: no bytes cause a panic.
    #[test]
    fn keys_8_any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(UnverifiedStatement::parse(&bytes).is_err());
    }
}
