//! A step for one executor, and the price of a bid. Spec: SETTLE-24, SETTLE-25.
#![allow(clippy::unwrap_used, reason = "tests")]

mod kit;

use kit::World;
use symphony_protocol::{
    records::{AnswerCheck, Body, CheckerVerdict, OutcomeClass, Policy, Settlement},
    state::BucketMeasures,
    vote::RELIABILITY_START,
};

#[track_caller]
fn close(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() < 1e-12,
        "{found} is not {expected}"
    );
}

/// One executor is known and asked for. Its answer takes 80 ms: the latency share is 0.04, its root 0.2, the raw reward 0.96.
fn alone(policy: Policy) -> World {
    let mut world = World::new(1, policy);
    world.picked = 1;
    world
}

fn settled(world: &mut World) -> (Settlement, BucketMeasures) {
    let Body::Settlement(settlement) = world.coordinator.decision() else {
        panic!("a settlement is due")
    };
    world.coordinator.decide();
    let bucket = world.beacon().record.bucket();
    let state = world.coordinator.replay.state();
    let measures = state.bucket_measures(&bucket, &world.executors[0].key());
    (settlement, measures)
}

fn answered(world: &mut World) -> (Settlement, BucketMeasures) {
    world.until_assigned();
    world.pass(80);
    world.take_receipts("True").take_reveals("True");
    settled(world)
}

#[test]
fn settle_25_a_valid_answer_of_the_only_one_asked_counts_as_a_success() {
    let mut world = alone(Policy::shared());
    let (settlement, bucket) = answered(&mut world);
    let outcome = settlement.outcomes[0];
    assert_eq!(outcome.class, OutcomeClass::Valid);
    assert_eq!(settlement.supporters, 1);
    // Without the bonus, which nobody can earn here, in the reward and in its bounds.
    close(outcome.reward, 0.96);
    assert_eq!((bucket.settlements, bucket.wins), (1, 1));
    // Nobody agreed or disagreed with it.
    close(bucket.reliability, RELIABILITY_START);
}

#[test]
fn settle_25_an_invalid_answer_of_the_only_one_asked_is_no_success() {
    let mut world = alone(Policy::shared());
    world.until_assigned();
    world.pass(80);
    world.take_receipts("maybe");
    let order = world.orders[0].clone();
    let reveal = world.reveal(&order, "maybe");
    world.coordinator.push(Body::RevealReceived(
        reveal,
        AnswerCheck::Unparsable,
        CheckerVerdict::Unchecked,
    ));
    let (settlement, bucket) = settled(&mut world);
    assert_eq!(settlement.outcomes[0].class, OutcomeClass::Invalid);
    assert_eq!((bucket.settlements, bucket.wins), (1, 0));
}

#[test]
fn settle_25_a_checker_that_found_the_answer_wrong_takes_the_success_away() {
    let policy = Policy {
        checker_ppm: 1_000_000,
        ..Policy::shared()
    };
    for (verdict, wins) in [
        (CheckerVerdict::Passed, 1),
        (CheckerVerdict::Unchecked, 1),
        (CheckerVerdict::Failed, 0),
    ] {
        let mut world = alone(policy.clone());
        world.until_assigned();
        world.pass(80);
        world.take_receipts("True");
        let order = world.orders[0].clone();
        let reveal = world.reveal(&order, "True");
        world
            .coordinator
            .push(Body::RevealReceived(reveal, AnswerCheck::Parses, verdict));
        let (_, bucket) = settled(&mut world);
        assert_eq!(bucket.wins, wins, "{verdict:?}");
    }
}

#[test]
fn settle_25_where_two_were_asked_for_one_answer_is_no_success() {
    let mut world = World::new(1, Policy::shared());
    let (settlement, bucket) = answered(&mut world);
    close(settlement.outcomes[0].reward, 0.96 / 1.5);
    assert_eq!((bucket.settlements, bucket.wins), (1, 0));
}

#[test]
fn settle_24_a_price_is_a_share_of_the_scale_and_lowers_the_reward() {
    let policy = Policy {
        price_ppm: 300_000,
        price_scale_microunits: 3_000,
        ..Policy::shared()
    };
    for (price, share) in [
        (0, 0),
        (1, 333),
        (1_500, 500_000),
        (3_000, 1_000_000),
        (u64::MAX, 1_000_000),
    ] {
        assert_eq!(policy.price_share_ppm(price), share, "{price}");
    }
    let mut world = alone(policy);
    world.open(1).announce(0);
    let mut dear = world.bid_record(0);
    dear.price_microunits = 1_500;
    let beacon = world.beacon().clone();
    let bid = world.executors[0].issue(dear, |issued| Body::BidIssued(issued, beacon));
    world.coordinator.push(Body::BidReceived(bid));
    world.close();
    world.assign();
    world.pass(80);
    world.take_receipts("True").take_reveals("True");
    let (settlement, _) = settled(&mut world);
    close(settlement.outcomes[0].reward, 0.96 - 0.15);
}
