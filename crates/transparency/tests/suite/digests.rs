//! Chapters 01 and 02: digests and their text.

use proptest::prelude::*;
use symphony_transparency::{
    Digest, DigestError, Domain, DomainHasher, digest, digest_parts, keyed_digest,
};

#[test]
fn bytes_8_a_digest_has_32_bytes() {
    for length in (0..100).filter(|length| *length != 32) {
        let expected = DigestError::WrongLength {
            expected: 32,
            actual: length,
        };
        assert_eq!(Digest::from_slice(&vec![0; length]), Err(expected));
    }
    assert_eq!(Digest::from_slice(&[0; 32]), Ok(Digest::ZERO));
}

#[test]
fn conv_2_a_digest_is_64_lowercase_hexadecimal_digits() {
    let value = digest(Domain::Entry, b"entry");
    let text = value.to_string();
    assert_eq!(text.len(), 64);
    assert_eq!(text.parse(), Ok(value));
    assert!(text.starts_with(&value.fmt_short()));
    assert_eq!(value.fmt_short().len(), 8);
    assert_eq!(format!("{value:?}"), format!("Digest({text})"));
    for wrong in [
        text.to_uppercase(),
        format!("{text}0"),
        format!(" {text}"),
        text[1..].to_owned(),
        String::new(),
    ] {
        assert_eq!(
            wrong.parse::<Digest>(),
            Err(DigestError::NotHexadecimal),
            "{wrong}"
        );
    }
    let not_hexadecimal = format!("g{}", &text[1..]);
    assert_eq!(
        not_hexadecimal.parse::<Digest>(),
        Err(DigestError::NotHexadecimal)
    );
    let two_byte_letter = format!("é{}", &text[2..]);
    assert_eq!(
        two_byte_letter.parse::<Digest>(),
        Err(DigestError::NotHexadecimal)
    );
}

#[test]
fn bytes_9_one_text_has_unrelated_digests_in_two_domains() {
    let digests: std::collections::BTreeSet<Digest> = Domain::ALL
        .iter()
        .map(|domain| digest(*domain, b"same"))
        .collect();
    assert_eq!(digests.len(), Domain::ALL.len());
}

#[test]
fn bytes_10_moving_a_boundary_changes_the_digest() {
    let parts = |parts: &[&[u8]]| digest_parts(Domain::Ballot, parts);
    assert_ne!(parts(&[b"ab", b"c"]), parts(&[b"a", b"bc"]));
    assert_ne!(parts(&[]), parts(&[b""]));
    assert_ne!(parts(&[b"ab"]), digest(Domain::Ballot, b"ab"));
}

#[test]
fn bytes_11_a_keyed_digest_depends_on_key_and_domain() {
    let keyed = keyed_digest(Domain::Answer, &[1; 32], b"True");
    assert_ne!(keyed, keyed_digest(Domain::Answer, &[2; 32], b"True"));
    assert_ne!(keyed, keyed_digest(Domain::Output, &[1; 32], b"True"));
    assert_ne!(keyed, keyed_digest(Domain::Answer, &[1; 32], b"False"));
    assert_ne!(keyed, digest(Domain::Answer, b"True"));
}

proptest! {
    /// Spec: BYTES-9: pieces leave no trace.
    #[test]
    fn bytes_9_pieces_give_the_digest_of_the_whole(bytes in proptest::collection::vec(any::<u8>(), 0..3000), at in any::<prop::sample::Index>()) {
        let at = at.index(bytes.len() + 1);
        let mut hasher = DomainHasher::new(Domain::ModelFiles);
        hasher.update(&bytes[..at]).update(&bytes[at..]);
        prop_assert_eq!(hasher.finalize(), digest(Domain::ModelFiles, &bytes));
    }

    /// Spec: BYTES-8.
    #[test]
    fn bytes_8_text_and_bytes_round_trip(bytes in any::<[u8; 32]>()) {
        let value = Digest::from_bytes(bytes);
        prop_assert_eq!(value.to_string().parse(), Ok(value));
        prop_assert_eq!(Digest::from_slice(value.as_ref()), Ok(value));
    }
}
