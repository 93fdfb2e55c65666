//! Chapter 17: requests for cosignatures and what a witness decides. Requests and answers are vectors.

use proptest::prelude::*;
use symphony_transparency::witness::{
    ADD_CHECKPOINT_SIZE_MAX, AddCheckpoint, Refusal, SIZE_CONTENT_TYPE, TEXT_CONTENT_TYPE,
    WitnessView, decide, head_from_record, head_to_record,
};
use symphony_transparency::{Checkpoint, Cosigner, MerkleTree, PublicKey, SecretKey, TreeHead};

use crate::vector::Vector;
use crate::{secret, some_digest};

/// Spec: WITNESS-4, WITNESS-5, WITNESS-6, WITNESS-7.
#[test]
fn vectors_witness() {
    for vector in Vector::folder("witness") {
        let log_key = vector
            .has("log_key")
            .then(|| PublicKey::from_slice(vector.bytes("log_key")).unwrap());
        let latest = vector
            .has("latest")
            .then(|| head_from_record(vector.bytes("latest")).unwrap());
        let view = WitnessView {
            log_key: log_key.as_ref(),
            latest,
            entries_root: vector
                .has("entries_root")
                .then(|| vector.array("entries_root")),
        };
        let parsed = AddCheckpoint::parse(vector.bytes("body"));
        if let Ok(request) = &parsed {
            assert_eq!(request.to_string().as_bytes(), vector.bytes("body"));
        }
        let outcome = parsed.and_then(|request| decide(&request, &view));
        if let Err(refusal) = &outcome {
            check_answer(&vector, refusal);
        }
        if let Some(advance) = vector.check(outcome, refusal_name) {
            let next = advance.against(latest.as_ref()).unwrap();
            assert_eq!(head_to_record(&next)[..], *vector.bytes("next"));
            if vector.has("line") {
                let secret = SecretKey::from_bytes(vector.array("seed"));
                let cosigner = Cosigner::new(vector.text("cosigner"), secret.public()).unwrap();
                let line = advance.cosign_stored(&cosigner, vector.number("time"), &secret);
                assert_eq!(format!("{}\n", line.unwrap()), vector.text("line"));
            }
        }
    }
}

fn check_answer(vector: &Vector, refusal: &Refusal) {
    if vector.has("answer") {
        assert_eq!(refusal.body(), vector.text("answer"), "{}", vector.name);
        assert_eq!(refusal.content_type(), SIZE_CONTENT_TYPE);
    } else {
        assert!(refusal.body().ends_with('\n'));
        assert_eq!(refusal.content_type(), TEXT_CONTENT_TYPE);
    }
    let is_fork = vector.expect == "409-other-root" || vector.expect == "409-other-entries";
    assert_eq!(refusal.shows_a_fork(), is_fork, "{}", vector.name);
}

fn refusal_name(refusal: &Refusal) -> String {
    let name = match refusal {
        Refusal::Malformed(_) => "malformed",
        Refusal::UnknownOrigin { .. } => "unknown-origin",
        Refusal::NotSigned => "not-signed",
        Refusal::OldSizeAbove { .. } => "old-size-above",
        Refusal::OtherOldSize { .. } => "other-old-size",
        Refusal::OtherRoot { .. } => "other-root",
        Refusal::OtherEntries { .. } => "other-entries",
        Refusal::Proof(_) => "proof",
        _ => "other",
    };
    format!("{}-{name}", refusal.status())
}

fn tree(size: u64) -> MerkleTree {
    let mut tree = MerkleTree::new();
    for index in 0..size {
        tree.append(&index.to_be_bytes());
    }
    tree
}

fn head(tree: &MerkleTree, size: u64) -> TreeHead {
    TreeHead {
        size,
        root: tree.root_at(size).expect("a good value"),
    }
}

/// The request of a log with this tree, from what it takes for the witness' newest size.
fn request(tree: &MerkleTree, old_size: u64, size: u64) -> AddCheckpoint {
    let checkpoint = Checkpoint {
        network: some_digest(1),
        log: some_digest(2),
        size,
        root: tree.root_at(size).expect("a good value"),
        state_root: some_digest(4),
    };
    let proof = tree
        .consistency_proof(old_size, size)
        .expect("a good value");
    AddCheckpoint::new(old_size, proof, &checkpoint.sign(&secret(1)))
}

fn view(key: &PublicKey, latest: Option<TreeHead>) -> WitnessView<'_> {
    WitnessView {
        log_key: Some(key),
        latest,
        entries_root: None,
    }
}

#[test]
fn witness_4_size_is_checked_first() {
    let body = vec![b'x'; ADD_CHECKPOINT_SIZE_MAX + 1];
    let refusal = AddCheckpoint::parse(&body).unwrap_err();
    assert_eq!(refusal.status(), 400);
    assert!(refusal.body().contains("more than"));
}

#[test]
fn witness_4_each_truncation_is_refused() {
    let body = request(&tree(7), 3, 7).to_string().into_bytes();
    for length in 0..body.len() {
        assert!(AddCheckpoint::parse(&body[..length]).is_err(), "{length}");
    }
}

