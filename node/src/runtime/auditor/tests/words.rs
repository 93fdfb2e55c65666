//! Words of peers in the logs of others.

use super::*;

/// An entry that holds what a peer says of a place in a log.
fn said(signer: &Author, log: Digest, index: u64) -> Body {
    Body::AcknowledgementReceived(acknowledgement(&signer.secret, log, index))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_50_a_follower_makes_evidence_of_a_key_that_signs_for_two_logs() {
    let mut bench = Bench::new().await;
    let (mut one, mut other, liar) = (Author::new(1), Author::new(2), Author::new(3));
    bench.meet(&one).await;
    bench.meet(&other).await;
    one.append(said(&liar, liar.log(), 1));
    one.append(said(&liar, liar.log(), 2));
    bench.give(&one, 1).await;
    assert!(bench.proven(&liar.key()).is_empty(), "one log");
    other.append(said(&liar, Digest::from_bytes([7; 32]), 1));
    bench.give(&other, 1).await;
    assert_eq!(bench.proven(&liar.key()), [Rule::TwoLogs]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_50_throwaway_signers_make_nobody_forgotten_that_is_followed() {
    let mut bench = Bench::new().await;
    let (mut one, liar) = (Author::new(1), Author::new(3));
    bench.meet(&one).await;
    bench.meet(&liar).await;
    one.append(said(&liar, liar.log(), 1));
    for number in 0..1_100_u64 {
        let mut bytes = [5; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        let secret = SecretKey::from_bytes(bytes);
        one.append(Body::AcknowledgementReceived(acknowledgement(
            &secret,
            Digest::ZERO,
            1,
        )));
    }
    one.append(said(&liar, Digest::from_bytes([7; 32]), 1));
    bench.give(&one, 1).await;
    assert_eq!(bench.proven(&liar.key()), [Rule::TwoLogs]);
    assert!(bench.auditor.words.first.signers() <= 1_024);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_50_a_restart_forgets_no_first_statement() {
    let mut bench = Bench::new().await;
    let (mut one, mut other, liar) = (Author::new(1), Author::new(2), Author::new(3));
    bench.meet(&one).await;
    bench.meet(&other).await;
    one.append(said(&liar, liar.log(), 1));
    bench.give(&one, 1).await;
    let mut bench = bench.restarted().await;
    other.append(said(&liar, Digest::from_bytes([7; 32]), 1));
    bench.give(&other, 1).await;
    assert_eq!(bench.proven(&liar.key()), [Rule::TwoLogs]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_50_a_first_statement_outlives_the_log_that_showed_it() {
    let mut bench = Bench::new().await;
    let (mut one, mut other, liar) = (Author::new(1), Author::new(2), Author::new(3));
    bench.meet(&one).await;
    bench.meet(&other).await;
    one.append(said(&liar, liar.log(), 1));
    bench.give(&one, 1).await;
    let ledger = bench.auditor.parts.ledger.clone();
    ledger.forget(one.log()).await.expect("a copy is dropped");
    other.append(said(&liar, Digest::from_bytes([7; 32]), 1));
    bench.give(&other, 1).await;
    assert_eq!(bench.proven(&liar.key()), [Rule::TwoLogs]);
}

/// A log whose author signs another entry at 1 than it says that it holds there.
fn breaks_its_word() -> Author {
    let mut liar = Author::new(3);
    liar.append(Body::Resumed);
    liar
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_14_a_word_counts_that_was_given_before_its_log_was_followed() {
    let mut bench = Bench::new().await;
    let (mut one, mut liar) = (Author::new(1), breaks_its_word());
    bench.meet(&one).await;
    bench.scanned().await;
    one.append(said(&liar, liar.log(), 1));
    bench.give(&one, 1).await;
    bench.meet(&liar).await;
    bench.give(&liar, 1).await;
    bench.auditor.checkpoint(liar.sign()).await;
    bench.scanned().await;
    assert_eq!(bench.proven(&liar.key()), [Rule::Omission]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_14_a_word_counts_that_is_given_after_its_log_was_followed() {
    let mut bench = Bench::new().await;
    let (mut one, mut liar) = (Author::new(1), breaks_its_word());
    bench.meet(&one).await;
    bench.meet(&liar).await;
    bench.give(&liar, 1).await;
    bench.auditor.checkpoint(liar.sign()).await;
    one.append(said(&liar, liar.log(), 1));
    bench.give(&one, 1).await;
    assert_eq!(bench.proven(&liar.key()), [Rule::Omission]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_14_a_restart_forgets_no_word() {
    let mut bench = Bench::new().await;
    let (mut one, mut liar) = (Author::new(1), breaks_its_word());
    bench.meet(&one).await;
    bench.meet(&liar).await;
    one.append(said(&liar, liar.log(), 1));
    bench.give(&one, 1).await;
    let mut bench = bench.restarted().await;
    bench.scanned().await;
    bench.give(&liar, 1).await;
    bench.auditor.checkpoint(liar.sign()).await;
    assert_eq!(bench.proven(&liar.key()), [Rule::Omission]);
}
