//! Requirements that no single fault shows: names and ranges of records, what is unusable, what the state holds.
#![allow(clippy::unwrap_used, reason = "tests")]

mod kit;

use std::collections::BTreeSet;

use kit::{Author, EXECUTE_MS, START_MS, World, capability, params};
use symphony_proto::{params::v1::Params as WireParams, statement::v1 as wire};
use symphony_protocol::{
    Rule,
    embedding::Embedding,
    records::{
        AssignmentPrivate, Beacon, Bid, Body, Entry, Genesis, Issued, Params, Policy, Reach,
        Receipt, Reveal, StatementRecord, TaskKey, TaskOpened, ballot_commitment,
        leading_zero_bits,
    },
    replay::{Replay, Unusable},
};
use symphony_transparency::{
    CanonicalError, Digest, Domain, PeerSecrets, SecretKey, decode_canonical, digest, digest_parts,
    encode, keyed_digest, statement_digest,
};

/// Entry 0 of a log under these parameters, at index 0 and with the first stamp that will do.
fn entry_0(params: Params) -> Vec<u8> {
    genesis(params)
        .search_stamp(START_MS, 1 << 16)
        .expect("a stamp of few bits")
}

fn genesis(params: Params) -> Genesis {
    let secrets = PeerSecrets {
        log: SecretKey::from_bytes([1; 32]),
        transport: SecretKey::from_bytes([2; 32]),
        witness: SecretKey::from_bytes([3; 32]),
    };
    Genesis::bind(&secrets, params)
}

fn changed(change: impl FnOnce(&mut WireParams)) -> Result<Params, String> {
    let mut value: WireParams = decode_canonical(&params().to_bytes(), 1_024).unwrap();
    change(&mut value);
    Params::from_bytes(&encode(&value)).map_err(|error| error.to_string())
}

#[test]
fn cap_1_the_network_id_is_the_digest_of_the_parameters() {
    let one = params();
    assert_eq!(one.network_id(), digest(Domain::NetworkId, &one.to_bytes()));
    let other = changed(|value| value.reveal_ms_max -= 1).unwrap();
    assert_ne!(one.network_id(), other.network_id());
    let mut bytes = entry_0(params());
    let id = one.network_id();
    let at = bytes
        .windows(32)
        .position(|window| window == id.as_bytes())
        .expect("entry 0 names its network");
    bytes[at] ^= 1;
    let refused = Replay::begin(&bytes, None).unwrap_err().to_string();
    assert!(refused.contains("network_id"), "{refused}");
}

#[test]
fn cap_2_each_parameter_keeps_to_its_range() {
    type Field = fn(&mut WireParams) -> &mut u32;
    let fields: [(Field, u32, u32); 18] = [
        (|value| &mut value.admission_difficulty_bits, 0, 40),
        (|value| &mut value.match_threshold_ppm, 0, 1_000_000),
        (|value| &mut value.screening_similarity_ppm, 0, 1_000_000),
        (|value| &mut value.screening_prior_ppm, 0, 1_000_000),
        (|value| &mut value.screening_stability_ppm, 0, 1_000_000),
        (|value| &mut value.latency_scale_ms, 1, 3_600_000),
        (|value| &mut value.latency_start_ms, 0, 3_600_000),
        (|value| &mut value.latency_weight_ppm, 0, 1_000_000),
        (|value| &mut value.failure_weight_ppm, 0, 1_000_000),
        (|value| &mut value.reputation_weight_ppm, 0, 1_000_000),
        (|value| &mut value.prior_success_milli, 1, 1_999),
        (|value| &mut value.prior_failure_milli, 1_001, 1_000_000),
        (|value| &mut value.newcomer_settlements, 0, 1_000),
        (|value| &mut value.newcomer_interval, 0, 1_000_000),
        (|value| &mut value.bids_max, 1, 256),
        (|value| &mut value.bid_window_ms_max, 1, 3_600_000),
        (|value| &mut value.execute_ms_max, 1, 86_400_000),
        (|value| &mut value.reveal_ms_max, 1, 3_600_000),
    ];
    for (number, (field, least, most)) in fields.into_iter().enumerate() {
        for good in [least, most] {
            changed(|value| *field(value) = good)
                .unwrap_or_else(|error| panic!("field {number} with {good}: {error}"));
        }
        for bad in [least.checked_sub(1), Some(most + 1)].into_iter().flatten() {
            assert!(
                changed(|value| *field(value) = bad).is_err(),
                "field {number} with {bad}"
            );
        }
    }
    assert!(changed(|value| value.rules_revision = 0).is_err());
    assert!(changed(|value| value.rules_revision = u32::MAX).is_ok());
    for (name, good) in [
        ("", false),
        ("a-0", true),
        ("A", false),
        ("a b", false),
        ("é", false),
    ] {
        assert_eq!(
            changed(|value| value.name = name.to_owned()).is_ok(),
            good,
            "{name:?}"
        );
    }
    assert!(changed(|value| value.name = "a".repeat(64)).is_ok());
    assert!(changed(|value| value.name = "a".repeat(65)).is_err());
}

