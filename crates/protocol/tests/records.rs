//! Records survive the trip, and nothing else does: every truncation, trailing byte and random byte is refused without a panic.
//! Spec: BYTES-1, BYTES-2, CONV-10.
#![allow(clippy::unwrap_used, reason = "tests")]

mod kit;

use std::fmt::Debug;

use kit::{START_MS, World, acknowledge, capability, params};
use proptest::prelude::*;
use symphony_proto::log::v1 as wire;
use symphony_protocol::records::{
    Acknowledgement, AnswerCheck, Assignment, AssignmentPrivate, Beacon, Bid, Body, Call,
    Capability, CheckerVerdict, ENTRY_SIZE_MAX, Entry, Model, Opening, Origin, OwnBid, Params,
    Phase, Policy, Reach, Receipt, RecordError, RelayedBeacon, Reveal, RevealPrivate, Revocation,
    Signatures, StatementRecord, TaskKey, Timeout,
};
use symphony_protocol::state::Duty;
use symphony_transparency::{Digest, decode_canonical};

/// A value survives; its bytes with anything behind them do not, and cut anywhere they never give the same value. (Cut before
/// a last field they may be the canonical bytes of the value without it.)
fn round_trip<T: PartialEq + Debug>(
    value: &T,
    bytes: &[u8],
    parse: impl Fn(&[u8]) -> Result<T, RecordError>,
    encode: impl Fn(&T) -> Vec<u8>,
) {
    assert_eq!(&parse(bytes).expect("canonical bytes"), value);
    for length in 0..bytes.len() {
        if let Ok(shorter) = parse(&bytes[..length]) {
            assert_eq!(encode(&shorter), &bytes[..length]);
            assert_ne!(&shorter, value);
        }
    }
    for trailing in [&[0_u8][..], &[0xfa, 0x7f, 0x00], &[0x0a]] {
        assert!(
            parse(&[bytes, trailing].concat()).is_err(),
            "trailing bytes"
        );
    }
    assert!(parse(&vec![0x0a; 140_000]).is_err(), "oversized");
}

fn round_trip_statement<R: StatementRecord + PartialEq + Debug>(record: &R) {
    round_trip(record, &record.write(), R::read, R::write);
}

fn world() -> World {
    let mut world = World::standard();
    world.until_assigned();
    world
}

fn full_capability() -> Capability {
    Capability {
        models: vec![
            Model {
                name: "a".to_owned(),
                digest: Digest::ZERO,
                context_tokens: 128,
            },
            Model {
                name: "b".to_owned(),
                digest: Digest::from_bytes([1; 32]),
                context_tokens: u32::MAX,
            },
        ],
        tags: vec!["a".to_owned(), "b-1".to_owned()],
        price_microunits: u64::MAX,
        ..capability(
            Origin {
                log: Digest::from_bytes([3; 32]),
                index: u64::MAX,
            },
            7,
        )
    }
}

#[test]
fn bytes_1_statements_survive_and_nothing_near_them_does() {
    let world = world();
    let order = world.orders[0].clone();
    let mut beacon = world.beacon().record.clone();
    beacon.own_bid = Some(OwnBid {
        capability: 3,
        match_ppm: 1,
        load_ppm: 1_000_000,
        queue: 4,
    });
    round_trip_statement::<Capability>(&full_capability());
    round_trip_statement::<Revocation>(&Revocation {
        origin: beacon.origin,
        sequence: 9,
    });
    round_trip_statement::<Beacon>(&beacon);
    beacon.own_bid = None;
    beacon.asked.clear();
    beacon.reach = Reach::Gossip;
    beacon.hop_limit = 16;
    beacon.hop_anchor = Some(Digest::ZERO);
    round_trip_statement::<Beacon>(&beacon);
    round_trip_statement::<Bid>(&world.bid_record(0));
    round_trip_statement::<Assignment>(&order.statement.record);
    round_trip_statement::<Receipt>(&world.receipt_record(&order, "True"));
    round_trip_statement::<Reveal>(&world.reveal_record(&order, "True"));
    let mut chance = World::new(4, Policy::random_top());
    chance.open(1).announce(0).take_bids().close();
    round_trip_statement::<Beacon>(&chance.beacon().record);
    round_trip_statement::<Bid>(&chance.bid_record(0));
    round_trip_statement::<Call>(&chance.call_record());
    round_trip_statement::<Opening>(&chance.opening_record(0));
    round_trip_statement::<Acknowledgement>(
        &acknowledge(&world.coordinator, 4, Digest::ZERO).record,
    );
}

#[test]
fn net_68_a_relayed_beacon_survives_and_nothing_near_it_does() {
    let relayed = RelayedBeacon {
        statement: vec![7; 300],
        token: Digest::from_bytes([1; 32]),
        relay: World::standard().coordinator.key(),
    };
    round_trip(
        &relayed,
        &relayed.encode(),
        RelayedBeacon::parse,
        RelayedBeacon::encode,
    );
    for size in [0, 4_609] {
        let statement = vec![7; size];
        let refused = RelayedBeacon {
            statement,
            ..relayed.clone()
        }
        .encode();
        assert!(RelayedBeacon::parse(&refused).is_err(), "{size} bytes");
    }
    let statement = vec![7; 4_608];
    assert!(
        RelayedBeacon::parse(
            &RelayedBeacon {
                statement,
                ..relayed
            }
            .encode()
        )
        .is_ok()
    );
}

