//! Chapter 04: signed notes. Layouts and refusals are vectors.

use proptest::prelude::*;
use symphony_transparency::note::{
    NOTE_NAME_LENGTH_MAX, NOTE_SIGNATURES_MAX, NOTE_SIZE_MAX, NoteError, SignedNote,
};

use crate::secret;

const TEXT: &str = "a text\n";

fn note() -> SignedNote {
    SignedNote::sign(TEXT, "example.org/log", &secret(1)).expect("a good text and name")
}

#[test]
fn log_14_each_truncation_is_refused() {
    let bytes = note().to_string().into_bytes();
    for length in 0..bytes.len() {
        assert!(
            SignedNote::parse(&bytes[..length]).is_err(),
            "truncated to {length} bytes"
        );
    }
}

#[test]
fn log_14_a_trailing_byte_is_refused() {
    for last in 0..=u8::MAX {
        let mut longer = note().to_string().into_bytes();
        longer.push(last);
        assert!(
            SignedNote::parse(&longer).is_err(),
            "{last:#04x} at the end"
        );
    }
}

#[test]
fn log_15_size_is_checked_first() {
    let expected = NoteError::TooLarge {
        limit: NOTE_SIZE_MAX,
        actual: NOTE_SIZE_MAX + 1,
    };
    assert_eq!(
        SignedNote::parse(&vec![0xff; NOTE_SIZE_MAX + 1]),
        Err(expected)
    );
    let huge = format!("{}\n", "x".repeat(NOTE_SIZE_MAX));
    assert!(matches!(
        SignedNote::sign(&huge, "name", &secret(1)),
        Err(NoteError::TooLarge { .. })
    ));
}

#[test]
fn log_16_a_hundred_signatures_are_read_and_one_more_is_not() {
    let mut note = note();
    while note.signatures().len() < NOTE_SIGNATURES_MAX {
        note.add_signature("witness.example", &secret(2)).unwrap();
    }
    let text = note.to_string();
    assert_eq!(SignedNote::parse(text.as_bytes()), Ok(note.clone()));
    let expected = NoteError::TooManySignatures {
        limit: NOTE_SIGNATURES_MAX,
        actual: NOTE_SIGNATURES_MAX + 1,
    };
    assert_eq!(
        note.add_signature("witness.example", &secret(2)),
        Err(expected.clone())
    );
    assert_eq!(note.signatures().len(), NOTE_SIGNATURES_MAX);
    let last = text.lines().next_back().unwrap();
    assert_eq!(
        SignedNote::parse(format!("{text}{last}\n").as_bytes()),
        Err(expected)
    );
}

#[test]
fn log_16_names_that_would_not_be_read_are_not_written() {
    let long = "x".repeat(NOTE_NAME_LENGTH_MAX + 1);
    for name in ["", "a b", "a+b", "a\nb", "a\u{a0}b", "a\u{85}b", &long] {
        let expected = NoteError::BadName {
            limit: NOTE_NAME_LENGTH_MAX,
        };
        assert_eq!(
            SignedNote::sign(TEXT, name, &secret(1)),
            Err(expected),
            "{name:?}"
        );
    }
}

#[test]
fn log_17_texts_that_would_not_be_read_are_not_signed() {
    for text in ["", "\n", "no newline", "a\r\n", "a\0\n"] {
        assert!(
            SignedNote::sign(text, "name", &secret(1)).is_err(),
            "{text:?}"
        );
    }
}

#[test]
fn log_18_signatures_of_several_keys_are_told_apart() {
    let mut note = note();
    note.add_signature("witness.example", &secret(2)).unwrap();
    assert_eq!(note.verify("example.org/log", &secret(1).public()), Ok(()));
    assert_eq!(note.verify("witness.example", &secret(2).public()), Ok(()));
    let unsigned = note.verify("witness.example", &secret(1).public());
    assert_eq!(
        unsigned,
        Err(NoteError::UnsignedBy {
            name: "witness.example".to_owned()
        })
    );
    assert_eq!(note.signatures()[1].name(), "witness.example");
    assert_eq!(note.signatures()[1].signature().len(), 64);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Spec: LOG-14: one encoding, whatever the text.
    #[test]
    fn log_14_every_note_round_trips(text in "[ -~\\n\u{e9}\u{2014}]{0,60}", name in "[!-*,-~]{1,20}") {
        if let Ok(note) = SignedNote::sign(&text, &name, &secret(1)) {
            let bytes = note.to_string().into_bytes();
            let parsed = SignedNote::parse(&bytes);
            prop_assert_eq!(parsed.as_ref(), Ok(&note));
            prop_assert_eq!(note.verify(&name, &secret(1).public()), Ok(()));
        }
    }

    /// Spec: LOG-14, LOG-18: no change of a byte goes unseen, and none causes a panic.
    #[test]
    fn log_18_any_changed_byte_is_refused(at in any::<prop::sample::Index>(), flip in 1..=u8::MAX) {
        let mut changed = note().to_string().into_bytes();
        let at = at.index(changed.len());
        changed[at] ^= flip;
        let outcome = SignedNote::parse(&changed)
            .and_then(|note| note.verify("example.org/log", &secret(1).public()));
        prop_assert!(outcome.is_err());
    }
}
