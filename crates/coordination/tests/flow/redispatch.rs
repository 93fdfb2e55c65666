//! Busy peers abstain, and what fails is done by the next one.

use crate::world::{Model, World, settings, task};

const SUMS: &[&str] = &["sums"];

#[test]
fn exec_13_whoever_fails_abstains_or_is_silent_is_replaced_until_one_answers() {
    for (model, silent) in [
        (Model::Fails, false),
        (Model::Abstains, false),
        (Model::Hangs, true),
    ] {
        let mut world = World::new(&[
            (SUMS, model),
            (SUMS, model),
            (SUMS, Model::Says("Answer: 5")),
        ]);
        world.submit(task(&["2 + 3"], settings()));
        for _ in 0..2 {
            world.pass(400);
        }
        assert_eq!(
            world.decided(),
            Some(Some("5")),
            "{model:?}: {:?}",
            world.told
        );
        let failed = world.count("replacement");
        assert!(failed <= 2, "{model:?}");
        assert_eq!(world.count("timeout"), if silent { failed } else { 0 });
        assert_eq!(world.count("assignment_issued"), failed + 1);
        world.assert_at_rest();
    }
}

#[test]
fn exec_13_when_nobody_is_left_the_step_has_no_answer() {
    let mut world = World::new(&[(SUMS, Model::Fails), (SUMS, Model::Abstains)]);
    world.submit(task(&["2 + 3"], settings()));
    assert_eq!(world.decided(), Some(None));
    assert_eq!(world.count("replacement"), 1);
    world.assert_at_rest();
}

#[test]
fn beacon_9_a_busy_peer_is_silent() {
    let mut world = World::new(&[(SUMS, Model::Hangs)]);
    world.submit(task(&["2 + 3"], settings()));
    assert_eq!((world.count("bid_received"), world.peers[1].load()), (1, 1));
    // It has one place, and nothing may wait: the second task finds nobody.
    world.submit(task(&["2 + 4"], settings()));
    world.pass(200);
    assert_eq!(world.count("bid_received"), 1);
    assert_eq!(world.decided(), Some(None));
    world.pass(400);
    world.assert_at_rest();
}
