//! What a settlement teaches, with numbers worked by hand. Spec: SETTLE-11 to SETTLE-16, VOTE-8, BEACON-12.
#![allow(clippy::unwrap_used, reason = "tests")]

mod kit;

use kit::{EXECUTE_MS, Order, World};
use symphony_protocol::{
    policy::{Learned, Model, Ridge},
    records::{
        Body, OutcomeClass, Params, Phase, Policy, Received, ResultClass, Settlement, TaskDecided,
        Timeout,
    },
    state::{BucketMeasures, PeerMeasures},
    vote::{RELIABILITY_START, VoteRule, log_odds},
};
use symphony_transparency::PublicKey;

/// Numbers on the way to the last bit, whose rounding the vectors fix.
#[track_caller]
fn close(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() < 1e-12,
        "{found} is not {expected}"
    );
}

/// Two executors that are both selected, answered after 80 ms, and agreed: the latency share is 0.04, its root 0.2, so the
/// raw reward is 1.5 − 0.2 × 0.2 = 1.46 of at most 1.5.
const REWARD: f64 = 1.46 / 1.5;

fn pair(policy: Policy) -> World {
    World::new(2, policy)
}

fn vote(world: &mut World) {
    world.until_assigned();
    world.pass(80);
    world.take_receipts("True").take_reveals("True");
}

/// Each order's executor gives its own answer.
fn vote_with(world: &mut World, answers: &[&str]) {
    world.pass(80);
    let orders = world.orders.clone();
    for (order, answer) in orders.iter().zip(answers) {
        let receipt = world.receipt(order, answer);
        world.coordinator.push(Body::ReceiptReceived(receipt));
    }
    for (order, answer) in orders.iter().zip(answers) {
        world.take_reveal(order, answer);
    }
}

fn settle(world: &mut World) -> Settlement {
    let Body::Settlement(settlement) = world.coordinator.decision() else {
        panic!("a settlement is due")
    };
    world.coordinator.decide();
    settlement
}

fn decide_task(world: &mut World) -> TaskDecided {
    let Body::TaskDecided(decided) = world.coordinator.decision() else {
        panic!("a decision is due")
    };
    world.coordinator.decide();
    decided
}

fn time_out(world: &mut World, slot: u32) {
    let beacon = world.beacon_index();
    world.coordinator.push(Body::Timeout(Timeout {
        beacon,
        phase: Phase::Receipt(slot),
    }));
}

fn measures(world: &World, peer: &PublicKey) -> (PeerMeasures, BucketMeasures) {
    let state = world.coordinator.replay.state();
    let bucket = world.beacon().record.bucket();
    (state.measures(peer), state.bucket_measures(&bucket, peer))
}

fn executor(world: &World, order: &Order) -> PublicKey {
    world.executors[order.executor].key()
}

/// The one linear model of a policy that has only that.
fn ridge(model: &Model) -> &Ridge<6> {
    let Learned::Shared(shared) = model.learned() else {
        panic!("a shared model")
    };
    &shared.ridge
}

fn standard() -> Params {
    kit::params()
}

#[test]
fn settle_12_settle_13_settle_14_a_peer_without_a_measure_has_the_start_values() {
    let world = World::standard();
    let measures = world
        .coordinator
        .replay
        .state()
        .measures(&world.executors[0].key());
    close(measures.latency_ms, 500.0);
    close(measures.failure, 0.0);
    let bucket = BucketMeasures::start(&standard());
    close(bucket.reputation, 1.0 / 3.0);
    close(bucket.prior(&standard()), 1.0 / 3.0);
    close(bucket.reliability, RELIABILITY_START);
}

