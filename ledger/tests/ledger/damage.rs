//! Damage on the device is found and named, never repaired in silence.

use std::fs;
use std::path::{Path, PathBuf};

use rocksdb::{DB, Options};
use symphony_ledger::{Damage, FsckReport, LedgerError, OpenError, fsck};
use symphony_transparency::Digest;

use crate::support::{Author, Home, run};

/// A closed ledger whose entries lie in table files, each in a block of its own.
fn stored(count: usize) -> (Home, Author) {
    let home = Home::new();
    let mut author = Author::new(1, 8000);
    run(async {
        let (ledger, _) = home.open();
        ledger
            .append_for_release(author.entries(count), Vec::new())
            .await
            .unwrap();
        ledger
            .put_checkpoint(author.checkpoint(count as u64 - 1))
            .await
            .unwrap();
        home.close_and_check(ledger, &author).await;
    });
    (home, author)
}

fn files(home: &Home, extension: &str) -> Vec<PathBuf> {
    let listing = fs::read_dir(home.data().join("database")).unwrap();
    let paths = listing.map(|item| item.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect()
}

/// Flips one byte in the middle of `needle`, wherever it is stored; true if it was found.
fn flip_inside(paths: &[PathBuf], needle: &[u8]) -> bool {
    for path in paths {
        let mut bytes = fs::read(path).unwrap();
        if let Some(position) = bytes
            .windows(needle.len())
            .position(|window| window == needle)
        {
            bytes[position + needle.len() / 2] ^= 0x20;
            fs::write(path, bytes).unwrap();
            return true;
        }
    }
    false
}

fn change(home: &Home, family: &str, key: &[u8], value: Option<&[u8]>) {
    let families = ["default", "entries", "nodes", "records"];
    let database =
        DB::open_cf(&Options::default(), home.data().join("database"), families).unwrap();
    let family = database.cf_handle(family).unwrap();
    match value {
        Some(value) => database.put_cf(family, key, value).unwrap(),
        None => database.delete_cf(family, key).unwrap(),
    }
}

fn entry_key(log: &Digest, index: u64) -> Vec<u8> {
    [b"e".as_slice(), log.as_bytes(), &index.to_be_bytes()].concat()
}

fn node_key(log: &Digest, level: u8, index: u64) -> Vec<u8> {
    [
        b"n".as_slice(),
        log.as_bytes(),
        &[level],
        &index.to_be_bytes(),
    ]
    .concat()
}

fn damages(report: &FsckReport) -> &[Damage] {
    assert!(
        report.elsewhere.is_empty() || report.logs[0].damages.is_empty(),
        "{report:?}"
    );
    if report.elsewhere.is_empty() {
        report.logs[0].damages.listed()
    } else {
        report.elsewhere.listed()
    }
}

#[test]
fn store_11_a_flipped_bit_in_a_table_file_names_the_entry() {
    let (home, author) = stored(20);
    let needle = &author.entries[7][1000..5000];
    assert!(flip_inside(&files(&home, "sst"), needle));
    let report = fsck(&home.data()).unwrap();
    let of_log = report.logs[0].damages.listed();
    assert!(
        of_log
            .iter()
            .any(|damage| matches!(damage, Damage::EntryUnreadable { index: 7, .. })),
        "{report:?}"
    );
    assert!(
        of_log
            .iter()
            .all(|damage| damage.entry().is_none_or(|index| index == 7)),
        "{report:?}"
    );

    let error = home.try_open().err().unwrap();
    assert!(matches!(error, OpenError::Storage(_)), "{error}");

    // A reader of everything else still works, and says which entry is lost.
    run(async {
        let mut options = home.options();
        options.entries_checked_max = 4;
        let (ledger, _) = symphony_ledger::Ledger::open(&home.data(), options).unwrap();
        let reader = ledger.own().unwrap();
        assert_eq!(reader.entry(8).unwrap().as_ref(), Some(&author.entries[8]));
        assert!(matches!(reader.entry(7), Err(LedgerError::Read(_))));
        assert!(reader.entries(0..20).any(|entry| entry.is_err()));
        drop(reader);
        ledger.close().await.unwrap();
    });
}

#[test]
fn store_8_a_flipped_bit_in_the_write_ahead_log_never_drops_what_follows() {
    let home = Home::new();
    let mut author = Author::new(1, 8000);
    run(async {
        let (ledger, _) = home.open();
        for _ in 0..12 {
            ledger.append(author.entries(1)).await.unwrap();
        }
        // What a crash leaves: the write-ahead log, and no table files.
        let crashed = Home::new();
        fs::create_dir_all(crashed.data()).unwrap();
        copy_files(
            &home.data().join("database"),
            &crashed.data().join("database"),
        );
        ledger.close().await.unwrap();
        home.check(&author);
        crashed.check(&author);

        // A flip in the last record is no torn end either: all of its bytes are there.
        for index in [11, 5] {
            let log = files(&crashed, "log");
            assert!(flip_inside(&log, &author.entries[index][1000..5000]));
            let error = crashed.try_open().err();
            assert!(
                matches!(error, Some(OpenError::Storage(_))),
                "entry {index}: {error:?}"
            );
        }
        assert!(!fsck(&crashed.data()).unwrap().is_clean());
    });
}

#[test]
fn store_8_a_torn_end_of_the_write_ahead_log_loses_only_what_was_torn() {
    let home = Home::new();
    let mut author = Author::new(1, 8000);
    run(async {
        let (ledger, _) = home.open();
        for _ in 0..12 {
            ledger.append(author.entries(1)).await.unwrap();
        }
        let crashed = Home::new();
        fs::create_dir_all(crashed.data()).unwrap();
        copy_files(
            &home.data().join("database"),
            &crashed.data().join("database"),
        );
        ledger.close().await.unwrap();
        home.check(&author);

        let [log] = files(&crashed, "log").try_into().unwrap();
        let bytes = fs::read(&log).unwrap();
        // Zeros behind the last record are space that RocksDB reserved.
        let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
        fs::write(&log, &bytes[..end - 3000]).unwrap();
        let mut options = crashed.options();
        options.signing_record = None;
        let (ledger, recovered) = symphony_ledger::Ledger::open(&crashed.data(), options).unwrap();
        assert_eq!(recovered.own.unwrap().head, author.head_at(11));
        ledger.close().await.unwrap();
        assert!(fsck(&crashed.data()).unwrap().is_clean());
    });
}

fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for item in fs::read_dir(from).unwrap() {
        let item = item.unwrap();
        fs::copy(item.path(), to.join(item.file_name())).unwrap();
    }
}

