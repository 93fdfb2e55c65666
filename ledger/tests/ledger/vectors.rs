//! The vectors of the portable file, in `tests/vectors/symlog/`: what another implementation has to read alike.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use data_encoding::HEXLOWER;
use symphony_ledger::symlog::{ExportHeader, ExportReader, ExportWriter, SymlogError};
use symphony_transparency::{Digest, SecretKey};

use crate::support::Author;

/// The file that all vectors derive from: three small entries, and a header of fixed bytes.
fn file() -> (ExportHeader, Vec<Vec<u8>>, Vec<u8>) {
    let mut author = Author::new(4, 3);
    author.entries(3);
    let header = ExportHeader {
        network_id: Digest::from_bytes([0x11; 32]),
        log_id: author.log(),
        log_key: SecretKey::from_bytes([7; 32]).public(),
        size: 3,
        params: b"params".to_vec(),
        checkpoint: None,
    };
    let mut writer = ExportWriter::new(Vec::new(), &header).unwrap();
    author
        .entries
        .iter()
        .for_each(|entry| writer.write_entry(entry).unwrap());
    let bytes = writer.finish().unwrap();
    (header, author.entries, bytes)
}

/// What each vector says, computed from the file.
fn vectors() -> BTreeMap<&'static str, String> {
    let (header, entries, bytes) = file();
    let flipped = |position: usize| {
        let mut damaged = bytes.clone();
        damaged[position] ^= 0x01;
        damaged
    };
    let end = bytes.len() - Digest::LENGTH;
    let cases = [
        (
            "intact",
            "ok",
            "STORE-20, STORE-21",
            "A header and three entries.",
            bytes.clone(),
        ),
        (
            "magic",
            "not-symlog",
            "STORE-20",
            "The version byte is another one.",
            flipped(7),
        ),
        (
            "header-flipped",
            "header-damaged",
            "STORE-21, STORE-22",
            "One bit of the network id is flipped.",
            flipped(40),
        ),
        (
            "entry-flipped",
            "entry-damaged 1",
            "STORE-22",
            "The last bit of entry 1 is flipped: its check names entry 1, not entry 2.",
            flipped(end - (20 + entries[2].len()) - 1),
        ),
        (
            "length-flipped",
            "entry-damaged 2",
            "STORE-22",
            "The length before entry 2 is far too large.",
            {
                let mut damaged = bytes.clone();
                damaged[end - (20 + entries[2].len())] = 0x7F;
                damaged
            },
        ),
        (
            "truncated-entry",
            "truncated 2",
            "STORE-22",
            "The file ends inside entry 2.",
            bytes[..end - 5].to_vec(),
        ),
        (
            "truncated-trailer",
            "trailer-truncated",
            "STORE-22",
            "The last byte is missing.",
            bytes[..bytes.len() - 1].to_vec(),
        ),
        (
            "trailer-flipped",
            "trailer-damaged",
            "STORE-22",
            "The trailer is another digest.",
            flipped(end),
        ),
        (
            "trailing-byte",
            "trailing-bytes",
            "STORE-20",
            "A byte follows the trailer.",
            [bytes.as_slice(), &[0]].concat(),
        ),
    ];
    let mut vectors = BTreeMap::new();
    for (name, expect, spec, comment, file) in cases {
        let mut text = format!(
            "expect: {expect}\nspec: {spec}\ncomment: {comment}\nfile: {}\n",
            HEXLOWER.encode(&file)
        );
        if expect == "ok" {
            text += &format!(
                "network_id: {}\nlog_id: {}\n",
                header.network_id, header.log_id
            );
            text += &format!("log_key: {}\n", HEXLOWER.encode(header.log_key.as_bytes()));
            text += &format!("params: {}\n", HEXLOWER.encode(&header.params));
            for (index, entry) in entries.iter().enumerate() {
                text += &format!("entry_{index}: {}\n", HEXLOWER.encode(entry));
            }
        }
        vectors.insert(name, text);
    }
    vectors
}

/// The word by which vectors name an outcome.
fn outcome(bytes: &[u8]) -> String {
    let read = || {
        let mut reader = ExportReader::new(bytes)?;
        while reader.next_entry()?.is_some() {}
        Ok::<_, SymlogError>(())
    };
    match read() {
        Ok(()) => "ok".to_owned(),
        Err(SymlogError::NotSymlog) => "not-symlog".to_owned(),
        Err(SymlogError::HeaderDamaged) => "header-damaged".to_owned(),
        Err(SymlogError::EntryDamaged { index }) => format!("entry-damaged {index}"),
        Err(SymlogError::Truncated { index, .. }) => format!("truncated {index}"),
        Err(SymlogError::TrailerTruncated) => "trailer-truncated".to_owned(),
        Err(SymlogError::TrailerDamaged { .. }) => "trailer-damaged".to_owned(),
        Err(SymlogError::TrailingBytes) => "trailing-bytes".to_owned(),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn store_22_the_vectors_are_what_this_code_writes_and_reads() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/symlog");
    let expected = vectors();
    if std::env::var_os("SYMPHONY_WRITE_VECTORS").is_some() {
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in &expected {
            fs::write(folder.join(format!("{name}.txt")), text).unwrap();
        }
    }
    let mut count = 0;
    for item in fs::read_dir(&folder).unwrap() {
        let path = item.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(Some(&text), expected.get(name.as_str()), "{name}");
        let field = |key: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(key))
                .unwrap()
                .to_owned()
        };
        let bytes = HEXLOWER.decode(field("file: ").as_bytes()).unwrap();
        assert_eq!(outcome(&bytes), field("expect: "), "{name}");
        count += 1;
    }
    assert_eq!(count, expected.len());
}
