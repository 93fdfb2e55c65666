//! One table: each kind of damage that is planted, and the name that a check gives it.

use std::fs;
use std::path::{Path, PathBuf};

use rocksdb::{DB, Options};
use symphony_ledger::{FsckReport, fsck_with_progress};
use symphony_transparency::Digest;
use symphony_transparency::merkle::leaf_hash;

use crate::support::{Author, Home, run};

/// Entries of each log that damage is planted in.
const SIZE: u64 = 20;

/// A way to damage a closed home.
type Plant = fn(&Home, &Author);

/// Damages, the name that must be found, and the entry or file that it must name.
const TABLE: &[(&str, Plant, &str, &str)] = &[
    (
        "an entry is deleted",
        delete_entry,
        "entry-missing",
        "entry 4 is missing",
    ),
    (
        "an entry's bytes change",
        change_entry,
        "entry-changed",
        "entry 7 was changed",
    ),
    (
        "a bit of an entry flips in its table file",
        flip_entry,
        "entry-unreadable",
        "entry 7 cannot be read",
    ),
    (
        "an entry and its leaf change",
        change_entry_and_leaf,
        "chain-broken",
        "entry 8",
    ),
    (
        "a node is deleted",
        delete_node,
        "node-missing",
        "level 1, index 3",
    ),
    (
        "a node changes",
        change_node,
        "node-wrong",
        "level 2, index 1",
    ),
    (
        "the head is cut",
        cut_head,
        "head-unreadable",
        "head record",
    ),
    (
        "the head is deleted",
        delete_head,
        "head-unreadable",
        "it is missing",
    ),
    (
        "the head counts another size",
        change_head,
        "head-wrong",
        "20 entries",
    ),
    (
        "a checkpoint is no note",
        break_checkpoint,
        "checkpoint-unreadable",
        "size 19",
    ),
    (
        "a checkpoint has another root",
        change_checkpoint,
        "checkpoint-wrong",
        "size 19",
    ),
    (
        "an entry lies beyond the end",
        add_entry,
        "key-orphaned",
        "belongs to no stored log",
    ),
    (
        "a key has no known shape",
        add_key,
        "key-unknown",
        "7a65627261",
    ),
    (
        "the format record is cut",
        cut_format,
        "record-unreadable",
        "the format",
    ),
    (
        "the own log's id is cut",
        cut_own,
        "record-unreadable",
        "the own log",
    ),
    (
        "CURRENT names nothing",
        empty_current,
        "database-unreadable",
        "CURRENT",
    ),
    (
        "CURRENT is deleted",
        delete_current,
        "database-unreadable",
        "CURRENT",
    ),
    (
        "a bit of the MANIFEST flips",
        flip_manifest,
        "database-unreadable",
        "MANIFEST",
    ),
    (
        "the MANIFEST is deleted",
        delete_manifest,
        "database-unreadable",
        "MANIFEST",
    ),
    (
        "a table file is deleted",
        delete_table,
        "database-unreadable",
        ".sst",
    ),
    (
        "a table file is cut",
        cut_table,
        "database-unreadable",
        ".sst",
    ),
    (
        "a bit of a table file's index flips",
        flip_table_end,
        "",
        "",
    ),
    (
        "one slot of the signing record is torn",
        tear_slot,
        "signing-slot",
        "slot",
    ),
    (
        "both slots of the signing record are torn",
        tear_slots,
        "signing-record-unreadable",
        "neither slot",
    ),
    (
        "the signing record is cut",
        cut_record,
        "signing-record-unreadable",
        "neither slot",
    ),
    (
        "the signing record is deleted",
        delete_record,
        "signing-record-unreadable",
        "there is none",
    ),
    (
        "the signing record is of another peer",
        exchange_record,
        "signing-record-missing",
        "does not know",
    ),
    (
        "the data are older than what was signed",
        restore_backup,
        "log-behind",
        "15 entries, 20 were signed",
    ),
    (
        "the data are other than what was signed",
        restore_fork,
        "log-diverged",
        "the first 20 entries",
    ),
];

#[test]
fn store_11_each_planted_damage_is_found_and_named() {
    for (damage, plant, name, place) in TABLE {
        let (home, author) = stored(SIZE);
        assert_eq!(
            names(&check(&home)),
            Vec::<String>::new(),
            "before: {damage}"
        );
        plant(&home, &author);
        let report = check(&home);
        let found = names(&report);
        assert!(!report.is_clean(), "{damage}: not found");
        assert!(
            found
                .iter()
                .any(|line| line.starts_with(name) && line.contains(place)),
            "{damage}: expected {name} ({place}), found {found:#?}"
        );
    }
}

#[test]
fn store_8_damage_to_the_write_ahead_log_is_found_and_named() {
    let home = Home::new();
    let mut author = Author::new(1, 8000);
    run(async {
        let (ledger, _) = home.open();
        ledger
            .append_for_release(author.entries(12), Vec::new())
            .await
            .unwrap();
        // What a crash leaves: the write-ahead log, and no table files.
        let crashed = Home::new();
        copy(home.folder.path(), crashed.folder.path());
        ledger.close().await.unwrap();
        assert!(check(&crashed).is_clean());
        let log = only(&crashed, ".log");
        flip_inside(&log, &author.entries[5][1000..5000]);
        let found = names(&check(&crashed));
        assert!(
            found
                .iter()
                .any(|line| line.starts_with("database-unreadable")),
            "{found:#?}"
        );
    });
}