#[test]
fn store_11_a_changed_entry_is_told_from_a_changed_node() {
    for index in [0, 7, 19] {
        let (home, author) = stored(20);
        let mut other = author.entries[usize::try_from(index).unwrap()].clone();
        *other.last_mut().unwrap() ^= 1;
        change(
            &home,
            "entries",
            &entry_key(&author.log(), index),
            Some(&other),
        );
        let report = fsck(&home.data()).unwrap();
        let [Damage::EntryChanged { index: found, .. }] = damages(&report) else {
            panic!("{report:?}")
        };
        assert_eq!(*found, index);
        assert!(home.try_open().is_err());
    }
    let (home, author) = stored(20);
    change(
        &home,
        "nodes",
        &node_key(&author.log(), 0, 7),
        Some(&[7; 32]),
    );
    let report = fsck(&home.data()).unwrap();
    assert!(
        matches!(
            damages(&report),
            [Damage::NodeWrong {
                level: 0,
                index: 7,
                ..
            }]
        ),
        "{report:?}"
    );

    let (home, author) = stored(20);
    change(
        &home,
        "nodes",
        &node_key(&author.log(), 2, 1),
        Some(&[7; 32]),
    );
    let report = fsck(&home.data()).unwrap();
    assert!(
        matches!(
            damages(&report),
            [Damage::NodeWrong {
                level: 2,
                index: 1,
                ..
            }]
        ),
        "{report:?}"
    );
}

#[test]
fn store_11_missing_and_surplus_records_are_named() {
    let (home, author) = stored(20);
    change(&home, "entries", &entry_key(&author.log(), 4), None);
    let report = fsck(&home.data()).unwrap();
    assert!(
        matches!(damages(&report), [Damage::EntryMissing { index: 4 }]),
        "{report:?}"
    );

    let (home, author) = stored(20);
    change(&home, "nodes", &node_key(&author.log(), 1, 3), None);
    let report = fsck(&home.data()).unwrap();
    assert!(
        matches!(
            damages(&report),
            [Damage::NodeMissing { level: 1, index: 3 }]
        ),
        "{report:?}"
    );

    for (family, key) in [
        ("entries", entry_key(&author.log(), 25)),
        ("entries", entry_key(&Digest::ZERO, 0)),
        ("nodes", node_key(&author.log(), 4, 1)),
    ] {
        let (home, _) = stored(20);
        change(&home, family, &key, Some(&[7; 32]));
        let report = fsck(&home.data()).unwrap();
        assert_eq!(damages(&report), [Damage::Orphan { key }]);
    }
    let (home, _) = stored(20);
    change(&home, "records", b"zebra", Some(b""));
    let report = fsck(&home.data()).unwrap();
    assert!(
        matches!(
            damages(&report),
            [Damage::Strange {
                family: "records",
                ..
            }]
        ),
        "{report:?}"
    );
}

