//! The vectors of faults and records: `tests/vectors/faults` holds whole logs with exactly one breach, `tests/vectors/entries` one
//! entry of each kind, `tests/vectors/statements-records` one payload of each record.
//!
//! The test compares; `SYMPHONY_WRITE_VECTORS=1` writes the files anew. A changed vector is a breaking change. Spec: CONV-11.
#![allow(clippy::unwrap_used, reason = "tests")]

mod evidence;
mod faults;
mod imports;
#[path = "../kit/mod.rs"]
mod kit;

use kit::{Author, World, acknowledge, measures::measures_for, params, replay};
use std::{collections::BTreeSet, fmt::Write as _, path::PathBuf};
use symphony_protocol::Rule;
use symphony_protocol::evidence::Evidence;
use symphony_protocol::records::{
    Body, Capability, Entry, Phase, Policy, Reveal, Revocation, StatementRecord, Timeout,
};
use symphony_protocol::state::Duty;
use symphony_transparency::Digest;

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Compares a case with its file, or writes it.
pub(crate) fn check(folder: &str, case: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/vectors")
        .join(folder)
        .join(format!("{case}.txt"));
    if std::env::var_os("SYMPHONY_WRITE_VECTORS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let known = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(known, text, "{folder}/{case}");
}

/// A log, and the rule that its last entry breaks.
pub(crate) fn check_fault(case: &str, rule: Rule, comment: &str, entries: &[Vec<u8>]) {
    let fault = replay(entries).expect_err("a fault");
    assert_eq!(fault.rule, rule, "{case}: {fault}");
    assert_eq!(
        fault.entry,
        u64::try_from(entries.len()).unwrap() - 1,
        "{case}: the last entry"
    );
    let mut text = format!(
        "expect: {}\nspec: {}\ncomment: {comment}\npeer: {}\nentry_index: {}\n",
        rule.id(),
        rule.id(),
        hex(fault.peer.as_bytes()),
        fault.entry
    );
    for entry in entries {
        writeln!(text, "entry: {}", hex(entry)).unwrap();
    }
    check("faults", case, &text);
    let author = Author::of(&fault.peer);
    let evidence = Evidence::prove(
        entries,
        &author.checkpoint(entries, Digest::ZERO),
        &[],
        &fault,
    )
    .unwrap_or_else(|error| panic!("{case}: {error}"));
    check_evidence(case, comment, &evidence);
}

/// Evidence, and what it convicts of.
pub(crate) fn check_evidence(case: &str, comment: &str, evidence: &Evidence) {
    let conviction = evidence
        .verify()
        .unwrap_or_else(|error| panic!("{case}: {error}"));
    let fault = &conviction.fault;
    let text = format!(
        "expect: {}\nspec: EVIDENCE-3\ncomment: {comment}\npeer: {}\nentry_index: {}\nnetwork: {}\nlog: {}\nevidence: {}\n",
        fault.rule.id(),
        hex(fault.peer.as_bytes()),
        fault.entry,
        conviction.network,
        conviction.log.expect("every proof names a log"),
        hex(evidence.bytes())
    );
    check("evidence", case, &text);
}

/// Bytes that convict nobody: `unreadable`, or `refused` where they are evidence that proves nothing.
pub(crate) fn check_no_evidence(case: &str, spec: &str, comment: &str, bytes: &[u8]) {
    let error = Evidence::parse(bytes)
        .and_then(|evidence| evidence.verify())
        .expect_err("convicts nobody");
    let expect = if error.is_unreadable() {
        "unreadable"
    } else {
        "refused"
    };
    let text = format!(
        "expect: {expect}\nspec: {spec}\ncomment: {comment}\nevidence: {}\n",
        hex(bytes)
    );
    check("evidence", case, &text);
}

/// The coordinator's log with one more entry.
pub(crate) fn with(author: &Author, body: Body) -> Vec<Vec<u8>> {
    let mut entries = author.entries.clone();
    entries.push(author.entry(body).encode());
    entries
}
#[test]
fn log_vectors_of_entries() {
    let mut world = World::standard();
    world.whole_task();
    world.until_assigned();
    let beacon = world.beacon_index();
    world.pass(kit::EXECUTE_MS.into());
    world.coordinator.push(Body::Timeout(Timeout {
        beacon,
        phase: Phase::Receipt(0),
    }));
    assert!(matches!(
        world.coordinator.replay.state().duty(),
        Some(Duty::Replace(..))
    ));
    world.coordinator.decide();
    world.assign();
    let record = Revocation {
        origin: world.executors[0].origin(),
        sequence: 1,
    };
    let revocation = world.executors[0].issue(record, Body::RevocationIssued);
    let acknowledgement = acknowledge(&world.coordinator, 7, world.capabilities[0].digest());
    world.executors[0].push(Body::AcknowledgementReceived(acknowledgement));
    world.coordinator.push(Body::Resumed);
    world.coordinator.decide();
    world.coordinator.decide();
    world.coordinator.push(Body::RevocationReceived(revocation));
    let mut chance = World::new(4, Policy::random_top());
    chance.until_assigned();
    let mut source = World::of(2, 4, Policy::shared());
    source.whole_task();
    let importer = chance.coordinator.key();
    let imports = measures_for(&mut source.coordinator, &importer, 1_000_000, 8);
    for import in imports {
        let import = Body::MeasuresImported(import);
        chance.coordinator.push(import);
    }
    let network = params().network_id();
    let mut kinds = BTreeSet::new();
    let logs = [&world, &chance]
        .into_iter()
        .flat_map(|world| std::iter::once(&world.coordinator).chain(&world.executors));
    for bytes in logs.flat_map(|author| &author.entries) {
        let entry = Entry::parse(bytes, Some(&network)).unwrap();
        let name = entry.body.name();
        if kinds.insert(name) {
            let text = format!(
                "expect: ok\nspec: LOG-6\ncomment: An entry of the kind {name}.\nnetwork: {network}\nindex: {}\nprevious: {}\ntime_ms: {}\nkind: {name}\nbytes: {}\n",
                entry.index,
                entry.previous,
                entry.time_ms,
                hex(bytes)
            );
            check("entries", &name.replace('_', "-"), &text);
        }
    }
    assert_eq!(kinds.len(), 29, "every kind of entry: {kinds:?}");
}

fn check_record<R: StatementRecord>(case: &str, record: &R) {
    let text = format!(
        "expect: ok\nspec: KEYS-9\ncomment: The payload of a {case}.\ntype: {}\ndigest: {}\npayload: {}\n",
        R::KIND.number(),
        symphony_transparency::payload_digest(R::KIND, &record.write()),
        hex(&record.write())
    );
    check("statements-records", case, &text);
}

#[test]
fn keys_vectors_of_records() {
    let mut world = World::standard();
    world.until_assigned();
    let order = world.orders[0].clone();
    let reveal: Reveal = world.reveal_record(&order, "True");
    check_record::<Capability>("capability", &world.capabilities[0].record);
    check_record(
        "revocation",
        &Revocation {
            origin: reveal.origin,
            sequence: 1,
        },
    );
    check_record("beacon", &world.beacon().record);
    check_record("bid", &world.bid_record(0));
    check_record("assignment", &order.statement.record);
    check_record("receipt", &world.receipt_record(&order, "True"));
    check_record("reveal", &reveal);
    let mut chance = World::new(4, Policy::random_top());
    chance.open(1).announce(0).take_bids().close();
    check_record("call", &chance.call_record());
    check_record("opening", &chance.opening_record(0));
    check_record(
        "acknowledgement",
        &acknowledge(&world.coordinator, 7, Digest::ZERO).record,
    );
    let author = &world.coordinator;
    let note = author.checkpoint(&author.entries, Digest::ZERO);
    check_record(
        "challenge",
        &symphony_protocol::records::Challenge::new(note, 3..7).unwrap(),
    );
}