#[test]
fn bytes_1_private_parts_and_params_survive_and_nothing_near_them_does() {
    let assignment = AssignmentPrivate {
        task_key: TaskKey::from_bytes([5; 32]),
        prompt: "not True".to_owned(),
    };
    round_trip(
        &assignment,
        &assignment.encode(),
        AssignmentPrivate::parse,
        AssignmentPrivate::encode,
    );
    let reveal = RevealPrivate {
        answer: "True".to_owned(),
        output: "Answer: True".to_owned(),
    };
    round_trip(
        &reveal,
        &reveal.encode(),
        RevealPrivate::parse,
        RevealPrivate::encode,
    );
    let params = params();
    round_trip(
        &params,
        &params.to_bytes(),
        Params::from_bytes,
        Params::to_bytes,
    );
}

/// One entry of every kind that a whole history has.
fn entries() -> Vec<Vec<u8>> {
    let mut world = World::standard();
    world.whole_task();
    world.until_assigned();
    let beacon = world.beacon_index();
    world.pass(kit::EXECUTE_MS.into());
    for slot in [0, 1] {
        world.coordinator.push(Body::Timeout(Timeout {
            beacon,
            phase: Phase::Receipt(slot),
        }));
        if matches!(
            world.coordinator.replay.state().duty(),
            Some(Duty::Replace(..))
        ) {
            world.coordinator.decide();
            world.assign();
        }
    }
    world.coordinator.push(Body::Resumed);
    let mut chance = World::new(4, Policy::random_top());
    chance.until_assigned();
    [world, chance]
        .into_iter()
        .flat_map(|world| std::iter::once(world.coordinator).chain(world.executors))
        .flat_map(|author| author.entries)
        .collect()
}

