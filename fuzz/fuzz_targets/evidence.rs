//! libFuzzer's way into the target `evidence`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| symphony_fuzz::run("evidence", input));
