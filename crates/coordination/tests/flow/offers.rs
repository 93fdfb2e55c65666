//! What an executor makes of beacons and assignments of peers that it does not know. Spec: BEACON-9, EXEC-4.

use symphony_coordination::{Effect, Event, Output};
use symphony_protocol::{
    embedding::Embedding,
    records::{
        AnswerForm, Assignment, AssignmentPrivate, Beacon, Body, Call, Origin, Params, Reach,
        StatementRecord, TaskKey,
    },
};
use symphony_transparency::{
    Digest, PublicKey, SecretKey, VerifiedStatement, payload_digest, sign_statement,
};

use crate::world::{Model, World, params};

const EXECUTOR: usize = 1;
const EXECUTE_MS: u32 = 400;
/// Exposed peers that a peer remembers.
const EXPOSED_MAX: u32 = 16_384;
const PROMPT: &str = "2 + 3";

/// A peer that nobody knows.
struct Stranger(SecretKey);

impl Stranger {
    fn new(seed: u8) -> Self {
        Self(SecretKey::from_bytes([seed; 32]))
    }

    fn sign<R: StatementRecord>(&self, record: &R) -> VerifiedStatement {
        sign_statement(&self.0, &params().network_id(), R::KIND, record.write())
    }
}

fn beacon(close_deadline_ms: u64) -> Beacon {
    Beacon {
        origin: Origin {
            log: Digest::from_bytes([5; 32]),
            index: 7,
        },
        task: 0,
        plan: 0,
        step: 0,
        tags: vec!["sums".to_owned()],
        embedding: Embedding::of_text("sums"),
        form: AnswerForm::Integer,
        close_bids: 1,
        close_deadline_ms,
        execute_ms: EXECUTE_MS,
        reveal_ms: 200,
        reach: Reach::Gossip,
        hop_limit: 0,
        hop_anchor: None,
        asked: Vec::new(),
        shortlist: 1,
        executors: 1,
        policy: Digest::ZERO,
        own_bid: None,
        secret_commitment: None,
    }
}

fn key() -> TaskKey {
    TaskKey::from_bytes([3; 32])
}

fn assignment(world: &World, beacon: &Beacon, execute_ms: u32) -> Assignment {
    Assignment {
        origin: Origin {
            index: 9,
            ..beacon.origin
        },
        beacon: payload_digest(Beacon::KIND, &beacon.write()),
        slot: 0,
        executor: world.peers[EXECUTOR].author(),
        prompt: key().prompt(PROMPT),
        key_commitment: key().commitment(),
        execute_ms,
        reveal_ms: beacon.reveal_ms,
    }
}

fn order(world: &mut World, stranger: &Stranger, assignment: &Assignment) -> Output {
    let private = AssignmentPrivate {
        task_key: key(),
        prompt: PROMPT.to_owned(),
    };
    world.hear(EXECUTOR, stranger.sign(assignment), private.encode())
}

/// Names of the entries that were written.
fn entries(output: &Output) -> Vec<&'static str> {
    let network = params().network_id();
    let body = |bytes: &Vec<u8>| -> Body {
        symphony_protocol::records::Entry::parse(bytes, Some(&network))
            .unwrap()
            .body
    };
    output
        .entries
        .iter()
        .map(|bytes| body(bytes).name())
        .collect()
}

fn refused(output: &Output) -> bool {
    let refusal = |effect: &Effect| matches!(effect, Effect::Refuse { .. });
    output.effects.iter().any(refusal)
}

fn world() -> World {
    World::new(&[(&["sums"], Model::Hangs)])
}

#[test]
fn beacon_9_a_deadline_far_ahead_gets_no_bid() {
    let mut world = world();
    let window_ms = u64::from(Params::standard("flow", 0).unwrap().bid_window_ms_max());
    let latest_ms = world.now_ms + 2 * window_ms;
    let stranger = Stranger::new(77);
    for (deadline_ms, expected) in [
        (u64::MAX, &[] as &[&str]),
        (latest_ms + 1, &[]),
        (latest_ms, &["bid_issued"]),
    ] {
        let output = world.hear(EXECUTOR, stranger.sign(&beacon(deadline_ms)), Vec::new());
        assert_eq!(entries(&output), expected, "{deadline_ms}");
    }
}

#[test]
fn exec_4_an_order_has_the_times_of_its_beacon() {
    let mut world = world();
    let stranger = Stranger::new(77);
    let beacon = beacon(world.now_ms + 200);
    world.hear(EXECUTOR, stranger.sign(&beacon), Vec::new());
    let longer = assignment(&world, &beacon, EXECUTE_MS + 1);
    let output = order(&mut world, &stranger, &longer);
    assert!(
        refused(&output) && entries(&output).is_empty(),
        "{output:?}"
    );
    let right = assignment(&world, &beacon, EXECUTE_MS);
    let output = order(&mut world, &stranger, &right);
    assert_eq!(entries(&output), ["assignment_received"]);
}

