//! The guard against forking one's own log.

use std::fs;
use std::path::Path;

use symphony_ledger::{
    Ledger, LedgerError, MissingRecord, OpenError, SigningRecord, SigningRecordError, Standing,
};
use symphony_transparency::Digest;
use symphony_transparency::merkle::{EMPTY_ROOT, TreeHead};

use crate::support::{Author, Home, assert_reads, entry, network, run};

#[test]
fn store_12_what_was_recorded_survives_and_only_grows() {
    let home = Home::new();
    let mut author = Author::new(1, 20);
    run(async {
        let (ledger, _) = home.open();
        ledger.append(author.entries(4)).await.unwrap();
        ledger.record_signing(author.head()).await.unwrap();
        ledger
            .append_for_release(author.entries(3), Vec::new())
            .await
            .unwrap();
        // A smaller size of the same log is no fork and needs no new record.
        ledger.record_signing(author.head_at(5)).await.unwrap();

        let wrong = TreeHead {
            size: 5,
            root: [1; 32],
        };
        assert!(matches!(
            ledger.record_signing(wrong).await,
            Err(LedgerError::WrongRoot { size: 5, .. })
        ));
        let ahead = TreeHead {
            size: 8,
            root: author.head().root,
        };
        assert!(matches!(
            ledger.record_signing(ahead).await,
            Err(LedgerError::Proof(_))
        ));
        home.close_and_check(ledger, &author).await;

        let record = SigningRecord::open(&home.record(), &network()).unwrap();
        assert_eq!(record.signed(&author.log()), Some(author.head()));
    });
}

#[test]
fn store_12_the_record_never_takes_a_second_root_at_one_size() {
    let home = Home::new();
    let mut record = SigningRecord::open(&home.record(), &network()).unwrap();
    let log = Digest::from_bytes([9; 32]);
    let head = |size, byte| TreeHead {
        size,
        root: [byte; 32],
    };
    record.advance(&log, head(5, 1)).unwrap();
    record.advance(&log, head(5, 1)).unwrap();
    for other in [head(5, 2), head(4, 1)] {
        assert!(matches!(
            record.advance(&log, other),
            Err(SigningRecordError::Conflict { size: 5, .. })
        ));
        assert_eq!(record.signed(&log), Some(head(5, 1)));
    }
    record.advance(&log, head(6, 2)).unwrap();
    drop(record);
    let record = SigningRecord::open(&home.record(), &network()).unwrap();
    assert_eq!(record.signed(&log), Some(head(6, 2)));
}

