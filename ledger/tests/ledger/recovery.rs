//! Opening again, after an end of every kind that needs no killing.

use symphony_ledger::Standing;

use crate::support::{Author, Home, assert_reads, run};

#[test]
fn store_9_a_ledger_that_was_dropped_without_closing_has_everything_acknowledged() {
    let home = Home::new();
    let mut author = Author::new(1, 200);
    run(async {
        for round in 0..5_usize {
            let (ledger, recovered) = home.open();
            assert_eq!(recovered.standing, Standing::Good);
            assert_eq!(
                recovered.own.map_or(0, |own| own.head.size),
                author.chain.size
            );
            ledger.append(author.entries(1 + round)).await.unwrap();
            let closer = ledger.clone();
            drop(ledger);
            closer.close().await.unwrap();
        }
        let (ledger, recovered) = home.open();
        assert_eq!(recovered.own.unwrap().entries_checked, author.chain.size);
        assert_reads(&ledger.own().unwrap(), &author);
        home.close_and_check(ledger, &author).await;
    });
}

#[test]
fn store_9_the_tail_check_reads_as_many_entries_as_it_is_told() {
    let home = Home::new();
    let mut author = Author::new(1, 10);
    run(async {
        let (ledger, _) = home.open();
        ledger.append(author.entries(100)).await.unwrap();
        ledger.close().await.unwrap();
        for (limit, checked) in [(0, 0), (1, 1), (37, 37), (100, 100), (u64::MAX, 100)] {
            let mut options = home.options();
            options.entries_checked_max = limit;
            let (ledger, recovered) = symphony_ledger::Ledger::open(&home.data(), options).unwrap();
            assert_eq!(recovered.own.unwrap().entries_checked, checked);
            ledger.close().await.unwrap();
        }
        home.check(&author);
    });
}
