//! Policies in a log: what each kind keeps, what becomes of it when the policy changes, and that a lie about it is proved.
//! Spec: CAP-4, SELECT-23 to SELECT-27.
#![allow(clippy::unwrap_used, reason = "tests")]

mod kit;

use kit::{EXECUTE_MS, ORDINARY_SIZE_MAX, World};
use symphony_protocol::{
    Rule,
    policy::{Model, PolicyKind},
    records::{Body, Learning, OutcomeClass, Phase, Policy, Settlement, Timeout},
    replay::Replay,
};

/// A policy of every kind without chance, and forgetful ones of those that can forget.
fn policies() -> Vec<Policy> {
    // Those with chance select in a draw, which has tests of its own.
    let kinds = PolicyKind::ALL
        .into_iter()
        .filter(|kind| !kind.uses_chance());
    let mut policies: Vec<Policy> = kinds.map(Policy::of_kind).collect();
    for kind in PolicyKind::ALL {
        if kind.may_discount() {
            let mut policy = Policy::of_kind(kind);
            policy.parameters.discount_ppm = 900_000;
            policies.push(policy);
        }
    }
    policies
}

fn vote(world: &mut World) {
    world.until_assigned();
    world.pass(80);
    world.take_receipts("True").take_reveals("True");
}

fn settle(world: &mut World) -> Settlement {
    let Body::Settlement(settlement) = world.coordinator.decision() else {
        panic!("a settlement is due")
    };
    world.coordinator.decide();
    settlement
}

fn whole_task(world: &mut World) -> Settlement {
    vote(world);
    let settlement = settle(world);
    world.coordinator.decide();
    settlement
}

/// The policy in force with what it learned of every executor.
fn model(world: &World) -> Model {
    let state = world.coordinator.replay.state();
    state
        .model_for(world.executors.iter().map(kit::Author::key))
        .unwrap()
}

fn change(world: &mut World, policy: Policy, learning: Learning) {
    world.coordinator.push(Body::PolicySet(policy, learning));
}

#[test]
fn select_23_select_24_select_25_every_kind_learns_in_a_log_and_replays() {
    for policy in policies() {
        let kind = policy.parameters.kind;
        let mut world = World::new(4, policy);
        for _ in 0..6 {
            whole_task(&mut world);
        }
        let mut learned = model(&world);
        assert_eq!((learned.choices(), learned.settled()), (12, 12), "{kind:?}");
        let peers = learned.take_peers().len();
        let keeps = matches!(kind, PolicyKind::Disjoint | PolicyKind::Hybrid);
        assert_eq!(peers > 0, keeps, "{kind:?} of {peers} peers");
        let entries = &world.coordinator.entries;
        let mut replay = Replay::begin(&entries[0], None).unwrap();
        for entry in &entries[1..] {
            replay.push(entry).unwrap();
        }
        let mut audited = replay.state().clone();
        let mut live = world.coordinator.replay.state().clone();
        assert_eq!(audited.root(), live.root(), "{kind:?}");
    }
}

#[test]
fn select_25_a_named_peer_is_picked_whatever_others_can_do() {
    let mut world = World::new(4, Policy::shared());
    world.open(1).announce(0);
    let (bucket, peer) = (world.beacon().record.bucket(), world.executors[3].key());
    let mut policy = Policy::of_kind(PolicyKind::Static);
    policy.named.insert(bucket, peer);
    let mut world = World::new(4, policy);
    world.shortlist = 4;
    for _ in 0..4 {
        world.until_assigned();
        let step = world.coordinator.replay.state().step(world.beacon_index());
        assert_eq!(step.unwrap().selections[0].executor, peer);
        world.pass(80);
        world.take_receipts("True").take_reveals("True");
        settle(&mut world);
        world.coordinator.decide();
    }
}

#[test]
fn select_26_a_frozen_policy_learns_no_more() {
    for mut policy in policies() {
        policy.parameters.frozen_after = Some(2);
        let mut world = World::new(4, policy);
        whole_task(&mut world);
        let mut before = model(&world);
        whole_task(&mut world);
        let mut after = model(&world);
        assert_eq!((before.settled(), after.settled()), (2, 2));
        assert_eq!(before.take_peers(), after.take_peers());
        assert_eq!(before.shared_parts(), after.shared_parts());
    }
}

