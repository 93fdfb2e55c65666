//! What other peers measured, taken in with its proof and weighed by what it foretells. Spec: chapter 21, REPLAY-51.
#![allow(clippy::unwrap_used, reason = "tests")]

mod kit;

use kit::{
    Author, World, assert_fault, convicts,
    measures::{largest_window, measures_for},
};
use prost::Message;
use symphony_proto::{evidence::v1 as evidence, log::v1 as wire};
use symphony_protocol::{
    Fault, Rule,
    records::{Body, Entry, MeasuresImported, Phase, Policy, Timeout},
    state::{BucketMeasures, CLAIMS_MAX, SOURCES_MAX},
};
use symphony_transparency::{Checkpoint, PublicKey};

/// Whose measures are taken in, after so many settled tasks of four executors.
fn source(seed: u8, tasks: u32) -> World {
    let mut world = World::of(seed, 4, Policy::shared());
    for _ in 0..tasks {
        world.whole_task();
    }
    world
}

/// What the importer may take in of the source's measures.
fn imports(source: &mut World, importer: &PublicKey, weight_ppm: u32) -> Vec<MeasuresImported> {
    measures_for(&mut source.coordinator, importer, weight_ppm, 100)
}

fn take_in(world: &mut World, source: &mut World, weight_ppm: u32) {
    for import in imports(source, &world.coordinator.key(), weight_ppm) {
        world.coordinator.push(Body::MeasuresImported(import));
    }
}

fn odds(world: &World, source: &World) -> f64 {
    world.coordinator.replay.state().sources()[&source.coordinator.key()].odds
}

fn measured(world: &World, peer: &PublicKey) -> BucketMeasures {
    let state = world.coordinator.replay.state();
    let bucket = world.beacon().record.bucket();
    state.bucket_measures(&bucket, peer)
}

/// Prior and reputation with which each executor stands in the open step.
fn standings(world: &World) -> Vec<(f64, f64, bool)> {
    let state = world.coordinator.replay.state();
    let step = state.step(world.beacon_index()).unwrap();
    let candidates = state.candidates(step);
    world
        .executors
        .iter()
        .map(|executor| {
            let found = candidates
                .iter()
                .find(|candidate| candidate.peer == executor.key())
                .unwrap();
            (found.prior, found.reputation, found.newcomer)
        })
        .collect()
}

#[track_caller]
fn close(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() < 1e-12,
        "{found} is not {expected}"
    );
}

/// Spec: IMPORT-6: half of the weight is the own record, which says 1/3 of everybody; the source's counts say the rest.
#[test]
fn import_6_a_newcomer_stands_as_own_record_and_sources_say() {
    let mut theirs = source(2, 3);
    let mut world = World::standard();
    take_in(&mut world, &mut theirs, 1_000_000);
    world.open(1).announce(0).take_bids();
    let peers: Vec<PublicKey> = world.executors.iter().map(Author::key).collect();
    let (mut told, mut untold) = (0, 0);
    for (peer, (prior, reputation, newcomer)) in peers.iter().zip(standings(&world)) {
        let claim = measured(&theirs, peer);
        assert!(newcomer, "the own record alone says who is one");
        if claim.settlements == 0 {
            untold += 1;
            close(prior, 1.0 / 3.0);
            close(reputation, 1.0 / 3.0);
            continue;
        }
        told += 1;
        let (settled, won) = (
            f64::from(claim.settlements as u32),
            f64::from(claim.wins as u32),
        );
        let said = (won + 1.0) / (settled + 3.0);
        close(prior, (1.0 / 3.0 + said) / 2.0);
        let said = (1.0 / 3.0 + settled * claim.reputation) / (1.0 + settled);
        close(reputation, (1.0 / 3.0 + said) / 2.0);
    }
    assert!(told >= 2 && told + untold == 4);
    kit::replay(&world.coordinator.entries).expect("an honest log");
}

