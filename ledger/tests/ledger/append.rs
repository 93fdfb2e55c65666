//! Appending and reading back.

use std::sync::Arc;

use symphony_ledger::{
    APPEND_ENTRIES_MAX, Ledger, LedgerError, LinkError, MemoWrite, OpenError, OpenOptions, Release,
};
use symphony_transparency::ChainError;
use tokio::sync::Mutex;

use crate::support::{Author, Home, assert_reads, entry, network, run};

#[test]
fn store_6_what_was_appended_is_read_back_before_and_after_a_restart() {
    let home = Home::new();
    let mut author = Author::new(1, 50);
    run(async {
        let (ledger, recovered) = home.open();
        assert!(recovered.own.is_none() && ledger.own().is_none());
        for count in [1, 1, 5, 100, 3] {
            let first_index = author.chain.size;
            let appended = ledger.append(author.entries(count)).await.unwrap();
            assert_eq!(appended.first_index, first_index);
            assert_eq!(appended.head(), author.head());
            assert_eq!(appended.log, author.log());
            assert_reads(&ledger.own().unwrap(), &author);
        }
        home.close_and_check(ledger, &author).await;

        let (ledger, recovered) = home.open();
        let own = recovered.own.unwrap();
        assert_eq!(
            (own.log, own.head, own.chain),
            (author.log(), author.head(), author.chain)
        );
        assert_reads(&ledger.own().unwrap(), &author);
        ledger.append(author.entries(7)).await.unwrap();
        home.close_and_check(ledger, &author).await;
    });
}