/// A change of policy starts anew, and what the earlier one selected teaches it nothing: its rewards are worth what the beacon
/// said.
#[test]
fn select_27_a_selection_of_an_earlier_policy_is_settled_by_its_own_terms_and_teaches_the_new_one_nothing()
 {
    let mut world = World::new(2, Policy::shared());
    vote(&mut world);
    let mut stingy = Policy::of_kind(PolicyKind::Disjoint);
    stingy.winner_bonus_ppm = 0;
    stingy.latency_penalty_ppm = 1_000_000;
    // A vote is complete: first its settlement.
    let settlement = settle(&mut world);
    world.coordinator.decide();
    world.until_assigned();
    change(&mut world, stingy.clone(), Learning::Anew);
    world.pass(80);
    world.take_receipts("True").take_reveals("True");
    let after = settle(&mut world);
    world.coordinator.decide();
    assert_eq!(after.outcomes, settlement.outcomes, "the beacon's terms");
    let mut learned = model(&world);
    assert_eq!((learned.choices(), learned.settled()), (0, 0));
    assert_eq!(learned.take_peers(), []);
    let state = world.coordinator.replay.state();
    let peer = world.executors[0].key();
    assert_eq!(state.measures(&peer).settlements, 2, "measures go on");
    let under_new = whole_task(&mut world);
    assert!(under_new.outcomes[0].reward != after.outcomes[0].reward);
    assert_eq!(model(&world).settled(), 2);
}

#[test]
fn select_27_a_policy_that_learns_alike_goes_on_with_what_was_learned() {
    for policy in policies() {
        let mut world = World::new(2, policy.clone());
        whole_task(&mut world);
        world.until_assigned();
        let mut bolder = policy.clone();
        bolder.parameters.exploration_ppm = 900_000;
        assert_eq!(bolder.parameters.kind, policy.parameters.kind);
        let mut before = model(&world);
        change(&mut world, bolder.clone(), Learning::Kept);
        let mut after = model(&world);
        assert_eq!(after.parameters(), &bolder.parameters);
        assert_eq!(before.take_peers(), after.take_peers());
        assert_eq!(before.shared_parts(), after.shared_parts());
        world.pass(80);
        world.take_receipts("True").take_reveals("True");
        settle(&mut world);
        assert_eq!(model(&world).settled(), 4, "what was pending is learned");
        let digest = world.coordinator.replay.state().learner().unwrap().digest;
        assert_eq!(digest, bolder.digest(), "the digest that beacons name");
    }
}

#[test]
fn select_27_nothing_is_kept_by_a_policy_that_learns_otherwise() {
    let mut forgetful = Policy::shared();
    forgetful.parameters.discount_ppm = 990_000;
    let mut generous = Policy::shared();
    generous.winner_bonus_ppm += 1;
    for other in [
        Policy::of_kind(PolicyKind::Hybrid),
        Policy::paper(),
        forgetful,
        generous,
    ] {
        let mut world = World::standard();
        let body = Body::PolicySet(other, Learning::Kept);
        let entry = world.coordinator.entry(body).encode();
        let fault = world.coordinator.push_bytes(entry).unwrap_err();
        assert_eq!(fault.rule, Rule::BeaconTerms);
    }
}

/// The one who takes over under another policy is the next of the ranking: nobody can change the policy to choose it.
#[test]
fn select_27_a_replacement_under_another_policy_is_the_next_of_the_ranking() {
    let mut world = World::standard();
    whole_task(&mut world);
    world.until_assigned();
    let index = world.beacon_index();
    let state = world.coordinator.replay.state();
    let next = state.step(index).unwrap().remaining().next().unwrap().bid;
    change(
        &mut world,
        Policy::of_kind(PolicyKind::Disjoint),
        Learning::Anew,
    );
    world.pass(EXECUTE_MS.into());
    world.coordinator.push(Body::Timeout(Timeout {
        beacon: index,
        phase: Phase::Receipt(0),
    }));
    let Body::Replacement(replacement) = world.coordinator.decision() else {
        panic!("a replacement is due")
    };
    assert_eq!(replacement.selection.bid, next);
    world.coordinator.decide();
    assert_eq!(model(&world).choices(), 0, "it notes nothing");
}

/// The lie convicts its author by a file of ordinary size.
fn is_proved(world: &mut World, lie: Body, rule: Rule) {
    let kind = model(world).kind();
    let entry = world.coordinator.entry(lie).encode();
    let fault = world.coordinator.push_bytes(entry.clone()).unwrap_err();
    let entries = [world.coordinator.entries.as_slice(), &[entry]].concat();
    let conviction = world.coordinator.prove(&entries, &fault).verify().unwrap();
    assert_eq!(conviction.fault.rule, rule, "{kind:?}");
    let size = conviction.size;
    assert!(size <= ORDINARY_SIZE_MAX, "{kind:?}: {size} bytes");
}