/// Name and text of each damage.
fn names(report: &FsckReport) -> Vec<String> {
    let of_logs = report.logs.iter().flat_map(|log| log.damages.listed());
    of_logs
        .chain(report.elsewhere.listed())
        .map(|damage| format!("{}: {damage}", damage.name()))
        .collect()
}

fn check(home: &Home) -> FsckReport {
    fsck_with_progress(&home.data(), Some(&home.record()), &mut |_, _| {}).unwrap()
}

/// A closed ledger whose entries lie in table files, each in a block of its own.
fn stored(size: u64) -> (Home, Author) {
    let home = Home::new();
    let mut author = Author::new(1, 8000);
    run(async {
        let (ledger, _) = home.open();
        let entries = author.entries(usize::try_from(size).unwrap());
        ledger
            .append_for_release(entries, Vec::new())
            .await
            .unwrap();
        ledger
            .put_checkpoint(author.checkpoint(size - 1))
            .await
            .unwrap();
        ledger.close().await.unwrap();
    });
    (home, author)
}

fn delete_entry(home: &Home, author: &Author) {
    change(home, "entries", &entry_key(author, 4), None);
}

fn change_entry(home: &Home, author: &Author) {
    let mut other = author.entries[7].clone();
    *other.last_mut().unwrap() ^= 1;
    change(home, "entries", &entry_key(author, 7), Some(&other));
}

fn flip_entry(home: &Home, author: &Author) {
    let found = files(home, ".sst")
        .iter()
        .any(|file| flip_inside(file, &author.entries[7][1000..5000]));
    assert!(found);
}

/// What somebody does who can write the database and would hide a change.
fn change_entry_and_leaf(home: &Home, author: &Author) {
    let mut other = author.entries[7].clone();
    *other.last_mut().unwrap() ^= 1;
    change(home, "entries", &entry_key(author, 7), Some(&other));
    change(
        home,
        "nodes",
        &node_key(author, 0, 7),
        Some(&leaf_hash(&other)),
    );
}

fn delete_node(home: &Home, author: &Author) {
    change(home, "nodes", &node_key(author, 1, 3), None);
}

fn change_node(home: &Home, author: &Author) {
    change(home, "nodes", &node_key(author, 2, 1), Some(&[7; 32]));
}

fn cut_head(home: &Home, author: &Author) {
    change(home, "records", &log_key(b"h", author), Some(&[1, 2, 3]));
}

fn delete_head(home: &Home, author: &Author) {
    change(home, "records", &log_key(b"h", author), None);
}

fn change_head(home: &Home, author: &Author) {
    let mut head = read(home, "records", &log_key(b"h", author));
    // The digest of the last entry stands behind three numbers.
    head[24] ^= 1;
    change(home, "records", &log_key(b"h", author), Some(&head));
}

fn break_checkpoint(home: &Home, author: &Author) {
    change(
        home,
        "records",
        &checkpoint_key(author),
        Some(b"not a note"),
    );
}

fn change_checkpoint(home: &Home, author: &Author) {
    let other = symphony_transparency::Checkpoint {
        root: [5; 32],
        ..*author.checkpoint(SIZE - 1).checkpoint()
    };
    let text = other.sign(&author.secret()).text();
    change(
        home,
        "records",
        &checkpoint_key(author),
        Some(text.as_bytes()),
    );
}

fn add_entry(home: &Home, author: &Author) {
    change(home, "entries", &entry_key(author, 25), Some(&[7; 32]));
}

fn add_key(home: &Home, _: &Author) {
    change(home, "records", b"zebra", Some(b""));
}

fn cut_format(home: &Home, _: &Author) {
    change(home, "records", b"f", Some(&[1, 2]));
}

fn cut_own(home: &Home, _: &Author) {
    change(home, "records", b"o", Some(&[1, 2]));
}

fn empty_current(home: &Home, _: &Author) {
    fs::write(home.data().join("database/CURRENT"), b"").unwrap();
}

fn delete_current(home: &Home, _: &Author) {
    fs::remove_file(home.data().join("database/CURRENT")).unwrap();
}

fn flip_manifest(home: &Home, _: &Author) {
    flip_at(&only(home, "MANIFEST-"), 0.3);
}

fn delete_manifest(home: &Home, _: &Author) {
    fs::remove_file(only(home, "MANIFEST-")).unwrap();
}

fn delete_table(home: &Home, _: &Author) {
    fs::remove_file(largest_table(home)).unwrap();
}

fn cut_table(home: &Home, _: &Author) {
    let path = largest_table(home);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
}

fn flip_table_end(home: &Home, _: &Author) {
    flip_at(&largest_table(home), 0.999);
}

fn tear_slot(home: &Home, _: &Author) {
    let mut bytes = fs::read(home.record()).unwrap();
    bytes[100] ^= 1;
    fs::write(home.record(), bytes).unwrap();
}

