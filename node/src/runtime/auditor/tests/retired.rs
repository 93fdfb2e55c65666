//! Logs that have ended.

use super::*;

/// Two looks without patience: whoever is to be suspected is after them.
fn look_twice(bench: &mut Bench) {
    bench.auditor.watch_suspects();
    bench.auditor.watch_suspects();
}

fn verdict(bench: &Bench, author: &Author) -> Verdict {
    bench.auditor.logs[&author.log()].verdict
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn store_25_missing_entries_of_a_retired_log_raise_no_suspicion() {
    let mut bench = Bench::new().await;
    let mut author = Author::new(1);
    bench.meet(&author).await;
    author.append(Body::Resumed);
    bench.auditor.checkpoint(author.sign()).await;
    look_twice(&mut bench);
    assert_eq!(verdict(&bench, &author), Verdict::Suspected);

    let retirement = Retirement {
        log: author.log(),
        size: 2,
        root: author.replay.tree().root(),
        successor: Author::new(2).log(),
    };
    let retirement = signed(&author.secret, retirement.encode());
    bench.auditor.retire(&retirement).await;
    assert_eq!(verdict(&bench, &author), Verdict::Clean, "at once");
    look_twice(&mut bench);
    assert_eq!(verdict(&bench, &author), Verdict::Clean);

    let mut bench = bench.restarted().await;
    look_twice(&mut bench);
    assert_ne!(verdict(&bench, &author), Verdict::Suspected);
    assert!(bench.auditor.retired.contains_key(&author.log()));
    let mut told = false;
    while let Ok(command) = bench.core.try_recv() {
        told |=
            matches!(command, CoreCommand::Event(Event::Retired { peer }) if peer == author.key());
    }
    assert!(told, "no work is sent to it");
    // What it signed for grows once more: it stays ended.
    author.append(Body::Resumed);
    bench.auditor.checkpoint(author.sign()).await;
    bench.meet(&author).await;
    look_twice(&mut bench);
    assert_ne!(verdict(&bench, &author), Verdict::Suspected);
    assert!(bench.auditor.follow.have(&author.log()).is_none());
}
