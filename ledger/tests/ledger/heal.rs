//! What a peer's export gives back to a log that lost entries, and what it cannot.

use std::io::Cursor;

use symphony_ledger::symlog::ExportReader;
use symphony_ledger::{ExportAbout, ImportError, ImportKind, LedgerError, LogReader, put_aside};

use crate::support::{Author, Home, assert_reads, network, run};

fn export(reader: &LogReader, author: &Author) -> Vec<u8> {
    let about = ExportAbout {
        network_id: network(),
        params: Vec::new(),
        log_key: author.secret().public(),
        checkpoint: None,
        size: reader.size().unwrap(),
    };
    reader.export(about, Vec::new()).unwrap()
}

fn reader(bytes: &[u8]) -> ExportReader<Cursor<Vec<u8>>> {
    ExportReader::new(Cursor::new(bytes.to_vec())).unwrap()
}

/// A peer that follows the author's log so far, and its export.
async fn peers_export(author: &Author) -> Vec<u8> {
    let peer = Home::new();
    let (ledger, _) = peer.open();
    ledger
        .append_followed(author.log(), author.entries.clone())
        .await
        .unwrap();
    let bytes = export(&ledger.log(&author.log()).unwrap().unwrap(), author);
    ledger.close().await.unwrap();
    bytes
}

#[test]
fn store_14_an_import_heals_a_damaged_log_up_to_what_was_signed() {
    let home = Home::new();
    let mut author = Author::new(1, 300);
    run(async {
        let (ledger, _) = home.open();
        ledger
            .append_for_release(author.entries(50), Vec::new())
            .await
            .unwrap();
        let peers = peers_export(&author).await;
        // Durable, and nothing signed over it: nobody relies on these, so nobody misses them.
        ledger.append(author.clone().entries(3)).await.unwrap();
        ledger.close().await.unwrap();

        // The database lost its list of files, so nothing of it can be read.
        std::fs::remove_file(home.data().join("database/CURRENT")).unwrap();
        let aside = put_aside(&home.data()).unwrap().unwrap();
        assert!(aside.join("LOCK").exists(), "nothing is deleted");

        let (ledger, recovered) = home.open();
        assert_eq!(recovered.other_signed_logs, [(author.log(), author.head())]);
        let refused = ledger.append(author.entries[..1].to_vec()).await;
        assert!(
            matches!(refused, Err(LedgerError::BehindSigningRecord { .. })),
            "{refused:?}"
        );
        let imported = ledger.import(reader(&peers)).await.unwrap();
        assert_eq!(
            (imported.kind, imported.head, imported.new_entries),
            (ImportKind::Healed, author.head(), 50)
        );
        assert_reads(&ledger.own().unwrap(), &author);
        // The log goes on.
        ledger
            .append_for_release(author.entries(2), Vec::new())
            .await
            .unwrap();
        home.close_and_check(ledger, &author).await;
    });
}

#[test]
fn store_14_an_import_gives_a_restored_backup_what_it_lacks_and_no_more() {
    let (home, backup) = (Home::new(), Home::new());
    let mut author = Author::new(1, 300);
    run(async {
        let (ledger, _) = backup.open();
        ledger.append(author.entries(20)).await.unwrap();
        ledger.close().await.unwrap();
        let (ledger, _) = home.open();
        ledger.append(author.entries.clone()).await.unwrap();
        ledger
            .append_for_release(author.entries(10), Vec::new())
            .await
            .unwrap();
        ledger.close().await.unwrap();
        // The peer knows more than was recorded here: entries that were released are recorded, so these were not.
        let mut longer = author.clone();
        longer.entries(5);
        let peers = peers_export(&longer).await;

        std::fs::remove_dir_all(home.data()).unwrap();
        std::fs::rename(backup.data(), home.data()).unwrap();
        let (ledger, _) = home.open();
        let imported = ledger.import(reader(&peers)).await.unwrap();
        assert_eq!((imported.head, imported.new_entries), (author.head(), 10));
        let again = ledger.import(reader(&peers)).await.unwrap_err();
        assert!(
            matches!(again, ImportError::Ledger(LedgerError::NothingToHeal)),
            "{again}"
        );
        home.close_and_check(ledger, &author).await;
    });
}

#[test]
fn store_14_an_import_that_does_not_lead_to_what_was_signed_heals_nothing() {
    let home = Home::new();
    let mut author = Author::new(1, 300);
    run(async {
        let (ledger, _) = home.open();
        ledger
            .append_for_release(author.entries(30), Vec::new())
            .await
            .unwrap();
        ledger.close().await.unwrap();
        let short = {
            let mut short = Author::new(1, 300);
            author.entries[..25]
                .iter()
                .for_each(|entry| short.take(entry.clone()));
            short
        };
        let fork = {
            let mut fork = short.clone();
            for _ in 0..5 {
                let other = crate::support::entry(&fork.chain, 1, 17);
                fork.take(other);
            }
            fork
        };
        put_aside(&home.data()).unwrap().unwrap();
        let (ledger, _) = home.open();
        let error = ledger
            .import(reader(&peers_export(&short).await))
            .await
            .unwrap_err();
        assert!(
            matches!(
                error,
                ImportError::TooShort {
                    expected: 30,
                    actual: 25
                }
            ),
            "{error}"
        );
        let error = ledger
            .import(reader(&peers_export(&fork).await))
            .await
            .unwrap_err();
        assert!(
            matches!(error, ImportError::Ledger(LedgerError::NotHealed { .. })),
            "{error}"
        );
        assert!(ledger.own().is_none(), "nothing was taken");
        ledger
            .import(reader(&peers_export(&author).await))
            .await
            .unwrap();
        home.close_and_check(ledger, &author).await;
    });
}

#[test]
fn store_10_a_database_is_put_aside_only_while_nobody_uses_it() {
    let home = Home::new();
    let mut author = Author::new(1, 30);
    run(async {
        assert_eq!(put_aside(&home.data()).unwrap(), None);
        let (ledger, _) = home.open();
        ledger.append(author.entries(1)).await.unwrap();
        assert!(put_aside(&home.data()).is_err(), "the ledger is open");
        ledger.close().await.unwrap();
        let first = put_aside(&home.data()).unwrap().unwrap();
        let (ledger, _) = home.open();
        ledger.close().await.unwrap();
        let second = put_aside(&home.data()).unwrap().unwrap();
        assert_ne!(first, second);
    });
}
