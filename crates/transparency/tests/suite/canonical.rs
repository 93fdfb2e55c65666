//! Chapter 02: one encoding for each value.

use proptest::prelude::*;
use symphony_proto::statement::v1::Statement;
use symphony_proto::{log::v1 as log, state::v1 as state, statement::v1 as statement};
use symphony_transparency::{
    CanonicalError,
    canonical::{View, Writer, read_canonical},
    decode_canonical, encode, f64_from_field, f64_to_field,
};

fn envelope() -> Statement {
    Statement {
        network_id: vec![1; 32],
        r#type: 4,
        author: vec![2; 32],
        payload: b"payload".to_vec(),
        signature: vec![3; 64],
    }
}

#[test]
fn bytes_1_what_was_encoded_decodes() {
    let bytes = encode(&envelope());
    assert_eq!(decode_canonical(&bytes, bytes.len()), Ok(envelope()));
    assert_eq!(decode_canonical(&[], 0), Ok(Statement::default()));
}

#[test]
fn bytes_1_each_truncation_gives_another_message_or_none() {
    let bytes = encode(&envelope());
    for length in 0..bytes.len() {
        if let Ok(shorter) = decode_canonical::<Statement>(&bytes[..length], 1024) {
            assert_ne!(shorter, envelope(), "truncated to {length} bytes");
        }
    }
}

#[test]
fn bytes_1_a_trailing_byte_is_refused() {
    let bytes = encode(&envelope());
    for last in 0..=u8::MAX {
        let mut longer = bytes.clone();
        longer.push(last);
        assert!(
            decode_canonical::<Statement>(&longer, 1024).is_err(),
            "{last:#04x}"
        );
    }
}

#[test]
fn bytes_1_fields_in_another_order_are_refused() {
    let mut bytes = encode(&envelope());
    // Field 1 has a tag, a length and 32 bytes; field 2 behind it a tag and one byte.
    bytes[..36].rotate_left(34);
    assert_eq!(
        decode_canonical::<Statement>(&bytes, 1024),
        Err(CanonicalError::NotCanonical { offset: 0 })
    );
}

#[test]
fn bytes_1_an_unknown_field_is_refused() {
    let mut bytes = encode(&envelope());
    let length = bytes.len();
    bytes.extend_from_slice(&[0x30, 0x01]);
    assert_eq!(
        decode_canonical::<Statement>(&bytes, 1024),
        Err(CanonicalError::NotCanonical { offset: length })
    );
}

#[test]
fn bytes_2_size_is_checked_before_anything_is_decoded() {
    let garbage = [0xff; 100];
    assert_eq!(
        decode_canonical::<Statement>(&garbage, 99),
        Err(CanonicalError::TooLarge {
            limit: 99,
            actual: 100
        })
    );
    assert!(matches!(
        decode_canonical::<Statement>(&garbage, 100),
        Err(CanonicalError::Malformed(_))
    ));
}

#[test]
fn bytes_7_negative_zero_is_written_as_zero() {
    assert_eq!(f64_to_field(-0.0), [0; 8]);
}

#[test]
fn bytes_7_a_number_that_is_not_finite_is_refused_by_every_reader() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(matches!(
            f64_from_field(&f64_to_field(number)),
            Err(CanonicalError::NumberNotFinite { .. })
        ));
    }
}