fn tear_slots(home: &Home, _: &Author) {
    let mut bytes = fs::read(home.record()).unwrap();
    bytes[100] ^= 1;
    bytes[4096 + 100] ^= 1;
    fs::write(home.record(), bytes).unwrap();
}

fn cut_record(home: &Home, _: &Author) {
    let bytes = fs::read(home.record()).unwrap();
    fs::write(home.record(), &bytes[..5000]).unwrap();
}

fn delete_record(home: &Home, _: &Author) {
    fs::remove_file(home.record()).unwrap();
}

fn exchange_record(home: &Home, _: &Author) {
    let other = Home::new();
    run(async {
        let (ledger, _) = other.open();
        let mut author = Author::new(2, 10);
        ledger
            .append_for_release(author.entries(1), Vec::new())
            .await
            .unwrap();
        ledger.close().await.unwrap();
    });
    fs::copy(other.record(), home.record()).unwrap();
}

fn restore_backup(home: &Home, author: &Author) {
    replace_data(home, &author.entries[..15]);
}

fn restore_fork(home: &Home, author: &Author) {
    let mut fork = Author::new(1, 8000);
    author.entries[..15]
        .iter()
        .for_each(|entry| fork.take(entry.clone()));
    while fork.chain.size < SIZE + 3 {
        let other = crate::support::entry(&fork.chain, 1, 17);
        fork.take(other);
    }
    replace_data(home, &fork.entries);
}

/// Other data under the same signing record.
fn replace_data(home: &Home, entries: &[Vec<u8>]) {
    let other = Home::new();
    run(async {
        let (ledger, _) = other.open();
        ledger.append(entries.to_vec()).await.unwrap();
        ledger.close().await.unwrap();
    });
    fs::remove_dir_all(home.data()).unwrap();
    copy(&other.data(), &home.data());
}

fn families() -> [&'static str; 4] {
    ["default", "entries", "nodes", "records"]
}

fn change(home: &Home, family: &str, key: &[u8], value: Option<&[u8]>) {
    let path = home.data().join("database");
    let database = DB::open_cf(&Options::default(), path, families()).unwrap();
    let family = database.cf_handle(family).unwrap();
    match value {
        Some(value) => database.put_cf(family, key, value).unwrap(),
        None => database.delete_cf(family, key).unwrap(),
    }
}

fn read(home: &Home, family: &str, key: &[u8]) -> Vec<u8> {
    let path = home.data().join("database");
    let database = DB::open_cf(&Options::default(), path, families()).unwrap();
    let family = database.cf_handle(family).unwrap();
    database.get_cf(family, key).unwrap().unwrap()
}

fn entry_key(author: &Author, index: u64) -> Vec<u8> {
    [log_key(b"e", author).as_slice(), &index.to_be_bytes()].concat()
}

fn node_key(author: &Author, level: u8, index: u64) -> Vec<u8> {
    [
        log_key(b"n", author).as_slice(),
        &[level],
        &index.to_be_bytes(),
    ]
    .concat()
}

fn checkpoint_key(author: &Author) -> Vec<u8> {
    [log_key(b"c", author).as_slice(), &(SIZE - 1).to_be_bytes()].concat()
}

fn log_key(table: &[u8], author: &Author) -> Vec<u8> {
    let log: Digest = author.log();
    [table, log.as_bytes()].concat()
}

/// The database's files of one kind: names that end with `part`, or begin with it.
fn files(home: &Home, part: &str) -> Vec<PathBuf> {
    let listing = fs::read_dir(home.data().join("database")).unwrap();
    listing
        .map(|item| item.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.ends_with(part) || name.starts_with(part)
        })
        .collect()
}

fn only(home: &Home, part: &str) -> PathBuf {
    let [file] = files(home, part).try_into().unwrap();
    file
}

fn largest_table(home: &Home) -> PathBuf {
    let size = |path: &PathBuf| fs::metadata(path).unwrap().len();
    files(home, ".sst").into_iter().max_by_key(size).unwrap()
}

/// Flips one bit in the middle of `needle`, if the file holds it.
fn flip_inside(path: &Path, needle: &[u8]) -> bool {
    let mut bytes = fs::read(path).unwrap();
    let place = bytes
        .windows(needle.len())
        .position(|window| window == needle);
    if let Some(place) = place {
        bytes[place + needle.len() / 2] ^= 0x20;
        fs::write(path, bytes).unwrap();
    }
    place.is_some()
}

/// Flips one bit at a share of the file's length.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place in a small file"
)]
fn flip_at(path: &Path, share: f64) {
    let mut bytes = fs::read(path).unwrap();
    let place = (bytes.len() as f64 * share) as usize;
    bytes[place] ^= 0x20;
    fs::write(path, bytes).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for item in fs::read_dir(from).unwrap() {
        let item = item.unwrap();
        let target = to.join(item.file_name());
        if item.file_type().unwrap().is_dir() {
            copy(&item.path(), &target);
        } else {
            fs::copy(item.path(), target).unwrap();
        }
    }
}
