//! The targets.

use symphony_protocol::map::{Proof, StateMap, Terminal};
use symphony_protocol::records::{
    Acknowledgement, AnsweredEntry, Assignment, AssignmentPrivate, Beacon, Bid, Capability,
    Challenge, Entry, Params, Receipt, Received, RelayedBeacon, Retirement, Reveal, RevealPrivate,
    Revocation, Signatures, StatementRecord,
};
use symphony_questions::{TASK_COUNT_MAX, TASK_INPUT_SIZE_MAX, parse_tasks};
use symphony_transparency::merkle::{NodeHash, TreeHead, verify_consistency, verify_inclusion};
use symphony_transparency::tiles::{TilePath, decode_bundle, encode_bundle};
use symphony_transparency::witness::{
    AddCheckpoint, WitnessView, decide, head_from_record, head_to_record,
};
use symphony_transparency::{
    Checkpoint, Digest, NoteSignature, PublicKey, SignedCheckpoint, SignedNote, TrustPolicy,
    UnverifiedStatement, VerifierKey,
};

use crate::{evidence, seeds, states};

/// One way in for bytes of strangers.
pub struct Target {
    /// Its name, as `cargo fuzz run` takes it.
    pub name: &'static str,
    /// Reads an input, and panics if a property fails.
    pub run: fn(&[u8]),
    /// Inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target {
        name: "statement",
        run: statement,
        seeds: || seeds::values(&["statements"], &["bytes"]),
    },
    Target {
        name: "entry",
        run: entry,
        seeds: || seeds::values(&["entries", "faults"], &["bytes", "entry"]),
    },
    Target {
        name: "record",
        run: record,
        seeds: || seeds::values(&["statements-records", "retirements"], &["payload"]),
    },
    Target {
        name: "private",
        run: private,
        seeds: private_seeds,
    },
    Target {
        name: "note",
        run: note,
        seeds: || seeds::values(&["notes", "checkpoints", "cosignatures"], &["note"]),
    },
    Target {
        name: "publication",
        run: publication,
        seeds: || {
            seeds::values(
                &["tiles", "witness", "trust-policies", "cosignatures"],
                &[
                    "path",
                    "bytes",
                    "body",
                    "latest",
                    "file",
                    "verifier_key",
                    "line",
                ],
            )
        },
    },
    Target {
        name: "key",
        run: key,
        seeds: || seeds::values(&["keys"], &["key", "did", "log_key", "text"]),
    },
    Target {
        name: "proof",
        run: proof,
        seeds: || seeds::values(&["proofs", "map"], &["hash", "proof", "sibling", "root"]),
    },
    Target {
        name: "params",
        run: params,
        seeds: params_seeds,
    },
    Target {
        name: "state",
        run: states::apply,
        seeds: states::seeds,
    },
    Target {
        name: "replay",
        run: states::replay,
        seeds: states::replay_seeds,
    },
    Target {
        name: "evidence",
        run: evidence::file,
        seeds: || seeds::values(&["evidence"], &["evidence"]),
    },
    Target {
        name: "evidence_fields",
        run: evidence::edited,
        seeds: evidence::edited_seeds,
    },
    Target {
        name: "tasks",
        run: tasks,
        seeds: tasks_seeds,
    },
];

/// What is read has one encoding.
fn statement(input: &[u8]) {
    if let Ok(statement) = UnverifiedStatement::parse(input) {
        assert_eq!(statement.bytes(), input);
        let network = *statement.network();
        if let Ok(verified) = statement.clone().verify(&network) {
            let assumed = statement
                .clone()
                .assume_verified(&network)
                .expect("what verifies can be assumed");
            assert_eq!(assumed, verified);
        }
        assert!(statement.verify(&Digest::ZERO).is_err() || network == Digest::ZERO);
    }
}