#[test]
fn cap_5_a_statement_is_named_by_what_it_says_and_not_by_its_envelope() {
    let mut world = World::standard();
    world.open(1).announce(0).take_bid(0);
    let bid = &world.bids[0];
    let name = digest_parts(
        Domain::Payload,
        &[&4_u32.to_be_bytes(), &bid.record.write()],
    );
    assert_eq!(bid.digest(), name);
    assert_ne!(bid.digest(), statement_digest(bid.statement.bytes()));
    // The same payload by another author has the same name in another envelope: a name does not say who speaks.
    let copied = world.executors[1].sign(&bid.record);
    assert_ne!(copied.statement.bytes(), bid.statement.bytes());
    assert_eq!(copied.digest(), name);
    let step = world
        .coordinator
        .replay
        .state()
        .step(world.beacon_index())
        .unwrap();
    assert_eq!(step.bids[0].statement, name, "and so does the state");
    assert_eq!(step.statement, bid.record.beacon, "and so do payloads");
    assert_eq!(Issued::new(bid.record).digest, name, "and the author's log");
}

#[test]
fn cap_8_a_bid_on_a_capability_that_the_log_does_not_hold_is_refused() {
    let mut world = World::standard();
    let newer = capability(world.executors[0].origin(), 2);
    world.capabilities[0] = world.executors[0].issue(newer, Body::CapabilityIssued);
    world.open(1).announce(0);
    let bid = world.bid(0);
    let fault = world
        .coordinator
        .try_push(Body::BidReceived(bid.clone()))
        .unwrap_err();
    assert_eq!(fault.rule, Rule::Reliance);
    let received = world.capabilities[0].clone();
    world.coordinator.push(Body::CapabilityReceived(received));
    world.coordinator.push(Body::BidReceived(bid));
}

#[test]
fn cap_10_replay_4_a_log_without_its_stamp_is_unusable() {
    let params = Params::standard("test", 8).unwrap();
    let stamped = entry_0(params.clone());
    assert!(Replay::begin(&stamped, None).is_ok());
    let mut genesis = genesis(params);
    let (bytes, bits) = loop {
        genesis.stamp += 1;
        let bytes = first_entry(&genesis, 0);
        let bits = leading_zero_bits(&digest(Domain::LogId, &bytes));
        if bits == 7 {
            break (bytes, bits);
        }
    };
    assert_eq!(
        Replay::begin(&bytes, None).unwrap_err(),
        Unusable::Stamp {
            needed: 8,
            found: bits
        }
    );
}