#[test]
fn settle_12_settle_13_settle_14_an_answer_that_won() {
    let mut world = pair(Policy::shared());
    vote(&mut world);
    let settlement = settle(&mut world);
    for (order, outcome) in world.orders.iter().zip(&settlement.outcomes) {
        assert_eq!(outcome.class, OutcomeClass::Won);
        close(outcome.reward, REWARD);
        let (peer, bucket) = measures(&world, &executor(&world, order));
        close(peer.latency_ms, 0.8 * 500.0 + 0.2 * 80.0);
        close(peer.failure, 0.0);
        assert_eq!(
            (peer.selections, peer.settlements, peer.timeouts),
            (1, 1, 0)
        );
        assert_eq!((bucket.settlements, bucket.wins), (1, 1));
        // (1000 × 1 + 1000) / (1000 × 1 + 3000)
        close(bucket.prior(&standard()), 0.5);
        // The start counts as one sample beside one reward.
        close(bucket.reputation, (1.0 / 3.0 + REWARD) / 2.0);
        close(bucket.reliability, (RELIABILITY_START + agreed(0.6)) / 2.0);
    }
}

/// The probability of an answer of two that two peers of this reliability agree on.
fn agreed(reliability: f64) -> f64 {
    let (right, wrong) = (
        reliability * reliability,
        (1.0 - reliability) * (1.0 - reliability),
    );
    right / (right + wrong)
}

/// Two peers agree and one does not, all of them strangers: the two become more reliable and the third less, each by half of
/// the way to the probability of its answer.
#[test]
fn settle_22_reliability_learns_how_probable_an_answer_was() {
    let mut world = World::new(3, Policy::shared());
    world.picked = 3;
    world.until_assigned();
    assert_eq!(world.orders.len(), 3);
    let answers: Vec<&str> = (0..world.orders.len())
        .map(|slot| if slot == 0 { "False" } else { "True" })
        .collect();
    vote_with(&mut world, &answers);
    settle(&mut world);
    // By Bayes' rule: 0.6 × 0.6 × 0.4 against 0.4 × 0.4 × 0.6.
    let right = 0.6;
    for (order, answer) in world.orders.iter().zip(answers) {
        let (_, bucket) = measures(&world, &executor(&world, order));
        let probability = if answer == "True" { right } else { 1.0 - right };
        close(bucket.reliability, (RELIABILITY_START + probability) / 2.0);
    }
}

/// Spec: SETTLE-14: a plain mean until a reward would weigh less than a tenth, a moving mean then.
#[test]
fn settle_14_reputation_forgets_once_it_has_ten_samples() {
    let mut world = pair(Policy::shared());
    let mut expected = 1.0 / 3.0;
    for settled in 1..=12_u32 {
        vote(&mut world);
        settle(&mut world);
        decide_task(&mut world);
        let weight = f64::max(1.0 / f64::from(settled + 1), 0.1);
        expected = (1.0 - weight) * expected + weight * REWARD;
        let (_, bucket) = measures(&world, &world.executors[0].key());
        close(bucket.reputation, expected);
        let count = f64::from(settled);
        close(bucket.prior(&standard()), (count + 1.0) / (count + 3.0));
    }
}

#[test]
fn settle_12_settle_13_a_time_out_counts_with_all_the_time_that_it_had() {
    let mut world = pair(Policy::shared());
    world.until_assigned();
    let (silent, quick) = (world.orders[0].clone(), world.orders[1].clone());
    world.pass(80);
    let receipt = world.receipt(&quick, "True");
    world.coordinator.push(Body::ReceiptReceived(receipt));
    world.pass(EXECUTE_MS.into());
    time_out(&mut world, silent.slot);
    world.take_reveal(&quick, "True");
    let settlement = settle(&mut world);
    let outcome = settlement.outcomes[silent.slot as usize];
    assert_eq!(
        (outcome.class, outcome.latency_ms),
        (OutcomeClass::Timeout, 0)
    );
    let (peer, bucket) = measures(&world, &executor(&world, &silent));
    close(peer.latency_ms, 0.8 * 500.0 + 0.2 * 1_000.0);
    close(peer.failure, 0.2);
    assert_eq!((peer.settlements, peer.timeouts), (1, 1));
    assert_eq!((bucket.settlements, bucket.wins), (1, 0));
    close(bucket.prior(&standard()), 1_000.0 / 4_000.0);
    close(bucket.reputation, 1.0 / 6.0);
    // One ballot is no quorum: valid, and not won.
    let outcome = settlement.outcomes[quick.slot as usize];
    assert_eq!(
        (outcome.class, outcome.latency_ms),
        (OutcomeClass::Valid, 80)
    );
    close(outcome.reward, 0.96 / 1.5);
    let (peer, bucket) = measures(&world, &executor(&world, &quick));
    close(peer.failure, 0.0);
    assert_eq!((bucket.settlements, bucket.wins), (1, 0));
}

