//! The short form of the soak: kills, ends at every boundary, kills while opening, damage, and a full device. The long form is
//! `./x soak`.
#![allow(clippy::unwrap_used, reason = "tests")]

use symphony_tests::soak::{Boundary, Soak, SoakSettings};

/// Kills: a few seconds' worth.
const ROUNDS: u64 = 50;

#[test]
fn store_8_nothing_acknowledged_is_lost_to_kills_damage_and_a_full_device() {
    let settings = SoakSettings {
        rounds: ROUNDS,
        seed: 7,
        folder: None,
        writer: env!("CARGO_BIN_EXE_ledger-writer").into(),
    };
    let counts = Soak::new(settings)
        .unwrap()
        .run(&mut |line| println!("{line}"))
        .unwrap();
    println!("{counts}");
    // A soak that did nothing shows nothing.
    assert!(counts.acknowledged > ROUNDS, "{counts}");
    assert!(counts.kills > 0 && counts.openings > 0, "{counts}");
    for boundary in Boundary::ALL {
        assert!(counts.boundaries.contains_key(&boundary), "{counts}");
    }
    assert!(!counts.scarcities.is_empty(), "{counts}");
    assert!(counts.healed > 0, "{counts}");
    assert!(counts.checks > 0, "{counts}");
}