#[test]
fn log_5_entries_survive_and_no_truncation_does() {
    let network = params().network_id();
    let mut kinds = std::collections::BTreeSet::new();
    for bytes in entries() {
        let entry = Entry::parse(&bytes, Some(&network)).expect("an entry");
        assert_eq!(entry.encode(), bytes);
        if !kinds.insert(entry.body.name()) {
            continue;
        }
        for length in 0..bytes.len() {
            if let Ok(shorter) = Entry::parse(&bytes[..length], Some(&network)) {
                assert_eq!(shorter.encode(), &bytes[..length]);
                assert_ne!(shorter, entry);
            }
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(Entry::parse(&longer, Some(&network)).is_err());
        let refused = Entry::parse(&bytes, None);
        assert_eq!(
            refused.is_ok(),
            entry.body.name() == "genesis",
            "only entry 0 is read without a network"
        );
    }
    assert!(kinds.len() >= 21, "kinds seen: {kinds:?}");
}

#[test]
fn log_5_an_entry_that_is_too_large_is_refused_before_it_is_decoded() {
    assert!(Entry::parse(&vec![0x0a; 1 << 20], Some(&params().network_id())).is_err());
}

#[test]
fn log_26_a_statement_of_another_network_is_refused() {
    let world = world();
    let bytes = world.coordinator.entries.last().unwrap().clone();
    assert!(
        Entry::parse(&bytes, Some(&Digest::ZERO)).is_ok(),
        "own statements name no network"
    );
    let bid = world.coordinator.entries[world.beacon_index() as usize + 1].clone();
    assert!(Entry::parse(&bid, Some(&Digest::ZERO)).is_err());
}

/// Spec: BEACON-1, CAP-3, EXEC-10.
#[test]
fn conv_10_ranges_are_kept() {
    let world = world();
    let order = world.orders[0].clone();
    let refused = |result: Result<(), RecordError>| match result {
        Err(RecordError::Field { expected, .. }) => expected.to_owned(),
        other => panic!("{other:?}"),
    };
    let read = |record: &Beacon| Beacon::read(&record.write()).map(drop);
    let good = world.beacon().record.clone();
    let with = |change: fn(&mut Beacon)| {
        let mut beacon = good.clone();
        change(&mut beacon);
        refused(read(&beacon))
    };
    assert!(with(|beacon| beacon.executors = 17).contains("16 executors"));
    assert!(
        with(|beacon| beacon.executors = beacon.shortlist + 1).contains("at most the shortlist")
    );
    assert!(with(|beacon| beacon.shortlist = 33).contains("32 candidates"));
    assert!(with(|beacon| beacon.hop_limit = 17).contains("16 hops"));
    assert!(with(|beacon| beacon.execute_ms = 0).contains("ms"));
    assert!(with(|beacon| beacon.close_bids = 0).contains("bids"));
    assert!(with(|beacon| beacon.asked.reverse()).contains("sorted"));
    assert!(with(|beacon| beacon.tags = vec!["Boolean".to_owned()]).contains("a-z"));
    assert!(
        with(|beacon| beacon.tags = (0..9).map(|tag| tag.to_string()).collect()).contains("count")
    );
    let mut reveal = world.reveal_record(&order, "True");
    reveal.confidence_ppm = 1_000_001;
    assert!(refused(Reveal::read(&reveal.write()).map(drop)).contains("parts per million"));
    let mut short = capability(reveal.origin, 1);
    short.valid_from_ms = START_MS;
    short.valid_until_ms = START_MS;
    assert!(refused(Capability::read(&short.write()).map(drop)).contains("after valid_from_ms"));
}

proptest! {
    #[test]
    fn log_5_random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let network = params().network_id();
        let _ = Entry::parse(&bytes, Some(&network));
        let _ = Entry::parse(&bytes, None);
        let _ = Capability::parse(&bytes);
        let _ = Revocation::parse(&bytes);
        let _ = Beacon::parse(&bytes);
        let _ = Bid::parse(&bytes);
        let _ = Assignment::parse(&bytes);
        let _ = Receipt::parse(&bytes);
        let _ = Reveal::parse(&bytes);
        let _ = Acknowledgement::parse(&bytes);
        let _ = AssignmentPrivate::parse(&bytes);
        let _ = RelayedBeacon::parse(&bytes);
        let _ = RevealPrivate::parse(&bytes);
        let _ = Params::from_bytes(&bytes);
    }

    #[test]
    fn log_5_mutated_entries_never_panic_and_what_parses_is_canonical(
        which in any::<proptest::sample::Index>(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
        cut in proptest::option::of(any::<proptest::sample::Index>()),
    ) {
        static ENTRIES: std::sync::LazyLock<Vec<Vec<u8>>> = std::sync::LazyLock::new(entries);
        let mut bytes = ENTRIES[which.index(ENTRIES.len())].clone();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(entry) = Entry::parse(&bytes, Some(&params().network_id())) {
            prop_assert_eq!(entry.encode(), bytes);
        }
    }
}

#[test]
fn exec_15_a_check_that_nobody_knows_is_refused() {
    let mut world = World::standard();
    world.until_assigned().take_receipts("True");
    let order = world.orders[0].clone();
    let reveal = world.reveal(&order, "True");
    for check in [
        AnswerCheck::Parses,
        AnswerCheck::Unparsable,
        AnswerCheck::Withheld,
    ] {
        let entry = world.coordinator.entry(Body::RevealReceived(
            reveal.clone(),
            check,
            CheckerVerdict::Unchecked,
        ));
        let again = Entry::parse(&entry.encode(), Some(&params().network_id())).unwrap();
        assert_eq!(again, entry);
    }
    let policy = Policy {
        checker_ppm: 500_000,
        ..Policy::shared()
    };
    assert_ne!(policy.digest(), Policy::shared().digest());
}

/// What decoding and encoding again says of an entry's form is what the reader of entries says of it.
fn same_form(bytes: &[u8]) {
    let network = params().network_id();
    let decoded = decode_canonical::<wire::Entry>(bytes, ENTRY_SIZE_MAX);
    let read = Entry::parse_with(bytes, Some(&network), Signatures::AssumeVerified);
    let refused = match &read {
        Err(RecordError::Canonical {
            record: "Entry",
            source,
        }) => Some(source),
        _ => None,
    };
    assert_eq!(refused, decoded.as_ref().err(), "{bytes:02x?}");
    if let Ok(entry) = read {
        assert_eq!(entry.encode(), bytes);
    }
}

#[test]
fn bytes_1_entries_are_read_in_place_exactly_where_encoding_again_gives_them() {
    let mut kinds = std::collections::BTreeSet::new();
    let network = params().network_id();
    for bytes in entries() {
        same_form(&bytes);
        let entry = Entry::parse(&bytes, Some(&network)).unwrap();
        if !kinds.insert(entry.body.name()) {
            continue;
        }
        for place in 0..bytes.len() {
            for byte in [
                0x00,
                0x01,
                0x7f,
                0x80,
                bytes[place] ^ 0x80,
                bytes[place].wrapping_add(8),
            ] {
                let mut changed = bytes.clone();
                changed[place] = byte;
                same_form(&changed);
                changed.insert(place, byte);
                same_form(&changed);
            }
            let mut shorter = bytes.clone();
            shorter.remove(place);
            same_form(&shorter);
        }
    }
    assert!(kinds.len() > 10, "{kinds:?}");
}

proptest! {
    #[test]
    fn bytes_1_mutated_entries_are_read_as_they_would_be_encoded_again(
        number in any::<prop::sample::Index>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0..3_u8, any::<u8>()), 1..6),
    ) {
        thread_local! {
            static ENTRIES: Vec<Vec<u8>> = entries();
        }
        let mut bytes = ENTRIES.with(|entries| number.get(entries).clone());
        for (place, way, byte) in changes {
            let place = place.index(bytes.len() + 1);
            match way {
                0 => bytes.insert(place, byte),
                1 if place < bytes.len() => bytes[place] = byte,
                _ => {
                    let from = place.min(usize::from(byte));
                    let copy = bytes[from..place].to_vec();
                    bytes.splice(place..place, copy);
                }
            }
        }
        same_form(&bytes);
    }
}
