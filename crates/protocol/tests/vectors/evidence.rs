//! Evidence, and bytes that convict nobody. Spec: chapter 16.

use crate::kit::{Author, World, acknowledge, params, replay};
use crate::{check_evidence, check_no_evidence, with};
use symphony_proto::evidence::v1 as proto;
use symphony_protocol::Rule;
use symphony_protocol::evidence::{Evidence, ForkPoint, SignedEntry};
use symphony_protocol::records::{Body, Capability, Issued, Phase, Timeout};
use symphony_transparency::{Digest, MerkleTree, decode_canonical, encode};

fn tree(entries: &[Vec<u8>]) -> MerkleTree {
    let mut tree = MerkleTree::new();
    for entry in entries {
        tree.append(entry);
    }
    tree
}

#[test]
fn evidence_vectors_of_statements() {
    let mut world = World::standard();
    world.open(1).announce(0);
    let (first, second) = (
        world.executors[0].sign(&world.bid_record(0)),
        world.executors[0].sign(&symphony_protocol::records::Bid {
            load_ppm: 1,
            ..world.bid_record(0)
        }),
    );
    let [one, two] = [&first, &second].map(|bid| bid.statement.bytes());
    let bids = Evidence::two_bids(one, two).unwrap();
    check_evidence("two-bids", "Two bids that differ in load.", &bids);
    let mut elsewhere = world.bid_record(0);
    elsewhere.origin.log = Digest::from_bytes([7; 32]);
    let elsewhere = world.executors[0].sign(&elsewhere);
    let logs = Evidence::two_logs(one, elsewhere.statement.bytes()).unwrap();
    check_evidence(
        "two-logs",
        "A bid that names a second log of its author.",
        &logs,
    );
    Evidence::two_logs(one, two).expect_err("two statements of one log");
    let framed = world.executors[1].sign(&elsewhere.record);
    Evidence::two_logs(one, framed.statement.bytes()).expect_err("two authors");
    Evidence::two_bids(one, elsewhere.statement.bytes()).expect_err("two logs");
    let mut wrong = world.bid_record(1);
    wrong.match_ppm -= 1;
    let bid = world.executors[1].sign(&wrong);
    let (capability, beacon) = (
        world.capabilities[1].record.encode(),
        world.beacon().record.encode(),
    );
    let params = params().to_bytes();
    let evidence =
        Evidence::bid_match(bid.statement.bytes(), &capability, &beacon, &params).unwrap();
    check_evidence("bid-match", "A match one millionth too small.", &evidence);
    let mut far = capability_of(&world, 2);
    far.tags = vec!["navigation".to_owned()];
    far.embedding = symphony_protocol::embedding::Embedding::of_text("zzz qqq xxx");
    let mut below = world.bid_record(2);
    below.capability = Issued::new(far.clone()).digest;
    below.match_ppm = symphony_protocol::matching::match_ppm(
        &symphony_protocol::matching::Profile {
            tags: &far.tags,
            embedding: &far.embedding,
        },
        &symphony_protocol::matching::Profile {
            tags: &world.beacon().record.tags,
            embedding: &world.beacon().record.embedding,
        },
    );
    let bid = world.executors[2].sign(&below);
    let evidence =
        Evidence::bid_match(bid.statement.bytes(), &far.encode(), &beacon, &params).unwrap();
    check_evidence(
        "bid-below-threshold",
        "A right match below the threshold.",
        &evidence,
    );
    let (old, new) = (
        world.executors[0].sign(&world.capabilities[0].record),
        world.executors[0].sign(&Capability {
            parallel_max: 2,
            ..world.capabilities[0].record.clone()
        }),
    );
    let evidence =
        Evidence::two_capabilities(old.statement.bytes(), new.statement.bytes()).unwrap();
    check_evidence(
        "two-capabilities",
        "Two capabilities under number 1.",
        &evidence,
    );
    world.take_bids().close().assign();
    let order = world.orders[0].clone();
    let executor = &world.executors[order.executor];
    let (receipt, other) = (
        executor.sign(&world.receipt_record(&order, "True")),
        executor.sign(&world.receipt_record(&order, "False")),
    );
    let evidence =
        Evidence::two_receipts(receipt.statement.bytes(), other.statement.bytes()).unwrap();
    check_evidence(
        "two-receipts",
        "Two receipts with different ballots.",
        &evidence,
    );
    let reveal = executor.sign(&world.reveal_record(&order, "False"));
    let evidence =
        Evidence::closed_ballot(receipt.statement.bytes(), reveal.statement.bytes()).unwrap();
    check_evidence(
        "closed-ballot",
        "A reveal of another answer than the one committed to.",
        &evidence,
    );
    let pair = |first: &[u8], second: &[u8]| {
        encode(&proto::Evidence {
            proof: Some(proto::evidence::Proof::TwoReceipts(proto::StatementPair {
                first: first.to_vec(),
                second: second.to_vec(),
            })),
        })
    };
    let (first, second) = (receipt.statement.bytes(), other.statement.bytes());
    let sorted = if receipt.digest() < other.digest() {
        [second, first]
    } else {
        [first, second]
    };
    check_no_evidence(
        "two-receipts-order",
        "EVIDENCE-4",
        "The statement with the larger digest stands first.",
        &pair(sorted[0], sorted[1]),
    );
    check_no_evidence(
        "two-receipts-same",
        "EVIDENCE-4",
        "One receipt twice.",
        &pair(first, first),
    );
    let stranger = world
        .coordinator
        .sign(&world.receipt_record(&order, "False"));
    check_no_evidence(
        "two-receipts-authors",
        "EVIDENCE-4",
        "Receipts of two peers.",
        &pair(first, stranger.statement.bytes()),
    );
}

