//! Files that cannot be judged.

use std::path::Path;

use symphony_node::audit::{LogReport, Verdict, audit_files};
use symphony_protocol::records::{Body, Params};
use symphony_transparency::{decode_canonical, encode};

use crate::network::{Log, genesis, honest, params};

fn audit_bytes(folder: &Path, bytes: &[u8]) -> LogReport {
    let file = folder.join("log.symlog");
    std::fs::write(&file, bytes).unwrap();
    let mut audit = audit_files(&[file], None, &mut |_| {});
    assert_eq!(audit.logs.len(), 1);
    audit.logs.remove(0)
}

fn assert_unusable(report: &LogReport, what: &str) {
    assert_eq!(report.verdict, Verdict::Unusable, "{what}: {report:?}");
    assert!(report.fault.is_none(), "{what}");
    assert!(
        report
            .reason
            .as_ref()
            .is_some_and(|reason| !reason.is_empty()),
        "{what}"
    );
}

#[test]
fn a_flipped_byte_is_unusable_and_names_its_entry() {
    let folder = tempfile::tempdir().unwrap();
    let log = honest().log(0);
    let whole = log.export();
    let entries: usize = log.entries.iter().map(|entry| entry.len() + 20).sum();
    let begin = whole.len() - 32 - entries;
    let mut place = begin;
    for (index, entry) in log.entries.iter().enumerate() {
        let mut bytes = whole.clone();
        bytes[place + 20 + entry.len() / 2] ^= 0x01;
        let report = audit_bytes(folder.path(), &bytes);
        assert_unusable(&report, "flipped");
        let reason = report.reason.unwrap();
        assert!(reason.contains(&format!("entry {index} ")), "{reason}");
        place += 20 + entry.len();
    }
    for position in (0..begin).chain(place..whole.len()) {
        let mut bytes = whole.clone();
        bytes[position] ^= 0x80;
        assert_unusable(&audit_bytes(folder.path(), &bytes), "header or trailer");
    }
}

#[test]
fn a_truncated_file_is_unusable() {
    let folder = tempfile::tempdir().unwrap();
    let log = honest().log(0);
    let whole = log.export();
    for size in (0..whole.len()).step_by(211).chain([whole.len() - 1]) {
        assert_unusable(&audit_bytes(folder.path(), &whole[..size]), "truncated");
    }
    let mut longer = whole;
    longer.push(0);
    assert_unusable(&audit_bytes(folder.path(), &longer), "longer");
}

#[test]
fn what_is_no_export_is_unusable() {
    let folder = tempfile::tempdir().unwrap();
    assert_unusable(&audit_bytes(folder.path(), b""), "empty");
    assert_unusable(&audit_bytes(folder.path(), b"{\"not\": \"a log\"}"), "text");
    assert_unusable(&audit_bytes(folder.path(), &[0; 4096]), "zeros");
    for path in [folder.path().to_owned(), folder.path().join("missing")] {
        let audit = audit_files(&[path], None, &mut |_| {});
        assert_unusable(&audit.logs[0], "folder or missing");
    }
}

#[test]
fn a_header_that_entry_0_contradicts_is_unusable() {
    let folder = tempfile::tempdir().unwrap();
    let (log, other) = (honest().log(0), honest().log(1));
    let right = log.header();
    for (field, header) in [
        (
            "log key",
            symphony_ledger::symlog::ExportHeader {
                log_key: other.key(),
                ..right.clone()
            },
        ),
        (
            "log",
            symphony_ledger::symlog::ExportHeader {
                log_id: other.header().log_id,
                ..right.clone()
            },
        ),
        (
            "network",
            symphony_ledger::symlog::ExportHeader {
                network_id: other.header().log_id,
                ..right.clone()
            },
        ),
    ] {
        let report = audit_bytes(folder.path(), &log.export_as(&header));
        assert_unusable(&report, field);
        assert!(report.reason.unwrap().contains(field));
    }
}

#[test]
fn a_checkpoint_of_somebody_else_is_unusable() {
    let folder = tempfile::tempdir().unwrap();
    let network = honest();
    let log = Log {
        note: network.log(1).note,
        ..network.log(0)
    };
    assert_unusable(&audit_bytes(folder.path(), &log.export()), "checkpoint");
    let nonsense = Log {
        note: Some("not a note".to_owned()),
        ..network.log(0)
    };
    assert_unusable(&audit_bytes(folder.path(), &nonsense.export()), "note");
}

#[test]
fn replay_4_another_rules_revision_exposes_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let mut wire: symphony_admin::v1::Params =
        decode_canonical(&params().to_bytes(), 1024).unwrap();
    wire.rules_revision = 2;
    let params = Params::from_bytes(&encode(&wire)).unwrap();
    let log = Log {
        peer: 0,
        entries: vec![genesis(0, &params)],
        note: None,
    };
    let report = audit_bytes(folder.path(), &log.export());
    assert_unusable(&report, "revision");
    assert!(report.reason.unwrap().contains("revision 2"));
}

#[test]
fn a_log_that_does_not_begin_with_a_genesis_is_unusable() {
    let folder = tempfile::tempdir().unwrap();
    let log = honest().log(0);
    let shifted = Log {
        entries: log.entries[1..].to_vec(),
        ..log.clone()
    };
    let bytes = shifted.export_as(&symphony_ledger::symlog::ExportHeader {
        size: shifted.entries.len() as u64,
        ..log.header()
    });
    assert_unusable(&audit_bytes(folder.path(), &bytes), "no genesis");
}

#[test]
fn an_intact_file_with_a_broken_chain_is_its_authors_fault() {
    let folder = tempfile::tempdir().unwrap();
    let log = honest().log(1);
    let mut entries = log.parsed();
    entries[2].previous = symphony_transparency::Digest::from_bytes([1; 32]);
    let mut broken = log;
    broken.entries[2] = entries[2].encode();
    let report = audit_bytes(folder.path(), &broken.signed().export());
    assert_eq!(report.verdict, Verdict::Exposed);
    assert_eq!(report.fault.unwrap().fault.entry, 2);
}

#[test]
fn an_entry_behind_the_end_of_the_rules_is_its_authors_fault() {
    let log = honest().log(1);
    let genesis = log.parsed()[0].body.clone();
    assert!(matches!(genesis, Body::Genesis(_)));
    let folder = tempfile::tempdir().unwrap();
    let report = audit_bytes(folder.path(), &log.with(genesis).signed().export());
    assert_eq!(report.verdict, Verdict::Exposed);
}
