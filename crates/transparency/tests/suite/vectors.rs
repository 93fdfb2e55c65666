//! Every vector of the folders that chapters 01 to 04 own.

use symphony_transparency::note::{self, SignedNote};
use symphony_transparency::{
    BindingError, CanonicalError, CheckpointError, Digest, DigestError, Domain, KeyBinding,
    KeyError, KeyRole, MerkleTree, NoteError, PeerKeys, ProofError, PublicKey, SecretKey,
    Signature, SignatureError, SignedCheckpoint, StatementError, StatementKind, TreeHead,
    UnverifiedStatement, digest, digest_parts, f64_from_field, f64_to_field, keyed_digest,
    payload_digest, sign_statement, signing_bytes, verify_consistency, verify_inclusion,
};

use crate::vector::Vector;

/// Spec: BYTES-6, BYTES-7, BYTES-9, BYTES-10, BYTES-11, BYTES-12.
#[test]
fn vectors_canonical() {
    for vector in Vector::folder("canonical") {
        if vector.has("number") {
            let field = vector.bytes("number");
            if let Some(number) = vector.check(f64_from_field(field), canonical_error) {
                assert_eq!(f64_to_field(number), field, "{}", vector.name);
            }
            continue;
        }
        let domain = domain(vector.text("domain"));
        let actual = if vector.has("key") {
            keyed_digest(domain, &vector.array("key"), vector.bytes("bytes"))
        } else if vector.has("bytes") {
            digest(domain, vector.bytes("bytes"))
        } else {
            digest_parts(domain, &vector.all("part"))
        };
        assert_eq!(actual.as_bytes(), vector.bytes("digest"), "{}", vector.name);
    }
}

/// Spec: BYTES-12: every domain has a vector, and no two share a context.
#[test]
fn bytes_12_every_domain_has_a_vector() {
    let vectors = Vector::folder("canonical");
    for domain in Domain::ALL {
        let name = format!(
            "digest-{}",
            domain
                .context()
                .strip_prefix("symphony/v1 ")
                .expect("the common prefix")
        );
        assert!(
            vectors.iter().any(|vector| vector.name == name),
            "no vector {name}"
        );
    }
    let contexts: std::collections::BTreeSet<&str> =
        Domain::ALL.iter().map(|domain| domain.context()).collect();
    assert_eq!(contexts.len(), Domain::ALL.len());
}

/// Spec: KEYS-1 to KEYS-7.
#[test]
fn vectors_keys() {
    for vector in Vector::folder("keys") {
        match vector.name.split('-').next() {
            Some("secret") => check_secret(&vector),
            Some("key") => {
                if let Some(key) =
                    vector.check(PublicKey::from_slice(vector.bytes("key")), key_error)
                {
                    assert_eq!(key.to_string(), vector.text("text"), "{}", vector.name);
                }
            }
            Some("text") => {
                vector.check(vector.text("text").parse::<PublicKey>(), key_error);
            }
            Some("signature") => check_signature(&vector),
            Some("binding") => check_binding(&vector),
            _ => panic!("{}: unknown kind of vector", vector.name),
        }
    }
}

fn check_secret(vector: &Vector) {
    let secret = SecretKey::from_bytes(vector.array("seed"));
    let key = secret.public();
    assert_eq!(key.as_bytes(), vector.bytes("key"), "{}", vector.name);
    assert_eq!(key.to_string(), vector.text("text"), "{}", vector.name);
    assert_eq!(vector.text("text").parse(), Ok(key), "{}", vector.name);
    let message = vector.bytes("message");
    let signature = secret.sign_raw(message);
    assert_eq!(
        signature.as_bytes(),
        vector.bytes("signature"),
        "{}",
        vector.name
    );
    assert_eq!(key.verify(message, &signature), Ok(()), "{}", vector.name);
}

fn check_signature(vector: &Vector) {
    let key = PublicKey::from_slice(vector.bytes("key")).expect("an acceptable key");
    let outcome = Signature::from_slice(vector.bytes("signature"))
        .and_then(|signature| key.verify(vector.bytes("message"), &signature));
    vector.check(outcome, signature_error);
}

fn check_binding(vector: &Vector) {
    let key = |field| PublicKey::from_slice(vector.bytes(field)).expect("an acceptable key");
    let signature = |field| Signature::from_bytes(vector.array(field));
    let keys = PeerKeys {
        log: key("log_key"),
        transport: key("transport_key"),
        witness: key("witness_key"),
    };
    let binding = KeyBinding {
        log: signature("log_signature"),
        transport: signature("transport_signature"),
        witness: signature("witness_signature"),
    };
    let network = Digest::from_bytes(vector.array("network"));
    let outcome = vector.check(
        keys.verify_binding(&network, &binding),
        |error| match error {
            BindingError::SameKey { .. } => "same-key".to_owned(),
            BindingError::Signature {
                role: KeyRole::Log, ..
            } => "log-signature-refused".to_owned(),
            BindingError::Signature {
                role: KeyRole::Transport,
                ..
            } => "transport-signature-refused".to_owned(),
            BindingError::Signature {
                role: KeyRole::Witness,
                ..
            } => "witness-signature-refused".to_owned(),
            other => format!("{other:?}"),
        },
    );
    if outcome.is_some() {
        assert_eq!(
            keys.binding_bytes(&network),
            vector.bytes("binding_bytes"),
            "{}",
            vector.name
        );
    }
}