proptest! {
    /// Spec: BYTES-1: whatever is accepted is exactly what its value encodes to.
    #[test]
    fn bytes_1_accepted_bytes_are_the_only_ones(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(message) = decode_canonical::<Statement>(&bytes, 64) {
            prop_assert_eq!(encode(&message), bytes);
        }
    }

    /// Spec: BYTES-1, BYTES-3.
    #[test]
    fn bytes_1_every_message_round_trips(
        network_id in proptest::collection::vec(any::<u8>(), 0..40),
        number in any::<i32>(),
        payload in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let message = Statement { network_id, r#type: number, payload, ..Statement::default() };
        let bytes = encode(&message);
        prop_assert_eq!(decode_canonical(&bytes, bytes.len()), Ok(message));
    }

    /// Spec: BYTES-6, BYTES-7.
    #[test]
    fn bytes_6_every_finite_number_round_trips(number in any::<f64>()) {
        let field = f64_to_field(number);
        prop_assert_eq!(field.len(), 8);
        if number.is_finite() {
            prop_assert_eq!(f64_from_field(&field), Ok(number));
        } else {
            prop_assert!(f64_from_field(&field).is_err());
        }
    }
}

symphony_transparency::canonical_views! {
    Skills<'a> of statement::Capability {
        origin: Option<Place<'a>> = 1,
        sequence: u64 = 2,
        tags: Vec<&'a str> = 3,
        embedding: &'a [u8] = 4,
        models: Vec<Named<'a>> = 5,
        price_microunits: u64 = 6,
        parallel_max: u32 = 7,
        valid_from_ms: u64 = 8,
        valid_until_ms: u64 = 9,
    }

    Place<'a> of statement::Origin {
        log_id: &'a [u8] = 1,
        index: u64 = 2,
    }

    Named<'a> of statement::Model {
        name: &'a str = 1,
        digest: &'a [u8] = 2,
        context_tokens: u32 = 3,
    }

    Announced<'a> of statement::Beacon {
        origin: Option<Place<'a>> = 1,
        task: u64 = 2,
        plan: u32 = 3,
        step: u32 = 4,
        tags: Vec<&'a str> = 5,
        embedding: &'a [u8] = 6,
        form: i32 = 7,
        close_bids: u32 = 8,
        close_deadline_ms: u64 = 9,
        execute_ms: u32 = 10,
        reveal_ms: u32 = 11,
        reach: i32 = 12,
        hop_limit: u32 = 13,
        asked: Vec<&'a [u8]> = 14,
        shortlist: u32 = 15,
        executors: u32 = 16,
        policy: &'a [u8] = 17,
        own_bid: Option<Own> = 18,
        secret_commitment: &'a [u8] = 19,
        hop_anchor: &'a [u8] = 20,
    }

    Own of statement::OwnBid {
        capability: u64 = 1,
        match_ppm: u32 = 2,
        load_ppm: u32 = 3,
        queue: u32 = 4,
    }

    Opened<'a> of log::TaskOpened {
        key_commitment: &'a [u8] = 1,
        plan_steps: Vec<u32> = 2,
    }

    Known<'a> of state::CapabilityState {
        entry: u64 = 1,
        sequence: u64 = 2,
        statement: &'a [u8] = 3,
        revoked: bool = 4,
    }
}

fn place(place: &Place<'_>) -> statement::Origin {
    statement::Origin {
        log_id: place.log_id.to_vec(),
        index: place.index,
    }
}

fn skills(view: &Skills<'_>) -> statement::Capability {
    statement::Capability {
        origin: view.origin.as_ref().map(place),
        sequence: view.sequence,
        tags: view.tags.iter().map(|tag| (*tag).to_owned()).collect(),
        embedding: view.embedding.to_vec(),
        models: view
            .models
            .iter()
            .map(|model| statement::Model {
                name: model.name.to_owned(),
                digest: model.digest.to_vec(),
                context_tokens: model.context_tokens,
            })
            .collect(),
        price_microunits: view.price_microunits,
        parallel_max: view.parallel_max,
        valid_from_ms: view.valid_from_ms,
        valid_until_ms: view.valid_until_ms,
    }
}

fn announced(view: &Announced<'_>) -> statement::Beacon {
    statement::Beacon {
        origin: view.origin.as_ref().map(place),
        task: view.task,
        plan: view.plan,
        step: view.step,
        tags: view.tags.iter().map(|tag| (*tag).to_owned()).collect(),
        embedding: view.embedding.to_vec(),
        form: view.form,
        close_bids: view.close_bids,
        close_deadline_ms: view.close_deadline_ms,
        execute_ms: view.execute_ms,
        reveal_ms: view.reveal_ms,
        reach: view.reach,
        hop_limit: view.hop_limit,
        asked: view.asked.iter().map(|key| key.to_vec()).collect(),
        shortlist: view.shortlist,
        executors: view.executors,
        policy: view.policy.to_vec(),
        own_bid: view.own_bid.as_ref().map(|own| statement::OwnBid {
            capability: own.capability,
            match_ppm: own.match_ppm,
            load_ppm: own.load_ppm,
            queue: own.queue,
        }),
        secret_commitment: view.secret_commitment.to_vec(),
        hop_anchor: view.hop_anchor.to_vec(),
    }
}

