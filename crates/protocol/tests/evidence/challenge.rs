//! Challenges, and answers by whoever has the bytes. Spec: EVIDENCE-14 to EVIDENCE-16.

use symphony_protocol::records::{AnswerError, AnsweredEntry, Challenge, StatementRecord};
use symphony_transparency::{Digest, MerkleTree};

use crate::kit::{Author, World};

fn answer(author: &Author, challenge: &Challenge) -> Vec<AnsweredEntry> {
    let mut tree = MerkleTree::new();
    for entry in &author.entries {
        tree.append(entry);
    }
    challenge
        .indices()
        .map(|index| AnsweredEntry {
            bytes: author.entries[index as usize].clone(),
            hashes: tree.inclusion_proof(index, tree.size()).unwrap(),
        })
        .collect()
}

fn challenged() -> (World, Challenge) {
    let mut world = World::standard();
    world.until_assigned();
    let author = &world.coordinator;
    let note = author.checkpoint(&author.entries, Digest::ZERO);
    let challenge = Challenge::new(note, 3..7).unwrap();
    (world, challenge)
}

#[test]
fn evidence_14_a_challenge_asks_for_what_a_checkpoint_covers() {
    let (world, challenge) = challenged();
    let author = &world.coordinator;
    let payload = challenge.write();
    assert_eq!(Challenge::read(&payload).unwrap(), challenge);
    let statement = world.executors[0].sign(&challenge);
    assert_eq!(statement.record, challenge);
    let note = challenge.note().to_owned();
    let size = author.size();
    for indices in [3..3, 0..33, size - 1..size + 1, u64::MAX - 1..u64::MAX] {
        Challenge::new(note.clone(), indices).expect_err("a range that cannot be asked for");
    }
    Challenge::new(note.clone(), size - 1..size).expect("the last entry");
    Challenge::new("no note".to_owned(), 0..1).expect_err("no checkpoint");
    Challenge::new(format!("{note}{}", " ".repeat(1024)), 0..1).expect_err("too large");
    for length in 0..payload.len() {
        Challenge::read(&payload[..length]).expect_err("cut");
    }
    let mut other = payload.clone();
    other[2] ^= 1;
    Challenge::read(&other).expect_err("a checkpoint of another log");
}

#[test]
fn evidence_15_anybody_who_has_the_bytes_answers() {
    let (world, challenge) = challenged();
    let author = &world.coordinator;
    let right = answer(author, &challenge);
    assert_eq!(challenge.check_answer(&author.key(), &right), Ok(()));
    assert_eq!(
        challenge.check_answer(&author.key(), &right[1..]),
        Err(AnswerError::Count {
            expected: 4,
            actual: 3
        })
    );
    let mut wrong = right.clone();
    wrong[2].bytes.push(0);
    assert!(matches!(
        challenge.check_answer(&author.key(), &wrong),
        Err(AnswerError::Entry { index: 5, .. })
    ));
    let mut swapped = right;
    swapped.swap(0, 1);
    assert!(challenge.check_answer(&author.key(), &swapped).is_err());
}

#[test]
fn evidence_16_nothing_is_asked_by_a_checkpoint_that_the_author_did_not_sign() {
    let (world, challenge) = challenged();
    let right = answer(&world.coordinator, &challenge);
    assert!(matches!(
        challenge.check_answer(&world.executors[0].key(), &right),
        Err(AnswerError::Checkpoint(_))
    ));
}