/// Spec: IMPORT-7: what the source foretold came true, so it weighs more; what it says of others than the executor changes nothing.
#[test]
fn import_7_a_source_that_foretells_better_weighs_more_and_one_that_lies_less() {
    let mut theirs = source(2, 3);
    let mut world = World::standard();
    take_in(&mut world, &mut theirs, 500_000);
    close(odds(&world, &theirs), 0.5);
    world.until_voted();
    let mut expected = 0.5;
    for order in &world.orders {
        let claim = measured(&theirs, &world.executors[order.executor].key());
        let (settled, won) = (
            f64::from(claim.settlements as u32),
            f64::from(claim.wins as u32),
        );
        expected *= ((won + 1.0) / (settled + 3.0)) / (1.0 / 3.0);
    }
    assert!(expected > 0.6, "it foretold successes: {expected}");
    world.coordinator.decide();
    close(odds(&world, &theirs), expected);
    world.coordinator.decide();
    // Now everybody that it praises fails: nobody reveals in time.
    for _ in 0..12 {
        world.until_assigned();
        world.pass(u64::from(kit::EXECUTE_MS) + 1);
        while let Some(due) = world.coordinator.replay.state().next_due() {
            world.coordinator.push(Body::Timeout(due.timeout()));
            while world.coordinator.replay.state().duty().is_some() {
                if world.orders.len() < 4 {
                    world.assign();
                }
                if world.coordinator.replay.state().duty().is_some() {
                    world.coordinator.decide();
                }
            }
            world.pass(u64::from(kit::EXECUTE_MS) + 1);
        }
    }
    assert!(odds(&world, &theirs) < 0.5, "{}", odds(&world, &theirs));
    kit::replay(&world.coordinator.entries).expect("an honest log");
}

/// Spec: IMPORT-5.
#[test]
fn import_5_a_newer_import_makes_the_older_claims_void_and_odds_never_grow_by_it() {
    let mut theirs = source(2, 2);
    let mut world = World::standard();
    take_in(&mut world, &mut theirs, 400_000);
    let early = measured_sizes(&world, &theirs);
    for _ in 0..3 {
        theirs.whole_task();
    }
    take_in(&mut world, &mut theirs, 1_000_000);
    close(odds(&world, &theirs), 0.4);
    assert!(measured_sizes(&world, &theirs) > early);
    // A newer import of one claim makes all others void.
    theirs.whole_task();
    let importer = world.coordinator.key();
    for import in measures_for(&mut theirs.coordinator, &importer, 1_000_000, 1) {
        world.coordinator.push(Body::MeasuresImported(import));
    }
    world.whole_task();
    world.open(1).announce(0).take_bids();
    let heard = (0..4)
        .filter(|place| {
            let own = measured(&world, &world.executors[*place].key()).prior(&kit::params());
            (standings(&world)[*place].0 - own).abs() > 1e-9
        })
        .count();
    assert_eq!(heard, 1);
    world.close().assign().pass(50);
    world.take_receipts("True").take_reveals("True");
    world.coordinator.decide();
    world.coordinator.decide();
    world
        .coordinator
        .push(Body::MeasuresImported(MeasuresImported::leave_out(
            theirs.coordinator.key(),
        )));
    let state = world.coordinator.replay.state();
    assert!(state.sources().is_empty());
    assert_eq!(state.counters().sources, 0);
    world.open(1).announce(0).take_bids();
    for (executor, (prior, reputation, _)) in world.executors.iter().zip(standings(&world)) {
        let own = measured(&world, &executor.key());
        close(prior, own.prior(&kit::params()));
        close(reputation, own.reputation);
    }
}

fn measured_sizes(world: &World, source: &World) -> u64 {
    world.coordinator.replay.state().sources()[&source.coordinator.key()].size
}

/// Spec: IMPORT-8: some failures after eight successes begin the measures anew.
#[test]
fn import_8_claims_go_when_the_peer_is_measured_anew() {
    let mut theirs = source(2, 3);
    let mut policy = Policy::shared();
    policy.change_threshold_ppm = 2_000_000;
    policy.change_drift_ppm = 100_000;
    let mut world = World::of(1, 2, policy);
    take_in(&mut world, &mut theirs, 1_000_000);
    for _ in 0..8 {
        world.whole_task();
    }
    let peer = world.executors[0].key();
    let mut anew = false;
    for _ in 0..8 {
        world.until_assigned();
        world.pass(kit::EXECUTE_MS.into());
        let beacon = world.beacon_index();
        for slot in 0..2 {
            world.coordinator.push(Body::Timeout(Timeout {
                beacon,
                phase: Phase::Receipt(slot),
            }));
        }
        world.coordinator.decide();
        world.coordinator.decide();
        world.open(1).announce(0).take_bids();
        let own = measured(&world, &peer);
        let (prior, ..) = standings(&world)[0];
        let heard = (prior - own.prior(&kit::params())).abs() > 1e-3;
        anew |= own.settlements < 8;
        assert_eq!(heard, !anew, "{own:?}");
        world.close().assign();
        world.pass(50);
        world.take_receipts("True").take_reveals("True");
        world.coordinator.decide();
        world.coordinator.decide();
    }
    assert!(anew);
}

