//! Whole logs with exactly one breach, in their last entry.

use crate::kit::{Author, World, capability};
use crate::{check_fault, with};
use symphony_protocol::Rule;
use symphony_protocol::policy::PolicyKind;
use symphony_protocol::records::{Body, Entry, Issued, Phase, Policy, TaskOpened, Timeout};
use symphony_transparency::Digest;

#[test]
fn replay_vectors_of_faults_in_decisions() {
    let mut world = World::standard();
    world.open(1).announce(0).take_bids();
    let Body::Close(close) = world.coordinator.decision() else {
        panic!("a close");
    };
    let mut wrong = close.clone();
    wrong.ranking.swap(0, 1);
    check_fault(
        "replay-33-ranking",
        Rule::Ranking,
        "The first two change places.",
        &with(&world.coordinator, Body::Close(wrong)),
    );
    let mut wrong = close.clone();
    wrong.ranking.pop();
    check_fault(
        "replay-33-left-out",
        Rule::Ranking,
        "The last candidate is left out.",
        &with(&world.coordinator, Body::Close(wrong)),
    );
    let mut wrong = close.clone();
    wrong.selections[0].width *= 2.0;
    check_fault(
        "replay-34-selection",
        Rule::Selection,
        "The first selection's width is doubled.",
        &with(&world.coordinator, Body::Close(wrong)),
    );
    let mut wrong = close;
    wrong.state_root = Digest::ZERO;
    check_fault(
        "replay-42-state-root",
        Rule::StateRoot,
        "The close names another state root.",
        &with(&world.coordinator, Body::Close(wrong)),
    );
    check_fault(
        "replay-24-duty",
        Rule::Duty,
        "A task is opened where the close is due.",
        &with(
            &world.coordinator,
            Body::TaskOpened(TaskOpened {
                key_commitment: Digest::ZERO,
                plan_steps: vec![1],
            }),
        ),
    );
    world.close();
    let mut wrong = world.assignment_record();
    wrong.execute_ms += 1;
    check_fault(
        "replay-35-assignment",
        Rule::Assignment,
        "Another time for the execution than the beacon's.",
        &with(
            &world.coordinator,
            Body::AssignmentIssued(Issued::new(wrong)),
        ),
    );
    world.assign();
    world.pass(50);
    world.take_receipts("True").take_reveals("True");
    let Body::Settlement(settlement) = world.coordinator.decision() else {
        panic!("a settlement");
    };
    let mut wrong = settlement.clone();
    wrong.outcomes[0].reward = 0.25;
    check_fault(
        "replay-40-reward",
        Rule::Reward,
        "The first selection's reward is 0.25.",
        &with(&world.coordinator, Body::Settlement(wrong)),
    );
    let mut wrong = settlement.clone();
    wrong.winner = None;
    check_fault(
        "replay-39-tally",
        Rule::Tally,
        "Nobody is said to have won.",
        &with(&world.coordinator, Body::Settlement(wrong)),
    );
    world.coordinator.decide();
    let Body::TaskDecided(mut wrong) = world.coordinator.decision() else {
        panic!("a decision");
    };
    wrong.winner = None;
    check_fault(
        "replay-43-task",
        Rule::TaskDecision,
        "The task is said to have no answer.",
        &with(&world.coordinator, Body::TaskDecided(wrong)),
    );
    world.coordinator.decide();
    check_fault(
        "replay-41-settled-twice",
        Rule::NotOpen,
        "The same settlement again.",
        &with(&world.coordinator, Body::Settlement(settlement)),
    );
}

