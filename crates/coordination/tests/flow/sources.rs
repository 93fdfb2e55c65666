//! What other peers measured, and what becomes of it when they are exposed. Spec: chapter 21.

use symphony_coordination::{Event, TaskSettings};
use symphony_protocol::records::Body;

use crate::world::{Model, World, settings, task};

/// Peer 1 asks the others, and the coordinator takes in what it measured of them.
fn with_a_source() -> World {
    let mut world = World::new(&[
        (&["sums"], Model::Says("4")),
        (&["sums"], Model::Says("4")),
        (&["sums"], Model::Says("4")),
    ]);
    let both = TaskSettings {
        executors: 2,
        ..settings()
    };
    world.submit_to(1, task(&["2 + 2"], both));
    world.take_in(1).unwrap();
    world
}

/// Spec: IMPORT-1.
#[test]
fn import_1_who_is_exposed_already_is_taken_in_no_more() {
    let mut world = with_a_source();
    let source = world.peers[1].author();
    world.happen(Event::Exposed { peer: source });
    let refused = world.take_in(1).unwrap_err();
    assert_eq!(refused.found, source.to_string(), "{refused}");
    assert!(world.peers[0].state().sources().is_empty());
    assert_eq!(world.count("measures_imported"), 2);
}

/// Spec: IMPORT-1.
#[test]
fn import_1_a_source_is_left_out_as_soon_as_it_is_exposed() {
    let mut world = with_a_source();
    let source = world.peers[1].author();
    assert!(world.peers[0].state().sources().contains_key(&source));
    let other = world.peers[2].author();
    world.happen(Event::Exposed { peer: other });
    assert_eq!(world.count("measures_imported"), 1, "that one is no source");
    for _ in 0..2 {
        world.happen(Event::Exposed { peer: source });
        assert!(world.peers[0].state().sources().is_empty());
        assert_eq!(world.count("measures_imported"), 2, "and only once");
    }
    let Some(Body::MeasuresImported(left_out)) = world.log.last() else {
        panic!("the last entry leaves it out")
    };
    assert_eq!((left_out.source, left_out.taken.is_none()), (source, true));
}