/// The next entry: an import, changed.
fn changed(
    world: &World,
    import: &MeasuresImported,
    change: impl FnOnce(&mut wire::MeasuresImported),
) -> Vec<u8> {
    let body = Body::MeasuresImported(import.clone());
    let bytes = world.coordinator.entry(body).encode();
    let mut entry = wire::Entry::decode(bytes.as_slice()).unwrap();
    let Some(wire::entry::Body::MeasuresImported(body)) = &mut entry.body else {
        panic!("an import");
    };
    change(body);
    entry.encode_to_vec()
}

/// The entry of a changed import, and what replay says; the fault is proved by a file.
#[track_caller]
fn refused(
    world: &mut World,
    import: &MeasuresImported,
    change: impl FnOnce(&mut wire::MeasuresImported),
) -> Fault {
    let bytes = changed(world, import, change);
    let author = &mut world.coordinator;
    let before = author.replay.state_mut().root();
    let fault = author.replay.push(&bytes).expect_err("a fault");
    assert_eq!(author.replay.state_mut().root(), before);
    let entries = [author.entries.as_slice(), &[bytes]].concat();
    convicts(&author.prove(&entries, &fault), &fault);
    fault
}

fn import(theirs: &mut World, world: &World) -> MeasuresImported {
    imports(theirs, &world.coordinator.key(), 1_000_000).remove(0)
}

/// The nodes that open what `keep` asks for, of the source's state.
fn leaves(body: &mut wire::MeasuresImported) -> impl Iterator<Item = &mut evidence::OpenLeaf> {
    body.nodes
        .iter_mut()
        .filter_map(|node| match &mut node.node {
            Some(evidence::map_node::Node::Leaf(leaf)) => Some(leaf),
            _ => None,
        })
}

#[test]
fn replay_51_claims_are_those_that_the_source_signed_for() {
    let (mut theirs, mut world) = (source(2, 2), World::standard());
    let import = import(&mut theirs, &world);
    let (author, size) = (world.coordinator.key(), world.coordinator.size());
    let fault = refused(&mut world, &import, |body| {
        let leaf = leaves(body).next().unwrap();
        let last = leaf.value.last_mut().unwrap();
        *last ^= 1;
    });
    assert_fault(
        &fault,
        Rule::Import,
        author,
        size,
        "a part of the state",
        "",
    );
    let fault = refused(&mut world, &import, |body| {
        leaves(body).next().unwrap().payload = vec![1];
    });
    assert_fault(&fault, Rule::Import, author, size, "no payload", "");
    let fault = refused(&mut world, &import, |body| drop(body.nodes.pop()));
    assert_fault(&fault, Rule::Import, author, size, "a part of a state", "");
    world.coordinator.push(Body::MeasuresImported(import));
}

/// Spec: IMPORT-1.
#[test]
fn import_1_a_checkpoint_that_the_source_did_not_sign_is_malformed() {
    let (mut theirs, mut world) = (source(2, 2), World::standard());
    let import = import(&mut theirs, &world);
    let other = Author::new(3).key();
    for change in [
        |body: &mut wire::MeasuresImported, other: PublicKey| {
            body.source = other.as_bytes().to_vec();
        },
        |body: &mut wire::MeasuresImported, _| body.weight_ppm = 1_000_001,
        |body: &mut wire::MeasuresImported, _| body.weight_ppm = 0,
        |body: &mut wire::MeasuresImported, _| {
            leaves(body).next().unwrap().payload = vec![1; 3_072];
        },
    ] {
        let fault = refused(&mut world, &import, |body| change(body, other));
        assert_eq!(fault.rule, Rule::Malformed, "{fault}");
    }
    // A size that no state holds: evidence could not open the sources that hold it.
    let taken = import.taken.as_ref().unwrap();
    for (size, malformed) in [(1 << 53, false), ((1 << 53) + 1, true)] {
        let checkpoint = Checkpoint {
            size,
            ..taken.checkpoint
        };
        let note = checkpoint.sign(&theirs.coordinator.secret).text();
        let with_size = |body: &mut wire::MeasuresImported| body.checkpoint = note.into_bytes();
        if malformed {
            assert_eq!(
                refused(&mut world, &import, with_size).rule,
                Rule::Malformed
            );
        } else {
            let bytes = changed(&world, &import, with_size);
            world.coordinator.push_bytes(bytes).unwrap();
        }
    }
}

fn opens_about(import: &MeasuresImported, peer: &PublicKey) -> bool {
    let claims = import.open_keys();
    claims.iter().any(|key| key.ends_with(peer.as_bytes()))
}

