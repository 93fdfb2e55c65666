//! Two capabilities under one number. Spec: CAP-8, REPLAY-27.

use symphony_coordination::Event;
use symphony_protocol::{
    Rule,
    embedding::Embedding,
    records::{Capability, Origin, StatementRecord},
};
use symphony_transparency::{
    Digest, SecretKey, UnverifiedStatement, VerifiedStatement, sign_statement,
};

use crate::world::{Model, World, params, secret, settings, task};

const COORDINATOR: usize = 0;
const LIAR: usize = 1;

/// A capability of whoever has this key, under a number that it uses more than once.
fn capability(secret: &SecretKey, sequence: u64, price_microunits: u64) -> VerifiedStatement {
    let record = Capability {
        origin: Origin {
            log: Digest::from_bytes([9; 32]),
            index: 1,
        },
        sequence,
        tags: vec!["sums".to_owned()],
        embedding: Embedding::of_text("sums"),
        models: Vec::new(),
        price_microunits,
        parallel_max: 1,
        valid_from_ms: 0,
        valid_until_ms: u64::MAX,
    };
    let network = params().network_id();
    sign_statement(secret, &network, Capability::KIND, record.write())
}

/// A coordinator, and one executor that signs a second capability under the number of its first.
fn with_a_liar() -> (World, VerifiedStatement) {
    let mut world = World::new(&[(&["sums"], Model::Says("4"))]);
    let liar = &world.peers[LIAR];
    let own = liar.state().capabilities().get(&liar.author()).unwrap();
    let second = capability(&secret(LIAR), own.capability.sequence, 77);
    world.liars.push(secret(LIAR).public());
    (world, second)
}

fn assert_found(world: &World) {
    let found: Vec<_> = world
        .found
        .iter()
        .map(|found| (found.peer, found.rule))
        .collect();
    assert_eq!(found, [(secret(LIAR).public(), Rule::CapabilitySequence)]);
    assert_eq!(world.count("capability_received"), 2);
}

/// Spec: CAP-8.
#[test]
fn cap_8_two_capabilities_of_a_key_that_is_not_relied_on_do_not_grow_the_log() {
    let mut world = World::new(&[(&["sums"], Model::Says("4"))]);
    let size = world.peers[COORDINATOR].replay().size();
    for number in 0..50 {
        let throwaway = SecretKey::from_bytes([number + 100; 32]);
        for price in 0..3 {
            let statement = capability(&throwaway, 1, price);
            let output = world.hear(COORDINATOR, statement, Vec::new());
            assert!(output.entries.is_empty(), "{output:?}");
        }
    }
    assert_eq!(world.peers[COORDINATOR].replay().size(), size);
}

/// Spec: CAP-8.
#[test]
fn replay_27_a_second_capability_under_a_number_that_is_relied_on_is_logged() {
    let (mut world, second) = with_a_liar();
    world.submit(task(&["2 + 2"], settings()));
    assert_eq!(world.count("capability_received"), 1);
    for _ in 0..2 {
        world.happen(Event::Statement {
            statement: second.clone(),
            private: Vec::new(),
            token: None,
        });
        assert_found(&world);
    }
}

/// Spec: CAP-8.
#[test]
fn replay_27_a_second_one_that_came_before_the_reliance_is_logged_with_it() {
    let (mut world, second) = with_a_liar();
    world.happen(Event::Statement {
        statement: second,
        private: Vec::new(),
        token: None,
    });
    assert_eq!(world.count("capability_received"), 0);
    world.submit(task(&["2 + 2"], settings()));
    assert_found(&world);
    assert_eq!(world.count("bid_received"), 0, "it gets no work");
}

/// Whoever comes again says its capability again. Spec: CAP-8.
#[test]
fn replay_27_hearing_the_first_again_does_not_hide_a_second_one() {
    let (mut world, second) = with_a_liar();
    let first = world.peers[LIAR].own_capability().unwrap();
    let first = UnverifiedStatement::parse(&first)
        .unwrap()
        .verify(&params().network_id())
        .unwrap();
    for statement in [second, first] {
        world.happen(Event::Statement {
            statement,
            private: Vec::new(),
            token: None,
        });
    }
    world.submit(task(&["2 + 2"], settings()));
    assert_found(&world);
}

/// Spec: CAP-8.
#[test]
fn replay_27_a_restart_does_not_hide_a_second_one() {
    let (mut world, second) = with_a_liar();
    world.submit(task(&["2 + 2"], settings()));
    world.restart(COORDINATOR, &["products"]);
    world.happen(Event::Statement {
        statement: second,
        private: Vec::new(),
        token: None,
    });
    assert_found(&world);
}