#[test]
fn settle_12_settle_13_who_did_not_execute_has_no_latency() {
    for (class, latency_ms) in [
        (ResultClass::Failed, 500.0),
        (ResultClass::Abstained, 500.0),
        (ResultClass::Unparsable, 416.0),
    ] {
        let mut world = pair(Policy::shared());
        world.until_assigned();
        let (bad, good) = (world.orders[0].clone(), world.orders[1].clone());
        world.pass(80);
        world.executors[bad.executor].push(Body::AssignmentReceived(bad.statement.clone()));
        let mut record = world.receipt_record(&bad, "");
        record.class = class;
        let receipt: Received<_> = world.executors[bad.executor].issue(record, Body::ReceiptIssued);
        world.coordinator.push(Body::ReceiptReceived(receipt));
        let receipt = world.receipt(&good, "True");
        world.coordinator.push(Body::ReceiptReceived(receipt));
        world.take_reveal(&good, "True");
        settle(&mut world);
        let (peer, _) = measures(&world, &executor(&world, &bad));
        close(peer.latency_ms, latency_ms);
        close(peer.failure, 0.2);
        assert_eq!(peer.timeouts, 0);
    }
}

#[test]
fn settle_11_shared_counts_choices_at_the_close_and_rewards_at_the_settlement() {
    for (policy, counted) in [(Policy::shared(), 2), (Policy::paper(), 0)] {
        let mut world = pair(policy);
        vote(&mut world);
        let state = world.coordinator.replay.state();
        let model = ridge(&state.learner().unwrap().model);
        assert_eq!((model.observations(), model.b()), (counted, [0.0; 6]));
        let step = state.step(world.beacon_index()).unwrap();
        let contexts: Vec<[f64; 6]> = step
            .selections
            .iter()
            .map(|selection| selection.features)
            .collect();
        settle(&mut world);
        let model = ridge(&world.coordinator.replay.state().learner().unwrap().model);
        assert_eq!(model.observations(), 2);
        for (place, learned) in model.b().into_iter().enumerate() {
            close(learned, REWARD * (contexts[0][place] + contexts[1][place]));
        }
    }
}

#[test]
fn settle_11_a_void_settlement_takes_back_the_choice_and_teaches_nothing() {
    for policy in [Policy::shared(), Policy::paper()] {
        let mut world = pair(policy);
        let fresh = world.coordinator.replay.state().learner().unwrap().clone();
        world.until_assigned();
        world.coordinator.push(Body::Resumed);
        settle(&mut world);
        let model = ridge(&world.coordinator.replay.state().learner().unwrap().model);
        assert_eq!(
            (model.observations(), model.b()),
            (ridge(&fresh.model).observations(), [0.0; 6])
        );
        for (found, expected) in model
            .triangle()
            .into_iter()
            .zip(ridge(&fresh.model).triangle())
        {
            assert!(
                (found - expected).abs() < 1e-6,
                "the inverse is as before the choice: {found}, {expected}"
            );
        }
        let (peer, bucket) = measures(&world, &world.executors[0].key());
        assert_eq!((peer.settlements, bucket.settlements), (0, 0));
        close(peer.latency_ms, 500.0);
    }
}

#[test]
fn settle_11_the_tally_is_computed_before_anything_is_learned() {
    let mut world = pair(Policy::shared());
    vote(&mut world);
    close(
        settle(&mut world).winner.unwrap().weight,
        2.0 * log_odds(0.6),
    );
    decide_task(&mut world);
    vote(&mut world);
    let learned = (0.6 + agreed(0.6)) / 2.0;
    close(
        settle(&mut world).winner.unwrap().weight,
        2.0 * log_odds(learned),
    );
}

