//! Calls, openings and draws that break a rule. Spec: CHANCE-1 to CHANCE-8, REPLAY-47 to REPLAY-49.

use symphony_protocol::{
    Rule,
    policy::PolicyKind,
    records::{Body, Draw, Issued, OwnBid, Phase, Policy, Timeout},
    state::Duty,
};
use symphony_transparency::Digest;

use crate::{
    kit::{REVEAL_MS, SECRET, World, assert_fault, nonce},
    refused,
};

/// A world under `random-top`, its beacon closed.
fn closed() -> World {
    let mut world = World::new(4, Policy::random_top());
    world.open(1).announce(0).take_bids().close();
    world
}

/// The same, with every nonce open.
fn opened() -> World {
    let mut world = closed();
    world.take_openings();
    world
}

fn draw(world: &mut World) -> Draw {
    let Body::Draw(draw) = world.draw_body() else {
        panic!("a draw");
    };
    draw
}

#[test]
fn chance_6_a_whole_task_is_drawn_and_replays() {
    let mut world = World::new(4, Policy::random_top());
    world.whole_task();
    let entries = &world.coordinator.entries;
    crate::kit::replay(entries).expect("an honest log");
    for executor in &world.executors {
        crate::kit::replay(&executor.entries).expect("an honest log");
    }
    let counters = world.coordinator.replay.state().counters();
    assert_eq!((counters.draws, counters.openings_missed), (1, 0));
    assert_eq!(counters.selections, 2);
}

#[test]
fn chance_8_each_pick_has_the_propensity_of_its_place() {
    let mut world = opened();
    let draw = draw(&mut world);
    let propensities: Vec<Option<f64>> = draw
        .selections
        .iter()
        .map(|selection| selection.propensity)
        .collect();
    // Everybody is a newcomer here: while nobody else remains, all are eligible.
    assert_eq!(propensities, [Some(1.0 / 3.0), Some(0.5)]);
}

#[test]
fn chance_3_nobody_is_selected_in_a_close_under_chance() {
    let world = closed();
    let state = world.coordinator.replay.state();
    let step = state.step(world.beacon_index()).unwrap();
    assert!(step.selections.is_empty() && step.ranking.len() == 3);
    assert_eq!(state.duty(), Some(Duty::Call(world.beacon_index())));
}

#[test]
fn replay_47_a_call_names_the_close_before_it() {
    let mut world = closed();
    let mut record = world.call_record();
    record.close = Digest::from([1; 32]);
    let fault = refused(&mut world, Body::CallIssued(Issued::new(record)));
    let (author, size) = (world.coordinator.key(), world.coordinator.size());
    assert_fault(
        &fault,
        Rule::Opening,
        author,
        size,
        "digest of the close",
        "",
    );
}

#[test]
fn replay_41_a_call_stands_after_its_close_alone() {
    let mut world = closed();
    world.call();
    let again = world.call_record();
    let fault = refused(&mut world, Body::CallIssued(Issued::new(again)));
    assert_eq!(fault.rule, Rule::NotOpen);
}

#[test]
fn replay_24_the_call_is_due_after_the_close() {
    let mut world = closed();
    let fault = refused(
        &mut world,
        Body::PolicySet(Policy::shared(), symphony_protocol::records::Learning::Anew),
    );
    assert_eq!(fault.rule, Rule::Duty);
}

#[test]
fn replay_47_an_opening_that_does_not_open_is_not_taken() {
    let mut world = closed();
    let call = world.call();
    let executor = world.called()[0];
    world.opening(executor, &call);
    let mut record = world.opening_record(executor);
    record.nonce = [1; 32];
    let wrong = world.executors[executor].sign(&record);
    let fault = refused(&mut world, Body::OpeningReceived(wrong));
    let (author, size) = (world.coordinator.key(), world.coordinator.size());
    assert_fault(&fault, Rule::Opening, author, size, "commitment", "");
}

#[test]
fn replay_47_an_opening_of_a_peer_that_is_not_in_the_ranking_is_not_taken() {
    let mut world = closed();
    let call = world.call();
    let called = world.called();
    let outsider = (0..4).find(|executor| !called.contains(executor)).unwrap();
    let opening = world.opening(outsider, &call);
    let fault = refused(&mut world, Body::OpeningReceived(opening));
    let (author, size) = (world.coordinator.key(), world.coordinator.size());
    assert_fault(
        &fault,
        Rule::Opening,
        author,
        size,
        "a bidder in the ranking",
        "",
    );
}

