//! Chapter 17: trust policies. Files and judgements are vectors.

use proptest::prelude::*;
use symphony_transparency::note::VerifierKeyError;
use symphony_transparency::trust_policy::{
    POLICY_LOGS_MAX, POLICY_MEMBERS_MAX, POLICY_SIZE_MAX, PolicyProblem, TrustPolicyError,
};
use symphony_transparency::{
    Checkpoint, Cosigner, NotWitnessed, PublicKey, SignedCheckpoint, TrustPolicy,
};

use crate::vector::Vector;
use crate::{secret, some_digest};

/// Spec: WITNESS-9, WITNESS-10.
#[test]
fn vectors_trust_policies() {
    for vector in Vector::folder("trust-policies") {
        let policy = match TrustPolicy::parse(vector.bytes("file")) {
            Ok(policy) => policy,
            Err(error) => {
                assert_eq!(vector.expect, error_name(&error), "{}", vector.name);
                continue;
            }
        };
        let key = PublicKey::from_slice(vector.bytes("log_key")).unwrap();
        let signed = SignedCheckpoint::parse_and_verify(vector.text("note"), &key).unwrap();
        let names = |by: &[symphony_transparency::trust_policy::WitnessedBy]| -> Vec<Vec<u8>> {
            by.iter().map(|by| by.witness.as_bytes().to_vec()).collect()
        };
        match policy.witnessed(&signed) {
            Ok(witnessed) => {
                assert_eq!(vector.expect, "ok", "{}", vector.name);
                assert_eq!(names(&witnessed.by), vector.all("by"), "{}", vector.name);
            }
            Err(NotWitnessed::Quorum { by, .. }) => {
                assert_eq!(vector.expect, "not-witnessed", "{}", vector.name);
                assert_eq!(names(&by), vector.all("by"), "{}", vector.name);
            }
            Err(error) => assert_eq!(vector.expect, "unknown-log", "{}: {error}", vector.name),
        }
    }
}

fn error_name(error: &TrustPolicyError) -> String {
    let name = match &error.problem {
        PolicyProblem::Unterminated => "unterminated",
        PolicyProblem::ControlCharacter { .. } => "control-character",
        PolicyProblem::UnknownKeyword { .. } => "unknown-keyword",
        PolicyProblem::Form { .. } => "form",
        PolicyProblem::DuplicateKey => "duplicate-key",
        PolicyProblem::ReservedName => "reserved-name",
        PolicyProblem::DuplicateName { .. } => "duplicate-name",
        PolicyProblem::UnknownName { .. } => "unknown-name",
        PolicyProblem::MemberTwice { .. } => "member-twice",
        PolicyProblem::Threshold { .. } => "threshold",
        PolicyProblem::SecondQuorum => "second-quorum",
        PolicyProblem::NoQuorum => "no-quorum",
        PolicyProblem::Key(error) => match error {
            VerifierKeyError::BadForm => "key-form",
            VerifierKeyError::Name(_) => "key-name",
            VerifierKeyError::UnknownType { .. } => "key-unknown-type",
            VerifierKeyError::WrongType { .. } => "key-wrong-type",
            VerifierKeyError::Key(_) => "key-refused",
            VerifierKeyError::KeyId { .. } => "key-id",
            _ => "key-other",
        },
        _ => "other",
    };
    format!("{}-{name}", error.line)
}

fn problem(file: &[u8]) -> PolicyProblem {
    TrustPolicy::parse(file).expect_err("no policy").problem
}

fn witness(number: u8) -> Cosigner {
    Cosigner::new(
        &format!("witness.example/{number}"),
        secret(number).public(),
    )
    .expect("a good name")
}

#[test]
fn witness_9_what_a_policy_says_can_be_read() {
    let file = format!(
        "witness a {} https://example.org/a\nwitness b {}\ngroup g all a b\nquorum g\n",
        witness(11).verifier_key(),
        witness(12).verifier_key()
    );
    let policy: TrustPolicy = file.parse().unwrap();
    let found: Vec<_> = policy.witnesses().collect();
    assert_eq!(found[0].url.as_deref(), Some(&b"https://example.org/a"[..]));
    assert_eq!(
        (found[1].name.to_string().as_str(), &found[1].url),
        ("b", &None)
    );
    assert_eq!(found[1].cosigner, witness(12));
    assert_eq!(
        policy.quorum().map(ToString::to_string).as_deref(),
        Some("g")
    );
    assert!(policy.logs().is_empty());
}

