//! The vectors of faults and records: `tests/vectors/faults` holds whole logs with exactly one breach, `tests/vectors/entries` one
//! entry of each kind, `tests/vectors/statements-records` one payload of each record.
//!
//! The test compares; `SYMPHONY_WRITE_VECTORS=1` writes the files anew. A changed vector is a breaking change. Spec: CONV-11.
#![allow(clippy::unwrap_used, reason = "tests")]

mod kit;

use std::{collections::BTreeSet, fmt::Write as _, path::PathBuf};

use kit::{Author, World, acknowledge, capability, params, replay};
use symphony_protocol::{
    Rule,
    records::{
        Body, Capability, Entry, Issued, Phase, Policy, Reveal, Revocation, StatementRecord,
        TaskOpened, Timeout,
    },
    state::Duty,
};
use symphony_transparency::Digest;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Compares a case with its file, or writes it.
fn check(folder: &str, case: &str, text: &str) {
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
fn check_fault(case: &str, rule: Rule, comment: &str, entries: &[Vec<u8>]) {
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
}

/// The coordinator's log with one more entry.
fn with(author: &Author, body: Body) -> Vec<Vec<u8>> {
    let mut entries = author.entries.clone();
    entries.push(author.entry(body).encode());
    entries
}

#[test]
fn replay_vectors_of_faults_in_decisions() {
    let mut world = World::standard();
    world.open(1).announce(0).take_bids();
    let Body::Close(close) = world.coordinator.decision() else {
        panic!("a close");
    };
    let mut wrong = close.clone();
    wrong.ranking.swap(0, 1);
    check_fault(
        "replay-33-ranking",
        Rule::Ranking,
        "The first two change places.",
        &with(&world.coordinator, Body::Close(wrong)),
    );
    let mut wrong = close.clone();
    wrong.ranking.pop();
    check_fault(
        "replay-33-left-out",
        Rule::Ranking,
        "The last candidate is left out.",
        &with(&world.coordinator, Body::Close(wrong)),
    );
    let mut wrong = close.clone();
    wrong.selections[0].width *= 2.0;
    check_fault(
        "replay-34-selection",
        Rule::Selection,
        "The first selection's width is doubled.",
        &with(&world.coordinator, Body::Close(wrong)),
    );
    let mut wrong = close;
    wrong.state_root = Digest::ZERO;
    check_fault(
        "replay-42-state-root",
        Rule::StateRoot,
        "The close names another state root.",
        &with(&world.coordinator, Body::Close(wrong)),
    );
    check_fault(
        "replay-24-duty",
        Rule::Duty,
        "A task is opened where the close is due.",
        &with(
            &world.coordinator,
            Body::TaskOpened(TaskOpened {
                key_commitment: Digest::ZERO,
                plan_steps: vec![1],
            }),
        ),
    );
    world.close();
    let mut wrong = world.assignment_record();
    wrong.execute_ms += 1;
    check_fault(
        "replay-35-assignment",
        Rule::Assignment,
        "Another time for the execution than the beacon's.",
        &with(
            &world.coordinator,
            Body::AssignmentIssued(Issued::new(wrong)),
        ),
    );
    world.assign();
    world.pass(50);
    world.take_receipts("True").take_reveals("True");
    let Body::Settlement(settlement) = world.coordinator.decision() else {
        panic!("a settlement");
    };
    let mut wrong = settlement.clone();
    wrong.outcomes[0].reward = 0.25;
    check_fault(
        "replay-40-reward",
        Rule::Reward,
        "The first selection's reward is 0.25.",
        &with(&world.coordinator, Body::Settlement(wrong)),
    );
    let mut wrong = settlement.clone();
    wrong.winner = None;
    check_fault(
        "replay-39-tally",
        Rule::Tally,
        "Nobody is said to have won.",
        &with(&world.coordinator, Body::Settlement(wrong)),
    );
    world.coordinator.decide();
    let Body::TaskDecided(mut wrong) = world.coordinator.decision() else {
        panic!("a decision");
    };
    wrong.winner = None;
    check_fault(
        "replay-43-task",
        Rule::TaskDecision,
        "The task is said to have no answer.",
        &with(&world.coordinator, Body::TaskDecided(wrong)),
    );
    world.coordinator.decide();
    check_fault(
        "replay-41-settled-twice",
        Rule::NotOpen,
        "The same settlement again.",
        &with(&world.coordinator, Body::Settlement(settlement)),
    );
}

#[test]
fn replay_vectors_of_faults_in_inputs() {
    let mut world = World::standard();
    world.open(1);
    let mut wrong = world.beacon_record(0);
    wrong.execute_ms = 600_001;
    check_fault(
        "replay-29-terms",
        Rule::BeaconTerms,
        "More time for an execution than the network agreed.",
        &with(&world.coordinator, Body::BeaconIssued(Issued::new(wrong))),
    );
    let mut wrong = world.beacon_record(0);
    wrong.origin.index += 1;
    check_fault(
        "replay-23-origin",
        Rule::Origin,
        "A beacon that names the entry after its own.",
        &with(&world.coordinator, Body::BeaconIssued(Issued::new(wrong))),
    );
    world.announce(0);
    let beacon = world.beacon().clone();
    let mut wrong = world.bid_record(0);
    wrong.match_ppm -= 1;
    check_fault(
        "replay-30-match",
        Rule::Match,
        "A bid claims another match than its capability has.",
        &with(
            &world.executors[0],
            Body::BidIssued(Issued::new(wrong), beacon.clone()),
        ),
    );
    let mut wrong = world.bid_record(0);
    wrong.capability = Digest::ZERO;
    check_fault(
        "replay-28-reliance",
        Rule::Reliance,
        "A bid rests on a capability that the log does not hold.",
        &with(
            &world.executors[0],
            Body::BidIssued(Issued::new(wrong), beacon.clone()),
        ),
    );
    world.take_bid(0);
    let again = world.bid_record(0);
    check_fault(
        "replay-31-bid-twice",
        Rule::BidTwice,
        "A second bid on one beacon.",
        &with(
            &world.executors[0],
            Body::BidIssued(Issued::new(again), beacon),
        ),
    );
    let beacon = world.beacon_index();
    check_fault(
        "replay-26-timeout",
        Rule::Timeout,
        "A time-out before its deadline.",
        &with(
            &world.coordinator,
            Body::Timeout(Timeout {
                beacon,
                phase: Phase::Bids,
            }),
        ),
    );
    world.pass(kit::WINDOW_MS);
    let late = world.executors[1].sign(&world.bid_record(1));
    check_fault(
        "replay-25-overdue",
        Rule::Overdue,
        "A bid at the deadline, before the time-out.",
        &with(&world.coordinator, Body::BidReceived(late.clone())),
    );
    world.coordinator.push(Body::Timeout(Timeout {
        beacon,
        phase: Phase::Bids,
    }));
    world.close().assign();
    check_fault(
        "replay-32-bid-late",
        Rule::BidUnexpected,
        "A bid after the close.",
        &with(&world.coordinator, Body::BidReceived(late)),
    );
    let order = world.orders[0].clone();
    let receipt = world.receipt_record(&order, "True");
    check_fault(
        "replay-37-receipt",
        Rule::ReceiptUnexpected,
        "A receipt of an assignment that the log does not hold.",
        &with(
            &world.executors[order.executor],
            Body::ReceiptIssued(Issued::new(receipt)),
        ),
    );
    world.receipt(&order, "True");
    let second = world.receipt_record(&order, "False");
    check_fault(
        "replay-36-receipt-twice",
        Rule::ReceiptTwice,
        "A second receipt of one assignment.",
        &with(
            &world.executors[order.executor],
            Body::ReceiptIssued(Issued::new(second)),
        ),
    );
    let wrong = world.reveal_record(&order, "False");
    check_fault(
        "replay-38-reveal",
        Rule::Reveal,
        "A reveal of another answer than the one committed to.",
        &with(
            &world.executors[order.executor],
            Body::RevealIssued(Issued::new(wrong)),
        ),
    );
    let again = capability(world.executors[order.executor].origin(), 1);
    check_fault(
        "replay-27-capability-number",
        Rule::CapabilitySequence,
        "A capability under a number that was given.",
        &with(
            &world.executors[order.executor],
            Body::CapabilityIssued(Issued::new(again)),
        ),
    );
}

#[test]
fn replay_vectors_of_faults_in_the_chain() {
    let author = Author::new(1);
    let sound = author.entry(Body::PolicySet(Policy::shared()));
    let log = |bytes: Vec<u8>| vec![author.entries[0].clone(), bytes];
    let mut wrong = sound.clone();
    wrong.previous = Digest::ZERO;
    check_fault(
        "replay-21-previous",
        Rule::Chain,
        "The previous entry's digest is zero.",
        &log(wrong.encode()),
    );
    let mut wrong = sound.clone();
    wrong.time_ms -= 1;
    check_fault(
        "replay-21-time",
        Rule::Chain,
        "A time before that of entry 0.",
        &log(wrong.encode()),
    );
    let mut wrong = sound.clone();
    wrong.index = 2;
    check_fault(
        "replay-21-index",
        Rule::Chain,
        "Index 1 is left out.",
        &log(wrong.encode()),
    );
    let trailing = [sound.encode(), vec![0]].concat();
    check_fault(
        "replay-20-trailing",
        Rule::Malformed,
        "A byte behind the entry.",
        &log(trailing),
    );
    let genesis = Entry::parse(&author.entries[0], None).unwrap();
    check_fault(
        "replay-22-genesis",
        Rule::Genesis,
        "A second genesis.",
        &with(&author, genesis.body),
    );
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
    let network = params().network_id();
    let mut kinds = BTreeSet::new();
    let logs = std::iter::once(&world.coordinator).chain(&world.executors);
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
    assert_eq!(kinds.len(), 23, "every kind of entry: {kinds:?}");
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
    check_record(
        "acknowledgement",
        &acknowledge(&world.coordinator, 7, Digest::ZERO).record,
    );
}