/// Spec: BYTES-1, BYTES-2, BYTES-3, KEYS-8 to KEYS-13.
#[test]
fn vectors_statements() {
    for vector in Vector::folder("statements") {
        let network = Digest::from_bytes(vector.array("network"));
        let outcome = UnverifiedStatement::parse(vector.bytes("bytes"))
            .and_then(|statement| statement.verify(&network));
        let Some(statement) = vector.check(outcome, statement_error) else {
            continue;
        };

        let kind = StatementKind::from_number(u32::from_be_bytes(vector.array("type")))
            .expect("a known type");
        let payload = vector.bytes("payload");
        let content = payload_digest(kind, payload);
        assert_eq!(statement.kind(), kind, "{}", vector.name);
        assert_eq!(
            statement.author().as_bytes(),
            vector.bytes("author"),
            "{}",
            vector.name
        );
        assert_eq!(statement.payload(), payload, "{}", vector.name);
        assert_eq!(
            statement.digest().as_bytes(),
            vector.bytes("digest"),
            "{}",
            vector.name
        );
        assert_eq!(
            content.as_bytes(),
            vector.bytes("payload_digest"),
            "{}",
            vector.name
        );
        assert_eq!(
            signing_bytes(&network, kind, &content),
            vector.bytes("signing_bytes"),
            "{}",
            vector.name
        );
        let secret = SecretKey::from_bytes(vector.array("seed"));
        assert_eq!(
            sign_statement(&secret, &network, kind, payload.to_vec()),
            statement,
            "{}",
            vector.name
        );
    }
}

/// Spec: LOG-7.
#[test]
fn vectors_merkle() {
    for vector in Vector::folder("merkle") {
        let mut tree = MerkleTree::new();
        for leaf in vector.all("leaf") {
            tree.append(leaf);
        }
        assert_eq!(tree.root(), vector.array("root"), "{}", vector.name);
    }
}

/// Spec: LOG-11, LOG-12.
#[test]
fn vectors_proofs() {
    for vector in Vector::folder("proofs") {
        let proof = vector.hashes("hash");
        let outcome = if vector.has("leaf_hash") {
            let (index, size) = (vector.number("index"), vector.number("size"));
            verify_inclusion(
                &vector.array("leaf_hash"),
                index,
                size,
                &proof,
                &vector.array("root"),
            )
        } else {
            let old = TreeHead {
                size: vector.number("old_size"),
                root: vector.array("old_root"),
            };
            let new = TreeHead {
                size: vector.number("new_size"),
                root: vector.array("new_root"),
            };
            verify_consistency(&old, &new, &proof)
        };
        vector.check(outcome, |error| {
            let name = match error {
                ProofError::IndexBeyondSize { .. } => "index-beyond-size",
                ProofError::OldSizeBeyondNew { .. } => "old-size-beyond-new",
                ProofError::TooLarge { .. } => "too-large",
                ProofError::WrongLength { .. } => "wrong-length",
                ProofError::RootMismatch { .. } => "root-mismatch",
                _ => "other",
            };
            name.to_owned()
        });
    }
}

/// Spec: LOG-14 to LOG-18.
#[test]
fn vectors_notes() {
    for vector in Vector::folder("notes") {
        let name = vector.text("name");
        let key = PublicKey::from_slice(vector.bytes("key")).expect("an acceptable key");
        let outcome = SignedNote::parse(vector.bytes("note"))
            .and_then(|parsed| parsed.verify(name, &key).map(|()| parsed));
        let Some(parsed) = vector.check(outcome, note_error) else {
            continue;
        };
        assert_eq!(parsed.text(), vector.text("text"), "{}", vector.name);
        assert_eq!(
            parsed.to_string().as_bytes(),
            vector.bytes("note"),
            "{}",
            vector.name
        );
        if vector.has("seed") {
            let secret = SecretKey::from_bytes(vector.array("seed"));
            assert_eq!(
                SignedNote::sign(parsed.text(), name, &secret),
                Ok(parsed),
                "{}",
                vector.name
            );
            assert_eq!(
                note::key_id(name, &key),
                vector.bytes("key_id"),
                "{}",
                vector.name
            );
            assert_eq!(
                note::verifier_key(name, &key),
                vector.text("verifier_key"),
                "{}",
                vector.name
            );
        }
    }
}

