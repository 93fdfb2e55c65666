//! Faults that no single entry's replay shows: two histories, broken words, broken chains. The faults that replay finds are
//! proved wherever a test of this crate provokes one: the kit makes and checks evidence for each of them.

use symphony_protocol::{
    Fault, Rule,
    evidence::{Conviction, Evidence, ForkPoint, LogSource, SignedEntry},
    records::{Body, Entry, Policy},
};
use symphony_transparency::{Digest, MerkleTree, NodeHash};

use crate::kit::{Author, ORDINARY_SIZE_MAX, World, acknowledge, capability, params, replay};

fn tree(entries: &[Vec<u8>]) -> MerkleTree {
    let mut tree = MerkleTree::new();
    for entry in entries {
        tree.append(entry);
    }
    tree
}

#[track_caller]
fn convicts(evidence: &Evidence, author: &Author, rule: Rule, entry: u64) -> Conviction {
    let conviction = Evidence::parse(evidence.bytes())
        .unwrap()
        .verify()
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(conviction.fault.peer, author.key());
    assert_eq!(conviction.fault.rule, rule);
    assert_eq!(conviction.fault.entry, entry);
    assert!(conviction.size <= ORDINARY_SIZE_MAX, "{}", conviction.size);
    conviction
}

/// The bytes of an author's entries from a whole task on, and of a second history in which entry `index` differs.
fn histories(index: usize) -> (World, Vec<Vec<u8>>) {
    let mut world = World::standard();
    world.whole_task();
    let other = world.coordinator.rechained(index, |entry| {
        entry.time_ms += 1;
    });
    (world, other)
}

struct Proved<'a> {
    bytes: &'a [u8],
    index: u64,
    note: String,
    hashes: Vec<NodeHash>,
}

impl<'a> Proved<'a> {
    fn new(author: &Author, entries: &'a [Vec<u8>], index: usize) -> Self {
        let tree = tree(entries);
        Self {
            bytes: &entries[index],
            index: index as u64,
            note: author.checkpoint(entries, Digest::ZERO),
            hashes: tree.inclusion_proof(index as u64, tree.size()).unwrap(),
        }
    }

    fn signed(&self) -> SignedEntry<'_> {
        SignedEntry {
            bytes: self.bytes,
            index: self.index,
            checkpoint: &self.note,
            hashes: &self.hashes,
        }
    }
}

#[test]
fn evidence_5_two_roots_of_one_size_are_a_fork() {
    let (world, other) = histories(5);
    let author = &world.coordinator;
    let genesis = &author.entries[0];
    let first = author.checkpoint(&author.entries, Digest::ZERO);
    let second = author.checkpoint(&other, Digest::ZERO);
    let evidence = Evidence::two_checkpoints(genesis, &first, &second, None).unwrap();
    convicts(&evidence, author, Rule::Fork, author.size() - 1);
    let states = author.checkpoint(&author.entries, Digest::from_bytes([1; 32]));
    let evidence = Evidence::two_checkpoints(genesis, &states, &first, None).unwrap();
    convicts(&evidence, author, Rule::Fork, author.size() - 1);
    Evidence::two_checkpoints(genesis, &first, &first, None).expect_err("one history");
    let stranger = World::standard().executors[0].checkpoint(&other, Digest::ZERO);
    Evidence::two_checkpoints(genesis, &first, &stranger, None).expect_err("another signer");
}

#[test]
fn evidence_5_a_checkpoint_that_a_later_one_does_not_continue() {
    let (world, other) = histories(5);
    let author = &world.coordinator;
    let genesis = &author.entries[0];
    let (old_size, size) = (9, author.size());
    let old = author.checkpoint(&other[..9], Digest::ZERO);
    let new = author.checkpoint(&author.entries, Digest::ZERO);
    let tree = tree(&author.entries);
    let hashes = tree.consistency_proof(old_size, size).unwrap();
    let fork = ForkPoint {
        root: tree.root_at(old_size).unwrap(),
        hashes: &hashes,
    };
    let evidence = Evidence::two_checkpoints(genesis, &new, &old, Some(fork)).unwrap();
    convicts(&evidence, author, Rule::TreeRoot, old_size - 1);
    let honest = author.checkpoint(&author.entries[..9], Digest::ZERO);
    Evidence::two_checkpoints(genesis, &honest, &new, Some(fork)).expect_err("one history");
    Evidence::two_checkpoints(genesis, &honest, &new, None).expect_err("no proof");
}

