//! The end of a log that cannot be healed: its bytes, and what they may not say. `SYMPHONY_WRITE_VECTORS=1` writes
//! `tests/vectors/retirements` anew. Spec: STORE-23.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{fmt::Write as _, path::PathBuf};

use symphony_proto::statement::v1 as wire;
use symphony_protocol::records::{Received, Retirement, StatementRecord};
use symphony_transparency::{
    Digest, SecretKey, StatementKind, encode,
    merkle::{EMPTY_ROOT, TREE_SIZE_MAX},
    sign_statement,
};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Compares a case with its file, or writes it.
fn check(case: &str, expect: &str, comment: &str, payload: &[u8]) {
    let text = format!(
        "expect: {expect}\nspec: STORE-23\ncomment: {comment}\ntype: 13\npayload: {}\n",
        hex(payload)
    );
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/vectors/retirements")
        .join(format!("{case}.txt"));
    if std::env::var_os("SYMPHONY_WRITE_VECTORS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let known = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(known, text, "{case}");
}

fn retirement() -> Retirement {
    Retirement {
        log: Digest::from_bytes([1; 32]),
        size: 1234,
        root: [2; 32],
        successor: Digest::from_bytes([3; 32]),
    }
}

fn wire_of(retirement: &Retirement) -> wire::Retirement {
    wire::Retirement {
        log_id: retirement.log.as_bytes().to_vec(),
        size: retirement.size,
        root: retirement.root.to_vec(),
        successor_id: retirement.successor.as_bytes().to_vec(),
    }
}

#[test]
fn store_23_vectors_of_retirements_that_hold() {
    let unknown = Retirement {
        size: 0,
        root: EMPTY_ROOT,
        ..retirement()
    };
    let largest = Retirement {
        size: TREE_SIZE_MAX,
        ..retirement()
    };
    for (case, comment, record) in [
        ("plain", "A log ends at 1,234 entries.", retirement()),
        (
            "unknown-size",
            "Nothing is known of what was signed.",
            unknown,
        ),
        ("largest-size", "The largest size of a tree.", largest),
    ] {
        let payload = record.encode();
        assert_eq!(Retirement::parse(&payload).unwrap(), record, "{case}");
        check(case, "ok", comment, &payload);
    }
}

#[test]
fn store_23_vectors_of_retirements_that_are_refused() {
    let plain = wire_of(&retirement());
    let with = |change: fn(&mut wire::Retirement)| {
        let mut value = plain.clone();
        change(&mut value);
        encode(&value)
    };
    let cases: [(&str, &str, Vec<u8>); 6] = [
        (
            "own-successor",
            "A log is not its own successor.",
            with(|value| value.successor_id = value.log_id.clone()),
        ),
        (
            "no-successor",
            "A successor is named.",
            with(|value| value.successor_id.clear()),
        ),
        (
            "short-log",
            "A log id has 32 bytes.",
            with(|value| value.log_id.truncate(31)),
        ),
        (
            "root-of-nothing",
            "A size of 0 has the root of the empty tree.",
            with(|value| value.size = 0),
        ),
        (
            "size-too-large",
            "No tree is so large.",
            with(|value| value.size = TREE_SIZE_MAX + 1),
        ),
        ("trailing-byte", "The encoding is canonical.", {
            let mut payload = retirement().encode();
            payload.extend_from_slice(&[0x28, 0]);
            payload
        }),
    ];
    for (case, comment, payload) in cases {
        assert!(Retirement::parse(&payload).is_err(), "{case}");
        check(case, "refused", comment, &payload);
    }
    let payload = retirement().encode();
    for length in 0..payload.len() {
        assert!(
            Retirement::parse(&payload[..length]).is_err(),
            "{length} bytes"
        );
    }
}

#[test]
fn store_23_a_retirement_is_a_statement_of_its_own_kind() {
    let secret = SecretKey::from_bytes([7; 32]);
    let network = Digest::from_bytes([9; 32]);
    let sign = |kind| sign_statement(&secret, &network, kind, retirement().encode());
    let statement = sign(StatementKind::Retirement);
    let received = Received::<Retirement>::parse(statement.bytes(), &network).unwrap();
    assert_eq!(received.record, retirement());
    assert_eq!(received.statement.author(), &secret.public());
    assert_eq!(Retirement::KIND, StatementKind::Retirement);
    let other = sign(StatementKind::Revocation);
    assert!(Received::<Retirement>::parse(other.bytes(), &network).is_err());
    assert!(Received::<Retirement>::parse(statement.bytes(), &Digest::ZERO).is_err());
}
