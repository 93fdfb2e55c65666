//! The vectors of faults and records: `tests/vectors/faults` holds whole logs with exactly one breach, `tests/vectors/entries` one
//! entry of each kind, `tests/vectors/statements-records` one payload of each record.
//!
//! The test compares; `SYMPHONY_WRITE_VECTORS=1` writes the files anew. A changed vector is a breaking change. Spec: CONV-11.
#![allow(clippy::unwrap_used, reason = "tests")]

mod kit;

use std::{collections::BTreeSet, fmt::Write as _, path::PathBuf};

use kit::{Author, World, acknowledge, capability, params, replay};
use symphony_proto::evidence::v1 as proto;
use symphony_protocol::{
    Rule,
    evidence::{Evidence, ForkPoint, SignedEntry},
    policy::PolicyKind,
    records::{
        Body, Capability, Entry, Issued, Phase, Policy, Reveal, Revocation, StatementRecord,
        TaskOpened, Timeout,
    },
    state::Duty,
};
use symphony_transparency::{Digest, MerkleTree, decode_canonical, encode};

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
fn check_evidence(case: &str, comment: &str, evidence: &Evidence) {
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
fn check_no_evidence(case: &str, spec: &str, comment: &str, bytes: &[u8]) {
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
    let sound = author.entry(Body::PolicySet(
        Policy::shared(),
        symphony_protocol::records::Learning::Anew,
    ));
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
fn replay_vectors_of_faults_in_chance() {
    let kinds = [
        ("random", PolicyKind::Random),
        ("random-top", PolicyKind::RandomTop),
        ("epsilon-greedy", PolicyKind::EpsilonGreedy),
        ("thompson", PolicyKind::Thompson),
    ];
    for (name, kind) in kinds {
        let mut world = World::new(4, Policy::of_kind(kind));
        world.whole_task();
        world.open(1).announce(0).take_bids().close();
        world.take_openings();
        let Body::Draw(draw) = world.draw_body() else {
            panic!("a draw");
        };
        let mut wrong = draw.clone();
        wrong.selections[1].propensity = Some(0.125);
        check_fault(
            &format!("replay-49-{name}"),
            Rule::Propensity,
            &format!("Another propensity of the second pick, under {name}."),
            &with(&world.coordinator, Body::Draw(wrong)),
        );
        let mut wrong = draw;
        wrong.selections.swap(0, 1);
        check_fault(
            &format!("replay-34-{name}"),
            Rule::Selection,
            &format!("The picks in another order, under {name}."),
            &with(&world.coordinator, Body::Draw(wrong)),
        );
    }
    let mut world = World::new(4, Policy::random_top());
    world.open(1).announce(0).take_bids().close();
    let mut record = world.call_record();
    record.close = Digest::from([1; 32]);
    check_fault(
        "replay-47-call",
        Rule::Opening,
        "A call with the digest of another close.",
        &with(&world.coordinator, Body::CallIssued(Issued::new(record))),
    );
    let call = world.call();
    let called = world.called();
    let mut record = world.opening_record(called[0]);
    record.nonce = [1; 32];
    let wrong = world.executors[called[0]].sign(&record);
    check_fault(
        "replay-47-not-opening",
        Rule::Opening,
        "An opening that does not open its bid's commitment.",
        &with(&world.coordinator, Body::OpeningReceived(wrong)),
    );
    let body = Body::OpeningIssued(Issued::new(record), call.clone());
    check_fault(
        "replay-47-own",
        Rule::Opening,
        "A bidder opens a nonce that its bid does not commit to.",
        &with(&world.executors[called[0]], body),
    );
    let outsider = (0..4).find(|executor| !called.contains(executor)).unwrap();
    let opening = world.opening(outsider, &call);
    check_fault(
        "replay-47-outsider",
        Rule::Opening,
        "An opening of a bidder that is not in the ranking.",
        &with(&world.coordinator, Body::OpeningReceived(opening)),
    );
    for executor in &called[1..] {
        let opening = world.opening(*executor, &call);
        world.coordinator.push(Body::OpeningReceived(opening));
    }
    world.pass(kit::REVEAL_MS.into());
    let beacon = world.beacon_index();
    world.coordinator.push(Body::Timeout(Timeout {
        beacon,
        phase: Phase::Openings,
    }));
    let Body::Draw(draw) = world.draw_body() else {
        panic!("a draw");
    };
    let mut wrong = draw.clone();
    wrong.secret = [1; 32];
    check_fault(
        "replay-48-secret",
        Rule::Seed,
        "A secret that the beacon does not commit to.",
        &with(&world.coordinator, Body::Draw(wrong)),
    );
    let mut wrong = draw;
    wrong.seed = Digest::from([1; 32]);
    check_fault(
        "replay-48-seed",
        Rule::Seed,
        "A seed that secret and nonces do not give; one bidder has not opened.",
        &with(&world.coordinator, Body::Draw(wrong)),
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
    let mut chance = World::new(4, Policy::random_top());
    chance.until_assigned();
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
    assert_eq!(kinds.len(), 28, "every kind of entry: {kinds:?}");
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

fn tree(entries: &[Vec<u8>]) -> MerkleTree {
    let mut tree = MerkleTree::new();
    for entry in entries {
        tree.append(entry);
    }
    tree
}

#[test]
fn evidence_vectors_of_statements() {
    let mut world = World::standard();
    world.open(1).announce(0);
    let (first, second) = (
        world.executors[0].sign(&world.bid_record(0)),
        world.executors[0].sign(&symphony_protocol::records::Bid {
            load_ppm: 1,
            ..world.bid_record(0)
        }),
    );
    let [one, two] = [&first, &second].map(|bid| bid.statement.bytes());
    let bids = Evidence::two_bids(one, two).unwrap();
    check_evidence("two-bids", "Two bids that differ in load.", &bids);
    let mut elsewhere = world.bid_record(0);
    elsewhere.origin.log = Digest::from_bytes([7; 32]);
    let elsewhere = world.executors[0].sign(&elsewhere);
    let logs = Evidence::two_logs(one, elsewhere.statement.bytes()).unwrap();
    check_evidence(
        "two-logs",
        "A bid that names a second log of its author.",
        &logs,
    );
    Evidence::two_logs(one, two).expect_err("two statements of one log");
    let framed = world.executors[1].sign(&elsewhere.record);
    Evidence::two_logs(one, framed.statement.bytes()).expect_err("two authors");
    Evidence::two_bids(one, elsewhere.statement.bytes()).expect_err("two logs");
    let mut wrong = world.bid_record(1);
    wrong.match_ppm -= 1;
    let bid = world.executors[1].sign(&wrong);
    let (capability, beacon) = (
        world.capabilities[1].record.encode(),
        world.beacon().record.encode(),
    );
    let params = params().to_bytes();
    let evidence =
        Evidence::bid_match(bid.statement.bytes(), &capability, &beacon, &params).unwrap();
    check_evidence("bid-match", "A match one millionth too small.", &evidence);
    let mut far = capability_of(&world, 2);
    far.tags = vec!["navigation".to_owned()];
    far.embedding = symphony_protocol::embedding::Embedding::of_text("zzz qqq xxx");
    let mut below = world.bid_record(2);
    below.capability = Issued::new(far.clone()).digest;
    below.match_ppm = symphony_protocol::matching::match_ppm(
        &symphony_protocol::matching::Profile {
            tags: &far.tags,
            embedding: &far.embedding,
        },
        &symphony_protocol::matching::Profile {
            tags: &world.beacon().record.tags,
            embedding: &world.beacon().record.embedding,
        },
    );
    let bid = world.executors[2].sign(&below);
    let evidence =
        Evidence::bid_match(bid.statement.bytes(), &far.encode(), &beacon, &params).unwrap();
    check_evidence(
        "bid-below-threshold",
        "A right match below the threshold.",
        &evidence,
    );
    let (old, new) = (
        world.executors[0].sign(&world.capabilities[0].record),
        world.executors[0].sign(&Capability {
            parallel_max: 2,
            ..world.capabilities[0].record.clone()
        }),
    );
    let evidence =
        Evidence::two_capabilities(old.statement.bytes(), new.statement.bytes()).unwrap();
    check_evidence(
        "two-capabilities",
        "Two capabilities under number 1.",
        &evidence,
    );
    world.take_bids().close().assign();
    let order = world.orders[0].clone();
    let executor = &world.executors[order.executor];
    let (receipt, other) = (
        executor.sign(&world.receipt_record(&order, "True")),
        executor.sign(&world.receipt_record(&order, "False")),
    );
    let evidence =
        Evidence::two_receipts(receipt.statement.bytes(), other.statement.bytes()).unwrap();
    check_evidence(
        "two-receipts",
        "Two receipts with different ballots.",
        &evidence,
    );
    let reveal = executor.sign(&world.reveal_record(&order, "False"));
    let evidence =
        Evidence::closed_ballot(receipt.statement.bytes(), reveal.statement.bytes()).unwrap();
    check_evidence(
        "closed-ballot",
        "A reveal of another answer than the one committed to.",
        &evidence,
    );
    let pair = |first: &[u8], second: &[u8]| {
        encode(&proto::Evidence {
            proof: Some(proto::evidence::Proof::TwoReceipts(proto::StatementPair {
                first: first.to_vec(),
                second: second.to_vec(),
            })),
        })
    };
    let (first, second) = (receipt.statement.bytes(), other.statement.bytes());
    let sorted = if receipt.digest() < other.digest() {
        [second, first]
    } else {
        [first, second]
    };
    check_no_evidence(
        "two-receipts-order",
        "EVIDENCE-4",
        "The statement with the larger digest stands first.",
        &pair(sorted[0], sorted[1]),
    );
    check_no_evidence(
        "two-receipts-same",
        "EVIDENCE-4",
        "One receipt twice.",
        &pair(first, first),
    );
    let stranger = world
        .coordinator
        .sign(&world.receipt_record(&order, "False"));
    check_no_evidence(
        "two-receipts-authors",
        "EVIDENCE-4",
        "Receipts of two peers.",
        &pair(first, stranger.statement.bytes()),
    );
}

fn capability_of(world: &World, executor: usize) -> Capability {
    world.capabilities[executor].record.clone()
}

#[test]
fn evidence_vectors_of_histories() {
    let mut world = World::standard();
    world.open(1).announce(0);
    let beacon = world.beacon().clone();
    let author = &world.coordinator;
    let genesis = &author.entries[0];
    let index = author.entries.len() - 1;
    let other = author.rechained(index, |entry| entry.body = Body::Resumed);
    let (note, forked) = (
        author.checkpoint(&author.entries, Digest::ZERO),
        author.checkpoint(&other, Digest::ZERO),
    );
    let evidence = Evidence::two_checkpoints(genesis, &note, &forked, None).unwrap();
    check_evidence("fork-one-size", "Two roots of one size.", &evidence);
    let (honest, changed) = (tree(&author.entries), tree(&other));
    let size = honest.size();
    let mut longer = author.entries.clone();
    longer.push(author.entry(Body::Resumed).encode());
    let longer_tree = tree(&longer);
    let later = author.checkpoint(&longer, Digest::ZERO);
    let hashes = longer_tree.consistency_proof(size, size + 1).unwrap();
    let fork = ForkPoint {
        root: honest.root(),
        hashes: &hashes,
    };
    let evidence = Evidence::two_checkpoints(genesis, &forked, &later, Some(fork)).unwrap();
    check_evidence(
        "fork-two-sizes",
        "The larger tree does not continue the smaller.",
        &evidence,
    );
    let place = index as u64;
    let (proof, other_proof) = (
        honest.inclusion_proof(place, size).unwrap(),
        changed.inclusion_proof(place, size).unwrap(),
    );
    let first = SignedEntry {
        bytes: &author.entries[index],
        index: place,
        checkpoint: &note,
        hashes: &proof,
    };
    let second = SignedEntry {
        bytes: &other[index],
        index: place,
        checkpoint: &forked,
        hashes: &other_proof,
    };
    let evidence = Evidence::two_entries(genesis, first, second).unwrap();
    check_evidence("fork-two-entries", "Two entries at one index.", &evidence);
    let evidence = Evidence::broken_word(genesis, beacon.statement.bytes(), second).unwrap();
    check_evidence(
        "named-entry-changed",
        "A beacon names an entry that holds something else.",
        &evidence,
    );
    let word = acknowledge(author, place, Digest::ZERO);
    let evidence = Evidence::broken_word(genesis, word.statement.bytes(), first).unwrap();
    check_evidence(
        "acknowledged-entry-missing",
        "An acknowledgement names an entry that holds something else.",
        &evidence,
    );
    let first_entry = Author::new(2);
    let entries = [author.entries[0].clone()];
    let note = first_entry.checkpoint(&entries, Digest::ZERO);
    let evidence = Evidence::lone_entry(
        &first_entry.entries[0],
        SignedEntry {
            bytes: &entries[0],
            index: 0,
            checkpoint: &note,
            hashes: &[],
        },
    )
    .unwrap();
    check_evidence(
        "tree-without-entry-0",
        "The first leaf of the tree is not entry 0.",
        &evidence,
    );
}

#[test]
fn evidence_vectors_of_windows() {
    let mut world = World::standard();
    world.until_assigned();
    let beacon = world.beacon_index();
    let author = &mut world.coordinator;
    let early = Timeout {
        beacon,
        phase: Phase::Receipt(0),
    };
    let entries = with(author, Body::Timeout(early));
    let fault = replay(&entries).expect_err("a fault");
    let note = author.checkpoint(&entries, Digest::ZERO);
    let evidence = Evidence::prove(&entries, &note, &[], &fault).unwrap();
    check_evidence(
        "window-from-close",
        "A time-out before it is due: the window begins with the close.",
        &evidence,
    );
    let root = author.replay.state_mut().root();
    let base = author.checkpoint(&author.entries, root);
    let evidence = Evidence::prove(&entries, &note, &[&base], &fault).unwrap();
    check_evidence(
        "window-from-checkpoint",
        "The same; the window begins at a checkpoint.",
        &evidence,
    );
    let mut cut: proto::Evidence = decode_canonical(evidence.bytes(), 1 << 16).unwrap();
    if let Some(proto::evidence::Proof::Window(window)) = &mut cut.proof
        && let Some(proto::window::Base::FromCheckpoint(base)) = &mut window.base
        && let Some(state) = &mut base.state
    {
        let leaf = state
            .nodes
            .iter_mut()
            .rev()
            .find_map(|node| match &node.node {
                Some(proto::map_node::Node::Leaf(leaf)) if leaf.key.starts_with(b"beacon/") => {
                    Some((leaf.key.clone(), leaf.value.clone(), node))
                }
                _ => None,
            });
        let (key, value, node) = leaf.expect("the step is open");
        node.node = Some(proto::map_node::Node::HiddenLeaf(proto::HiddenLeaf {
            place: symphony_transparency::digest(symphony_transparency::Domain::StateKey, &key)
                .as_bytes()
                .to_vec(),
            value: symphony_transparency::digest(symphony_transparency::Domain::StateValue, &value)
                .as_bytes()
                .to_vec(),
        }));
    }
    check_no_evidence(
        "window-step-not-opened",
        "EVIDENCE-12",
        "The same without the step: the rules read a key that is not open.",
        &encode(&cut),
    );
    let whole = encode(&cut);
    check_no_evidence(
        "trailing-byte",
        "EVIDENCE-1",
        "A byte behind the message.",
        &[whole.as_slice(), &[0]].concat(),
    );
    check_no_evidence("empty", "EVIDENCE-1", "No proof.", &[]);
}

#[test]
fn evidence_vectors_of_windows_with_a_wrong_root() {
    let mut world = World::standard();
    world.until_voted();
    let author = &mut world.coordinator;
    let Body::Settlement(settlement) = author.decision() else {
        panic!("a settlement");
    };
    let mut wrong = settlement.clone();
    wrong.outcomes[0].reward = 0.25;
    wrong.state_root = Digest::ZERO;
    let entries = with(author, Body::Settlement(wrong));
    let fault = replay(&entries).expect_err("a fault");
    let note = author.checkpoint(&entries, Digest::ZERO);
    let evidence = Evidence::prove(&entries, &note, &[], &fault).unwrap();
    check_evidence(
        "window-from-root",
        "A wrong reward and a wrong root: the window begins where the root is recorded by itself.",
        &evidence,
    );
    let honest = [
        author.entries.as_slice(),
        &[author.entry(Body::Settlement(settlement)).encode()],
    ]
    .concat();
    let root = replay(&honest).unwrap().state_mut().root();
    let honest_note = author.checkpoint(&honest, root);
    let mut same: proto::Evidence = decode_canonical(evidence.bytes(), 1 << 16).unwrap();
    if let Some(proto::evidence::Proof::Window(window)) = &mut same.proof {
        let honest_tree = tree(&honest);
        let last = honest.len() - 1;
        window.entries = honest[honest.len() - window.entries.len()..].to_vec();
        window.checkpoint = honest_note.into_bytes();
        window.hashes = honest_tree
            .inclusion_proof(last as u64, honest_tree.size())
            .unwrap()
            .iter()
            .map(|hash| hash.to_vec())
            .collect();
    }
    check_no_evidence(
        "window-honest",
        "EVIDENCE-9",
        "The right settlement: the part of the state does not show what it looks up.",
        &encode(&same),
    );
    let genesis = Author::new(3);
    let note = genesis.checkpoint(&genesis.entries, Digest::ZERO);
    let fault = symphony_protocol::Fault {
        peer: genesis.key(),
        rule: Rule::StateRoot,
        entry: 0,
        expected: String::new(),
        found: String::new(),
    };
    let evidence = Evidence::prove(&genesis.entries, &note, &[], &fault).unwrap();
    check_evidence(
        "window-checkpoint-root",
        "The first checkpoint has another state root.",
        &evidence,
    );
}