fn call(beacon: &Beacon, origin: Origin) -> Call {
    Call {
        origin,
        beacon: payload_digest(Beacon::KIND, &beacon.write()),
        close: Digest::ZERO,
    }
}

#[test]
fn chance_9_a_restarted_bidder_opens_its_nonce_when_it_is_called() {
    let mut world = world();
    let stranger = Stranger::new(77);
    let beacon = Beacon {
        secret_commitment: Some(Digest::from_bytes([6; 32])),
        ..beacon(world.now_ms + 200)
    };
    let output = world.hear(EXECUTOR, stranger.sign(&beacon), Vec::new());
    assert_eq!(entries(&output), ["bid_issued"]);
    world.restart(EXECUTOR, &["sums"]);
    let elsewhere = Origin {
        log: Digest::from_bytes([8; 32]),
        index: 9,
    };
    for origin in [elsewhere, beacon.origin] {
        let output = world.hear(EXECUTOR, stranger.sign(&call(&beacon, origin)), Vec::new());
        assert!(
            refused(&output) && entries(&output).is_empty(),
            "{origin:?}"
        );
    }
    let behind = Origin {
        index: 9,
        ..beacon.origin
    };
    let output = world.hear(EXECUTOR, stranger.sign(&call(&beacon, behind)), Vec::new());
    assert_eq!(entries(&output), ["opening_issued"]);
    world.restart(EXECUTOR, &["sums"]);
    let output = world.hear(EXECUTOR, stranger.sign(&call(&beacon, behind)), Vec::new());
    assert!(refused(&output) && entries(&output).is_empty(), "once");
}

#[test]
fn exec_4_a_restarted_bidder_takes_the_order_for_its_bid_once() {
    let mut world = world();
    let stranger = Stranger::new(77);
    let beacon = beacon(world.now_ms + 200);
    world.hear(EXECUTOR, stranger.sign(&beacon), Vec::new());
    world.restart(EXECUTOR, &["sums"]);
    let assignment = assignment(&world, &beacon, EXECUTE_MS);
    let output = order(&mut world, &stranger, &assignment);
    assert_eq!(entries(&output), ["assignment_received"]);
    world.restart(EXECUTOR, &["sums"]);
    let output = order(&mut world, &stranger, &assignment);
    assert!(
        refused(&output) && entries(&output).is_empty(),
        "{output:?}"
    );
}

#[test]
fn replay_8_the_exposed_are_bounded_and_those_who_are_here_stay() {
    let mut world = world();
    let expose = |world: &mut World, peer: PublicKey| {
        world.peers[EXECUTOR]
            .handle(Event::Exposed { peer }, world.now_ms)
            .unwrap();
    };
    let here = Stranger::new(77);
    world.peers[EXECUTOR]
        .handle(
            Event::Reachable {
                peer: here.0.public(),
                reachable: true,
            },
            world.now_ms,
        )
        .unwrap();
    expose(&mut world, here.0.public());
    let throwaway = |number: u32| {
        let mut bytes = [9; 32];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        SecretKey::from_bytes(bytes)
    };
    for number in 0..EXPOSED_MAX + 100 {
        expose(&mut world, throwaway(number).public());
    }
    let deadline_ms = world.now_ms + 200;
    let mut silenced = |stranger: &Stranger| {
        let statement = stranger.sign(&beacon(deadline_ms));
        refused(&world.hear(EXECUTOR, statement, Vec::new()))
    };
    assert!(silenced(&here));
    assert!(
        silenced(&Stranger(throwaway(EXPOSED_MAX + 99))),
        "the latest"
    );
    let remembered =
        (0..EXPOSED_MAX + 100).filter(|number| silenced(&Stranger(throwaway(*number))));
    assert_eq!(remembered.count(), EXPOSED_MAX as usize - 1);
}

/// Two peers sign one payload each: who comes second is told so, and not that the order is at work.
#[test]
fn exec_4_a_copy_of_an_order_is_not_the_order() {
    let mut world = world();
    let (first, second) = (Stranger::new(77), Stranger::new(78));
    let beacon = beacon(world.now_ms + 200);
    for stranger in [&first, &second] {
        world.hear(EXECUTOR, stranger.sign(&beacon), Vec::new());
    }
    let assignment = assignment(&world, &beacon, EXECUTE_MS);
    let output = order(&mut world, &first, &assignment);
    assert_eq!(entries(&output), ["assignment_received"]);
    let output = order(&mut world, &second, &assignment);
    assert!(
        refused(&output) && entries(&output).is_empty(),
        "{output:?}"
    );
}