#[test]
fn cap_10_zero_bits_are_counted_from_the_highest() {
    for (first, second, bits) in [
        (0x80, 0, 0),
        (0x7f, 0, 1),
        (0x01, 0xff, 7),
        (0, 0xff, 8),
        (0, 0x10, 11),
    ] {
        let mut bytes = [0xff; 32];
        (bytes[0], bytes[1]) = (first, second);
        assert_eq!(leading_zero_bits(&Digest::from_bytes(bytes)), bits);
    }
    assert_eq!(leading_zero_bits(&Digest::ZERO), 256);
}

fn first_entry(genesis: &Genesis, index: u64) -> Vec<u8> {
    Entry {
        index,
        previous: Digest::ZERO,
        time_ms: START_MS,
        body: Body::Genesis(Box::new(genesis.clone())),
    }
    .encode()
}

#[test]
fn replay_4_what_cannot_be_judged_is_unusable_and_nobodys_fault() {
    let later = changed(|value| value.rules_revision = 2).unwrap();
    assert_eq!(
        Replay::begin(&entry_0(later), None).unwrap_err(),
        Unusable::Revision { known: 1, found: 2 }
    );
    let bytes = entry_0(params());
    assert!(Replay::begin(&bytes, Some(&params().network_id())).is_ok());
    assert_eq!(
        Replay::begin(&bytes, Some(&Digest::ZERO)).unwrap_err(),
        Unusable::Network {
            expected: Digest::ZERO,
            found: params().network_id()
        }
    );
    assert!(matches!(
        Replay::begin(&first_entry(&genesis(params()), 1), None),
        Err(Unusable::NotGenesis { .. })
    ));
    let policy = Author::new(1).entry(Body::PolicySet(
        Policy::shared(),
        symphony_protocol::records::Learning::Anew,
    ));
    let first = Entry { index: 0, ..policy };
    assert!(matches!(
        Replay::begin(&first.encode(), None),
        Err(Unusable::Entry0(_) | Unusable::NotGenesis { .. })
    ));
    assert!(matches!(
        Replay::begin(&bytes[..bytes.len() - 1], None),
        Err(Unusable::Entry0(_))
    ));
}

#[test]
fn beacon_2_a_task_has_one_to_eight_plans_of_one_to_eight_steps() {
    let open = |plan_steps: &[u32]| {
        Author::new(1).try_push(Body::TaskOpened(TaskOpened {
            key_commitment: Digest::ZERO,
            plan_steps: plan_steps.to_vec(),
        }))
    };
    for good in [&[1][..], &[8], &[1; 8], &[8; 8]] {
        assert!(open(good).is_ok(), "{good:?}");
    }
    for bad in [&[][..], &[0], &[9], &[1, 0], &[1; 9]] {
        let fault = open(bad).expect_err("a number outside its range");
        assert_eq!(fault.rule, Rule::Malformed, "{bad:?}");
    }
}

/// The record with one field of its wire form changed.
fn rewritten<M: prost::Message + Default, R>(
    payload: &[u8],
    change: impl FnOnce(&mut M),
    parse: impl Fn(&[u8]) -> R,
) -> R {
    let mut value: M = decode_canonical(payload, payload.len()).unwrap();
    change(&mut value);
    parse(&encode(&value))
}

#[test]
fn beacon_3_a_beacon_is_directed_or_gossiped() {
    let mut world = World::standard();
    world.open(1);
    let payload = world.beacon_record(0).write();
    for (reach, good) in [(0, false), (1, true), (2, true), (3, false)] {
        let read = rewritten(
            &payload,
            |value: &mut wire::Beacon| value.reach = reach,
            Beacon::parse,
        );
        assert_eq!(read.is_ok(), good, "reach {reach}");
    }
    // A gossiped beacon goes to everyone, whoever was asked.
    let mut beacon = world.beacon_record(0);
    beacon.asked.clear();
    beacon.reach = Reach::Gossip;
    world.announce_record(beacon).take_bid(0).take_bid(3);
}

