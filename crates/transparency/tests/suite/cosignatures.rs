//! Chapter 17: cosignatures. Layouts and refusals are vectors.

use proptest::prelude::*;
use symphony_transparency::note::{VerifierKeyError, VerifierKeyType};
use symphony_transparency::{
    COSIGNATURE_TIME_MAX_S, Checkpoint, CosignatureError, Cosigner, Digest, NoteSignature,
    PublicKey, SecretKey, SignedCheckpoint, SignedNote, VerifierKey, cosigned_bytes,
};

use crate::vector::Vector;
use crate::{secret, some_digest};

const TIME_S: u64 = 1_700_000_000;

fn signed() -> SignedCheckpoint {
    let checkpoint = Checkpoint {
        network: some_digest(1),
        log: some_digest(2),
        size: 42,
        root: [3; 32],
        state_root: some_digest(4),
    };
    checkpoint.sign(&secret(1))
}

fn witness() -> Cosigner {
    Cosigner::of_peer(&some_digest(1), &some_digest(9), secret(9).public())
}

/// Spec: WITNESS-1, WITNESS-2, WITNESS-3.
#[test]
fn vectors_cosignatures() {
    for vector in Vector::folder("cosignatures") {
        let key = PublicKey::from_slice(vector.bytes("key")).unwrap();
        let cosigner = Cosigner::new(vector.text("name"), key).unwrap();
        let note = SignedNote::parse(vector.bytes("note")).unwrap();
        let outcome = vector.check(cosigner.verify(&note), |error| match error {
            CosignatureError::Missing { .. } => "missing".to_owned(),
            CosignatureError::Refused { .. } => "refused".to_owned(),
            other => format!("{other:?}"),
        });
        if let Some(time_s) = outcome {
            assert_eq!(time_s, vector.number("time"), "{}", vector.name);
        }
        if vector.has("seed") {
            let secret = SecretKey::from_bytes(vector.array("seed"));
            let time_s = vector.number("time");
            assert_eq!(
                cosigned_bytes(note.text(), time_s).unwrap(),
                vector.bytes("cosigned_bytes")
            );
            let line = cosigner.cosign(note.text(), time_s, &secret).unwrap();
            assert_eq!(line.to_string(), vector.text("line"));
            assert_eq!(line.to_string().parse(), Ok(line));
            let text = cosigner.verifier_key().to_string();
            assert_eq!(text, vector.text("verifier_key"));
            let network = Digest::from_bytes(vector.array("network"));
            let log = Digest::from_bytes(vector.array("log"));
            assert_eq!(Cosigner::of_peer(&network, &log, key), cosigner);
        }
    }
}

#[test]
fn witness_1_a_cosigned_checkpoint_survives_the_trip() {
    let mut signed = signed();
    let line = witness()
        .cosign(signed.note().text(), TIME_S, &secret(9))
        .unwrap();
    signed.add_line(line.clone()).unwrap();
    signed.add_line(line).unwrap();
    let read = SignedCheckpoint::parse_and_verify(&signed.text(), &secret(1).public()).unwrap();
    assert_eq!(read.note().signatures().len(), 2, "one line is added once");
    assert_eq!(witness().verify(read.note()), Ok(TIME_S));
}

#[test]
fn witness_1_times_beyond_the_limit_are_not_signed() {
    let expected = CosignatureError::Time {
        limit: COSIGNATURE_TIME_MAX_S,
        actual: COSIGNATURE_TIME_MAX_S + 1,
    };
    let outcome = witness().cosign("text\n", COSIGNATURE_TIME_MAX_S + 1, &secret(9));
    assert_eq!(outcome, Err(expected));
}

#[test]
fn witness_1_only_the_cosigners_own_key_signs() {
    let outcome = witness().cosign("text\n", TIME_S, &secret(8));
    assert!(matches!(outcome, Err(CosignatureError::OtherKey { .. })));
}

/// A name that two keys claim never makes one's signature the other's.
#[test]
fn witness_1_a_line_of_another_key_is_not_looked_at() {
    let signed = signed();
    let other = Cosigner::new(witness().name(), secret(8).public()).unwrap();
    let line = other
        .cosign(signed.note().text(), TIME_S, &secret(8))
        .unwrap();
    assert!(matches!(
        witness().verify_line(signed.note().text(), &line),
        Err(CosignatureError::Missing { .. })
    ));
}

/// Spec: WITNESS-2: what a witness signs is never taken for a log's signature, nor the other way round.
#[test]
fn witness_2_roles_are_kept_apart() {
    let (cosigner, text) = (witness(), "text\n");
    let line = cosigner.cosign(text, TIME_S, &secret(9)).unwrap();
    let mut note = SignedNote::sign(text, cosigner.name(), &secret(9)).unwrap();
    assert!(matches!(
        cosigner.verify(&note),
        Err(CosignatureError::Missing { .. })
    ));
    note.add_line(line).unwrap();
    assert_eq!(cosigner.verify(&note), Ok(TIME_S));
    assert_eq!(note.verify(cosigner.name(), cosigner.key()), Ok(()));
    assert!(!Checkpoint::is_origin(cosigner.name()));
    let of_log = VerifierKey::new("log", VerifierKeyType::Ed25519, secret(1).public()).unwrap();
    assert!(matches!(
        Cosigner::try_from(of_log),
        Err(VerifierKeyError::WrongType { .. })
    ));
}

#[test]
fn witness_3_a_checkpoint_without_room_stays_as_it_was() {
    let mut signed = signed();
    let mut time_s = 0;
    let error = loop {
        let line = witness()
            .cosign(signed.note().text(), time_s, &secret(9))
            .unwrap();
        let before = signed.clone();
        if let Err(error) = signed.add_line(line) {
            assert_eq!(signed, before);
            break error;
        }
        time_s += 1;
    };
    assert!(error.to_string().contains("exceeds the limit"), "{error}");
    assert!(time_s >= 50, "room for {time_s} cosignatures only");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Spec: WITNESS-1: no change of a byte goes unseen, and none causes a panic.
    #[test]
    fn witness_1_any_changed_byte_is_refused(at in any::<prop::sample::Index>(), flip in 1..=u8::MAX) {
        let signed = signed();
        let line = witness().cosign(signed.note().text(), TIME_S, &secret(9)).unwrap();
        let mut changed = line.to_string().into_bytes();
        let at = at.index(changed.len());
        changed[at] ^= flip;
        let outcome = String::from_utf8(changed).ok()
            .and_then(|text| text.parse::<NoteSignature>().ok())
            .and_then(|line| witness().verify_line(signed.note().text(), &line).ok());
        prop_assert_eq!(outcome, None);
    }

    /// Spec: LOG-17, WITNESS-1: every verifier key has one text, and no text causes a panic.
    #[test]
    fn witness_1_verifier_keys_round_trip(name in "[!-*,-~]{1,40}", seed in 1..=u8::MAX, cosigns in any::<bool>(), noise in "\\PC{0,80}\\+[0-9a-f]{8}\\+[A-Za-z0-9+/]{43}=") {
        let key_type = if cosigns { VerifierKeyType::Cosignature } else { VerifierKeyType::Ed25519 };
        let key = VerifierKey::new(&name, key_type, secret(seed).public()).unwrap();
        prop_assert_eq!(key.to_string().parse(), Ok(key));
        prop_assert!(noise.parse::<VerifierKey>().is_err());
    }
}