#[test]
fn settle_16_the_numbers_of_candidates_come_from_the_log() {
    let mut world = pair(Policy::shared());
    for settled in 0..=3_u32 {
        world.open(1).announce(0);
        let mut bid = world.bid_record(0);
        bid.load_ppm = 250_000;
        let beacon = world.beacon().clone();
        let bid = world.executors[0].issue(bid, |issued| Body::BidIssued(issued, beacon));
        world.coordinator.push(Body::BidReceived(bid));
        let state = world.coordinator.replay.state();
        let step = state.step(world.beacon_index()).unwrap();
        let candidates = state.candidates(step);
        let [candidate] = &candidates[..] else {
            panic!("one bid")
        };
        let count = f64::from(settled);
        close(candidate.similarity, 1.0);
        close(candidate.prior, (count + 1.0) / (count + 3.0));
        close(candidate.load, 0.25);
        // The mean latency goes from 500 towards 80 ms by a fifth each time; the scale is 2,000 ms.
        let latency_ms = 80.0 + 420.0 * 0.8_f64.powi(i32::try_from(settled).unwrap());
        close(candidate.latency, latency_ms / 2_000.0);
        close(candidate.availability, 1.0);
        // A plain mean of the start and the rewards.
        close(
            candidate.reputation,
            (1.0 / 3.0 + count * REWARD) / (count + 1.0),
        );
        assert_eq!(candidate.newcomer, settled < 3, "after {settled}");
        world.take_bid(1).close().assign();
        world.pass(80);
        world.take_receipts("True").take_reveals("True");
        settle(&mut world);
        decide_task(&mut world);
    }
}

#[test]
fn settle_16_another_kind_of_step_is_another_bucket_and_failures_count_everywhere() {
    let mut world = pair(Policy::shared());
    world.until_assigned();
    world.pass(EXECUTE_MS.into());
    time_out(&mut world, 0);
    time_out(&mut world, 1);
    settle(&mut world);
    decide_task(&mut world);
    world.open(1);
    let mut beacon = world.beacon_record(0);
    beacon.tags.clear();
    world.announce_record(beacon).take_bid(0);
    let state = world.coordinator.replay.state();
    let step = state.step(world.beacon_index()).unwrap();
    let candidate = state.candidates(step)[0];
    close(candidate.prior, 1.0 / 3.0);
    close(candidate.reputation, 1.0 / 3.0);
    close(candidate.availability, 0.8);
    close(candidate.latency, 600.0 / 2_000.0);
    assert!(candidate.newcomer);
}

/// A plan of two steps. In the first a slot times out and is replaced; in the second the same peer is silent again.
fn two_steps(policy: Policy) -> (World, f64, TaskDecided) {
    let mut world = World::new(3, policy);
    world.open(2).announce(0).take_bids().close().assign();
    let (silent, kept) = (world.orders[0].clone(), world.orders[1].clone());
    let receipt = world.receipt(&kept, "True");
    world.coordinator.push(Body::ReceiptReceived(receipt));
    world.pass(EXECUTE_MS.into());
    time_out(&mut world, silent.slot);
    world.coordinator.decide();
    world.assign();
    let replacing = world.orders[2].clone();
    let receipt = world.receipt(&replacing, "True");
    world.coordinator.push(Body::ReceiptReceived(receipt));
    world
        .take_reveal(&kept, "True")
        .take_reveal(&replacing, "True");
    settle(&mut world);
    let first = world
        .coordinator
        .replay
        .state()
        .task(world.task)
        .unwrap()
        .plans[0]
        .weight_sum;

    world.picked = 3;
    world.announce(1).take_bids().close().assign();
    let orders = world.orders.clone();
    let (late, in_time): (Vec<_>, Vec<_>) = orders
        .into_iter()
        .partition(|order| order.executor == silent.executor);
    for order in &in_time {
        let receipt = world.receipt(order, "False");
        world.coordinator.push(Body::ReceiptReceived(receipt));
    }
    world.pass(EXECUTE_MS.into());
    time_out(&mut world, late[0].slot);
    for order in &in_time {
        world.take_reveal(order, "False");
    }
    settle(&mut world);
    let decided = decide_task(&mut world);
    (world, first, decided)
}

