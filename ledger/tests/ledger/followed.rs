//! Copies of other peers' logs, and checkpoints.

use symphony_ledger::{CHECKPOINTS_COUNT_MAX, Ledger, LedgerError, LinkError};
use symphony_transparency::{Checkpoint, Digest};

use crate::support::{Author, Home, assert_reads, network, run};

#[test]
fn store_17_followed_logs_live_beside_the_own_one() {
    let home = Home::new();
    let (mut own, mut first, mut second) =
        (Author::new(1, 20), Author::new(2, 40), Author::new(3, 60));
    run(async {
        let (ledger, _) = home.open();
        for count in [1, 4, 9] {
            ledger.append(own.entries(count)).await.unwrap();
            for author in [&mut first, &mut second] {
                let entries = author.entries(count + 1);
                let appended = ledger.append_followed(author.log(), entries).await.unwrap();
                assert_eq!(appended.head(), author.head());
            }
        }
        for author in [&own, &first, &second] {
            assert_reads(&ledger.log(&author.log()).unwrap().unwrap(), author);
        }
        assert_eq!(ledger.logs().unwrap().len(), 3);

        let error = ledger
            .append_followed(own.log(), Vec::new())
            .await
            .unwrap_err();
        assert!(matches!(error, LedgerError::OwnLog { .. }));
        home.close_and_check(ledger, &first).await;

        let (ledger, recovered) = home.open();
        assert_eq!(recovered.own.unwrap().log, own.log());
        assert_eq!(recovered.followed.len(), 2);

        let mut watch = ledger.subscribe_to(&first.log()).unwrap();
        watch.borrow_and_update();
        ledger.forget(first.log()).await.unwrap();
        assert!(
            watch.changed().await.is_err(),
            "the watch of a forgotten log ends"
        );
        assert!(ledger.log(&first.log()).unwrap().is_none());
        // It may be followed anew, in the same group as anything else.
        ledger
            .append_followed(first.log(), first.entries.clone())
            .await
            .unwrap();
        assert_reads(&ledger.log(&first.log()).unwrap().unwrap(), &first);
        home.close_and_check(ledger, &second).await;
        home.check(&own);
        home.check(&first);
    });
}

#[test]
fn store_17_a_followed_log_begins_with_its_entry_0_and_keeps_to_its_limits() {
    let home = Home::new();
    let (mut author, mut other) = (Author::new(2, 100), Author::new(3, 100));
    run(async {
        let mut options = home.options();
        options.followed_log_bytes_max = 500;
        options.followed_logs_count_max = 1;
        let (ledger, _) = Ledger::open(&home.data(), options).unwrap();
        let (mine, theirs) = (author.entries(3), other.entries(3));

        let error = ledger
            .append_followed(author.log(), theirs.clone())
            .await
            .unwrap_err();
        assert!(
            matches!(error, LedgerError::Link(LinkError::Log { .. })),
            "{error}"
        );
        let error = ledger
            .append_followed(author.log(), mine[1..].to_vec())
            .await
            .unwrap_err();
        assert!(matches!(error, LedgerError::Link(_)), "{error}");

        ledger.append_followed(author.log(), mine).await.unwrap();
        let error = ledger
            .append_followed(author.log(), author.clone().entries(3))
            .await
            .unwrap_err();
        assert!(
            matches!(error, LedgerError::LogFull { limit: 500, .. }),
            "{error}"
        );
        let error = ledger
            .append_followed(other.log(), theirs)
            .await
            .unwrap_err();
        assert!(
            matches!(error, LedgerError::TooManyLogs { limit: 1 }),
            "{error}"
        );
        home.close_and_check(ledger, &author).await;
    });
}

#[test]
fn store_18_checkpoints_are_kept_and_two_of_one_size_are_a_conflict() {
    let home = Home::new();
    let mut author = Author::new(2, 10);
    author.entries(10);
    run(async {
        let (ledger, _) = home.open();
        let log = author.log();
        for size in [3, 5, 9] {
            ledger
                .put_checkpoint(author.checkpoint(size))
                .await
                .unwrap();
        }
        ledger.put_checkpoint(author.checkpoint(5)).await.unwrap();
        let size_of = |stored: Option<symphony_ledger::StoredCheckpoint>| {
            stored.map(|stored| stored.checkpoint.size)
        };
        assert_eq!(size_of(ledger.latest_checkpoint(&log).unwrap()), Some(9));
        assert_eq!(size_of(ledger.checkpoint_up_to(&log, 8).unwrap()), Some(5));
        assert_eq!(size_of(ledger.checkpoint_up_to(&log, 2).unwrap()), None);
        assert_eq!(
            ledger.checkpoint_at(&log, 5).unwrap().unwrap().text,
            author.checkpoint(5).text()
        );
        assert_eq!(ledger.latest_checkpoint(&Digest::ZERO).unwrap(), None);

        let forged = Checkpoint {
            root: [7; 32],
            ..*author.checkpoint(5).checkpoint()
        }
        .sign(&author.secret());
        let Err(LedgerError::CheckpointConflict { stored }) = ledger.put_checkpoint(forged).await
        else {
            panic!()
        };
        assert_eq!(stored.text, author.checkpoint(5).text());

        let foreign = Checkpoint {
            network: Digest::ZERO,
            ..*author.checkpoint(5).checkpoint()
        };
        let error = ledger
            .put_checkpoint(foreign.sign(&author.secret()))
            .await
            .unwrap_err();
        assert!(
            matches!(error, LedgerError::CheckpointNetwork { expected, .. } if expected == network())
        );
        ledger.close().await.unwrap();
    });
}

#[test]
fn store_18_only_the_newest_checkpoints_stay() {
    let home = Home::new();
    let mut author = Author::new(2, 10);
    let count = CHECKPOINTS_COUNT_MAX as u64 + 10;
    author.entries(usize::try_from(count).unwrap());
    run(async {
        let (ledger, _) = home.open();
        for size in 1..=count {
            ledger
                .put_checkpoint(author.checkpoint(size))
                .await
                .unwrap();
        }
        assert_eq!(ledger.checkpoint_at(&author.log(), 10).unwrap(), None);
        assert!(ledger.checkpoint_at(&author.log(), 11).unwrap().is_some());
        ledger.close().await.unwrap();
    });
}