#[test]
fn store_7_many_callers_at_once_lose_nothing() {
    let home = Home::new();
    run(async {
        let (ledger, _) = home.open();
        let author = Arc::new(Mutex::new(Author::new(1, 30)));
        let mut tasks = Vec::new();
        for task in 0..64_usize {
            let (ledger, author) = (ledger.clone(), Arc::clone(&author));
            tasks.push(tokio::spawn(async move {
                for round in 0..8 {
                    let count = 1 + (task + round) % 3;
                    // Who makes entries queues them in the same order; who waits for them holds nobody up.
                    let mut author = author.lock().await;
                    let first_index = author.chain.size;
                    let entries = author.entries(count);
                    let head = author.head();
                    let pending = ledger
                        .submit(entries, Vec::new(), Release::Later)
                        .await
                        .unwrap();
                    drop(author);
                    let appended = pending.await.unwrap();
                    assert_eq!((appended.first_index, appended.head()), (first_index, head));
                    let visible = ledger.own().unwrap().size().unwrap();
                    assert!(visible >= head.size, "acknowledged entries are visible");
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        let author = author.lock().await.clone();
        assert_reads(&ledger.own().unwrap(), &author);
        home.close_and_check(ledger, &author).await;
    });
}

#[test]
fn store_6_what_does_not_continue_the_log_is_refused_and_changes_nothing() {
    let home = Home::new();
    let mut author = Author::new(1, 20);
    run(async {
        let (ledger, _) = home.open();
        ledger.append(author.entries(5)).await.unwrap();

        let mut stranger = Author::new(2, 20);
        let strange = stranger.entries(6);
        let error = ledger.append(vec![strange[5].clone()]).await.unwrap_err();
        let LedgerError::Link(LinkError::Chain { index: 5, error }) = error else {
            panic!("{error}")
        };
        assert!(matches!(error, ChainError::Previous { .. }));

        let last = author.entries[4].clone();
        let again = ledger.append(vec![last]).await.unwrap_err();
        assert!(
            matches!(again, LedgerError::Link(LinkError::Chain { index: 5, .. })),
            "{again}"
        );

        // A good entry before a bad one is refused with it: entries of one request are there together or not at all.
        let good = entry(&author.chain, 1, 20);
        let both = ledger.append(vec![good, vec![0xFF; 9]]).await.unwrap_err();
        assert!(
            matches!(
                both,
                LedgerError::Link(LinkError::Malformed { index: 6, .. })
            ),
            "{both}"
        );
        assert_reads(&ledger.own().unwrap(), &author);

        let many = vec![Vec::new(); APPEND_ENTRIES_MAX + 1];
        assert!(matches!(
            ledger.append(many).await,
            Err(LedgerError::RequestTooLarge { .. })
        ));

        ledger.append(author.entries(2)).await.unwrap();
        home.close_and_check(ledger, &author).await;
    });
}

#[test]
fn store_7_memos_and_entries_are_written_together_or_not_at_all() {
    let home = Home::new();
    let mut author = Author::new(1, 20);
    run(async {
        let (ledger, _) = home.open();
        let answer = MemoWrite::put("answer\0one", "bytes that were sent");
        ledger
            .append_with(author.entries(2), vec![answer])
            .await
            .unwrap();
        assert_eq!(
            ledger.memo(b"answer\0one").unwrap().unwrap(),
            b"bytes that were sent"
        );

        let refused = ledger
            .append_with(
                vec![vec![1, 2, 3]],
                vec![MemoWrite::put("answer\0two", "x")],
            )
            .await;
        assert!(refused.is_err());
        assert_eq!(ledger.memo(b"answer\0two").unwrap(), None);
        home.close_and_check(ledger, &author).await;
    });
}

#[test]
fn store_19_a_second_owner_is_refused() {
    let home = Home::new();
    let mut author = Author::new(1, 20);
    run(async {
        let (ledger, _) = home.open();
        ledger.append(author.entries(1)).await.unwrap();
        assert!(matches!(home.try_open(), Err(OpenError::Lock(_))));
        // Another data directory does not help: the signing record has one owner, too.
        let elsewhere = home.folder.path().join("elsewhere");
        assert!(matches!(
            Ledger::open(&elsewhere, home.options()),
            Err(OpenError::SigningRecord(_))
        ));
        home.close_and_check(ledger, &author).await;
    });
}

#[test]
fn store_1_a_ledger_belongs_to_one_network() {
    let home = Home::new();
    run(async {
        home.open().0.close().await.unwrap();
        let other =
            symphony_transparency::digest(symphony_transparency::Domain::NetworkId, b"another");
        let result = Ledger::open(&home.data(), OpenOptions::new(other));
        assert!(
            matches!(result, Err(OpenError::OtherNetwork { expected, actual }) if expected == other && actual == network())
        );
    });
}

#[test]
fn store_7_watchers_see_the_end() {
    let home = Home::new();
    let mut author = Author::new(1, 20);
    run(async {
        let (ledger, _) = home.open();
        let mut own = ledger.subscribe();
        assert!(own.borrow_and_update().is_none());
        ledger.append(author.entries(3)).await.unwrap();
        own.changed().await.unwrap();
        assert_eq!(own.borrow_and_update().unwrap().head, author.head());

        let mut by_id = ledger.subscribe_to(&author.log()).unwrap();
        assert_eq!(*by_id.borrow_and_update(), author.head());
        ledger.append(author.entries(1)).await.unwrap();
        by_id.changed().await.unwrap();
        assert_eq!(*by_id.borrow_and_update(), author.head());
        home.close_and_check(ledger, &author).await;
    });
}

#[test]
fn store_7_a_closed_ledger_says_so() {
    let home = Home::new();
    let mut author = Author::new(1, 20);
    run(async {
        let (ledger, _) = home.open();
        let clone = ledger.clone();
        clone.append(author.entries(1)).await.unwrap();
        ledger.close().await.unwrap();
        assert!(matches!(
            clone.append(author.clone().entries(1)).await,
            Err(LedgerError::Closed)
        ));
        assert_reads(&clone.own().unwrap(), &author);
        drop(clone);
        home.check(&author);
    });
}

#[test]
fn store_6_pages_end_at_their_limits_and_always_get_on() {
    let home = Home::new();
    let mut author = Author::new(1, 1000);
    run(async {
        let (ledger, _) = home.open();
        ledger.append(author.entries(10)).await.unwrap();
        let reader = ledger.own().unwrap();
        assert_eq!(
            reader.range(2, 3, usize::MAX).unwrap().entries,
            author.entries[2..5]
        );
        assert_eq!(
            reader.range(2, 100, 2500).unwrap().entries,
            author.entries[2..4]
        );
        assert_eq!(
            reader.range(2, 100, 1).unwrap().entries,
            author.entries[2..3]
        );
        assert_eq!(
            reader.range(8, 100, usize::MAX).unwrap().entries,
            author.entries[8..]
        );
        assert!(
            reader
                .range(10, 100, usize::MAX)
                .unwrap()
                .entries
                .is_empty()
        );
        assert!(
            reader
                .range(u64::MAX, 100, usize::MAX)
                .unwrap()
                .entries
                .is_empty()
        );
        assert!(reader.range(0, 0, usize::MAX).unwrap().entries.is_empty());
        drop(reader);
        home.close_and_check(ledger, &author).await;
    });
}
