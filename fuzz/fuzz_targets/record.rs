//! libFuzzer's way into the target `record`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: symphony_fuzz::begin("record"), |input: &[u8]| symphony_fuzz::run("record", input));