#[test]
fn replay_47_an_opening_is_taken_once_and_after_the_call() {
    let mut world = closed();
    let call = world.call();
    let executor = world.called()[0];
    let opening = world.opening(executor, &call);
    world
        .coordinator
        .push(Body::OpeningReceived(opening.clone()));
    let fault = refused(&mut world, Body::OpeningReceived(opening.clone()));
    assert_eq!(fault.rule, Rule::Opening);
    // Another step of the same coordinator, not called yet.
    let mut early = World::new(4, Policy::random_top());
    early.open(1).announce(0).take_bid(0);
    let record = early.opening_record(0);
    let opening = early.executors[0].sign(&record);
    let fault = refused(&mut early, Body::OpeningReceived(opening));
    assert_eq!(fault.rule, Rule::Opening);
}

#[test]
fn chance_4_a_bidder_opens_its_own_nonce_once_and_in_time() {
    let mut world = closed();
    let call = world.call();
    let executor = world.called()[0];
    let mut record = world.opening_record(executor);
    record.nonce = [1; 32];
    let wrong = Body::OpeningIssued(Issued::new(record), call.clone());
    let fault = world.executors[executor].try_push(wrong).unwrap_err();
    assert_eq!(fault.rule, Rule::Opening);
    assert_eq!(fault.peer, world.executors[executor].key());
    world.opening(executor, &call);
    let again = Body::OpeningIssued(Issued::new(world.opening_record(executor)), call.clone());
    let fault = world.executors[executor].try_push(again).unwrap_err();
    assert_eq!(fault.rule, Rule::Opening);
    let other = world.called()[1];
    world.pass(10_000);
    let late = Body::OpeningIssued(Issued::new(world.opening_record(other)), call);
    let fault = world.executors[other].try_push(late).unwrap_err();
    assert_eq!(fault.rule, Rule::Opening);
}

#[test]
fn replay_47_an_opening_answers_the_call_beside_it() {
    let mut world = closed();
    let call = world.call();
    let executor = world.called()[0];
    let mut record = world.opening_record(executor);
    record.coordinator = world.executors[1 - executor.min(1)].key();
    let wrong = Body::OpeningIssued(Issued::new(record), call);
    let fault = world.executors[executor].try_push(wrong).unwrap_err();
    assert_eq!(fault.rule, Rule::Opening);
}

#[test]
fn replay_48_a_secret_opens_its_commitment_and_gives_the_seed() {
    let mut world = opened();
    let mut wrong = draw(&mut world);
    wrong.secret = [1; 32];
    let fault = refused(&mut world, Body::Draw(wrong));
    let (author, size) = (world.coordinator.key(), world.coordinator.size());
    assert_fault(
        &fault,
        Rule::Seed,
        author,
        size,
        "commitment to the secret",
        "",
    );
    let mut wrong = draw(&mut world);
    wrong.seed = Digest::from([1; 32]);
    let fault = refused(&mut world, Body::Draw(wrong));
    assert_fault(&fault, Rule::Seed, author, size, "seed", "");
}

#[test]
fn replay_34_a_draw_selects_whom_the_seed_gives() {
    let mut world = opened();
    let mut wrong = draw(&mut world);
    wrong.selections.swap(0, 1);
    let fault = refused(&mut world, Body::Draw(wrong));
    assert_eq!(fault.rule, Rule::Selection);
}

#[test]
fn replay_49_a_propensity_is_that_of_the_draw() {
    let mut world = opened();
    let mut wrong = draw(&mut world);
    wrong.selections[0].propensity = Some(0.25);
    let fault = refused(&mut world, Body::Draw(wrong));
    let (author, size) = (world.coordinator.key(), world.coordinator.size());
    assert_fault(&fault, Rule::Propensity, author, size, "0.33", "0.25");
    let mut wrong = draw(&mut world);
    wrong.selections[1].propensity = None;
    let fault = refused(&mut world, Body::Draw(wrong));
    assert_eq!(fault.rule, Rule::Propensity);
}

#[test]
fn replay_42_a_draw_records_the_root_before_it() {
    let mut world = opened();
    let mut wrong = draw(&mut world);
    wrong.state_root = Digest::from([1; 32]);
    let fault = refused(&mut world, Body::Draw(wrong));
    assert_eq!(fault.rule, Rule::StateRoot);
}