/// The race that C2SP warns of: both requests are judged against 3; the larger one is stored first; storing the smaller one
/// would roll the witness back.
#[test]
fn witness_6_an_overtaken_request_never_rolls_the_witness_back() {
    let (tree, key) = (tree(20), secret(1).public());
    let mut kept = Some(head(&tree, 3));
    let slow = decide(&request(&tree, 3, 10), &view(&key, kept)).unwrap();
    let fast = decide(&request(&tree, 3, 20), &view(&key, kept)).unwrap();
    kept = Some(fast.against(kept.as_ref()).unwrap());
    let refusal = slow.against(kept.as_ref()).unwrap_err();
    assert_eq!((refusal.status(), refusal.body()), (409, "20\n".to_owned()));
    // Two first requests race in the same way.
    let first = decide(&request(&tree, 0, 10), &view(&key, None)).unwrap();
    assert!(first.against(Some(&head(&tree, 20))).is_err());
}

#[test]
fn witness_6_damaged_heads_are_refused() {
    let head = head(&tree(5), 5);
    let record = head_to_record(&head);
    assert_eq!(head_from_record(&record), Ok(head));
    for length in 0..record.len() {
        assert!(head_from_record(&record[..length]).is_err(), "{length}");
    }
    assert!(head_from_record(&[&record[..], &[0]].concat()).is_err());
    assert!(head_from_record(&[0; 40]).is_err(), "size 0");
    assert!(
        head_from_record(&[0xff; 40]).is_err(),
        "a size above the limit"
    );
}

/// What a witness never checked, its cosignature does not vouch for: two claims about the state at one size and root.
#[test]
fn witness_8_a_cosignature_says_nothing_of_the_state_root() {
    let (tree, key) = (tree(7), secret(1).public());
    for state_root in [some_digest(4), some_digest(5)] {
        let checkpoint = Checkpoint {
            network: some_digest(1),
            log: some_digest(2),
            size: 7,
            root: tree.root(),
            state_root,
        };
        let request = AddCheckpoint::new(7, Vec::new(), &checkpoint.sign(&secret(1)));
        let kept = Some(head(&tree, 7));
        assert!(decide(&request, &view(&key, kept)).is_ok());
    }
}

/// One step of a model of many requests that overlap.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A request for this size is judged against what is kept now.
    Judge { size: u64, forked: bool },
    /// A judged request is stored, if it may.
    Store { position: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let judge = (1..=20_u64, any::<bool>()).prop_map(|(size, forked)| Step::Judge { size, forked });
    let store = (0..6_usize).prop_map(|position| Step::Store { position });
    prop::collection::vec(prop_oneof![judge, store], 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Spec: WITNESS-5, WITNESS-6: whatever overlaps, cosigned sizes never fall, and all cosigned heads are of one history,
    /// though the log shows two.
    #[test]
    fn witness_6_all_that_is_cosigned_is_one_history(steps in steps()) {
        let key = secret(1).public();
        let honest = tree(20);
        let mut other = tree(4);
        for index in 4..20_u64 {
            other.append(&[index as u8, 1]);
        }
        let (mut kept, mut judged, mut cosigned) = (None, Vec::new(), Vec::new());
        for step in steps {
            match step {
                Step::Judge { size, forked } => {
                    let tree = if forked { &other } else { &honest };
                    let old_size = kept.map_or(0, |kept: TreeHead| kept.size);
                    if old_size <= size
                        && let Ok(advance) = decide(&request(tree, old_size, size), &view(&key, kept))
                    {
                        judged.push(advance);
                    }
                }
                Step::Store { position } if position < judged.len() => {
                    if let Ok(next) = judged.remove(position).against(kept.as_ref()) {
                        kept = Some(next);
                        cosigned.push(next);
                    }
                }
                Step::Store { .. } => {}
            }
        }
        prop_assert!(cosigned.is_sorted_by_key(|head| head.size));
        let of = |tree: &MerkleTree| cosigned.iter().all(|seen| head(tree, seen.size) == *seen);
        prop_assert!(of(&honest) || of(&other));
    }

    /// Spec: WITNESS-4: no bytes cause a panic, and what is read is written the same.
    #[test]
    fn witness_4_any_body_is_read_without_a_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut body = request(&tree(7), 3, 7).to_string().into_bytes();
        let at = at.index(body.len());
        body[at] = byte;
        if byte < 64 {
            body.truncate(cut.index(body.len()));
        }
        if let Ok(request) = AddCheckpoint::parse(&body) {
            prop_assert_eq!(request.to_string().into_bytes(), body);
            let key = secret(1).public();
            let _ = decide(&request, &view(&key, Some(head(&tree(7), 3))));
        }
    }

    /// Spec: WITNESS-4: nor do lines that look like a request.
    #[test]
    fn witness_4_any_text_is_read_without_a_panic(text in "(old [0-9]{0,20}\n)?([A-Za-z0-9+/]{43}=\n){0,3}\n?\\PC{0,80}\n?") {
        prop_assert!(AddCheckpoint::parse(text.as_bytes()).is_err());
    }
}
