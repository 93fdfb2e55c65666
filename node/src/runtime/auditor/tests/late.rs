//! Checkpoints that come after the entries that they cover.

use super::*;
use crate::runtime::auditor::followed::WAITING_MAX;

/// What an author signs of its log as it is now, with a state root that it does not lead to.
fn sign_falsely(author: &mut Author) -> SignedCheckpoint {
    let state_root = Digest::from_bytes([7; 32]);
    let honest = author.replay.checkpoint();
    let checkpoint = Checkpoint {
        state_root,
        ..honest
    };
    checkpoint.sign(&author.secret)
}

fn grow(author: &mut Author, entries: usize) {
    for _ in 0..entries {
        author.append(Body::Resumed);
    }
}

impl Bench {
    /// Takes what is compared and proved until nothing more is; says how many logs were compared.
    async fn late_compared(&mut self) -> usize {
        let mut logs = 0;
        self.auditor.compare_late();
        while self.auditor.late.is_under_way || self.auditor.proving.authors.running.is_some() {
            let command = self.auditor.commands.recv().await.expect("something");
            logs += usize::from(matches!(command, AuditorCommand::LateCompared { .. }));
            self.auditor.take(command).await;
        }
        logs
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_42_a_false_state_root_convicts_also_if_it_is_signed_after_later_entries_came() {
    let (mut bench, mut liar) = (Bench::new().await, Author::new(1));
    grow(&mut liar, 5);
    let signed = sign_falsely(&mut liar);
    grow(&mut liar, 5);
    bench.meet(&liar).await;
    bench.give(&liar, 1).await;
    bench.auditor.checkpoint(signed).await;
    // A later one that is right does not hide it.
    grow(&mut liar, 1);
    let honest = liar.sign();
    grow(&mut liar, 1);
    bench.give(&liar, 11).await;
    bench.auditor.checkpoint(honest).await;
    assert_eq!(bench.late_compared().await, 1);
    assert_eq!(bench.proven(&liar.key()), [Rule::StateRoot]);
    assert_eq!(bench.auditor.logs[&liar.log()].verdict, Verdict::Exposed);
    assert!(bench.core_knows(&liar.key()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_42_honest_late_checkpoints_of_every_size_expose_nobody_and_cost_little() {
    let (mut bench, mut author) = (Bench::new().await, Author::new(1));
    let mut late = Vec::new();
    for _ in 0..3 * WAITING_MAX {
        grow(&mut author, 1);
        late.push(author.sign());
    }
    grow(&mut author, 1);
    bench.meet(&author).await;
    bench.give(&author, 1).await;
    for signed in late {
        bench.auditor.checkpoint(signed).await;
        let followed = &bench.auditor.logs[&author.log()];
        assert!(followed.late.len() <= WAITING_MAX);
    }
    assert_eq!(bench.late_compared().await, 1);
    assert!(bench.auditor.exposed.is_empty());
    assert_eq!(bench.auditor.logs[&author.log()].verdict, Verdict::Clean);

    let size = author.replay.size();
    let signed = author.sign();
    grow(&mut author, 1);
    bench
        .give(&author, usize::try_from(size).expect("small"))
        .await;
    bench.auditor.checkpoint(signed).await;
    assert_eq!(bench.late_compared().await, 0, "not so soon again");
    assert_eq!(bench.auditor.logs[&author.log()].late.len(), 1, "it waits");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_42_a_late_false_root_that_was_not_compared_is_found_after_a_restart() {
    let (mut bench, mut liar) = (Bench::new().await, Author::new(1));
    grow(&mut liar, 5);
    let signed = sign_falsely(&mut liar);
    grow(&mut liar, 1);
    let honest = liar.sign();
    grow(&mut liar, 5);
    bench.meet(&liar).await;
    bench.give(&liar, 1).await;
    bench.auditor.checkpoint(signed).await;
    bench.auditor.checkpoint(honest).await;
    let mut bench = bench.restarted().await;
    bench.late_compared().await;
    assert_eq!(bench.proven(&liar.key()), [Rule::StateRoot]);
    assert_eq!(bench.auditor.logs[&liar.log()].verdict, Verdict::Exposed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replay_42_a_root_that_an_import_found_wrong_is_compared_at_once() {
    let (mut bench, mut liar) = (Bench::new().await, Author::new(1));
    grow(&mut liar, 3);
    let honest = liar.sign();
    grow(&mut liar, 3);
    bench.meet(&liar).await;
    bench.give(&liar, 1).await;
    bench.auditor.checkpoint(honest).await;
    assert_eq!(bench.late_compared().await, 1);
    // As if it had been stored by a run that did not compare it.
    grow(&mut liar, 2);
    bench.give(&liar, 7).await;
    let signed = Box::new(sign_falsely(&mut liar));
    let ledger = bench.auditor.parts.ledger.clone();
    ledger.put_checkpoint(*signed.clone()).await.expect("kept");
    bench.auditor.take(AuditorCommand::Doubted { signed }).await;
    // The last pass has rested long enough.
    bench.auditor.late.due = Duration::ZERO;
    assert_eq!(bench.late_compared().await, 1);
    assert_eq!(bench.proven(&liar.key()), [Rule::StateRoot]);
}