#[test]
fn beacon_7_a_bid_keeps_to_its_ranges() {
    let mut world = World::standard();
    world.open(1).announce(0);
    let payload = world.bid_record(0).write();
    let read = |change: fn(&mut wire::Bid)| rewritten(&payload, change, Bid::parse);
    assert!(read(|bid| bid.load_ppm = 1_000_000).is_ok());
    assert!(read(|bid| bid.load_ppm = 1_000_001).is_err());
    assert!(read(|bid| bid.match_ppm = 1_000_001).is_err());
    assert!(read(|bid| bid.beacon.truncate(31)).is_err());
    assert!(read(|bid| bid.capability.clear()).is_err());
    assert!(read(|bid| bid.origin = None).is_err());
    let large = rewritten(
        &payload,
        |bid: &mut wire::Bid| bid.beacon = vec![1; 512],
        Bid::parse,
    );
    assert!(
        large.unwrap_err().to_string().contains("limit of 512"),
        "the size is looked at first"
    );
}

#[test]
fn beacon_9_below_the_threshold_a_peer_is_silent() {
    let mut world = World::standard();
    let mut other = capability(world.executors[0].origin(), 2);
    other.tags = vec!["weather".to_owned()];
    other.embedding = Embedding::ZERO;
    world.capabilities[0] = world.executors[0].issue(other, Body::CapabilityIssued);
    let received = world.capabilities[0].clone();
    world.coordinator.push(Body::CapabilityReceived(received));
    world.open(1).announce(0);
    let bid = world.bid_record(0);
    assert_eq!(bid.match_ppm, 250_000);
    let beacon = world.beacon().clone();
    let fault = world.executors[0]
        .try_push(Body::BidIssued(Issued::new(bid), beacon))
        .unwrap_err();
    assert_eq!(
        (fault.rule, fault.peer),
        (Rule::BidUnexpected, world.executors[0].key())
    );
    let signed = world.executors[0].sign(&bid);
    let applied = world
        .coordinator
        .try_push(Body::BidReceived(signed))
        .unwrap();
    let [finding] = &applied.findings[..] else {
        panic!("one finding, not {:?}", applied.findings)
    };
    assert_eq!(
        (finding.rule, finding.peer),
        (Rule::BidUnexpected, world.executors[0].key())
    );
}

#[test]
fn exec_2_digests_of_texts_are_under_the_task_key() {
    let (one, other) = (TaskKey::from_bytes([9; 32]), TaskKey::from_bytes([8; 32]));
    assert_eq!(one.commitment(), digest(Domain::TaskKey, &[9; 32]));
    type Named = (fn(&TaskKey, &str) -> Digest, Domain);
    let named: [Named; 3] = [
        (TaskKey::prompt, Domain::Prompt),
        (TaskKey::output, Domain::Output),
        (TaskKey::answer, Domain::Answer),
    ];
    for (of, domain) in named {
        assert_eq!(of(&one, "True"), keyed_digest(domain, &[9; 32], b"True"));
        assert_ne!(of(&one, "True"), of(&other, "True"));
        assert_ne!(of(&one, "True"), digest(domain, b"True"));
    }
    let mut world = World::standard();
    world.whole_task();
    let logs = world.executors.iter().chain([&world.coordinator]);
    for entry in logs.flat_map(|author| &author.entries) {
        for text in [&b"not True"[..], &[9; 32]] {
            assert!(
                entry.windows(text.len()).all(|window| window != text),
                "neither prompt nor key stands in a log"
            );
        }
    }
}

#[test]
fn exec_3_the_private_part_of_an_assignment_keeps_to_its_ranges() {
    let with = |prompt: String| {
        let private = AssignmentPrivate {
            task_key: TaskKey::from_bytes([9; 32]),
            prompt,
        };
        AssignmentPrivate::parse(&private.encode()).is_ok()
    };
    assert!(!with(String::new()));
    assert!(with("a".repeat(65_536)));
    assert!(!with("a".repeat(65_537)));
    assert!(!with("a".repeat(66_561)));
}