#[test]
fn replay_vectors_of_faults_in_inputs() {
    let mut world = World::standard();
    world.open(1);
    let mut wrong = world.beacon_record(0);
    wrong.execute_ms = 600_001;
    check_fault(
        "replay-29-terms",
        Rule::BeaconTerms,
        "More time for an execution than the network agreed.",
        &with(&world.coordinator, Body::BeaconIssued(Issued::new(wrong))),
    );
    let mut wrong = world.beacon_record(0);
    wrong.origin.index += 1;
    check_fault(
        "replay-23-origin",
        Rule::Origin,
        "A beacon that names the entry after its own.",
        &with(&world.coordinator, Body::BeaconIssued(Issued::new(wrong))),
    );
    world.announce(0);
    let beacon = world.beacon().clone();
    let mut wrong = world.bid_record(0);
    wrong.match_ppm -= 1;
    check_fault(
        "replay-30-match",
        Rule::Match,
        "A bid claims another match than its capability has.",
        &with(
            &world.executors[0],
            Body::BidIssued(Issued::new(wrong), beacon.clone()),
        ),
    );
    let mut wrong = world.bid_record(0);
    wrong.capability = Digest::ZERO;
    check_fault(
        "replay-28-reliance",
        Rule::Reliance,
        "A bid rests on a capability that the log does not hold.",
        &with(
            &world.executors[0],
            Body::BidIssued(Issued::new(wrong), beacon.clone()),
        ),
    );
    world.take_bid(0);
    let again = world.bid_record(0);
    check_fault(
        "replay-31-bid-twice",
        Rule::BidTwice,
        "A second bid on one beacon.",
        &with(
            &world.executors[0],
            Body::BidIssued(Issued::new(again), beacon),
        ),
    );
    let beacon = world.beacon_index();
    check_fault(
        "replay-26-timeout",
        Rule::Timeout,
        "A time-out before its deadline.",
        &with(
            &world.coordinator,
            Body::Timeout(Timeout {
                beacon,
                phase: Phase::Bids,
            }),
        ),
    );
    world.pass(crate::kit::WINDOW_MS);
    let late = world.executors[1].sign(&world.bid_record(1));
    check_fault(
        "replay-25-overdue",
        Rule::Overdue,
        "A bid at the deadline, before the time-out.",
        &with(&world.coordinator, Body::BidReceived(late.clone())),
    );
    world.coordinator.push(Body::Timeout(Timeout {
        beacon,
        phase: Phase::Bids,
    }));
    world.close().assign();
    check_fault(
        "replay-32-bid-late",
        Rule::BidUnexpected,
        "A bid after the close.",
        &with(&world.coordinator, Body::BidReceived(late)),
    );
    let order = world.orders[0].clone();
    let receipt = world.receipt_record(&order, "True");
    check_fault(
        "replay-37-receipt",
        Rule::ReceiptUnexpected,
        "A receipt of an assignment that the log does not hold.",
        &with(
            &world.executors[order.executor],
            Body::ReceiptIssued(Issued::new(receipt)),
        ),
    );
    world.receipt(&order, "True");
    let second = world.receipt_record(&order, "False");
    check_fault(
        "replay-36-receipt-twice",
        Rule::ReceiptTwice,
        "A second receipt of one assignment.",
        &with(
            &world.executors[order.executor],
            Body::ReceiptIssued(Issued::new(second)),
        ),
    );
    let wrong = world.reveal_record(&order, "False");
    check_fault(
        "replay-38-reveal",
        Rule::Reveal,
        "A reveal of another answer than the one committed to.",
        &with(
            &world.executors[order.executor],
            Body::RevealIssued(Issued::new(wrong)),
        ),
    );
    let again = capability(world.executors[order.executor].origin(), 1);
    check_fault(
        "replay-27-capability-number",
        Rule::CapabilitySequence,
        "A capability under a number that was given.",
        &with(
            &world.executors[order.executor],
            Body::CapabilityIssued(Issued::new(again)),
        ),
    );
}

#[test]
fn replay_vectors_of_faults_in_the_chain() {
    let author = Author::new(1);
    let sound = author.entry(Body::PolicySet(
        Policy::shared(),
        symphony_protocol::records::Learning::Anew,
    ));
    let log = |bytes: Vec<u8>| vec![author.entries[0].clone(), bytes];
    let mut wrong = sound.clone();
    wrong.previous = Digest::ZERO;
    check_fault(
        "replay-21-previous",
        Rule::Chain,
        "The previous entry's digest is zero.",
        &log(wrong.encode()),
    );
    let mut wrong = sound.clone();
    wrong.time_ms -= 1;
    check_fault(
        "replay-21-time",
        Rule::Chain,
        "A time before that of entry 0.",
        &log(wrong.encode()),
    );
    let mut wrong = sound.clone();
    wrong.index = 2;
    check_fault(
        "replay-21-index",
        Rule::Chain,
        "Index 1 is left out.",
        &log(wrong.encode()),
    );
    let trailing = [sound.encode(), vec![0]].concat();
    check_fault(
        "replay-20-trailing",
        Rule::Malformed,
        "A byte behind the entry.",
        &log(trailing),
    );
    let genesis = Entry::parse(&author.entries[0], None).unwrap();
    check_fault(
        "replay-22-genesis",
        Rule::Genesis,
        "A second genesis.",
        &with(&author, genesis.body),
    );
}