fn entry(input: &[u8]) {
    let network = states::network();
    let assumed = Entry::parse_with(input, Some(&network), Signatures::AssumeVerified);
    if let Ok(entry) = &assumed {
        assert_eq!(entry.encode(), input);
    }
    if let Ok(entry) = Entry::parse(input, Some(&network)) {
        assert_eq!(assumed.as_ref(), Ok(&entry));
    }
    let _ = Entry::parse(input, None);
}

fn record(input: &[u8]) {
    round_trip::<Capability>(input);
    round_trip::<Revocation>(input);
    round_trip::<Beacon>(input);
    round_trip::<Bid>(input);
    round_trip::<Assignment>(input);
    round_trip::<Receipt>(input);
    round_trip::<Reveal>(input);
    round_trip::<Acknowledgement>(input);
    round_trip::<Retirement>(input);
    let _ = Received::<Beacon>::parse(input, &states::network());
    challenge(input);
}

/// A challenge has one encoding, and nothing invented answers it.
fn challenge(input: &[u8]) {
    let Ok(challenge) = Challenge::parse(input) else {
        return;
    };
    assert_eq!(challenge.encode(), input);
    let hashes = input
        .chunks_exact(32)
        .filter_map(|hash| hash.try_into().ok());
    let entry = AnsweredEntry {
        bytes: input.to_vec(),
        hashes: hashes.take(usize::from(input[0] % 8)).collect(),
    };
    let indices = challenge.indices();
    let answer = vec![entry; usize::try_from(indices.end - indices.start).unwrap_or(0)];
    let author = states::author().expect("there are logs");
    assert!(challenge.check_answer(&author, &answer).is_err());
}

fn round_trip<R: StatementRecord>(input: &[u8]) {
    if let Ok(record) = R::read(input) {
        assert_eq!(record.write(), input);
    }
}

/// Names and contents of tiles, requests to a witness and what it keeps, policies: what is read has one form.
fn publication(input: &[u8]) {
    let width = u16::from(input.first().copied().unwrap_or(0));
    if let Ok(entries) = decode_bundle(input, width) {
        assert_eq!(encode_bundle(entries).as_deref(), Ok(input));
    }
    if let Ok(head) = head_from_record(input) {
        assert_eq!(head_to_record(&head)[..], *input);
    }
    let _ = TrustPolicy::parse(input);
    if let Ok(request) = AddCheckpoint::parse(input) {
        assert_eq!(request.to_string().as_bytes(), input);
        assert!(decide(&request, &WitnessView::default()).is_err());
    }
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(path) = text.parse::<TilePath>() {
        assert_eq!(path.to_string(), text);
        assert!(!path.exists_at(path.start()));
    }
    if let Ok(key) = text.parse::<VerifierKey>() {
        assert_eq!(key.to_string(), text);
    }
    if let Ok(line) = text.parse::<NoteSignature>() {
        assert_eq!(line.to_string(), text);
    }
}

/// What travels beside statements; it is not signed.
fn private(input: &[u8]) {
    if let Ok(relayed) = RelayedBeacon::parse(input) {
        assert_eq!(relayed.encode(), input, "a relayed beacon has one encoding");
    }
    if let Ok(private) = AssignmentPrivate::parse(input) {
        assert_eq!(private.encode(), input);
    }
    if let Ok(private) = RevealPrivate::parse(input) {
        assert_eq!(private.encode(), input);
    }
}

fn private_seeds() -> Vec<Vec<u8>> {
    let field = |number: u8, bytes: &[u8]| {
        let mut field = vec![number << 3 | 2, u8::try_from(bytes.len()).unwrap_or(0)];
        field.extend_from_slice(bytes);
        field
    };
    let task_key = field(1, &[7; 32]);
    vec![
        [task_key.clone(), field(2, b"True and not False is")].concat(),
        [field(1, b"True"), field(2, &[9; 32])].concat(),
        field(1, b"True"),
    ]
}