#[test]
fn exec_5_exec_6_a_receipt_keeps_to_its_ranges() {
    let mut world = World::standard();
    world.until_assigned();
    let order = world.orders[0].clone();
    let payload = world.receipt_record(&order, "True").write();
    for number in -1..=6 {
        let class = rewritten(
            &payload,
            |receipt: &mut wire::Receipt| receipt.class = number,
            Receipt::parse,
        );
        assert_eq!(class.is_ok(), (1..=4).contains(&number), "class {number}");
        let device = rewritten(
            &payload,
            |receipt: &mut wire::Receipt| receipt.device = number,
            Receipt::parse,
        );
        assert_eq!(device.is_ok(), (1..=4).contains(&number), "device {number}");
    }
    let read = |change: fn(&mut wire::Receipt)| rewritten(&payload, change, Receipt::parse);
    assert!(read(|receipt| receipt.model.clear()).is_err());
    assert!(read(|receipt| receipt.ballot.push(0)).is_err());
    let large = read(|receipt| receipt.output = vec![1; 1_024]).unwrap_err();
    assert!(large.to_string().contains("limit of 1024"), "{large}");
}

#[test]
fn exec_7_a_ballot_is_bound_to_assignment_and_executor() {
    let mut world = World::standard();
    world.until_assigned();
    let order = world.orders[0].clone();
    let executor = world.executors[order.executor].key();
    let reveal: Reveal = world.reveal_record(&order, "True");
    let formula = digest_parts(
        Domain::Ballot,
        &[
            order.statement.digest().as_bytes(),
            executor.as_bytes(),
            world.key.answer("True").as_bytes(),
            &800_000_u32.to_be_bytes(),
            &[7; 32],
        ],
    );
    assert_eq!(reveal.commitment(&executor), formula);
    assert_eq!(world.receipt_record(&order, "True").ballot, formula);
    assert_ne!(reveal.commitment(&world.coordinator.key()), formula);
    let elsewhere = ballot_commitment(
        &Digest::ZERO,
        &executor,
        &reveal.answer,
        reveal.confidence_ppm,
        &reveal.salt,
    );
    assert_ne!(elsewhere, formula);
}

#[test]
fn beacon_11_a_copied_beacon_blocks_no_bid_on_the_first() {
    let mut world = World::standard();
    world.open(1).announce(0);
    let copy = world.executors[1].sign(&world.beacon().record);
    assert_eq!(copy.digest(), world.beacon().digest(), "one payload");
    let mut record = world.bid_record(0);
    record.coordinator = world.executors[1].key();
    let bid = world.executors[0].issue(record, |issued| Body::BidIssued(issued, copy));
    world.take_bid(0);
    let fault = world
        .coordinator
        .try_push(Body::BidReceived(bid))
        .expect_err("a bid to somebody else");
    assert_eq!(fault.rule, symphony_protocol::Rule::BidUnexpected);
    assert_eq!(fault.peer, world.coordinator.key(), "not the bidder's");
}

/// The keys of an author's state.
fn keys(author: &mut Author) -> BTreeSet<Vec<u8>> {
    author.replay.state_mut().root();
    let map = author.replay.state().map();
    map.iter().map(|(key, _)| key.to_vec()).collect()
}

fn key(table: &str, rows: &[&[u8]]) -> Vec<u8> {
    [table.as_bytes(), &rows.concat()].concat()
}