#[test]
fn chance_5_who_does_not_open_is_out_and_has_failed() {
    let mut world = closed();
    let call = world.call();
    let called = world.called();
    let opening = world.opening(called[1], &call);
    world.coordinator.push(Body::OpeningReceived(opening));
    world.pass(u64::from(REVEAL_MS));
    let fault = refused(
        &mut world,
        Body::PolicySet(Policy::shared(), symphony_protocol::records::Learning::Anew),
    );
    assert_eq!(fault.rule, Rule::Overdue);
    let beacon = world.beacon_index();
    world.coordinator.push(Body::Timeout(Timeout {
        beacon,
        phase: Phase::Openings,
    }));
    assert_eq!(
        world.coordinator.replay.state().duty(),
        Some(Duty::Draw(beacon))
    );
    let drawn = draw(&mut world);
    assert_eq!(drawn.selections.len(), 1);
    assert_eq!(drawn.selections[0].propensity, Some(1.0));
    world.draw();
    let state = world.coordinator.replay.state();
    let step = state.step(beacon).unwrap();
    assert_eq!(
        step.selections[0].executor,
        world.executors[called[1]].key()
    );
    assert_eq!(step.ranking.len(), 1, "nobody else can be a replacement");
    assert_eq!(state.counters().openings_missed, 2);
    let measures = state.measures(&world.executors[called[0]].key());
    assert_eq!((measures.timeouts, measures.failure), (1, 0.2));
    world.assign();
}