fn opened(view: &Opened<'_>) -> log::TaskOpened {
    log::TaskOpened {
        key_commitment: view.key_commitment.to_vec(),
        plan_steps: view.plan_steps.clone(),
    }
}

fn known(view: &Known<'_>) -> state::CapabilityState {
    state::CapabilityState {
        entry: view.entry,
        sequence: view.sequence,
        statement: view.statement.to_vec(),
        revoked: view.revoked,
    }
}

/// Both readers say the same of all bytes: the same message, or the same error.
fn agree<'a, V: View<'a>>(bytes: &'a [u8], message: impl Fn(&V) -> V::Message)
where
    V::Message: PartialEq + std::fmt::Debug,
{
    let decoded = decode_canonical::<V::Message>(bytes, 4096);
    let read = read_canonical::<V>(bytes, 4096).map(|view| message(&view));
    assert_eq!(read, decoded, "{bytes:02x?}");
}

fn agree_on_all(bytes: &[u8]) {
    agree(bytes, skills);
    agree(bytes, announced);
    agree(bytes, opened);
    agree(bytes, known);
}

/// Messages with every field, with none, and with some, whose numbers need from one to ten bytes.
fn messages() -> Vec<Vec<u8>> {
    let origin = |index| {
        Some(statement::Origin {
            log_id: vec![7; 32],
            index,
        })
    };
    let model = |name: &str, context_tokens| statement::Model {
        name: name.to_owned(),
        digest: vec![9; 32],
        context_tokens,
    };
    let mut messages = Vec::new();
    for number in [0, 1, 127, 128, 300, 65_535, u32::MAX] {
        let long = u64::from(number) << 32 | u64::from(number);
        messages.push(encode(&statement::Capability {
            origin: origin(long),
            sequence: long,
            tags: vec!["boolean".to_owned(), String::new(), "größer".to_owned()],
            embedding: vec![1; 128],
            models: vec![model("a", number), model("", 0)],
            price_microunits: long,
            parallel_max: number,
            valid_from_ms: 1,
            valid_until_ms: long,
        }));
        messages.push(encode(&statement::Beacon {
            origin: Some(statement::Origin::default()),
            task: long,
            tags: vec!["a".to_owned()],
            form: number.cast_signed(),
            close_bids: number,
            reach: -1,
            asked: vec![vec![1; 32], Vec::new(), vec![2; 32]],
            executors: number,
            policy: vec![3; 32],
            own_bid: Some(statement::OwnBid {
                queue: number,
                ..Default::default()
            }),
            ..Default::default()
        }));
        messages.push(encode(&log::TaskOpened {
            key_commitment: vec![3; 32],
            plan_steps: vec![number, 0, 5],
        }));
        messages.push(encode(&state::CapabilityState {
            entry: long,
            sequence: 1,
            statement: vec![4; 32],
            revoked: number % 2 == 1,
        }));
    }
    messages.push(Vec::new());
    messages
}

#[test]
fn bytes_1_both_readers_agree_on_every_change_of_one_byte() {
    for message in messages() {
        agree_on_all(&message);
        for place in 0..message.len() {
            agree_on_all(&message[..place]);
            let mut without = message.clone();
            without.remove(place);
            agree_on_all(&without);
            for byte in [
                0x00,
                0x01,
                0x08,
                0x0a,
                0x7f,
                0x80,
                0x82,
                0xff,
                message[place] ^ 0x80,
                message[place].wrapping_add(8),
            ] {
                let mut changed = message.clone();
                changed[place] = byte;
                agree_on_all(&changed);
                let mut longer = message.clone();
                longer.insert(place, byte);
                agree_on_all(&longer);
            }
        }
    }
}

#[test]
fn bytes_3_a_varint_has_one_length() {
    let padded: [&[u8]; 6] = [
        &[0x10, 0x00],
        &[0x10, 0x81, 0x00],
        &[
            0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00,
        ],
        &[
            0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02,
        ],
        &[0x90, 0x00, 0x01],
        &[0x3a, 0x00],
    ];
    for bytes in padded {
        agree_on_all(bytes);
        assert!(
            read_canonical::<Skills<'_>>(bytes, 64).is_err(),
            "{bytes:02x?}"
        );
    }
    let longest = [
        0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
    ];
    agree_on_all(&longest);
    assert_eq!(
        read_canonical::<Skills<'_>>(&longest, 64).unwrap().sequence,
        u64::MAX
    );
}

proptest! {
    /// Spec: BYTES-1.
    #[test]
    fn bytes_1_both_readers_agree_on_random_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..48)) {
        agree_on_all(&bytes);
    }

    /// Spec: BYTES-1: whatever is changed of a canonical message, or put together from two.
    #[test]
    fn bytes_1_both_readers_agree_on_mutated_messages(
        number in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0..4_u8, any::<u8>()), 1..5),
    ) {
        let messages = messages();
        let other = other.get(&messages);
        let mut bytes = number.get(&messages).clone();
        for (place, way, byte) in changes {
            let place = place.index(bytes.len() + 1);
            match way {
                0 => bytes.insert(place, byte),
                1 if place < bytes.len() => bytes[place] = byte,
                2 if place < bytes.len() => drop(bytes.remove(place)),
                _ => {
                    let from = usize::from(byte) % (other.len() + 1);
                    bytes.extend_from_slice(&other[from..]);
                }
            }
        }
        agree_on_all(&bytes);
    }
}

