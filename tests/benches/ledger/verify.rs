//! Verification of a whole log (bytes, chain, tree, signatures, and the replay besides), beside the sum of what it cannot do
//! without: BLAKE3 and SHA-256 of the same bytes, and `verify_strict` of the same signatures, on as many cores.

use std::num::NonZero;
use std::thread;
use std::time::Instant;

use symphony_node::audit::{Verdict, audit_files};
use symphony_proto::{log::v1 as log, statement::v1 as statement};
use symphony_transparency::{
    Digest, PublicKey, Signature, StatementKind, entry_digest, leaf_hash, payload_digest,
    signing_bytes,
};

use crate::Settings;
use crate::logs::{Log, export};
use crate::table::{Required, Runs, Table, float, per_second};

/// A signature and what it is over.
struct Signed {
    key: PublicKey,
    message: Vec<u8>,
    signature: Signature,
}

pub(crate) fn rows(settings: &Settings, log: &Log, table: &mut Table) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.symlog");
    let mut copy = Log {
        author: crate::kit::Author::new(1),
        entries: log.entries.clone(),
        settled: log.settled,
        bytes: log.bytes,
    };
    copy.author.replay = log.author.replay.clone();
    export(&mut copy, &path);
    let count = log.entries.len() as u64;
    let signed = signatures(log);
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let mut limits = Vec::new();
    let verified = Runs::of(settings.runs, || {
        limits.push(limit(log, &signed, cores));
        let start = Instant::now();
        let audit = audit_files(std::slice::from_ref(&path), None, &mut |_| {});
        let time = start.elapsed();
        assert_eq!(
            audit.verdict(),
            Verdict::Clean,
            "{:?}",
            audit.logs[0].reason
        );
        per_second(count, time)
    });
    limits.remove(0);
    let mut next = limits.into_iter();
    let limit = Runs::of(settings.runs - 1, || next.next().unwrap());
    table.row(
        format!(
            "audit of a log with replay: {count} entries, {} bytes, {} signatures, {cores} cores",
            log.bytes,
            signed.len()
        ),
        &verified,
        "entries/s",
        "",
        Required::Nothing,
    );
    table.row(
        "BLAKE3, SHA-256 and verify_strict of the same",
        &limit,
        "entries/s",
        "",
        Required::Nothing,
    );
    table.single(
        "ratio of the two",
        verified.median() / limit.median(),
        "",
        "the sum of the three, on all cores",
        Required::AtLeast(0.8),
    );
    table.single(
        "signatures an entry",
        float(signed.len() as u64) / float(count),
        "",
        "",
        Required::Nothing,
    );
}

/// Every foreign statement's signature.
fn signatures(of: &Log) -> Vec<Signed> {
    use prost::Message as _;
    let mut found = Vec::new();
    for bytes in &of.entries {
        let Some(body) = log::Entry::decode(bytes.as_slice()).unwrap().body else {
            continue;
        };
        let bytes = match body {
            log::entry::Body::CapabilityReceived(value) => value.statement,
            log::entry::Body::BidReceived(value) => value.statement,
            log::entry::Body::ReceiptReceived(value) => value.statement,
            log::entry::Body::RevealReceived(value) => value.statement,
            _ => continue,
        };
        let value = statement::Statement::decode(bytes.as_slice()).unwrap();
        let kind = StatementKind::from_number(u32::try_from(value.r#type).unwrap()).unwrap();
        found.push(Signed {
            key: PublicKey::from_slice(&value.author).unwrap(),
            message: signing_bytes(
                &Digest::from_slice(&value.network_id).unwrap(),
                kind,
                &payload_digest(kind, &value.payload),
            ),
            signature: Signature::from_slice(&value.signature).unwrap(),
        });
    }
    found
}

fn limit(log: &Log, signed: &[Signed], cores: usize) -> f64 {
    let start = Instant::now();
    thread::scope(|scope| {
        for entries in log.entries.chunks(log.entries.len().div_ceil(cores)) {
            scope.spawn(move || {
                for entry in entries {
                    std::hint::black_box((entry_digest(entry), leaf_hash(entry)));
                }
            });
        }
        for signatures in signed.chunks(signed.len().div_ceil(cores)) {
            scope.spawn(move || {
                for one in signatures {
                    one.key.verify(&one.message, &one.signature).unwrap();
                }
            });
        }
    });
    per_second(log.entries.len() as u64, start.elapsed())
}
