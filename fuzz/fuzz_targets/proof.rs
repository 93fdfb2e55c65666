//! libFuzzer's way into the target `proof`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: symphony_fuzz::begin("proof"), |input: &[u8]| symphony_fuzz::run("proof", input));