#[test]
fn store_11_a_signed_root_that_the_entries_do_not_give_is_named() {
    let (home, author) = stored(20);
    let other = symphony_transparency::Checkpoint {
        root: [5; 32],
        ..*author.checkpoint(8).checkpoint()
    };
    let key = [
        b"c".as_slice(),
        author.log().as_bytes(),
        &8_u64.to_be_bytes(),
    ]
    .concat();
    change(
        &home,
        "records",
        &key,
        Some(other.sign(&author.secret()).text().as_bytes()),
    );
    let report = fsck(&home.data()).unwrap();
    let [
        Damage::CheckpointRoot {
            size: 8,
            expected,
            found,
        },
    ] = damages(&report)
    else {
        panic!("{report:?}")
    };
    assert_eq!((*expected, *found), ([5; 32], author.head_at(8).root));

    change(&home, "records", &key, Some(b"not a note"));
    let report = fsck(&home.data()).unwrap();
    assert!(
        matches!(damages(&report), [Damage::CheckpointUnreadable { size: 8 }]),
        "{report:?}"
    );
}

#[test]
fn store_10_a_damaged_head_is_named_and_the_log_does_not_open() {
    let (home, author) = stored(20);
    let key = [b"h".as_slice(), author.log().as_bytes()].concat();
    change(&home, "records", &key, Some(&[1, 2, 3]));
    let report = fsck(&home.data()).unwrap();
    assert!(
        matches!(
            report.logs[0].damages.listed(),
            [Damage::HeadUnreadable { .. }]
        ),
        "{report:?}"
    );
    assert!(matches!(home.try_open(), Err(OpenError::Storage(_))));

    change(&home, "records", &key, None);
    assert!(!fsck(&home.data()).unwrap().is_clean());
    assert!(matches!(home.try_open(), Err(OpenError::Storage(_))));
}

#[test]
fn store_10_a_damaged_copy_of_another_log_stops_that_log_alone() {
    let home = Home::new();
    let (mut own, mut other) = (Author::new(1, 20), Author::new(2, 20));
    run(async {
        let (ledger, _) = home.open();
        ledger.append(own.entries(5)).await.unwrap();
        let entries = other.entries(5);
        ledger.append_followed(other.log(), entries).await.unwrap();
        ledger.close().await.unwrap();
        change(&home, "entries", &entry_key(&other.log(), 3), None);

        let (ledger, recovered) = home.open();
        assert_eq!(recovered.damaged.len(), 1);
        assert_eq!(recovered.damaged[0].1.listed()[0].entry(), Some(3));
        let refused = ledger
            .append_followed(other.log(), other.clone().entries(1))
            .await
            .unwrap_err();
        assert!(matches!(refused, LedgerError::Read(_)), "{refused}");
        ledger.append(own.entries(1)).await.unwrap();
        ledger.forget(other.log()).await.unwrap();
        ledger
            .append_followed(other.log(), other.entries.clone())
            .await
            .unwrap();
        home.close_and_check(ledger, &own).await;
        home.check(&other);
    });
}

#[test]
fn store_11_a_directory_without_a_ledger_is_said_to_be_none() {
    let home = Home::new();
    assert!(matches!(
        fsck(&home.data()),
        Err(OpenError::NotALedger { .. })
    ));
    assert!(!home.data().exists(), "a check makes nothing");
}

#[test]
fn store_10_a_database_without_its_current_file_is_not_begun_anew() {
    let (home, author) = stored(20);
    let current = home.data().join("database/CURRENT");
    let bytes = fs::read(&current).unwrap();
    fs::remove_file(&current).unwrap();
    let error = home.try_open().err().unwrap();
    assert!(matches!(error, OpenError::Storage(_)), "{error}");
    // Nothing was removed: with the file back, everything is there.
    fs::write(&current, bytes).unwrap();
    home.check(&author);
}
