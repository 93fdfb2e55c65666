//! The portable file.

use symphony_ledger::symlog::{ExportHeader, ExportReader, ExportWriter, MAGIC, SymlogError};
use symphony_ledger::{ExportAbout, ExportError, ImportError, LogReader};
use symphony_transparency::Digest;

use crate::support::{Author, Home, assert_reads, network, run};

fn header(author: &Author) -> ExportHeader {
    ExportHeader {
        network_id: network(),
        log_id: author.log(),
        log_key: author.secret().public(),
        size: author.chain.size,
        params: b"canonical parameters".to_vec(),
        checkpoint: Some(author.checkpoint(author.chain.size - 1).text()),
    }
}

fn file(author: &Author) -> Vec<u8> {
    let mut writer = ExportWriter::new(Vec::new(), &header(author)).unwrap();
    author
        .entries
        .iter()
        .for_each(|entry| writer.write_entry(entry).unwrap());
    writer.finish().unwrap()
}

fn read(bytes: &[u8]) -> Result<Vec<Vec<u8>>, SymlogError> {
    let mut reader = ExportReader::new(bytes)?;
    let mut entries = Vec::new();
    while let Some(entry) = reader.next_entry()? {
        entries.push(entry);
    }
    assert!(reader.next_entry()?.is_none(), "the end stays the end");
    Ok(entries)
}

fn author(count: usize) -> Author {
    let mut author = Author::new(4, 40);
    author.entries(count);
    author
}

fn about(author: &Author) -> ExportAbout {
    let ExportHeader {
        network_id,
        log_key,
        size,
        params,
        checkpoint,
        ..
    } = header(author);
    ExportAbout {
        network_id,
        params,
        log_key,
        checkpoint,
        size,
    }
}

fn export(reader: &LogReader, author: &Author) -> Vec<u8> {
    reader.export(about(author), Vec::new()).unwrap()
}

#[test]
fn store_20_a_file_gives_back_header_and_entries() {
    let author = author(9);
    let bytes = file(&author);
    assert_eq!(bytes[..8], MAGIC);
    assert_eq!(
        ExportReader::new(&bytes[..]).unwrap().header(),
        &header(&author)
    );
    assert_eq!(read(&bytes).unwrap(), author.entries);

    let bare = ExportHeader {
        checkpoint: None,
        params: Vec::new(),
        size: 0,
        ..header(&author)
    };
    let empty = ExportWriter::new(Vec::new(), &bare)
        .unwrap()
        .finish()
        .unwrap();
    assert_eq!(ExportReader::new(&empty[..]).unwrap().header(), &bare);
    assert!(read(&empty).unwrap().is_empty());
}

#[test]
fn store_22_every_flipped_byte_is_refused_and_in_an_entry_it_names_the_entry() {
    let author = author(5);
    let bytes = file(&author);
    let entries_size = author
        .entries
        .iter()
        .map(|entry| 20 + entry.len())
        .sum::<usize>();
    let mut start = bytes.len() - 32 - entries_size;
    let mut frames = Vec::new();
    for entry in &author.entries {
        frames.push(start..start + 20 + entry.len());
        start += 20 + entry.len();
    }
    for position in 0..bytes.len() {
        for bit in [0x01, 0x80] {
            let mut damaged = bytes.clone();
            damaged[position] ^= bit;
            let error = read(&damaged).unwrap_err();
            let expected = frames.iter().position(|frame| frame.contains(&position));
            assert_eq!(
                error.entry(),
                expected.map(|index| index as u64),
                "byte {position}: {error}"
            );
        }
    }
}