fn capability_of(world: &World, executor: usize) -> Capability {
    world.capabilities[executor].record.clone()
}

#[test]
fn evidence_vectors_of_histories() {
    let mut world = World::standard();
    world.open(1).announce(0);
    let beacon = world.beacon().clone();
    let author = &world.coordinator;
    let genesis = &author.entries[0];
    let index = author.entries.len() - 1;
    let other = author.rechained(index, |entry| entry.body = Body::Resumed);
    let (note, forked) = (
        author.checkpoint(&author.entries, Digest::ZERO),
        author.checkpoint(&other, Digest::ZERO),
    );
    let evidence = Evidence::two_checkpoints(genesis, &note, &forked, None).unwrap();
    check_evidence("fork-one-size", "Two roots of one size.", &evidence);
    let (honest, changed) = (tree(&author.entries), tree(&other));
    let size = honest.size();
    let mut longer = author.entries.clone();
    longer.push(author.entry(Body::Resumed).encode());
    let longer_tree = tree(&longer);
    let later = author.checkpoint(&longer, Digest::ZERO);
    let hashes = longer_tree.consistency_proof(size, size + 1).unwrap();
    let fork = ForkPoint {
        root: honest.root(),
        hashes: &hashes,
    };
    let evidence = Evidence::two_checkpoints(genesis, &forked, &later, Some(fork)).unwrap();
    check_evidence(
        "fork-two-sizes",
        "The larger tree does not continue the smaller.",
        &evidence,
    );
    let place = index as u64;
    let (proof, other_proof) = (
        honest.inclusion_proof(place, size).unwrap(),
        changed.inclusion_proof(place, size).unwrap(),
    );
    let first = SignedEntry {
        bytes: &author.entries[index],
        index: place,
        checkpoint: &note,
        hashes: &proof,
    };
    let second = SignedEntry {
        bytes: &other[index],
        index: place,
        checkpoint: &forked,
        hashes: &other_proof,
    };
    let evidence = Evidence::two_entries(genesis, first, second).unwrap();
    check_evidence("fork-two-entries", "Two entries at one index.", &evidence);
    let evidence = Evidence::broken_word(genesis, beacon.statement.bytes(), second).unwrap();
    check_evidence(
        "named-entry-changed",
        "A beacon names an entry that holds something else.",
        &evidence,
    );
    let word = acknowledge(author, place, Digest::ZERO);
    let evidence = Evidence::broken_word(genesis, word.statement.bytes(), first).unwrap();
    check_evidence(
        "acknowledged-entry-missing",
        "An acknowledgement names an entry that holds something else.",
        &evidence,
    );
    let first_entry = Author::new(2);
    let entries = [author.entries[0].clone()];
    let note = first_entry.checkpoint(&entries, Digest::ZERO);
    let evidence = Evidence::lone_entry(
        &first_entry.entries[0],
        SignedEntry {
            bytes: &entries[0],
            index: 0,
            checkpoint: &note,
            hashes: &[],
        },
    )
    .unwrap();
    check_evidence(
        "tree-without-entry-0",
        "The first leaf of the tree is not entry 0.",
        &evidence,
    );
}

/// What is due, with another number or time than the clock tells: no more of the state is opened.
#[test]
fn evidence_vectors_of_turns() {
    let mut world = World::standard();
    world.open(1).announce(0).take_bids().close();
    let mut order = world.assignment_record();
    let author = &mut world.coordinator;
    let root = author.replay.state_mut().root();
    let base = author.checkpoint(&author.entries, root);
    order.slot = 1;
    let slot = with(author, Body::AssignmentIssued(Issued::new(order)));
    order.slot = 0;
    let mut late = author.entry(Body::AssignmentIssued(Issued::new(order)));
    late.time_ms += 1;
    let late = [author.entries.as_slice(), &[late.encode()]].concat();
    order.beacon = Digest::ZERO;
    let beacon = with(author, Body::AssignmentIssued(Issued::new(order)));
    for (name, comment, entries) in [
        (
            "turn-of-another-slot",
            "An assignment of the second slot, while the first is due.",
            slot,
        ),
        (
            "turn-at-another-time",
            "An assignment a millisecond after it was due.",
            late,
        ),
        (
            "turn-of-another-beacon",
            "An assignment that names another beacon than that of the step that is due.",
            beacon,
        ),
    ] {
        let fault = replay(&entries).expect_err("a fault");
        assert_eq!(fault.rule, Rule::Duty);
        let note = author.checkpoint(&entries, Digest::ZERO);
        let evidence = Evidence::prove(&entries, &note, &[&base], &fault).unwrap();
        check_evidence(name, comment, &evidence);
    }
}

