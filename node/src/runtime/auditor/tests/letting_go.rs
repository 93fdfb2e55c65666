//! A full table, and newcomers.

use symphony_protocol::records::{Assignment, Issued};

use super::*;

impl Bench {
    async fn leaves(&mut self, author: &Author) {
        let command = AuditorCommand::Gone {
            peer: author.peer,
            log: author.log(),
        };
        self.auditor.take(command).await;
    }

    /// Peers come, one after another, and leave.
    async fn pass_by(&mut self, authors: &[Author]) {
        for author in authors {
            self.meet(author).await;
            self.leaves(author).await;
        }
    }

    fn follows(&self, author: &Author) -> bool {
        let log = author.log();
        let is_followed = self.auditor.logs.contains_key(&log);
        assert_eq!(self.auditor.follow.have(&log).is_some(), is_followed);
        let stored = self.auditor.parts.ledger.logs().expect("logs");
        assert_eq!(
            stored.contains(&log),
            is_followed,
            "what is not followed is not kept"
        );
        is_followed
    }

    /// This peer gives an order.
    fn works_with(&mut self, executor: &Author) {
        let record = Assignment {
            origin: Origin {
                log: Digest::ZERO,
                index: 1,
            },
            beacon: Digest::ZERO,
            slot: 0,
            executor: executor.key(),
            prompt: Digest::ZERO,
            key_commitment: Digest::ZERO,
            execute_ms: 1,
            reveal_ms: 1,
        };
        self.auditor.partners.note(&Entry {
            index: 1,
            previous: Digest::ZERO,
            time_ms: 1,
            body: Body::AssignmentIssued(Issued::new(record)),
        });
    }
}

fn authors(seeds: std::ops::Range<u8>) -> Vec<Author> {
    seeds.map(Author::new).collect()
}

/// It signs for an entry, which never comes.
async fn withholds(bench: &mut Bench, author: &mut Author) {
    author.append(Body::Resumed);
    bench.auditor.checkpoint(author.sign()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn net_69_a_newcomer_takes_the_place_of_who_was_silent_longest() {
    let mut bench = Bench::new().await;
    let mut met = authors(1..5);
    for author in &met {
        bench.meet(author).await;
    }
    for silent in [1, 0, 2, 3] {
        bench.leaves(&met[silent]).await;
    }
    // Its entries come from others: it is not silent.
    met[1].append(Body::Resumed);
    bench.give(&met[1], 1).await;
    let newcomers = authors(5..7);
    bench.meet(&newcomers[0]).await;
    assert!(!bench.follows(&met[0]));
    bench.meet(&newcomers[1]).await;
    assert!(!bench.follows(&met[2]));
    for kept in [&met[1], &met[3], &newcomers[0], &newcomers[1]] {
        assert!(bench.follows(kept));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn net_69_throwaway_identities_do_not_keep_the_table_full() {
    let mut bench = Bench::new().await;
    bench.pass_by(&authors(10..40)).await;
    let newcomer = Author::new(1);
    bench.meet(&newcomer).await;
    assert!(bench.follows(&newcomer));
    bench.pass_by(&authors(40..60)).await;
    assert!(bench.follows(&newcomer), "it is here");
    assert_eq!(bench.auditor.logs.len(), LOGS_MAX);
    assert_eq!(
        bench.auditor.parts.ledger.logs().expect("logs").len(),
        LOGS_MAX
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn net_69_who_is_here_worked_with_suspected_or_being_convicted_stays() {
    let mut bench = Bench::new().await;
    let mut met = authors(1..5);
    for author in &met {
        bench.meet(author).await;
    }
    bench.works_with(&met[1]);
    withholds(&mut bench, &mut met[2]).await;
    bench.auditor.watch_suspects();
    bench.auditor.proving.authors.running = Some(met[3].log());
    for author in &met[1..] {
        bench.leaves(author).await;
    }
    let newcomer = Author::new(5);
    bench.meet(&newcomer).await;
    assert!(!bench.follows(&newcomer));
    assert!(met.iter().all(|author| bench.follows(author)));

    let made = AuditorCommand::Made {
        lane: Lane::Author,
        file: None,
    };
    bench.auditor.take(made).await;
    bench.meet(&newcomer).await;
    assert!(bench.follows(&newcomer));
    assert!(!bench.follows(&met[3]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn net_69_suspects_beyond_a_quarter_of_the_table_make_room() {
    let mut bench = Bench::new().await;
    let mut met = authors(1..5);
    for author in &mut met {
        bench.meet(author).await;
        withholds(&mut bench, author).await;
        bench.leaves(author).await;
    }
    bench.auditor.watch_suspects();
    let newcomers = authors(5..9);
    for (newcomer, suspect) in newcomers.iter().zip(&met[..3]) {
        bench.meet(newcomer).await;
        bench.leaves(newcomer).await;
        assert!(bench.follows(newcomer));
        assert!(!bench.follows(suspect));
    }
    bench.meet(&newcomers[3]).await;
    assert!(!bench.follows(&newcomers[0]), "no suspect any more");
    assert!(bench.follows(&met[3]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn net_69_what_was_signed_last_convicts_who_comes_back_with_another_history() {
    let mut bench = Bench::new().await;
    let (mut first, mut second) = (Author::new(1), Author::new(1));
    bench.meet(&first).await;
    first.append(Body::Resumed);
    bench.give(&first, 1).await;
    bench.auditor.checkpoint(first.sign()).await;
    bench.leaves(&first).await;
    bench.pass_by(&authors(10..20)).await;
    assert!(!bench.follows(&first));
    let mut bench = bench.restarted().await;

    second.append_at(5_000, Body::Resumed);
    bench.meet(&second).await;
    bench.give(&second, 1).await;
    bench.auditor.checkpoint(second.sign()).await;
    assert_eq!(bench.proven(&second.key()), [Rule::Fork]);
}
