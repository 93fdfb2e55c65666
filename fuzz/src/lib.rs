//! What reads bytes of strangers, each as one function of bytes: the targets of libFuzzer (`cargo fuzz run`) and of the short
//! run in the tests, which needs nothing but stable Rust (`ledger/tests/fuzz`).
//!
//! A target panics if a property fails. The properties: nothing panics; what is accepted has exactly one encoding, the one
//! that was given; a fault leaves the state as it was; equal entries lead to equal states. Seeds are the vectors of
//! `tests/vectors`, so every accepted and every refused case is where mutation begins.

pub mod evidence;
pub mod fields;
pub mod mutate;
pub mod seeds;
pub mod states;
pub mod targets;

pub use targets::{TARGETS, Target};

/// Runs one target, for libFuzzer.
///
/// # Panics
/// If a property fails, or there is no such target.
pub fn run(name: &str, input: &[u8]) {
    let target = TARGETS
        .iter()
        .find(|target| target.name == name)
        .expect("each file of fuzz_targets names a target");
    (target.run)(input);
}