#[test]
fn evidence_vectors_of_windows() {
    let mut world = World::standard();
    world.until_assigned();
    let beacon = world.beacon_index();
    let author = &mut world.coordinator;
    let early = Timeout {
        beacon,
        phase: Phase::Receipt(0),
    };
    let entries = with(author, Body::Timeout(early));
    let fault = replay(&entries).expect_err("a fault");
    let note = author.checkpoint(&entries, Digest::ZERO);
    let evidence = Evidence::prove(&entries, &note, &[], &fault).unwrap();
    check_evidence(
        "window-from-close",
        "A time-out before it is due: the window begins with the close.",
        &evidence,
    );
    let root = author.replay.state_mut().root();
    let base = author.checkpoint(&author.entries, root);
    let evidence = Evidence::prove(&entries, &note, &[&base], &fault).unwrap();
    check_evidence(
        "window-from-checkpoint",
        "The same; the window begins at a checkpoint.",
        &evidence,
    );
    let mut cut: proto::Evidence = decode_canonical(evidence.bytes(), 1 << 16).unwrap();
    if let Some(proto::evidence::Proof::Window(window)) = &mut cut.proof
        && let Some(proto::window::Base::FromCheckpoint(base)) = &mut window.base
        && let Some(state) = &mut base.state
    {
        let leaf = state
            .nodes
            .iter_mut()
            .rev()
            .find_map(|node| match &node.node {
                Some(proto::map_node::Node::Leaf(leaf)) if leaf.key.starts_with(b"beacon/") => {
                    Some((leaf.key.clone(), leaf.value.clone(), node))
                }
                _ => None,
            });
        let (key, value, node) = leaf.expect("the step is open");
        node.node = Some(proto::map_node::Node::HiddenLeaf(proto::HiddenLeaf {
            place: symphony_transparency::digest(symphony_transparency::Domain::StateKey, &key)
                .as_bytes()
                .to_vec(),
            value: symphony_transparency::digest(symphony_transparency::Domain::StateValue, &value)
                .as_bytes()
                .to_vec(),
        }));
    }
    check_no_evidence(
        "window-step-not-opened",
        "EVIDENCE-12",
        "The same without the step: the rules read a key that is not open.",
        &encode(&cut),
    );
    let whole = encode(&cut);
    check_no_evidence(
        "trailing-byte",
        "EVIDENCE-1",
        "A byte behind the message.",
        &[whole.as_slice(), &[0]].concat(),
    );
    check_no_evidence("empty", "EVIDENCE-1", "No proof.", &[]);
}

#[test]
fn evidence_vectors_of_windows_with_a_wrong_root() {
    let mut world = World::standard();
    world.until_voted();
    let author = &mut world.coordinator;
    let Body::Settlement(settlement) = author.decision() else {
        panic!("a settlement");
    };
    let mut wrong = settlement.clone();
    wrong.outcomes[0].reward = 0.25;
    wrong.state_root = Digest::ZERO;
    let entries = with(author, Body::Settlement(wrong));
    let fault = replay(&entries).expect_err("a fault");
    let note = author.checkpoint(&entries, Digest::ZERO);
    let evidence = Evidence::prove(&entries, &note, &[], &fault).unwrap();
    check_evidence(
        "window-from-root",
        "A wrong reward and a wrong root: the window begins where the root is recorded by itself.",
        &evidence,
    );
    let honest = [
        author.entries.as_slice(),
        &[author.entry(Body::Settlement(settlement)).encode()],
    ]
    .concat();
    let root = replay(&honest).unwrap().state_mut().root();
    let honest_note = author.checkpoint(&honest, root);
    let mut same: proto::Evidence = decode_canonical(evidence.bytes(), 1 << 16).unwrap();
    if let Some(proto::evidence::Proof::Window(window)) = &mut same.proof {
        let honest_tree = tree(&honest);
        let last = honest.len() - 1;
        window.entries = honest[honest.len() - window.entries.len()..].to_vec();
        window.checkpoint = honest_note.into_bytes();
        window.hashes = honest_tree
            .inclusion_proof(last as u64, honest_tree.size())
            .unwrap()
            .iter()
            .map(|hash| hash.to_vec())
            .collect();
    }
    check_no_evidence(
        "window-honest",
        "EVIDENCE-9",
        "The right settlement: the part of the state does not show what it looks up.",
        &encode(&same),
    );
    let genesis = Author::new(3);
    let note = genesis.checkpoint(&genesis.entries, Digest::ZERO);
    let fault = symphony_protocol::Fault {
        peer: genesis.key(),
        rule: Rule::StateRoot,
        entry: 0,
        expected: String::new(),
        found: String::new(),
    };
    let evidence = Evidence::prove(&genesis.entries, &note, &[], &fault).unwrap();
    check_evidence(
        "window-checkpoint-root",
        "The first checkpoint has another state root.",
        &evidence,
    );
}
