//! What an entry is, and where it stands. Spec: REPLAY-20 to REPLAY-23.

use crate::kit::{Author, World, assert_fault, capability};
use symphony_protocol::{
    Rule,
    records::{Assignment, Body, Entry, Issued, Policy},
};
use symphony_transparency::Digest;

#[test]
fn replay_20_malformed_entry() {
    let mut author = Author::new(1);
    let mut bytes = author
        .entry(Body::PolicySet(
            Policy::shared(),
            symphony_protocol::records::Learning::Anew,
        ))
        .encode();
    bytes.push(0);
    let fault = author.push_bytes(bytes).unwrap_err();
    assert_fault(
        &fault,
        Rule::Malformed,
        author.key(),
        1,
        "canonical entry",
        "Entry",
    );
}

#[test]
fn replay_20_foreign_statement_that_nobody_signed() {
    let mut world = World::standard();
    let own = world.executors[0].sign(&capability(world.executors[0].origin(), 2));
    let bytes = world
        .coordinator
        .entry(Body::CapabilityReceived(own.clone()))
        .encode();
    // The signature is the last field of the statement: its last byte is the entry's last.
    let mut forged = bytes.clone();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    let index = world.coordinator.size();
    let fault = world.coordinator.push_bytes(forged).unwrap_err();
    assert_fault(
        &fault,
        Rule::Malformed,
        world.coordinator.key(),
        index,
        "valid statements",
        "signature",
    );
    world
        .coordinator
        .push_bytes(bytes)
        .expect("sound as signed");
}

#[test]
fn replay_21_broken_chain() {
    type Change = fn(&mut Entry);
    let author = Author::new(1);
    let sound = author.entry(Body::PolicySet(
        Policy::shared(),
        symphony_protocol::records::Learning::Anew,
    ));
    let breaches: [(Change, &str, &str); 4] = [
        (|entry| entry.index = 2, "index 1", "index 2"),
        (|entry| entry.index = 0, "index 1", "index 0"),
        (
            |entry| entry.previous = Digest::ZERO,
            "previous",
            &"0".repeat(64),
        ),
        (|entry| entry.time_ms -= 1, "1000000 ms", "999999 ms"),
    ];
    for (change, expected, found) in breaches {
        let mut author = Author::new(1);
        let mut entry = sound.clone();
        change(&mut entry);
        let fault = author.push_bytes(entry.encode()).unwrap_err();
        assert_fault(&fault, Rule::Chain, author.key(), 1, expected, found);
    }
}

#[test]
fn replay_22_second_genesis() {
    let mut author = Author::new(1);
    let genesis = Entry::parse(&author.entries[0], None).unwrap();
    let fault = author.try_push(genesis.body).unwrap_err();
    assert_fault(
        &fault,
        Rule::Genesis,
        author.key(),
        1,
        "only as entry 0",
        "another",
    );
}

#[test]
fn replay_23_statement_out_of_place() {
    let mut author = Author::new(1);
    let mut origin = author.origin();
    origin.index += 1;
    let fault = author
        .try_push(Body::CapabilityIssued(Issued::new(capability(origin, 1))))
        .unwrap_err();
    assert_fault(
        &fault,
        Rule::Origin,
        author.key(),
        1,
        "index: 1",
        "index: 2",
    );
}

#[test]
fn replay_23_own_statement_as_received() {
    let mut author = Author::new(1);
    let own = author.sign(&capability(author.origin(), 1));
    let fault = author.try_push(Body::CapabilityReceived(own)).unwrap_err();
    assert_fault(
        &fault,
        Rule::Origin,
        author.key(),
        1,
        "as issued",
        "as received",
    );
}

/// An assignment to oneself stands as issued too. Found by the second verifier.
#[test]
fn replay_23_own_assignment_as_received() {
    let mut world = World::standard();
    world.until_assigned();
    let own = world.coordinator.sign(&Assignment {
        executor: world.coordinator.key(),
        ..world.orders[0].statement.record
    });
    let index = world.coordinator.origin().index;
    let fault = world
        .coordinator
        .try_push(Body::AssignmentReceived(own))
        .unwrap_err();
    assert_fault(
        &fault,
        Rule::Origin,
        world.coordinator.key(),
        index,
        "as issued",
        "as received",
    );
}