#[test]
fn vote_8_a_plan_weighs_what_its_executors_do_ballot_or_not() {
    let (world, first, decided) = two_steps(Policy::shared());
    // Nobody is known: three times the start, the slot that timed out included.
    close(first, log_odds(0.6));
    // Then the start for who was silent, and what was learned of the two that agreed; and half of the sum for two steps.
    let learned = log_odds((0.6 + agreed(0.6)) / 2.0);
    let winner = decided.winner.unwrap();
    close(
        winner.weight,
        (log_odds(0.6) + (log_odds(0.6) + 2.0 * learned) / 3.0) / 2.0,
    );
    assert_eq!(
        winner.answer,
        world.key.answer("False"),
        "the answer of a plan is that of its last step"
    );
}

#[test]
fn vote_8_under_majority_everybody_weighs_one() {
    let policy = Policy {
        vote_rule: VoteRule::Majority,
        ..Policy::shared()
    };
    let (_, first, decided) = two_steps(policy);
    close(first, 1.0);
    close(decided.winner.unwrap().weight, 1.0);
}

#[test]
fn vote_8_under_screening_a_step_weighs_its_mean_score() {
    let mut world = pair(Policy::paper());
    vote(&mut world);
    let state = world.coordinator.replay.state();
    let step = state.step(world.beacon_index()).unwrap();
    // Similarity 1, prior 1/3, load 0, latency 500 of 2,000 ms, availability 1.
    let score = 0.5 + 0.35 / 3.0 + 0.15 * (0.4 + 0.4 * 0.75 + 0.2);
    close(step.ranking[0].score, score);
    settle(&mut world);
    close(decide_task(&mut world).winner.unwrap().weight, score);
}

/// One executor of three: when no newcomer is left, one close of 64 goes to who is neglected, and all others to the favourite.
/// Spec: BEACON-12, SELECT-11, SELECT-20.
#[test]
fn beacon_12_one_executor_is_neglected_at_most_until_the_64th_close() {
    let mut world = World::new(3, Policy::shared());
    world.picked = 1;
    world.shortlist = 2;
    let mut chosen = Vec::new();
    for _ in 0..192 {
        world.whole_task();
        chosen.push(world.orders[0].statement.record.executor);
    }
    let favourite = chosen[191 - 1];
    let others: Vec<usize> = (65..=192)
        .filter(|close| chosen[close - 1] != favourite)
        .collect();
    assert_eq!(others, [128, 192]);
    assert_ne!(chosen[127], chosen[191], "each in its turn");
}

#[test]
fn beacon_12_every_eighth_close_keeps_a_place_for_a_newcomer() {
    let mut world = World::new(3, Policy::shared());
    world.shortlist = 2;
    for number in 1..=9 {
        world.open(1).announce(0).take_bid(0).take_bid(1);
        // The third is busy, so that it never is among the best two by itself.
        let mut busy = world.bid_record(2);
        busy.load_ppm = 1_000_000;
        let beacon = world.beacon().clone();
        let bid = world.executors[2].issue(busy, |issued| Body::BidIssued(issued, beacon));
        let entry = world.coordinator.push(Body::BidReceived(bid));
        world.close();
        let step = world
            .coordinator
            .replay
            .state()
            .step(world.beacon_index())
            .unwrap();
        let ranked: Vec<u64> = step.ranking.iter().map(|ranked| ranked.bid).collect();
        assert_eq!(ranked.len(), 2);
        assert_eq!(ranked.contains(&entry), number == 8, "close {number}");
        let selected = step.selections.iter().any(|one| one.bid == entry);
        assert_eq!(selected, number == 8, "close {number}");
        world.assign();
        world.pass(80);
        world.take_receipts("True").take_reveals("True");
        settle(&mut world);
        decide_task(&mut world);
    }
}