#[test]
fn evidence_5_two_entries_at_one_index_are_a_fork() {
    let (world, other) = histories(5);
    let author = &world.coordinator;
    let genesis = &author.entries[0];
    let one = Proved::new(author, &author.entries, 5);
    let two = Proved::new(author, &other, 5);
    let evidence = Evidence::two_entries(genesis, one.signed(), two.signed()).unwrap();
    convicts(&evidence, author, Rule::Fork, 5);
    Evidence::two_entries(genesis, one.signed(), one.signed()).expect_err("one entry");
    let elsewhere = Proved::new(author, &other, 6);
    Evidence::two_entries(genesis, one.signed(), elsewhere.signed()).expect_err("two places");
    let mut unproved = two.signed();
    unproved.hashes = &one.hashes;
    Evidence::two_entries(genesis, one.signed(), unproved).expect_err("not in the tree");
}

#[test]
fn evidence_6_a_named_entry_that_was_rewritten() {
    let mut world = World::standard();
    world.open(1).announce(0);
    let beacon = world.beacon().clone();
    let index = world.beacon_index() as usize;
    let author = &world.coordinator;
    let genesis = &author.entries[0];
    let honest = Proved::new(author, &author.entries, index);
    let word = beacon.statement.bytes();
    Evidence::broken_word(genesis, word, honest.signed()).expect_err("it stands there");
    let other = author.rechained(index, |entry| entry.body = Body::Resumed);
    let rewritten = Proved::new(author, &other, index);
    let evidence = Evidence::broken_word(genesis, word, rewritten.signed()).unwrap();
    convicts(&evidence, author, Rule::Omission, index as u64);
    // Anyone can sign a copy that names this place; only the author's own word binds it.
    let copy = world.executors[0].sign(&beacon.record);
    Evidence::broken_word(genesis, copy.statement.bytes(), rewritten.signed())
        .expect_err("not the author's word");
}

#[test]
fn evidence_6_an_acknowledged_entry_that_was_dropped() {
    let mut world = World::standard();
    world.open(1).announce(0).take_bid(0);
    let author = &world.coordinator;
    let genesis = &author.entries[0];
    let index = author.entries.len() - 1;
    let word = acknowledge(author, index as u64, world.bids[0].digest());
    let honest = Proved::new(author, &author.entries, index);
    Evidence::broken_word(genesis, word.statement.bytes(), honest.signed())
        .expect_err("it stands there");
    let other = author.rechained(index, |entry| entry.body = Body::Resumed);
    let dropped = Proved::new(author, &other, index);
    let evidence =
        Evidence::broken_word(genesis, word.statement.bytes(), dropped.signed()).unwrap();
    convicts(&evidence, author, Rule::Omission, index as u64);
}

/// Evidence of the fault that replay finds in these entries, under a checkpoint over them.
fn proved(author: &Author, entries: &[Vec<u8>]) -> (Evidence, Fault) {
    let fault = replay(entries).expect_err("a fault");
    (author.prove(entries, &fault), fault)
}

#[test]
fn evidence_7_bytes_that_are_no_entry() {
    let author = Author::new(1);
    let sound = author
        .entry(Body::PolicySet(
            Policy::shared(),
            symphony_protocol::records::Learning::Anew,
        ))
        .encode();
    for bytes in [vec![], vec![0], [sound, vec![0]].concat()] {
        let entries = [author.entries[0].clone(), bytes];
        let (evidence, fault) = proved(&author, &entries);
        assert_eq!(evidence.kind(), "lone_entry");
        assert_eq!(fault.rule, Rule::Malformed);
        convicts(&evidence, &author, Rule::Malformed, 1);
    }
}

#[test]
fn evidence_7_a_broken_chain() {
    let author = Author::new(1);
    let sound = author.entry(Body::PolicySet(
        Policy::shared(),
        symphony_protocol::records::Learning::Anew,
    ));
    let mut index = sound.clone();
    index.index += 1;
    let mut previous = sound.clone();
    previous.previous = Digest::ZERO;
    let mut time = sound;
    time.time_ms -= 1;
    for (wrong, kind) in [
        (index, "lone_entry"),
        (previous, "broken_link"),
        (time, "broken_link"),
    ] {
        let entries = [author.entries[0].clone(), wrong.encode()];
        let (evidence, _) = proved(&author, &entries);
        assert_eq!(evidence.kind(), kind);
        convicts(&evidence, &author, Rule::Chain, 1);
    }
}

#[test]
fn evidence_7_a_tree_that_does_not_begin_with_entry_0() {
    let author = Author::new(1);
    let other = Author::new(2);
    let entries = [other.entries[0].clone()];
    let first = Proved::new(&author, &entries, 0);
    let evidence = Evidence::lone_entry(&author.entries[0], first.signed()).unwrap();
    convicts(&evidence, &author, Rule::TreeRoot, 0);
    let honest = Proved::new(&author, &author.entries, 0);
    Evidence::lone_entry(&author.entries[0], honest.signed()).expect_err("entry 0 itself");
}