#[test]
fn store_22_every_truncation_and_every_trailing_byte_is_refused() {
    let author = author(4);
    let bytes = file(&author);
    for length in 0..bytes.len() {
        assert!(read(&bytes[..length]).is_err(), "{length} bytes");
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(matches!(read(&longer), Err(SymlogError::TrailingBytes)));
}

#[test]
fn store_22_entries_in_another_order_are_refused() {
    let author = author(4);
    let bytes = file(&author);
    let length = 20 + author.entries[1].len();
    assert_eq!(author.entries[1].len(), author.entries[2].len());
    let second = bytes.len() - 32 - (20 + author.entries[3].len()) - 2 * length;
    let mut swapped = bytes[..second].to_vec();
    swapped.extend_from_slice(&bytes[second + length..second + 2 * length]);
    swapped.extend_from_slice(&bytes[second..second + length]);
    swapped.extend_from_slice(&bytes[second + 2 * length..]);
    assert_eq!(read(&swapped).unwrap_err().entry(), Some(1));
}

#[test]
fn store_21_headers_beyond_their_limits_are_refused() {
    let author = author(2);
    let large = ExportHeader {
        params: vec![0; (1 << 16) + 1],
        ..header(&author)
    };
    assert!(matches!(
        ExportWriter::new(Vec::new(), &large),
        Err(SymlogError::HeaderField {
            field: "params",
            ..
        })
    ));
    let mut huge = MAGIC.to_vec();
    huge.extend_from_slice(&u32::MAX.to_be_bytes());
    huge.extend_from_slice(&[0; 64]);
    assert!(matches!(
        ExportReader::new(&huge[..]),
        Err(SymlogError::HeaderTooLarge { .. })
    ));
}

#[test]
fn store_20_a_writer_keeps_its_promise_of_size() {
    let author = author(2);
    let mut writer = ExportWriter::new(Vec::new(), &header(&author)).unwrap();
    writer.write_entry(&author.entries[0]).unwrap();
    assert!(matches!(
        writer.finish(),
        Err(SymlogError::Count {
            expected: 2,
            actual: 1
        })
    ));
    let mut writer = ExportWriter::new(Vec::new(), &header(&author)).unwrap();
    assert!(writer.write_entry(&[]).is_err());
    author
        .entries
        .iter()
        .for_each(|entry| writer.write_entry(entry).unwrap());
    assert!(matches!(
        writer.write_entry(&author.entries[0]),
        Err(SymlogError::Count { .. })
    ));
}

/// A reader that an import can move to a thread.
fn owned_reader(bytes: &[u8]) -> ExportReader<std::io::Cursor<Vec<u8>>> {
    ExportReader::new(std::io::Cursor::new(bytes.to_vec())).unwrap()
}

#[test]
fn store_20_an_exported_log_is_imported_elsewhere_and_grows_there() {
    let (home, elsewhere) = (Home::new(), Home::new());
    let mut author = Author::new(4, 500);
    run(async {
        let (ledger, _) = home.open();
        ledger.append(author.entries(1500)).await.unwrap();
        let early = export(&ledger.own().unwrap(), &author);
        ledger.append(author.entries(10)).await.unwrap();
        let late = export(&ledger.own().unwrap(), &author);
        assert_eq!(read(&late).unwrap(), author.entries);

        let beyond = ExportAbout {
            size: author.chain.size + 1,
            ..about(&author)
        };
        let error = ledger
            .own()
            .unwrap()
            .export(beyond, Vec::new())
            .unwrap_err();
        assert!(
            matches!(error, ExportError::Symlog(SymlogError::Count { .. })),
            "{error}"
        );
        home.close_and_check(ledger, &author).await;

        let (ledger, _) = elsewhere.open();
        for (bytes, new_entries) in [(&early, 1500), (&early, 0), (&late, 10), (&early, 0)] {
            let imported = ledger.import(owned_reader(bytes)).await.unwrap();
            assert_eq!(
                (imported.log, imported.new_entries),
                (author.log(), new_entries)
            );
        }
        assert_reads(&ledger.log(&author.log()).unwrap().unwrap(), &author);
        elsewhere.close_and_check(ledger, &author).await;
    });
}

#[test]
fn store_20_an_import_refuses_forks_foreign_networks_and_damage() {
    let home = Home::new();
    let mut author = author(6);
    run(async {
        let (ledger, _) = home.open();
        let mut fork = author.clone();
        author.entries(2);
        let other = {
            let entry = crate::support::entry(&fork.chain, 4, 41);
            fork.take(entry);
            file(&fork)
        };
        ledger.import(owned_reader(&file(&author))).await.unwrap();
        let error = ledger.import(owned_reader(&other)).await.unwrap_err();
        assert!(
            matches!(error, ImportError::Differs { index: 6, .. }),
            "{error}"
        );

        let foreign = ExportHeader {
            network_id: Digest::ZERO,
            size: 0,
            ..header(&author)
        };
        let foreign = ExportWriter::new(Vec::new(), &foreign)
            .unwrap()
            .finish()
            .unwrap();
        let error = ledger.import(owned_reader(&foreign)).await.unwrap_err();
        assert!(matches!(error, ImportError::OtherNetwork { .. }), "{error}");

        let mut damaged = file(&author);
        let position = damaged.len() - 40;
        damaged[position] ^= 1;
        let error = ledger.import(owned_reader(&damaged)).await.unwrap_err();
        assert!(
            matches!(
                error,
                ImportError::Symlog(SymlogError::EntryDamaged { index: 7 })
            ),
            "{error}"
        );
        home.close_and_check(ledger, &author).await;
    });
}
