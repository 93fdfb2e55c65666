//! The short form of fuzzing: every seed, then a fixed number of mutations of each target, the same ones on every machine.
//!
//! `SYMPHONY_FUZZ_ROUNDS` asks for more, `SYMPHONY_FUZZ_SEED` for others. A failure names the target and shows the input; put
//! it into `REGRESSIONS` as a case once it is mended. libFuzzer runs the same targets: see `fuzz/Cargo.toml`.
#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "tests, and modules that are a library elsewhere"
)]

#[path = "../../../fuzz/src/evidence.rs"]
mod evidence;
#[path = "../../../fuzz/src/fields.rs"]
mod fields;
#[path = "../../../fuzz/src/mutate.rs"]
mod mutate;
#[path = "../../../fuzz/src/seeds.rs"]
mod seeds;
#[path = "../../../fuzz/src/states.rs"]
mod states;
mod symlog;
#[path = "../../../fuzz/src/targets.rs"]
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};

use mutate::{Numbers, mutate};
use targets::{TARGETS, Target};

/// Inputs that once failed, by target.
const REGRESSIONS: &[(&str, &str)] = &[];

fn setting(name: &str, default: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Runs a target's seeds and then `rounds` mutations of them.
fn fuzz(target: &Target, rounds: u64) {
    let mut inputs = (target.seeds)();
    assert!(!inputs.is_empty(), "{} has no seeds", target.name);
    let regressions = REGRESSIONS.iter().filter(|(name, _)| *name == target.name);
    inputs.extend(regressions.map(|(_, input)| seeds::bytes_of(input)));
    let run = |input: &[u8]| {
        let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
        assert!(
            outcome.is_ok(),
            "{} failed on {}",
            target.name,
            data_encoding::HEXLOWER.encode(input)
        );
    };
    inputs.iter().for_each(|input| run(input));
    let seed = setting("SYMPHONY_FUZZ_SEED", 1);
    let mut numbers = Numbers::new(seed);
    for _ in 0..setting("SYMPHONY_FUZZ_ROUNDS", rounds) {
        let input = &inputs[numbers.below(inputs.len())];
        let other = &inputs[numbers.below(inputs.len())];
        run(&mutate(input, other, &mut numbers));
    }
}

fn fuzz_named(name: &str, rounds: u64) {
    fuzz(
        TARGETS.iter().find(|target| target.name == name).unwrap(),
        rounds,
    );
}

#[test]
fn bytes_1_statements_of_strangers_have_one_encoding() {
    fuzz_named("statement", 30_000);
}

#[test]
fn replay_20_entries_of_strangers_have_one_encoding() {
    fuzz_named("entry", 30_000);
}

#[test]
fn bytes_1_records_of_strangers_have_one_encoding() {
    fuzz_named("record", 30_000);
    fuzz_named("private", 10_000);
    fuzz_named("params", 10_000);
}

#[test]
fn log_19_notes_and_keys_of_strangers_have_one_form() {
    fuzz_named("note", 30_000);
    fuzz_named("key", 20_000);
}

#[test]
fn tile_1_what_strangers_publish_and_ask_has_one_form() {
    fuzz_named("publication", 30_000);
}

#[test]
fn log_12_invented_proofs_prove_nothing() {
    fuzz_named("proof", 20_000);
}

#[test]
fn replay_1_a_strangers_entry_is_applied_whole_or_not_at_all() {
    fuzz_named("state", 8_000);
}

#[test]
fn replay_5_a_strangers_log_leads_to_one_state() {
    fuzz_named("replay", 600);
}

#[test]
fn evidence_3_nobody_is_convicted_but_the_peer_of_the_vector() {
    fuzz_named("evidence", 10_000);
    fuzz_named("evidence_fields", 4_000);
}

#[test]
fn tasks_of_strangers_are_read_whole_or_not_at_all() {
    fuzz_named("tasks", 20_000);
}

#[test]
fn store_22_a_damaged_file_is_refused() {
    fuzz(&symlog::TARGET, 10_000);
}

#[test]
fn every_target_is_run_here_and_by_libfuzzer() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/fuzz_targets");
    for target in TARGETS {
        let file = folder.join(format!("{}.rs", target.name));
        assert!(file.is_file(), "{}", file.display());
    }
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), TARGETS.len());
}