#[test]
fn evidence_9_a_checkpoint_with_another_state_root() {
    let mut world = World::standard();
    world.whole_task();
    let author = &world.coordinator;
    let note = author.checkpoint(&author.entries, Digest::ZERO);
    let mut replay = replay(&author.entries).unwrap();
    let signed = symphony_transparency::SignedCheckpoint::parse_unverified(&note).unwrap();
    let fault = replay.check(&signed).expect_err("another root");
    let evidence = Evidence::prove(&author.entries, &note, &[], &fault).unwrap();
    convicts(&evidence, author, Rule::StateRoot, author.size() - 1);
    let first = Author::new(3);
    let note = first.checkpoint(&first.entries, Digest::ZERO);
    let fault = Fault {
        peer: first.key(),
        entry: 0,
        ..fault
    };
    let evidence = Evidence::prove(&first.entries, &note, &[], &fault).unwrap();
    convicts(&evidence, &first, Rule::StateRoot, 0);
}

#[test]
fn evidence_8_a_window_begins_at_the_nearest_checkpoint() {
    let mut world = World::standard();
    world.until_assigned();
    let order = world.orders[0].clone();
    world.receipt(&order, "True");
    let executor = &world.executors[order.executor];
    let size = executor.entries.len();
    let before = executor.checkpoint(
        &executor.entries,
        executor.replay.clone().state_mut().root(),
    );
    let again = world.receipt_record(&order, "False");
    let wrong = executor
        .entry(Body::ReceiptIssued(
            symphony_protocol::records::Issued::new(again),
        ))
        .encode();
    let entries = [executor.entries.as_slice(), &[wrong]].concat();
    let fault = replay(&entries).expect_err("a second receipt");
    let note = executor.checkpoint(&entries, Digest::ZERO);
    let from_genesis = Evidence::prove(&entries, &note, &[], &fault).unwrap();
    let from_checkpoint = Evidence::prove(&entries, &note, &[&before], &fault).unwrap();
    convicts(&from_genesis, executor, Rule::ReceiptTwice, size as u64);
    convicts(&from_checkpoint, executor, Rule::ReceiptTwice, size as u64);
    assert!(from_checkpoint.bytes().len() < from_genesis.bytes().len());
}

#[test]
fn evidence_10_a_wrong_root_is_found_before_a_wrong_reward() {
    let mut world = World::standard();
    world.until_voted();
    let Body::Settlement(mut settlement) = world.coordinator.decision() else {
        panic!("a settlement");
    };
    settlement.outcomes[0].reward = 0.25;
    settlement.state_root = Digest::ZERO;
    let author = &world.coordinator;
    let wrong = author.entry(Body::Settlement(settlement)).encode();
    let entries = [author.entries.as_slice(), &[wrong]].concat();
    let (evidence, _) = proved(author, &entries);
    convicts(&evidence, author, Rule::StateRoot, author.size());
}

#[test]
fn evidence_8_the_entries_are_those_of_the_author() {
    let mut world = World::standard();
    world.until_voted();
    let author = &world.coordinator;
    let network = params().network_id();
    // A wrong entry that the author never signed for: the checkpoint covers another one.
    let mut entry = Entry::parse(author.entries.last().unwrap(), Some(&network)).unwrap();
    entry.body = Body::Resumed;
    let mut entries = author.entries.clone();
    entries.pop();
    entries.push(entry.encode());
    let honest = author.checkpoint(&author.entries, Digest::ZERO);
    let fault = Fault {
        peer: author.key(),
        rule: Rule::Duty,
        entry: entries.len() as u64 - 1,
        expected: String::new(),
        found: String::new(),
    };
    Evidence::prove(&entries, &honest, &[], &fault).expect_err("not in the author's tree");
}

/// A log of which nothing behind this entry may be read.
struct Until<'a>(&'a [Vec<u8>], u64);

impl LogSource for Until<'_> {
    fn entry(&self, index: u64) -> Option<Vec<u8>> {
        assert!(index <= self.1, "entry {index} is read");
        self.0.entry(index)
    }
}

/// A log may hold any number of findings, and any number of entries behind them.
#[test]
fn evidence_13_nothing_behind_a_finding_is_read() {
    let mut world = World::standard();
    let mut other = capability(world.executors[2].origin(), 1);
    other.parallel_max = 9;
    let other = world.executors[2].sign(&other);
    let received = Body::CapabilityReceived(other);
    let findings = world.coordinator.try_push(received).unwrap().findings;
    let [finding] = &findings[..] else {
        panic!("one finding: {findings:?}")
    };
    world.open(1);
    let coordinator = &world.coordinator;
    let note = coordinator.checkpoint(&coordinator.entries, Digest::ZERO);
    let log = Until(&coordinator.entries, finding.entry);
    let proved = Evidence::prove(&log, &note, &[], finding).unwrap();
    assert_eq!(proved, Evidence::prove_finding(&log, finding).unwrap());
    let conviction = proved.verify().unwrap();
    assert_eq!(conviction.fault.peer, world.executors[2].key());
    assert_eq!(conviction.fault.rule, Rule::CapabilitySequence);
}