/// Spec: IMPORT-3, IMPORT-4.
#[test]
fn replay_51_no_measures_of_the_source_or_the_author_and_no_fifth_source() {
    let mut world = World::standard();
    let (author, size) = (world.coordinator.key(), world.coordinator.size());
    // The author's own log as a source, and a source that measured the author.
    let mut own = World::of(1, 4, Policy::shared());
    own.whole_task();
    let own = imports(&mut own, &Author::new(9).key(), 1_000_000).remove(0);
    let fault = refused(&mut world, &own, |_| {});
    assert_fault(&fault, Rule::Import, author, size, "another peer's", "");
    let mut theirs = source(2, 2);
    let unknown = MeasuresImported::leave_out(theirs.coordinator.key());
    let fault = refused(&mut world, &unknown, |_| {});
    assert_fault(
        &fault,
        Rule::Import,
        author,
        size,
        "a source that is taken in",
        "",
    );
    // A peer takes in what was measured of itself.
    let mut executor = World::of(21, 4, Policy::shared());
    let mut praising = World::of(2, 12, Policy::shared());
    praising.shortlist = 12;
    praising.picked = 12;
    praising.whole_task();
    let praise = imports(&mut praising, &Author::new(9).key(), 1_000_000)
        .into_iter()
        .find(|import| opens_about(import, &executor.coordinator.key()))
        .unwrap();
    let fault = refused(&mut executor, &praise, |_| {});
    assert_fault(
        &fault,
        Rule::Import,
        executor.coordinator.key(),
        size,
        "measures of others",
        "of the author",
    );

    let first = import(&mut theirs, &world);
    theirs.whole_task();
    take_in(&mut world, &mut theirs, 1_000_000);
    let size = world.coordinator.size();
    let fault = refused(&mut world, &first, |_| {});
    assert_fault(&fault, Rule::Import, author, size, "or more", "");
    for seed in 3..=5 {
        take_in(&mut world, &mut source(seed, 1), 1_000_000);
    }
    let size = world.coordinator.size();
    let fifth = import(&mut source(6, 1), &world);
    let fault = refused(&mut world, &fifth, |_| {});
    assert_fault(&fault, Rule::Import, author, size, "4 sources at most", "");
    assert_eq!(
        world.coordinator.replay.state().sources().len(),
        SOURCES_MAX
    );
}

/// Spec: IMPORT-2.
#[test]
fn import_2_many_claims_fill_several_entries_of_at_most_eight() {
    let mut theirs = World::of(2, 12, Policy::shared());
    theirs.shortlist = 12;
    theirs.picked = 12;
    theirs.whole_task();
    let mut world = World::of(1, 12, Policy::shared());
    let imports = imports(&mut theirs, &world.coordinator.key(), 1_000_000);
    assert!(imports.len() >= 2);
    const { assert!(12 > CLAIMS_MAX) };
    for import in imports {
        world.coordinator.push(Body::MeasuresImported(import));
    }
    world.shortlist = 12;
    world.open(1).announce(0).take_bids();
    for (prior, ..) in standings(&world) {
        close(prior, (1.0 / 3.0 + 2.0 / 4.0) / 2.0);
    }
    let fault = refused(
        &mut world,
        &MeasuresImported::leave_out(theirs.coordinator.key()),
        |body| {
            body.nodes.push(evidence::MapNode { node: None });
        },
    );
    assert_eq!(fault.rule, Rule::Malformed);
}

/// Spec: EVIDENCE-2, REPLAY-15: with four sources, too, a wrong root anywhere is proved by a small file.
#[test]
fn evidence_2_a_wrong_root_beside_four_sources_is_proved_in_a_small_file() {
    let mut world = World::of(1, 10, Policy::shared());
    world.shortlist = 5;
    world.picked = 3;
    for seed in 2..=5 {
        let mut theirs = World::of(seed, 10, Policy::shared());
        theirs.shortlist = 10;
        theirs.picked = 10;
        theirs.whole_task();
        take_in(&mut world, &mut theirs, 1_000_000);
    }
    world.whole_task().whole_task();
    let author = &world.coordinator;
    let largest = largest_window(author);
    assert!(largest <= kit::ORDINARY_SIZE_MAX, "{largest} bytes");
    let network = kit::params().network_id();
    let kinds: Vec<&str> = author
        .entries
        .iter()
        .skip(1)
        .map(|bytes| Entry::parse(bytes, Some(&network)).unwrap().body.name())
        .collect();
    assert!(kinds.contains(&"measures_imported") && kinds.contains(&"settlement"));
}