#[test]
fn replay_vectors_of_faults_in_chance() {
    let kinds = [
        ("random", PolicyKind::Random),
        ("random-top", PolicyKind::RandomTop),
        ("epsilon-greedy", PolicyKind::EpsilonGreedy),
        ("thompson", PolicyKind::Thompson),
    ];
    for (name, kind) in kinds {
        let mut world = World::new(4, Policy::of_kind(kind));
        world.whole_task();
        world.open(1).announce(0).take_bids().close();
        world.take_openings();
        let Body::Draw(draw) = world.draw_body() else {
            panic!("a draw");
        };
        let mut wrong = draw.clone();
        wrong.selections[1].propensity = Some(0.125);
        check_fault(
            &format!("replay-49-{name}"),
            Rule::Propensity,
            &format!("Another propensity of the second pick, under {name}."),
            &with(&world.coordinator, Body::Draw(wrong)),
        );
        let mut wrong = draw;
        wrong.selections.swap(0, 1);
        check_fault(
            &format!("replay-34-{name}"),
            Rule::Selection,
            &format!("The picks in another order, under {name}."),
            &with(&world.coordinator, Body::Draw(wrong)),
        );
    }
    let mut world = World::new(4, Policy::random_top());
    world.open(1).announce(0).take_bids().close();
    let mut record = world.call_record();
    record.close = Digest::from([1; 32]);
    check_fault(
        "replay-47-call",
        Rule::Opening,
        "A call with the digest of another close.",
        &with(&world.coordinator, Body::CallIssued(Issued::new(record))),
    );
    let call = world.call();
    let called = world.called();
    let mut record = world.opening_record(called[0]);
    record.nonce = [1; 32];
    let wrong = world.executors[called[0]].sign(&record);
    check_fault(
        "replay-47-not-opening",
        Rule::Opening,
        "An opening that does not open its bid's commitment.",
        &with(&world.coordinator, Body::OpeningReceived(wrong)),
    );
    let body = Body::OpeningIssued(Issued::new(record), call.clone());
    check_fault(
        "replay-47-own",
        Rule::Opening,
        "A bidder opens a nonce that its bid does not commit to.",
        &with(&world.executors[called[0]], body),
    );
    let outsider = (0..4).find(|executor| !called.contains(executor)).unwrap();
    let opening = world.opening(outsider, &call);
    check_fault(
        "replay-47-outsider",
        Rule::Opening,
        "An opening of a bidder that is not in the ranking.",
        &with(&world.coordinator, Body::OpeningReceived(opening)),
    );
    for executor in &called[1..] {
        let opening = world.opening(*executor, &call);
        world.coordinator.push(Body::OpeningReceived(opening));
    }
    world.pass(crate::kit::REVEAL_MS.into());
    let beacon = world.beacon_index();
    world.coordinator.push(Body::Timeout(Timeout {
        beacon,
        phase: Phase::Openings,
    }));
    let Body::Draw(draw) = world.draw_body() else {
        panic!("a draw");
    };
    let mut wrong = draw.clone();
    wrong.secret = [1; 32];
    check_fault(
        "replay-48-secret",
        Rule::Seed,
        "A secret that the beacon does not commit to.",
        &with(&world.coordinator, Body::Draw(wrong)),
    );
    let mut wrong = draw;
    wrong.seed = Digest::from([1; 32]);
    check_fault(
        "replay-48-seed",
        Rule::Seed,
        "A seed that secret and nonces do not give; one bidder has not opened.",
        &with(&world.coordinator, Body::Draw(wrong)),
    );
}

#[test]
fn replay_vectors_of_a_warm_up() {
    let policy = Policy {
        warm_up_closes: 4,
        ..Policy::shared()
    };
    let mut world = World::new(5, policy);
    for _ in 0..3 {
        world.whole_task();
    }
    world.open(1).announce(0).take_bids();
    let Body::Close(close) = world.coordinator.decision() else {
        panic!("a close");
    };
    let mut wrong = close.clone();
    wrong.ranking.swap(0, 1);
    check_fault(
        "replay-33-warm-up",
        Rule::Ranking,
        "Another turn than that of the warm-up.",
        &with(&world.coordinator, Body::Close(wrong)),
    );
    let mut wrong = close;
    wrong.selections.swap(0, 1);
    check_fault(
        "replay-34-warm-up",
        Rule::Selection,
        "The second in turn before the first.",
        &with(&world.coordinator, Body::Close(wrong)),
    );
    // The warm-up ends with its fourth close.
    world.close().assign().pass(50);
    world.take_receipts("True").take_reveals("True");
    world.coordinator.decide();
    world.coordinator.decide();
    world.until_voted();
    let Body::Settlement(mut settlement) = world.coordinator.decision() else {
        panic!("a settlement");
    };
    settlement.state_root = Digest::ZERO;
    check_fault(
        "replay-42-after-warm-up",
        Rule::StateRoot,
        "A wrong state root behind a warm-up.",
        &with(&world.coordinator, Body::Settlement(settlement)),
    );
}