#[test]
fn evidence_8_a_wrong_estimate_is_proved_under_every_policy() {
    for policy in policies() {
        let mut world = World::new(4, policy);
        for _ in 0..3 {
            whole_task(&mut world);
        }
        world.open(1).announce(0).take_bids();
        let Body::Close(mut close) = world.coordinator.decision() else {
            panic!("a close is due")
        };
        close.selections[0].estimate += 0.001;
        is_proved(&mut world, Body::Close(close), Rule::Selection);
    }
}

#[test]
fn evidence_8_a_wrong_update_is_proved_under_every_policy() {
    for policy in policies() {
        let mut world = World::new(4, policy);
        for _ in 0..3 {
            whole_task(&mut world);
        }
        vote(&mut world);
        let Body::Settlement(mut settlement) = world.coordinator.decision() else {
            panic!("a settlement is due")
        };
        assert_eq!(settlement.outcomes[0].class, OutcomeClass::Won);
        settlement.outcomes[0].reward = 0.25;
        is_proved(&mut world, Body::Settlement(settlement), Rule::Reward);
    }
}

/// A root that hides another update is wrong in the entry that records it.
#[test]
fn evidence_8_a_state_that_learned_otherwise_is_proved_under_every_policy() {
    for policy in policies() {
        let mut world = World::new(4, policy);
        for _ in 0..3 {
            whole_task(&mut world);
        }
        world.open(1).announce(0).take_bids();
        let Body::Close(mut close) = world.coordinator.decision() else {
            panic!("a close is due")
        };
        close.state_root = symphony_transparency::Digest::from_bytes([7; 32]);
        is_proved(&mut world, Body::Close(close), Rule::StateRoot);
    }
}

/// A peer that breaks is measured anew, and is a newcomer again. Spec: SETTLE-22.
#[test]
fn settle_22_a_peer_whose_rewards_changed_is_measured_anew() {
    let mut policy = Policy::shared();
    policy.change_threshold_ppm = 2_000_000;
    policy.change_drift_ppm = 100_000;
    let mut world = World::new(2, policy);
    for _ in 0..8 {
        whole_task(&mut world);
    }
    let (bucket, peer) = (world.beacon().record.bucket(), world.executors[0].key());
    let measured = |world: &World| {
        let state = world.coordinator.replay.state();
        state.bucket_measures(&bucket, &peer)
    };
    let before = measured(&world);
    assert_eq!((before.settlements, before.wins), (8, 8));
    for _ in 0..3 {
        world.until_assigned();
        world.pass(EXECUTE_MS.into());
        let index = world.beacon_index();
        for slot in 0..2 {
            world.coordinator.push(Body::Timeout(Timeout {
                beacon: index,
                phase: Phase::Receipt(slot),
            }));
        }
        settle(&mut world);
        world.coordinator.decide();
    }
    let after = measured(&world);
    assert_eq!(
        (after.settlements, after.wins),
        (1, 0),
        "the third failure is the first of a new measure"
    );
    assert_eq!(after.change.unwrap().rewards, 1);
}

/// Who was picked at each close so far, by number of the executor.
fn picked(world: &World, close: usize) -> Vec<usize> {
    let executor = |peer| {
        world
            .executors
            .iter()
            .position(|executor| executor.key() == peer)
            .unwrap()
    };
    let orders = &world.orders;
    assert!(!orders.is_empty(), "close {close}");
    orders
        .iter()
        .map(|order| executor(order.statement.record.executor))
        .collect()
}

/// Six peers, two a step: after three closes each was tried once, after six twice; then the policy decides.
#[test]
fn select_28_a_log_that_is_warmed_up_tries_everybody_in_turn() {
    let policy = Policy {
        warm_up_closes: 6,
        ..Policy::shared()
    };
    let mut world = World::new(6, policy);
    let mut tried = [0; 6];
    for close in 1..=6 {
        world.whole_task();
        for executor in picked(&world, close) {
            tried[executor] += 1;
        }
        if close == 3 {
            assert_eq!(tried, [1; 6]);
        }
    }
    assert_eq!(tried, [2; 6]);
    let learner = world.coordinator.replay.state().learner().unwrap();
    assert_eq!(learner.model.settled(), 12, "the policy learns from them");
    world.whole_task();
    assert_eq!(world.coordinator.replay.state().counters().closes, 7);
    kit::replay(&world.coordinator.entries).expect("an honest log");
}

/// With nothing settled in between, too, the turn goes on.
#[test]
fn select_28_steps_that_run_at_once_try_others() {
    let policy = Policy {
        warm_up_closes: 10,
        ..Policy::shared()
    };
    let mut world = World::new(5, policy);
    world.picked = 1;
    let mut tried = std::collections::BTreeSet::new();
    for close in 1..=5 {
        world.until_assigned();
        tried.extend(picked(&world, close));
    }
    assert_eq!(tried.len(), 5);
}