/// Spec: LOG-19 to LOG-25.
#[test]
fn vectors_checkpoints() {
    for vector in Vector::folder("checkpoints") {
        let key = PublicKey::from_slice(vector.bytes("key")).expect("an acceptable key");
        let outcome = SignedCheckpoint::parse_and_verify(vector.text("note"), &key);
        let Some(signed) = vector.check(outcome, checkpoint_error) else {
            continue;
        };
        let checkpoint = signed.checkpoint();
        assert_eq!(
            checkpoint.network.as_bytes(),
            vector.bytes("network"),
            "{}",
            vector.name
        );
        assert_eq!(
            checkpoint.log.as_bytes(),
            vector.bytes("log"),
            "{}",
            vector.name
        );
        assert_eq!(checkpoint.size, vector.number("size"), "{}", vector.name);
        assert_eq!(checkpoint.root, vector.array("root"), "{}", vector.name);
        assert_eq!(
            checkpoint.state_root.as_bytes(),
            vector.bytes("state_root"),
            "{}",
            vector.name
        );
        assert_eq!(signed.text(), vector.text("note"), "{}", vector.name);
        if vector.has("seed") {
            let secret = SecretKey::from_bytes(vector.array("seed"));
            assert_eq!(checkpoint.sign(&secret), signed, "{}", vector.name);
        }
    }
}

fn domain(context: &str) -> Domain {
    let mut domains = Domain::ALL.iter().copied();
    domains
        .find(|domain| domain.context() == context)
        .unwrap_or_else(|| panic!("no domain {context}"))
}

fn canonical_error(error: &CanonicalError) -> String {
    let name = match error {
        CanonicalError::TooLarge { .. } => "too-large",
        CanonicalError::Malformed(_) => "malformed",
        CanonicalError::NotCanonical { .. } => "not-canonical",
        CanonicalError::NumberLength { .. } => "number-length",
        CanonicalError::NumberNotFinite { .. } => "number-not-finite",
        CanonicalError::NumberNegativeZero => "number-negative-zero",
        _ => "other",
    };
    name.to_owned()
}

fn key_error(error: &KeyError) -> String {
    let name = match error {
        KeyError::WrongLength { .. } => "wrong-length",
        KeyError::NotAPoint => "not-a-point",
        KeyError::NotCanonical => "not-canonical",
        KeyError::SmallOrder => "small-order",
        KeyError::NotADidKey => "not-a-did-key",
        _ => "other",
    };
    name.to_owned()
}

fn signature_error(error: &SignatureError) -> String {
    let name = match error {
        SignatureError::WrongLength { .. } => "wrong-length",
        SignatureError::Refused { .. } => "refused",
        _ => "other",
    };
    name.to_owned()
}

fn statement_error(error: &StatementError) -> String {
    match error {
        StatementError::Envelope(error) => canonical_error(error),
        StatementError::NetworkId(DigestError::WrongLength { .. }) => {
            "network-id-length".to_owned()
        }
        StatementError::UnknownType { .. } => "unknown-type".to_owned(),
        StatementError::Author(error) => format!("author-{}", key_error(error)),
        StatementError::Signature(SignatureError::WrongLength { .. }) => {
            "signature-length".to_owned()
        }
        StatementError::Signature(_) => "signature-refused".to_owned(),
        StatementError::ForeignNetwork { .. } => "foreign-network".to_owned(),
        other => format!("{other:?}"),
    }
}

fn note_error(error: &NoteError) -> String {
    let name = match error {
        NoteError::TooLarge { .. } => "too-large",
        NoteError::NotUtf8 { .. } => "not-utf8",
        NoteError::ControlCharacter { .. } => "control-character",
        NoteError::TextUnterminated => "text-unterminated",
        NoteError::NoSignatures => "no-signatures",
        NoteError::Unterminated => "unterminated",
        NoteError::MalformedSignature { .. } => "malformed-signature",
        NoteError::TooManySignatures { .. } => "too-many-signatures",
        NoteError::BadName { .. } => "bad-name",
        NoteError::UnsignedBy { .. } => "unsigned-by",
        NoteError::SignatureRefused { .. } => "signature-refused",
        _ => "other",
    };
    name.to_owned()
}

fn checkpoint_error(error: &CheckpointError) -> String {
    match error {
        CheckpointError::Note(error) => note_error(error),
        CheckpointError::TooLarge { .. } => "too-large".to_owned(),
        CheckpointError::WrongLines { .. } => "wrong-lines".to_owned(),
        CheckpointError::BadOrigin => "bad-origin".to_owned(),
        CheckpointError::BadSize { .. } => "bad-size".to_owned(),
        CheckpointError::BadRoot => "bad-root".to_owned(),
        CheckpointError::BadStateRoot => "bad-state-root".to_owned(),
        other => format!("{other:?}"),
    }
}