#[test]
fn replay_2_a_coordinators_state_holds_exactly_these_keys() {
    let mut author = Author::new(1);
    let begun = BTreeSet::from([key("clock", &[]), key("counters", &[])]);
    assert_eq!(keys(&mut author), begun);

    let mut world = World::standard();
    world.until_assigned();
    let mut lasting = begun;
    lasting.insert(key("policy", &[]));
    for executor in &world.executors {
        lasting.insert(key("capability/", &[executor.key().as_bytes()]));
    }
    for order in &world.orders {
        let peer = world.executors[order.executor].key();
        lasting.insert(key("peer/", &[peer.as_bytes()]));
    }
    let mut open = lasting.clone();
    open.insert(key("task/", &[&world.task.to_be_bytes()]));
    open.insert(key("beacon/", &[&world.beacon_index().to_be_bytes()]));
    open.insert(key("name/", &[world.beacon().digest().as_bytes()]));
    for order in &world.orders {
        open.insert(key("name/", &[order.statement.digest().as_bytes()]));
    }
    assert_eq!(keys(&mut world.coordinator), open);

    world.pass(50);
    world.take_receipts("True").take_reveals("True");
    world.coordinator.decide();
    world.coordinator.decide();
    let bucket = digest_parts(Domain::Bucket, &[b"boolean"]);
    for order in &world.orders {
        let peer = world.executors[order.executor].key();
        lasting.insert(key("bucket/", &[bucket.as_bytes(), peer.as_bytes()]));
    }
    assert_eq!(keys(&mut world.coordinator), lasting);
}

#[test]
fn replay_2_an_executors_state_holds_exactly_these_keys() {
    let mut world = World::standard();
    world.until_assigned();
    let order = world.orders[0].clone();
    world.receipt(&order, "True");
    let beacon = world.beacon().digest();
    let executor = &mut world.executors[order.executor];
    let own = executor.key();
    let lasting = BTreeSet::from([
        key("clock", &[]),
        key("counters", &[]),
        key("capability/", &[own.as_bytes()]),
    ]);
    let coordinator = world.coordinator.key();
    let bid = |beacon: &Digest| key("bid/", &[coordinator.as_bytes(), beacon.as_bytes()]);
    let mut busy = lasting.clone();
    busy.insert(bid(&beacon));
    busy.insert(key("bid-queue/", &[&0_u64.to_be_bytes()]));
    busy.insert(key("assignment/", &[order.statement.digest().as_bytes()]));
    busy.insert(key("assignment-queue/", &[&0_u64.to_be_bytes()]));
    assert_eq!(keys(executor), busy);

    world.reveal(&order, "True");
    busy.remove(&key("assignment/", &[order.statement.digest().as_bytes()]));
    assert_eq!(
        keys(&mut world.executors[order.executor]),
        busy,
        "the assignment ends with its reveal"
    );
}

#[test]
fn replay_2_what_is_over_is_forgotten_by_the_next_of_its_kind() {
    let mut world = World::standard();
    for _ in 0..2 {
        world.until_assigned();
        let order = world.orders[0].clone();
        for executor in 0..world.executors.len() {
            if executor != order.executor {
                continue;
            }
            world.receipt(&order, "True");
        }
        world.coordinator.push(Body::Resumed);
        world.coordinator.decide();
        world.coordinator.decide();
        world.pass(u64::from(EXECUTE_MS) * 40);
    }
    for executor in &mut world.executors {
        let held = keys(executor);
        let rows = |table: &str| {
            held.iter()
                .filter(|key| key.starts_with(table.as_bytes()))
                .count()
        };
        assert_eq!(rows("bid/"), 1, "the first bid is forgotten");
        assert_eq!(rows("bid-queue/"), 1);
        assert!(rows("assignment/") <= 1, "and so is the first order");
        assert_eq!(rows("assignment/"), rows("assignment-queue/"));
    }
}

#[test]
fn cap_1_a_reader_takes_a_kibibyte_of_parameters() {
    let refused = Params::from_bytes(&[0x0a; 1_025]).unwrap_err();
    assert!(matches!(
        refused,
        symphony_protocol::records::RecordError::Canonical {
            source: CanonicalError::TooLarge {
                limit: 1_024,
                actual: 1_025
            },
            ..
        }
    ));
}