proptest! {
    #[test]
    fn bytes_3_what_is_written_by_fields_is_what_the_message_encodes_to(
        counts in proptest::collection::vec(any::<u64>(), 0..40),
        small in 0_u32..3,
        flag in any::<bool>(),
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        number in proptest::num::f64::ANY,
        plans in proptest::collection::vec((any::<u32>(), proptest::collection::vec(any::<u8>(), 0..20_000)), 0..3),
        late in any::<u64>(),
    ) {
        let clock = state::Clock {
            entries: counts.first().copied().unwrap_or(0),
            duty: small,
            resuming: flag,
            open_tasks: counts.clone(),
            ..Default::default()
        };
        let mut written = Vec::new();
        Writer::new(&mut written)
            .count(1, clock.entries)
            .count(3, small)
            .flag(6, flag)
            .counts(7, counts);
        prop_assert_eq!(written, encode(&clock));
        let plan = |(steps, answer): &(u32, Vec<u8>)| state::PlanState {
            steps: *steps,
            score_sum: f64_to_field(number),
            answer: answer.clone(),
            ..Default::default()
        };
        let task = state::TaskState {
            key_commitment: bytes.clone(),
            plans: plans.iter().map(plan).collect(),
        };
        let mut written = b"before".to_vec();
        let mut writer = Writer::new(&mut written);
        writer.bytes(1, &bytes);
        for (steps, answer) in &plans {
            writer.message(2, |writer| {
                writer
                    .count(1, *steps)
                    .number(5, number)
                    .bytes(6, answer);
            });
        }
        prop_assert_eq!(&written, &[b"before".as_slice(), &encode(&task)].concat());
        let linear = state::LinearState {
            matrix: [number, 0.0].into_iter().flat_map(f64_to_field).collect(),
            ..Default::default()
        };
        let policy = state::PolicyState {
            since: late,
            shared: Some(state::LinearState::default()),
            ..Default::default()
        };
        let step = state::BeaconState {
            openings_due_ms: late,
            seed: bytes.clone(),
            ..Default::default()
        };
        let mut written = Vec::new();
        Writer::new(&mut written)
            .numbers(4, &[number, -0.0])
            .numbers(5, &[])
            .count(2, late)
            .encoded(5, &[])
            .count(20, late)
            .optional_bytes(21, Some(&bytes))
            .optional_bytes(22, None);
        let expected = [encode(&linear), encode(&policy), encode(&step)].concat();
        prop_assert_eq!(written, expected);
    }
}
