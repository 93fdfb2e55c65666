//! The attack zoo in its short form: every cheat is convicted, and no honest peer ever is. The long form is the example `zoo`.

use symphony_simulation::{Cheat, Outcome, Table, Trial, cheat_scenario, honest_scenario, run};

/// Seeds of each cheat.
const CHEAT_SEEDS: std::ops::RangeInclusive<u64> = 1..=3;

fn outcome(trial: Trial) -> Outcome {
    trial
        .run()
        .unwrap_or_else(|error| panic!("{trial}: {error}"))
}

/// Runs trials and checks what holds after each of them.
fn all_hold(trials: impl Iterator<Item = Trial>) -> Table {
    let mut table = Table::default();
    for trial in trials {
        table.add(&outcome(trial));
    }
    println!("{}", table.markdown());
    assert!(table.failures().is_empty(), "{:#?}", table.failures());
    table
}

/// Every second cheat, from this one on.
fn every_second_cheat(from: usize) {
    let cheats = || Cheat::ALL.iter().copied().skip(from).step_by(2);
    let table =
        all_hold(cheats().flat_map(|cheat| CHEAT_SEEDS.map(move |seed| Trial::Cheat(cheat, seed))));
    for cheat in cheats() {
        assert!(
            table.convicted(cheat) > 0,
            "{} never came into the open",
            cheat.name()
        );
    }
}

#[test]
fn zoo_every_cheat_is_convicted_once_an_honest_peer_has_the_bytes_first_half() {
    every_second_cheat(0);
}

#[test]
fn zoo_every_cheat_is_convicted_once_an_honest_peer_has_the_bytes_second_half() {
    every_second_cheat(1);
}

#[test]
fn zoo_no_honest_peer_is_exposed_whatever_goes_wrong_first_half() {
    all_hold((1..=30).map(Trial::Honest));
}

#[test]
fn zoo_no_honest_peer_is_exposed_whatever_goes_wrong_second_half() {
    all_hold((31..=60).map(Trial::Honest));
}

#[test]
fn zoo_equal_seeds_give_equal_runs() {
    let honest = honest_scenario(3);
    assert_eq!(
        run(&honest).expect("runs"),
        run(&honest).expect("runs again")
    );
    let cheat = cheat_scenario(Cheat::TwoBids, 3);
    assert_eq!(run(&cheat).expect("runs"), run(&cheat).expect("runs again"));
}
