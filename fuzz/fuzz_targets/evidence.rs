//! libFuzzer's way into the target `evidence`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: symphony_fuzz::begin("evidence"), |input: &[u8]| symphony_fuzz::run("evidence", input));
