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

use symphony_transparency::statement_digest;

pub use targets::{TARGETS, Target};

/// Writes the seeds of one target into the folder that `SYMPHONY_FUZZ_CORPUS` names, if it does: libFuzzer calls this before it
/// reads its corpus. The files' names are digests of the contents, so that a second run adds nothing.
///
/// # Panics
/// If they cannot be written, or there is no such target.
pub fn begin(name: &str) {
    let Some(folder) = std::env::var_os("SYMPHONY_FUZZ_CORPUS") else {
        return;
    };
    for seed in (target(name).seeds)() {
        let path = std::path::Path::new(&folder).join(statement_digest(&seed).to_string());
        std::fs::write(path, seed).expect("SYMPHONY_FUZZ_CORPUS is a folder that can be written");
    }
}

/// Runs one target, for libFuzzer.
///
/// # Panics
/// If a property fails, or there is no such target.
pub fn run(name: &str, input: &[u8]) {
    (target(name).run)(input);
}

fn target(name: &str) -> &'static Target {
    TARGETS
        .iter()
        .find(|target| target.name == name)
        .expect("each file of fuzz_targets names a target")
}
