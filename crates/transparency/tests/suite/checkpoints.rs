//! Chapter 04: checkpoints. Layouts and refusals are vectors.

use proptest::prelude::*;
use symphony_transparency::merkle::TREE_SIZE_MAX;
use symphony_transparency::{
    CHECKPOINT_SIZE_MAX, Checkpoint, CheckpointError, Digest, SignedCheckpoint, verify_consistency,
};

use crate::{secret, some_digest};

fn checkpoint() -> Checkpoint {
    Checkpoint {
        network: some_digest(1),
        log: some_digest(2),
        size: 42,
        root: [3; 32],
        state_root: some_digest(4),
    }
}

#[test]
fn log_19_a_checkpoint_survives_the_trip() {
    let signed = checkpoint().sign(&secret(1));
    let text = signed.to_string();
    assert_eq!(text, signed.text());
    assert_eq!(
        SignedCheckpoint::parse_and_verify(&text, &secret(1).public()),
        Ok(signed)
    );
    assert_eq!(SignedCheckpoint::parse_unverified(&text), Ok(checkpoint()));
}

#[test]
fn log_20_network_and_log_stand_in_the_origin_in_full() {
    let origin = checkpoint().origin();
    assert_eq!(
        origin,
        format!("symphony/v1/{}/{}", "01".repeat(32), "02".repeat(32))
    );
    assert!(
        checkpoint()
            .to_string()
            .starts_with(&format!("{origin}\n42\n"))
    );
}

#[test]
fn log_24_two_roots_at_one_size_contradict_each_other() {
    let (one, other) = (
        checkpoint(),
        Checkpoint {
            root: [9; 32],
            ..checkpoint()
        },
    );
    assert!(verify_consistency(&one.head(), &other.head(), &[]).is_err());
    assert_eq!(verify_consistency(&one.head(), &one.head(), &[]), Ok(()));
}

#[test]
fn log_25_each_truncation_is_refused() {
    let text = checkpoint().sign(&secret(1)).text();
    for length in (0..text.len()).filter(|length| text.is_char_boundary(*length)) {
        assert!(
            SignedCheckpoint::parse_and_verify(&text[..length], &secret(1).public()).is_err(),
            "truncated to {length} bytes"
        );
    }
}

#[test]
fn log_25_a_checkpoint_of_another_key_is_refused() {
    let text = checkpoint().sign(&secret(2)).text();
    assert!(matches!(
        SignedCheckpoint::parse_and_verify(&text, &secret(1).public()),
        Err(CheckpointError::Note(_))
    ));
}

#[test]
fn log_25_size_is_checked_first() {
    let text = "x".repeat(CHECKPOINT_SIZE_MAX + 1);
    let expected = CheckpointError::TooLarge {
        limit: CHECKPOINT_SIZE_MAX,
        actual: CHECKPOINT_SIZE_MAX + 1,
    };
    assert_eq!(SignedCheckpoint::parse_unverified(&text), Err(expected));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Spec: LOG-19 to LOG-23.
    #[test]
    fn log_19_every_checkpoint_round_trips(
        (network, log, root, state) in any::<([u8; 32], [u8; 32], [u8; 32], [u8; 32])>(),
        size in 1..=TREE_SIZE_MAX,
    ) {
        let checkpoint = Checkpoint {
            network: Digest::from_bytes(network),
            log: Digest::from_bytes(log),
            size,
            root,
            state_root: Digest::from_bytes(state),
        };
        prop_assert_eq!(Checkpoint::parse_text(&checkpoint.to_string()), Ok(checkpoint));
    }

    /// Spec: LOG-19: no text causes a panic.
    #[test]
    fn log_19_any_text_is_read_without_a_panic(text in "\\PC{0,40}\n\\PC{0,10}\n\\PC{0,50}\n(state )?\\PC{0,70}\n?") {
        prop_assert!(Checkpoint::parse_text(&text).is_err());
    }
}