fn note(input: &[u8]) {
    let _ = SignedNote::parse(input);
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(checkpoint) = Checkpoint::parse_text(text) {
        assert_eq!(checkpoint.to_string(), text);
    }
    if let Ok(checkpoint) = SignedCheckpoint::parse_unverified(text) {
        assert!(text.starts_with(&checkpoint.to_string()));
    }
}

fn key(input: &[u8]) {
    if let Ok(key) = PublicKey::from_slice(input) {
        assert_eq!(key.as_bytes().as_slice(), input);
        assert_eq!(key.to_string().parse(), Ok(key));
    }
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(key) = text.parse::<PublicKey>() {
        assert_eq!(key.to_string(), text);
    }
    if let Ok(digest) = text.parse::<Digest>() {
        assert_eq!(digest.to_string(), text);
    }
}

/// Arbitrary hashes prove nothing: of a tree and of a map.
fn proof(input: &[u8]) {
    let (numbers, hashes) = input.split_at(input.len().min(16));
    let number = |from: usize| {
        let mut bytes = [0; 8];
        for (byte, given) in bytes.iter_mut().zip(numbers.iter().skip(from)) {
            *byte = *given;
        }
        u64::from_be_bytes(bytes)
    };
    let (index, size) = (number(0), number(8));
    let hashes: Vec<NodeHash> = hashes
        .chunks_exact(32)
        .filter_map(|chunk| chunk.try_into().ok())
        .collect();
    let (leaf, root) = ([1; 32], [2; 32]);
    assert!(verify_inclusion(&leaf, index, size, &hashes, &root).is_err());
    let old = TreeHead {
        size: index,
        root: leaf,
    };
    let new = TreeHead { size, root };
    assert!(verify_consistency(&old, &new, &hashes).is_err());

    let map: StateMap = (0..9_u8).map(|key| ([key], vec![key])).collect();
    let siblings: Vec<Digest> = hashes
        .iter()
        .map(|hash| Digest::from_bytes(*hash))
        .collect();
    let terminal = if index % 2 == 0 {
        Terminal::Empty
    } else {
        Terminal::Leaf {
            place: Digest::from_bytes(leaf),
            value: Digest::from_bytes(root),
        }
    };
    let proof = Proof::from_parts(siblings, terminal);
    assert!(
        proof
            .verify(&map.root(), &[3], Some(b"another value"))
            .is_err()
    );
    assert!(proof.verify(&map.root(), &[3], None).is_err());
    // What a proof shows of a key that the map lacks is true, whoever made the proof.
    let _ = proof.verify(&map.root(), &[200], None);
}

fn params(input: &[u8]) {
    if let Ok(params) = Params::from_bytes(input) {
        assert_eq!(params.to_bytes(), input);
    }
}

fn params_seeds() -> Vec<Vec<u8>> {
    Params::standard("test", 0)
        .map(|params| params.to_bytes().to_vec())
        .into_iter()
        .collect()
}

/// A file of tasks: what is read is within its limits, and the same tasks written are read back.
fn tasks(input: &[u8]) {
    let Ok(tasks) = parse_tasks(input) else {
        return;
    };
    assert!((1..=TASK_COUNT_MAX).contains(&tasks.len()));
    let mut lines = String::new();
    for task in &tasks {
        assert!((1..=TASK_INPUT_SIZE_MAX).contains(&task.input.len()));
        lines += &serde_json::to_string(task).expect("texts can be written as JSON");
        lines.push('\n');
    }
    let again = parse_tasks(lines.as_bytes()).expect("what was read can be written and read");
    assert_eq!(again, tasks);
}

fn tasks_seeds() -> Vec<Vec<u8>> {
    [
        r#"{"canary": "x", "examples": [{"input": "True and not False is", "target": "True"}, {"input": "\u00e9\n"}]}"#,
        "{\"input\": \"a\", \"target\": \"b\"}\n\n{\"input\": \"c\", \"skill\": \"navigate\"}\r\n",
        r#"{"input": "a", "target": null}"#,
        r#"{"examples": []}"#,
        r#"[1, -2.5e300, true]"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
