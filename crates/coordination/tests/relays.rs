//! Passing gossiped beacons on. Spec: BEACON-14, BEACON-15.

use symphony_coordination::{Hearing, Relays};
use symphony_protocol::{
    embedding::Embedding,
    records::{AnswerForm, Beacon, HopChain, Origin, Reach, Received, hop_anchor, next_hop},
};
use symphony_transparency::{Digest, SecretKey, StatementKind, sign_statement};

const DEADLINE_MS: u64 = 1_000;

/// A beacon of author `author` at index `index`, with the token of its first hop.
fn beacon(author: u8, index: u64, hop_limit: u32) -> (Received<Beacon>, Digest) {
    let seed = Digest::from_bytes([author; 32]);
    let record = Beacon {
        origin: Origin {
            log: Digest::ZERO,
            index,
        },
        task: 0,
        plan: 0,
        step: 0,
        tags: vec!["logic".to_owned()],
        embedding: Embedding::of_text("logic"),
        form: AnswerForm::Boolean,
        close_bids: 3,
        close_deadline_ms: DEADLINE_MS + index,
        execute_ms: 1_000,
        reveal_ms: 1_000,
        reach: Reach::Gossip,
        hop_limit,
        hop_anchor: hop_anchor(&seed, hop_limit),
        asked: Vec::new(),
        shortlist: 3,
        executors: 1,
        policy: Digest::ZERO,
        own_bid: None,
        secret_commitment: None,
    };
    let secret = SecretKey::from_bytes([author; 32]);
    let statement = sign_statement(
        &secret,
        &Digest::ZERO,
        StatementKind::Beacon,
        record.encode(),
    );
    let received = Received::from_statement(statement).expect("a beacon");
    (received, seed)
}

/// Tokens of the hops, from the first.
fn tokens(seed: Digest) -> impl Iterator<Item = Digest> {
    std::iter::successors(Some(seed), |token| Some(next_hop(token)))
}

#[test]
fn beacon_14_each_token_is_of_one_hop_and_the_anchor_of_none() {
    let (beacon, seed) = beacon(1, 5, 4);
    let hops: Vec<Option<u32>> = tokens(seed)
        .take(6)
        .map(|token| HopChain::of(&beacon.record)?.hop(&token))
        .collect();
    assert_eq!(hops, [Some(1), Some(2), Some(3), Some(4), None, None]);
    assert_eq!(
        tokens(seed).nth(4),
        beacon.record.hop_anchor,
        "who knows the beacon alone can pass nothing on"
    );
    assert_eq!(hop_anchor(&seed, 0), None);
}

#[test]
fn beacon_15_a_forged_token_is_no_token() {
    let mut relays = Relays::default();
    let (beacon, seed) = beacon(1, 5, 3);
    let anchor = beacon.record.hop_anchor.expect("three hops");
    for forged in [
        anchor,
        next_hop(&anchor),
        Digest::ZERO,
        Digest::from_bytes([9; 32]),
    ] {
        assert_eq!(relays.hear(&beacon, &forged, 0), Hearing::Forged);
    }
    let without = beacon_without_anchor();
    assert_eq!(relays.hear(&without, &seed, 0), Hearing::Forged);
}

fn beacon_without_anchor() -> Received<Beacon> {
    beacon(1, 5, 0).0
}

#[test]
fn beacon_15_the_last_hop_passes_nothing_on() {
    let (beacon, seed) = beacon(1, 5, 3);
    for (hop, token) in (1..=3).zip(tokens(seed)) {
        let expected = Hearing::Heard {
            first: true,
            hop,
            next: (hop < 3).then(|| next_hop(&token)),
        };
        assert_eq!(Relays::default().hear(&beacon, &token, 0), expected);
    }
}

/// A copy over the longer way came first: what was passed on for it would not go as far as the author allows.
#[test]
fn beacon_15_a_copy_over_fewer_hops_is_passed_on_again() {
    let mut relays = Relays::default();
    let (beacon, seed) = beacon(1, 5, 4);
    let tokens: Vec<Digest> = tokens(seed).take(4).collect();
    let hear = |relays: &mut Relays, hop: usize| relays.hear(&beacon, &tokens[hop - 1], 0);
    assert!(matches!(
        hear(&mut relays, 3),
        Hearing::Heard {
            first: true,
            hop: 3,
            ..
        }
    ));
    assert_eq!(hear(&mut relays, 3), Hearing::Known);
    assert_eq!(hear(&mut relays, 4), Hearing::Known);
    let again = Hearing::Heard {
        first: false,
        hop: 2,
        next: Some(tokens[2]),
    };
    assert_eq!(hear(&mut relays, 2), again);
    assert_eq!(hear(&mut relays, 2), Hearing::Known);
}

#[test]
fn beacon_15_a_copy_that_another_peer_signed_is_another_beacon() {
    let mut relays = Relays::default();
    let (beacon, seed) = beacon(1, 5, 2);
    let secret = SecretKey::from_bytes([2; 32]);
    let copied = sign_statement(
        &secret,
        &Digest::ZERO,
        StatementKind::Beacon,
        beacon.record.encode(),
    );
    let copied = Received::from_statement(copied).expect("a beacon");
    assert!(matches!(
        relays.hear(&copied, &seed, 0),
        Hearing::Heard { .. }
    ));
    assert!(matches!(
        relays.hear(&beacon, &seed, 0),
        Hearing::Heard { .. }
    ));
}

#[test]
fn net_68_memory_is_bounded_and_forgets_what_ends_first() {
    let mut relays = Relays::default();
    let (first, seed) = beacon(1, 0, 2);
    assert!(matches!(
        relays.hear(&first, &seed, 0),
        Hearing::Heard { .. }
    ));
    for index in 1..=4_096 {
        let (other, seed) = beacon(1, index, 2);
        assert!(matches!(
            relays.hear(&other, &seed, 0),
            Hearing::Heard { .. }
        ));
    }
    assert!(
        matches!(relays.hear(&first, &seed, 0), Hearing::Heard { .. }),
        "the first one ended first, and was forgotten"
    );
    let (last, seed) = beacon(1, 4_096, 2);
    assert_eq!(relays.hear(&last, &seed, 0), Hearing::Known);
}