#[test]
fn store_12_signings_that_wait_together_are_all_answered() {
    let home = Home::new();
    let mut author = Author::new(1, 20);
    run(async {
        let (ledger, _) = home.open();
        ledger.append(author.entries(64)).await.unwrap();
        let tasks = (1..=64).map(|size| {
            let (ledger, head) = (ledger.clone(), author.head_at(size));
            tokio::spawn(async move { ledger.record_signing(head).await })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap().unwrap();
        }
        home.close_and_check(ledger, &author).await;
        let record = SigningRecord::open(&home.record(), &network()).unwrap();
        assert_eq!(record.signed(&author.log()), Some(author.head()));
    });
}

#[test]
fn store_14_a_restored_backup_neither_appends_nor_signs_until_it_is_healed() {
    let home = Home::new();
    let backup = Home::new();
    let mut author = Author::new(1, 20);
    run(async {
        let (ledger, _) = home.open();
        ledger
            .append_for_release(author.entries(5), Vec::new())
            .await
            .unwrap();
        ledger.close().await.unwrap();
        copy_folder(&home.data(), &backup.data());

        let (ledger, _) = home.open();
        ledger
            .append_for_release(author.entries(4), Vec::new())
            .await
            .unwrap();
        ledger.close().await.unwrap();
        fs::remove_dir_all(home.data()).unwrap();
        copy_folder(&backup.data(), &home.data());

        let (ledger, recovered) = home.open();
        assert_eq!(
            recovered.standing,
            Standing::Behind {
                recorded: author.head()
            }
        );
        let old = recovered.own.unwrap();
        let other = entry(&old.chain, 1, 33);
        let refused = ledger.append(vec![other.clone()]).await.unwrap_err();
        assert!(
            matches!(
                refused,
                LedgerError::BehindSigningRecord {
                    size: 5,
                    recorded: 9
                }
            ),
            "{refused}"
        );
        let refused = ledger.record_signing(old.head).await.unwrap_err();
        assert!(
            matches!(refused, LedgerError::BehindSigningRecord { .. }),
            "{refused}"
        );

        let refused = ledger
            .heal(author.entries[5..8].to_vec())
            .await
            .unwrap_err();
        assert!(
            matches!(
                refused,
                LedgerError::NotHealed {
                    expected_size: 9,
                    actual_size: 8
                }
            ),
            "{refused}"
        );
        let refused = ledger.heal(vec![other]).await.unwrap_err();
        assert!(
            matches!(refused, LedgerError::NotHealed { .. }),
            "{refused}"
        );

        let healed = ledger.heal(author.entries[5..].to_vec()).await.unwrap();
        assert_eq!(healed.head(), author.head());
        assert!(matches!(
            ledger.heal(Vec::new()).await,
            Err(LedgerError::NothingToHeal)
        ));
        ledger
            .append_for_release(author.entries(2), Vec::new())
            .await
            .unwrap();
        home.close_and_check(ledger, &author).await;
    });
}

#[test]
fn store_14_a_lost_data_directory_is_healed_from_entry_0() {
    let home = Home::new();
    let mut author = Author::new(1, 20);
    run(async {
        let (ledger, _) = home.open();
        ledger
            .append_for_release(author.entries(6), Vec::new())
            .await
            .unwrap();
        ledger.close().await.unwrap();
        fs::remove_dir_all(home.data()).unwrap();

        let (ledger, recovered) = home.open();
        assert_eq!(recovered.own, None);
        assert_eq!(recovered.other_signed_logs, [(author.log(), author.head())]);
        let refused = ledger
            .append(author.entries[..1].to_vec())
            .await
            .unwrap_err();
        assert!(
            matches!(
                refused,
                LedgerError::BehindSigningRecord {
                    size: 0,
                    recorded: 6
                }
            ),
            "{refused}"
        );
        ledger.heal(author.entries.clone()).await.unwrap();
        assert_reads(&ledger.own().unwrap(), &author);
        ledger.append(author.entries(1)).await.unwrap();
        home.close_and_check(ledger, &author).await;
    });
}

#[test]
fn store_14_a_log_with_another_past_than_the_signed_one_is_refused() {
    let home = Home::new();
    let mut author = Author::new(1, 20);
    run(async {
        let (ledger, _) = home.open();
        ledger.append(author.entries(5)).await.unwrap();
        ledger.close().await.unwrap();
        // The record says that the same log was signed elsewhere with another root.
        let signed = TreeHead {
            size: 4,
            root: [9; 32],
        };
        let mut record = SigningRecord::open(&home.record(), &network()).unwrap();
        record.advance(&author.log(), signed).unwrap();
        drop(record);

        let (ledger, recovered) = home.open();
        let found = author.head_at(4).root;
        assert_eq!(
            recovered.standing,
            Standing::Diverged {
                recorded: signed,
                found
            }
        );
        let refused = ledger.append(author.clone().entries(1)).await.unwrap_err();
        assert!(
            matches!(refused, LedgerError::Diverged { size: 4, .. }),
            "{refused}"
        );
        assert!(ledger.record_signing(author.head()).await.is_err());
        assert_reads(&ledger.own().unwrap(), &author);
        home.close_and_check(ledger, &author).await;
    });
}

#[test]
fn store_12_a_lost_record_is_refused_unless_its_operator_vouches() {
    let home = Home::new();
    let mut author = Author::new(1, 20);
    run(async {
        let (ledger, _) = home.open();
        ledger.append(author.entries(5)).await.unwrap();
        ledger.close().await.unwrap();
        fs::remove_file(home.record()).unwrap();
        assert!(matches!(
            home.try_open(),
            Err(OpenError::SigningRecordMissing { size: 5, .. })
        ));

        let mut options = home.options();
        options.missing_record = MissingRecord::Adopt;
        let (ledger, recovered) = Ledger::open(&home.data(), options).unwrap();
        assert_eq!(recovered.standing, Standing::Good);
        ledger.append(author.entries(1)).await.unwrap();
        home.close_and_check(ledger, &author).await;
    });
}

#[test]
fn store_12_without_a_record_there_is_no_own_log() {
    let home = Home::new();
    let mut author = Author::new(1, 20);
    run(async {
        let mut options = home.options();
        options.signing_record = None;
        let (ledger, recovered) = Ledger::open(&home.data(), options).unwrap();
        assert_eq!(recovered.standing, Standing::Unrecorded);
        let entries = author.entries(1);
        let refused = ledger.append(entries.clone()).await.unwrap_err();
        assert!(matches!(refused, LedgerError::NoSigningRecord), "{refused}");
        ledger.append_followed(author.log(), entries).await.unwrap();
        home.close_and_check(ledger, &author).await;
    });
}

#[test]
fn store_13_a_torn_write_leaves_the_newest_released_record() {
    let home = Home::new();
    let log = Digest::from_bytes([3; 32]);
    let heads = [1, 2, 3].map(|size| TreeHead {
        size,
        root: [8; 32],
    });
    let mut record = SigningRecord::open(&home.record(), &network()).unwrap();
    for head in heads {
        record.advance(&log, head).unwrap();
    }
    drop(record);

    let intact = fs::read(home.record()).unwrap();
    let mut seen = Vec::new();
    for half in [0, 4096] {
        let mut torn = intact.clone();
        torn[half + 60..half + 4000].fill(0);
        fs::write(home.record(), torn).unwrap();
        let record = SigningRecord::open(&home.record(), &network()).unwrap();
        seen.push(record.signed(&log).unwrap().size);
    }
    seen.sort_unstable();
    assert_eq!(
        seen,
        [2, 3],
        "one slot holds the newest, the other the one before"
    );

    let mut both = intact.clone();
    both[100] ^= 1;
    both[4196] ^= 1;
    for damaged in [both, intact[..8191].to_vec(), Vec::new()] {
        fs::write(home.record(), damaged).unwrap();
        let result = SigningRecord::open(&home.record(), &network());
        assert!(matches!(result, Err(SigningRecordError::Damaged { .. })));
    }
    fs::write(home.record(), intact).unwrap();
    let result = SigningRecord::open(&home.record(), &Digest::ZERO);
    assert!(matches!(
        result,
        Err(SigningRecordError::OtherNetwork { .. })
    ));
}

#[test]
fn store_15_an_export_moves_to_another_machine_and_the_larger_size_wins() {
    let (old, new) = (Home::new(), Home::new());
    let [first, second, third] = [1, 2, 3].map(|byte| Digest::from_bytes([byte; 32]));
    let head = |size, byte| TreeHead {
        size,
        root: [byte; 32],
    };
    let mut from = SigningRecord::open(&old.record(), &network()).unwrap();
    from.advance(&first, head(10, 1)).unwrap();
    from.advance(&second, head(20, 2)).unwrap();
    from.register(&third).unwrap();
    let text = from.export_text();

    let mut to = SigningRecord::open(&new.record(), &network()).unwrap();
    to.advance(&first, head(5, 9)).unwrap();
    to.advance(&second, head(30, 8)).unwrap();
    to.import_text(&text).unwrap();
    to.import_text(&text).unwrap();
    assert_eq!(to.signed(&first), Some(head(10, 1)));
    assert_eq!(to.signed(&second), Some(head(30, 8)));
    assert_eq!(
        to.signed(&third),
        Some(TreeHead {
            size: 0,
            root: EMPTY_ROOT
        })
    );
    assert!(matches!(
        to.advance(&first, head(10, 2)),
        Err(SigningRecordError::Conflict { size: 10, .. })
    ));
    assert!(matches!(
        to.advance(&first, head(9, 1)),
        Err(SigningRecordError::Conflict { size: 10, .. })
    ));

    let root = format!("\"root\": \"{}\"", "01".repeat(32));
    let conflicting = text.replace(&root, &root.replace("01", "09"));
    assert_ne!(conflicting, text);
    for wrong in [
        "",
        "{}",
        "[1]",
        &text.replace("\"version\": 1", "\"version\": 2"),
        &conflicting,
        &text.replace("size", "sizes"),
    ] {
        assert!(to.import_text(wrong).is_err(), "{wrong}");
    }
    assert!(
        to.import_text(&text.replace(&network().to_string(), &"0".repeat(64)))
            .is_err()
    );
    drop(to);
    let reopened = SigningRecord::open(&new.record(), &network()).unwrap();
    assert_eq!(reopened.logs().count(), 3);
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for item in fs::read_dir(from).unwrap() {
        let item = item.unwrap();
        let target = to.join(item.file_name());
        if item.file_type().unwrap().is_dir() {
            copy_folder(&item.path(), &target);
        } else {
            fs::copy(item.path(), target).unwrap();
        }
    }
}
