//! libFuzzer's way into the target `params`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: symphony_fuzz::begin("params"), |input: &[u8]| symphony_fuzz::run("params", input));