#[test]
fn replay_2_measures_of_a_peer_begin_with_a_draw_without_its_opening() {
    let mut world = closed();
    world.call();
    let called = world.called();
    world.pass(u64::from(REVEAL_MS));
    let beacon = world.beacon_index();
    world.coordinator.push(Body::Timeout(Timeout {
        beacon,
        phase: Phase::Openings,
    }));
    let rows = |world: &mut World| -> Vec<Vec<u8>> {
        world.coordinator.replay.state_mut().root();
        let map = world.coordinator.replay.state().map();
        let keys = map.iter().map(|(key, _)| key.to_vec());
        keys.filter(|key| key.starts_with(b"peer/")).collect()
    };
    assert!(rows(&mut world).is_empty(), "no selection yet");
    world.draw();
    let mut expected: Vec<Vec<u8>> = called
        .iter()
        .map(|peer| [b"peer/", world.executors[*peer].key().as_bytes().as_slice()].concat())
        .collect();
    expected.sort();
    let mut found = rows(&mut world);
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn chance_5_without_any_opening_nobody_is_selected() {
    let mut world = closed();
    world.call();
    world.pass(u64::from(REVEAL_MS));
    let beacon = world.beacon_index();
    world.coordinator.push(Body::Timeout(Timeout {
        beacon,
        phase: Phase::Openings,
    }));
    world.draw();
    let state = world.coordinator.replay.state();
    assert_eq!(state.duty(), Some(Duty::Settle(beacon)));
    world.coordinator.decide();
    world.coordinator.decide();
}

#[test]
fn replay_26_openings_time_out_when_they_are_due() {
    let mut world = closed();
    world.call();
    let beacon = world.beacon_index();
    let timeout = Timeout {
        beacon,
        phase: Phase::Openings,
    };
    let fault = refused(&mut world, Body::Timeout(timeout));
    assert_eq!(fault.rule, Rule::Timeout);
}

#[test]
fn replay_29_a_beacon_commits_to_a_secret_exactly_under_chance() {
    let mut world = World::new(4, Policy::random_top());
    world.open(1);
    let mut record = world.beacon_record(0);
    record.secret_commitment = None;
    let fault = refused(&mut world, Body::BeaconIssued(Issued::new(record)));
    assert_eq!(fault.rule, Rule::BeaconTerms);
    let mut world = World::standard();
    world.open(1);
    let mut record = world.beacon_record(0);
    record.secret_commitment = Some(Digest::from([1; 32]));
    let fault = refused(&mut world, Body::BeaconIssued(Issued::new(record)));
    assert_eq!(fault.rule, Rule::BeaconTerms);
}

#[test]
fn replay_32_a_bid_commits_to_a_nonce_exactly_where_the_beacon_commits_to_a_secret() {
    let mut world = World::new(4, Policy::random_top());
    world.open(1).announce(0);
    let mut record = world.bid_record(0);
    record.nonce_commitment = None;
    let beacon = world.beacon().clone();
    let body = Body::BidIssued(Issued::new(record), beacon);
    let fault = world.executors[0].try_push(body).unwrap_err();
    assert_eq!(fault.rule, Rule::BidUnexpected);
    let bid = world.executors[0].sign(&record);
    let fault = refused(&mut world, Body::BidReceived(bid));
    assert_eq!(fault.rule, Rule::BidUnexpected);
    let mut world = World::standard();
    world.open(1).announce(0);
    let mut record = world.bid_record(0);
    record.nonce_commitment = Some(Digest::from([1; 32]));
    let bid = world.executors[0].sign(&record);
    let fault = refused(&mut world, Body::BidReceived(bid));
    assert_eq!(fault.rule, Rule::BidUnexpected);
}

#[test]
fn chance_13_a_replacement_is_drawn_from_the_same_seed() {
    let mut world = World::new(4, Policy::random_top());
    world.until_assigned();
    world.pass(u64::from(crate::kit::EXECUTE_MS));
    let beacon = world.beacon_index();
    world.coordinator.push(Body::Timeout(Timeout {
        beacon,
        phase: Phase::Receipt(0),
    }));
    let Body::Replacement(replacement) = world.coordinator.decision() else {
        panic!("a replacement");
    };
    assert_eq!(replacement.selection.propensity, Some(1.0));
    let mut wrong = replacement;
    wrong.selection.propensity = None;
    let fault = refused(&mut world, Body::Replacement(wrong));
    assert_eq!(fault.rule, Rule::Propensity);
    world.coordinator.decide();
}

#[test]
fn chance_6_the_nonces_and_the_secret_decide() {
    let mut world = opened();
    let drawn = draw(&mut world);
    assert_eq!(drawn.secret, SECRET);
    let step = world
        .coordinator
        .replay
        .state()
        .step(world.beacon_index())
        .unwrap();
    let opened: Vec<[u8; 32]> = step.ranked().filter_map(|bid| bid.nonce).collect();
    let expected: Vec<[u8; 32]> = (0..4).map(nonce).collect();
    assert!(opened.len() == 3 && opened.iter().all(|nonce| expected.contains(nonce)));
}

#[test]
fn chance_10_random_draws_from_everybody_and_the_others_from_the_ranking() {
    for (kind, ranked) in [
        (PolicyKind::Random, 4),
        (PolicyKind::RandomTop, 3),
        (PolicyKind::EpsilonGreedy, 3),
        (PolicyKind::Thompson, 3),
    ] {
        let mut world = World::new(4, Policy::of_kind(kind));
        world.open(1).announce(0).take_bids().close();
        let state = world.coordinator.replay.state();
        let step = state.step(world.beacon_index()).unwrap();
        assert_eq!(step.ranking.len(), ranked, "{kind:?}");
        world.take_openings();
        let draw = draw(&mut world);
        assert!(draw.selections.iter().all(|selection| {
            selection
                .propensity
                .is_some_and(|propensity| propensity > 0.0 && propensity <= 1.0)
        }));
        world.draw().assign();
        world.pass(50);
        world.take_receipts("True").take_reveals("True");
        world.coordinator.decide();
        world.coordinator.decide();
        crate::kit::replay(&world.coordinator.entries).expect("an honest log");
    }
}

#[test]
fn chance_3_the_own_bid_alone_is_drawn_without_a_call() {
    let mut world = World::new(1, Policy::random_top());
    let record = crate::kit::capability(world.coordinator.origin(), 1);
    let index = world.coordinator.size();
    world.coordinator.issue(record, Body::CapabilityIssued);
    world.open(1);
    let mut record = world.beacon_record(0);
    record.own_bid = Some(OwnBid {
        capability: index,
        match_ppm: 1_000_000,
        load_ppm: 0,
        queue: 0,
    });
    world.announce_record(record);
    world.pass(crate::kit::WINDOW_MS);
    let beacon = world.beacon_index();
    world.coordinator.push(Body::Timeout(Timeout {
        beacon,
        phase: Phase::Bids,
    }));
    world.close();
    let duty = world.coordinator.replay.state().duty();
    assert_eq!(duty, Some(Duty::Draw(beacon)));
    let draw = draw(&mut world);
    assert_eq!(draw.selections[0].propensity, Some(1.0));
    world.draw();
}

#[test]
fn chance_5_a_restart_before_the_draw_voids_the_step() {
    let mut world = closed();
    world.call();
    world.coordinator.push(Body::Resumed);
    world.coordinator.decide();
    world.coordinator.decide();
    let state = world.coordinator.replay.state();
    assert_eq!((state.duty(), state.next_due()), (None, None));
}