#[test]
fn witness_9_limits_are_kept() {
    assert!(matches!(
        problem(&vec![b'#'; POLICY_SIZE_MAX + 1]),
        PolicyProblem::TooLarge { .. }
    ));
    let mut file = format!("witness w {}\n", witness(1).verifier_key());
    let mut last = "w".to_owned();
    for number in 1..POLICY_MEMBERS_MAX {
        file.push_str(&format!("group g{number} all {last}\n"));
        last = format!("g{number}");
    }
    let deep: TrustPolicy = format!("{file}quorum {last}\n").parse().unwrap();
    assert_eq!(deep.quorum().map(ToString::to_string), Some(last.clone()));
    let more = format!("{file}group more all {last}\nquorum more\n");
    assert!(matches!(
        problem(more.as_bytes()),
        PolicyProblem::TooManyMembers { .. }
    ));
    let mut logs = String::new();
    for number in 0..=POLICY_LOGS_MAX {
        let mut seed = [7; 32];
        seed[..8].copy_from_slice(&(number as u64).to_be_bytes());
        let key = symphony_transparency::SecretKey::from_bytes(seed).public();
        let key = symphony_transparency::note::verifier_key("log", &key);
        logs.push_str(&format!("log {key}\n"));
    }
    assert!(matches!(
        problem(logs.as_bytes()),
        PolicyProblem::TooManyLogs { .. }
    ));
}

/// The longest chain of groups is decided in one pass, whatever its depth.
#[test]
fn witness_10_groups_may_be_nested_as_deep_as_the_limit() {
    let mut file = format!("witness w {}\n", witness(11).verifier_key());
    let mut last = "w".to_owned();
    for number in 1..POLICY_MEMBERS_MAX {
        file.push_str(&format!("group g{number} any {last}\n"));
        last = format!("g{number}");
    }
    let policy: TrustPolicy = format!("{file}quorum {last}\n").parse().unwrap();
    let mut signed = checkpoint();
    let error = policy.witnessed(&signed).unwrap_err();
    assert!(error.to_string().contains("none of its witnesses cosigned"));
    cosign(&mut signed, 11);
    assert_eq!(policy.witnessed(&signed).unwrap().by.len(), 1);
}

fn checkpoint() -> SignedCheckpoint {
    let checkpoint = Checkpoint {
        network: some_digest(1),
        log: some_digest(2),
        size: 42,
        root: [3; 32],
        state_root: some_digest(4),
    };
    checkpoint.sign(&secret(1))
}

fn cosign(signed: &mut SignedCheckpoint, number: u8) {
    let line = witness(number)
        .cosign(signed.note().text(), u64::from(number), &secret(number))
        .expect("its own key");
    signed.add_line(line).expect("a good value");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Spec: WITNESS-10: a threshold is reached by that many different witnesses, and by no fewer.
    #[test]
    fn witness_10_a_threshold_counts_witnesses(threshold in 1..=6_usize, cosigners in prop::collection::btree_set(11..17_u8, 0..=6)) {
        let mut file = String::new();
        for number in 11..17_u8 {
            file.push_str(&format!("witness w{number} {}\n", witness(number).verifier_key()));
        }
        file.push_str(&format!("group g {threshold} w11 w12 w13 w14 w15 w16\nquorum g\n"));
        let policy: TrustPolicy = file.parse().unwrap();
        let mut signed = checkpoint();
        for number in &cosigners {
            cosign(&mut signed, *number);
        }
        prop_assert_eq!(policy.witnessed(&signed).is_ok(), cosigners.len() >= threshold);
    }

    /// Spec: WITNESS-9: no file causes a panic.
    #[test]
    fn witness_9_any_file_is_read_without_a_panic(file in "((log|witness|group|quorum|#)[ \t]?(a|b|none|all|any|[0-9]{1,3}|\\PC{0,8})?[ \t]?(a|b|\\PC{0,8})?[ \t]?(a|b)?\n){0,8}\\PC{0,6}") {
        let _ = TrustPolicy::parse(file.as_bytes());
    }

    /// Spec: WITNESS-9: nor do octets of any kind.
    #[test]
    fn witness_9_any_octets_are_read_without_a_panic(file in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = TrustPolicy::parse(&file);
    }
}
